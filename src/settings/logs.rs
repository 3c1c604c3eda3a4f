//! Log filters.

/// Levels of log lines. `off` disables logging.
const LEVELS: [&str; 6] = ["error", "warn", "info", "debug", "trace", "off"];

/// Returns `text` if it is a level, or directives of tracing with a level each.
///
/// # Errors
/// Returns an error if a directive has no level or an unknown one. `tracing` alone would take an
/// unknown level for a target, and show all lines of that target but no other line.
pub(super) fn filter(text: &str) -> Result<String, String> {
    for directive in text.split(',') {
        let level = directive.rsplit('=').next().unwrap_or_default().trim();
        if !LEVELS.iter().any(|it| it.eq_ignore_ascii_case(level)) {
            return Err(format!(
                "'{level}' is not a level; expected error, warn, info, debug, trace or off, or directives of tracing such as info,hyper=debug"
            ));
        }
    }
    let parsed = text.parse::<tracing_subscriber::filter::Targets>();
    parsed.map_err(|error| error.to_string())?;
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filter_without_a_known_level_is_refused() {
        for good in [
            "error",
            "INFO",
            "off",
            "warn,stuntdouble=trace",
            "stuntdouble::services::worker=debug,info",
        ] {
            assert_eq!(filter(good).as_deref(), Ok(good));
        }
        for (bad, word) in [
            ("verbos", "verbos"),
            ("", ""),
            ("info,", ""),
            ("stuntdouble", "stuntdouble"),
            ("info,hyper=loud", "loud"),
        ] {
            let line = filter(bad).expect_err(bad);
            assert!(
                line.starts_with(&format!("'{word}' is not a level; ")),
                "{line}"
            );
        }
    }
}
