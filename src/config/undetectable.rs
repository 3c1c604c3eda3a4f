//! How Undetectable's documents go.

use clap::Args;
use clap::builder::FalseyValueParser;

/// Settings of Undetectable's documents.
#[derive(Debug, Clone, Args)]
pub struct Undetectable {
    /// Undetectable: milliseconds a document is pending
    #[arg(
        long,
        env = "STUNTDOUBLE_DETECT_PENDING_MS",
        default_value_t = 100,
        value_name = "MS"
    )]
    pub detect_pending_ms: u32,
    /// Undetectable: milliseconds until a document is done
    #[arg(
        long,
        env = "STUNTDOUBLE_DETECT_DONE_MS",
        default_value_t = 300,
        value_name = "MS"
    )]
    pub detect_done_ms: u32,
    /// Undetectable: milliseconds from done to the heatmap
    #[arg(
        long,
        env = "STUNTDOUBLE_HEATMAP_MS",
        default_value_t = 200,
        value_name = "MS"
    )]
    pub heatmap_ms: u32,
    /// Undetectable: milliseconds from done to the analysis
    #[arg(
        long,
        env = "STUNTDOUBLE_ANALYSIS_MS",
        default_value_t = 400,
        value_name = "MS"
    )]
    pub analysis_ms: u32,
    /// Undetectable: whether an analysis is made where the request does not say
    #[arg(
        long,
        env = "STUNTDOUBLE_ANALYSIS_DEFAULT",
        default_value_t = true,
        action = clap::ArgAction::Set,
        value_name = "BOOL"
    )]
    pub analysis_default: bool,
    /// Undetectable: give `analysis_result_status` and `analysis_result` beside the plural names
    #[arg(long, env = "STUNTDOUBLE_SINGULAR_ANALYSIS", value_parser = FalseyValueParser::new())]
    pub singular_analysis: bool,
    /// Undetectable: leave detection step 2, the generators' watermarks, out
    #[arg(long, env = "BYPASS_OCR", value_parser = FalseyValueParser::new())]
    pub bypass_ocr: bool,
}
