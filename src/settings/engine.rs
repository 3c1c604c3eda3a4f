//! Memory budget of the engine.

use clap::Args;

/// Settings of the work on pictures.
#[derive(Debug, Clone, Copy, Args)]
pub struct EngineSettings {
    /// Memory budget in bytes for work on pictures, at least 16 MiB; if not set, 40% of the memory
    /// that the process may use (a container's limit included), at most 1 GiB
    #[arg(
        long,
        env = "STUNTDOUBLE_ENGINE_MEMORY",
        value_parser = clap::value_parser!(u64).range(16_777_216..),
        value_name = "BYTES"
    )]
    pub engine_memory: Option<u64>,
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::EngineSettings;

    #[derive(Debug, Parser)]
    struct EngineParser {
        #[command(flatten)]
        engine: EngineSettings,
    }

    #[test]
    fn parsing_less_memory_than_the_minimum_is_refused() {
        let parse = |bytes| EngineParser::try_parse_from(["stuntdouble", "--engine-memory", bytes]);
        let refused = parse("16777215")
            .expect_err("below the minimum")
            .to_string();
        assert!(
            refused.contains("16777215 is not in 16777216.."),
            "{refused}"
        );
        let accepted = parse("16777216").expect("the minimum").engine;
        assert_eq!(accepted.engine_memory, Some(16_777_216));
    }
}
