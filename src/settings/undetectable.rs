//! Timing and variants of Undetectable's documents.

use clap::builder::FalseyValueParser;
use clap::{Args, ValueEnum};

/// Durations of the steps of a document that have no setting of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum TimingProfile {
    /// Fast, for tests
    Quick,
    /// Like the vendor's: pending for 1 s, done after 5 to 15 s, heatmap and analysis 1 to 20 s
    /// later, all within 27 s, at random for each document
    Realistic,
}

/// Last status of an analysis that succeeds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum AnalysisFinalStatus {
    /// Status that the vendor's SDK expects
    Ready,
    /// Status that some pages of the vendor name
    Done,
}

/// Settings of Undetectable's documents.
#[derive(Debug, Clone, Copy, Args)]
pub struct UndetectableSettings {
    /// Undetectable: durations of the steps of a document that the next four settings do not give
    #[arg(
        long,
        env = "STUNTDOUBLE_TIMING_PROFILE",
        value_enum,
        default_value = "quick"
    )]
    pub timing_profile: TimingProfile,
    /// Undetectable: milliseconds for which a document is pending; if not set, by the timing
    /// profile (quick: 100)
    #[arg(long, env = "STUNTDOUBLE_DETECT_PENDING_MS", value_name = "MS")]
    pub detect_pending_ms: Option<u32>,
    /// Undetectable: milliseconds until a document is done; if not set, by the timing profile
    /// (quick: 300)
    #[arg(long, env = "STUNTDOUBLE_DETECT_DONE_MS", value_name = "MS")]
    pub detect_done_ms: Option<u32>,
    /// Undetectable: milliseconds from done to the heatmap; if not set, by the timing profile
    /// (quick: 200)
    #[arg(long, env = "STUNTDOUBLE_HEATMAP_DELAY_MS", value_name = "MS")]
    pub heatmap_delay_ms: Option<u32>,
    /// Undetectable: milliseconds from done to the analysis; if not set, by the timing profile
    /// (quick: 400)
    #[arg(long, env = "STUNTDOUBLE_ANALYSIS_DELAY_MS", value_name = "MS")]
    pub analysis_delay_ms: Option<u32>,
    /// Undetectable: whether to analyse a document if the request does not say
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
    /// Undetectable: add `analysis_result_status` and `analysis_result` beside the plural names
    #[arg(long, env = "STUNTDOUBLE_SINGULAR_ANALYSIS", value_parser = FalseyValueParser::new())]
    pub singular_analysis: bool,
    /// Undetectable: refuse file names with unsafe characters, and uploads whose type does not
    /// match the extension; sign `x-amz-acl`
    #[arg(long, env = "STUNTDOUBLE_STRICT_UPLOADS", value_parser = FalseyValueParser::new())]
    pub strict_uploads: bool,
    /// Undetectable: skip detection step 2, the search for watermarks of generators
    #[arg(long, env = "STUNTDOUBLE_BYPASS_OCR", value_parser = FalseyValueParser::new())]
    pub bypass_ocr: bool,
}
