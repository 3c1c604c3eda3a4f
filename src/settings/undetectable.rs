//! How Undetectable's documents go.

use clap::builder::FalseyValueParser;
use clap::{Args, ValueEnum};

/// How long the steps of a document take, where no setting of their own says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum TimingProfile {
    /// As fast as a test wants it
    Quick,
    /// As the vendor's: pending 1 s, done after 5 to 15 s, heatmap and analysis 1 to 20 s later, all
    /// within 27 s, drawn for each document
    Realistic,
}

/// Last status of an analysis that succeeds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum AnalysisFinalStatus {
    /// As the vendor's SDK expects it
    Ready,
    /// As some of the vendor's pages have it
    Done,
}

/// Settings of Undetectable's documents.
#[derive(Debug, Clone, Copy, Args)]
pub struct UndetectableSettings {
    /// Undetectable: how long the steps of a document take, where the next four do not say
    #[arg(
        long,
        env = "STUNTDOUBLE_TIMING_PROFILE",
        value_enum,
        default_value = "quick"
    )]
    pub timing_profile: TimingProfile,
    /// Undetectable: milliseconds a document is pending; 100 if not set, or by the profile
    #[arg(long, env = "STUNTDOUBLE_DETECT_PENDING_MS", value_name = "MS")]
    pub detect_pending_ms: Option<u32>,
    /// Undetectable: milliseconds until a document is done; 300 if not set, or by the profile
    #[arg(long, env = "STUNTDOUBLE_DETECT_DONE_MS", value_name = "MS")]
    pub detect_done_ms: Option<u32>,
    /// Undetectable: milliseconds from done to the heatmap; 200 if not set, or by the profile
    #[arg(long, env = "STUNTDOUBLE_HEATMAP_DELAY_MS", value_name = "MS")]
    pub heatmap_delay_ms: Option<u32>,
    /// Undetectable: milliseconds from done to the analysis; 400 if not set, or by the profile
    #[arg(long, env = "STUNTDOUBLE_ANALYSIS_DELAY_MS", value_name = "MS")]
    pub analysis_delay_ms: Option<u32>,
    /// Undetectable: whether an analysis is made where the request does not say
    #[arg(
        long,
        env = "STUNTDOUBLE_ANALYSIS_DEFAULT",
        default_value_t = true,
        action = clap::ArgAction::Set,
        value_name = "BOOL"
    )]
    pub analysis_default: bool,
    /// Undetectable: last status of an analysis that succeeds
    #[arg(
        long,
        env = "STUNTDOUBLE_ANALYSIS_FINAL_STATUS",
        value_enum,
        default_value = "ready",
        value_name = "STATUS"
    )]
    pub analysis_final_status: AnalysisFinalStatus,
    /// Undetectable: give `analysis_result_status` and `analysis_result` beside the plural names
    #[arg(long, env = "STUNTDOUBLE_SINGULAR_ANALYSIS", value_parser = FalseyValueParser::new())]
    pub singular_analysis: bool,
    /// Undetectable: refuse file names with unsafe characters, and uploads whose type does not fit the
    /// extension; have `x-amz-acl` signed
    #[arg(long, env = "STUNTDOUBLE_STRICT_UPLOADS", value_parser = FalseyValueParser::new())]
    pub strict_uploads: bool,
    /// Undetectable: leave detection step 2, the generators' watermarks, out
    #[arg(long, env = "STUNTDOUBLE_BYPASS_OCR", value_parser = FalseyValueParser::new())]
    pub bypass_ocr: bool,
}
