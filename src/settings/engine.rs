//! Budget of the memory that work on pictures may take.

use clap::Args;

/// Settings of the work on pictures.
#[derive(Debug, Clone, Copy, Args)]
pub struct EngineSettings {
    /// Bytes of memory that work on pictures may take, 16 MiB at least; if not set, 40% of what the
    /// process may use (its container's limit included), 1 GiB at most
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
    struct Parsed {
        #[command(flatten)]
        engine: EngineSettings,
    }

    #[test]
    fn parsing_less_memory_than_small_pictures_take_is_refused() {
        let parse = |bytes| Parsed::try_parse_from(["stuntdouble", "--engine-memory", bytes]);
        let refused = parse("16777215").expect_err("too little").to_string();
        assert!(
            refused.contains("16777215 is not in 16777216.."),
            "{refused}"
        );
        let accepted = parse("16777216").expect("enough").engine;
        assert_eq!(accepted.engine_memory, Some(16_777_216));
    }
}
