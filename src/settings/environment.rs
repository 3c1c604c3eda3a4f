//! Environment variables with settings. No other module reads the environment of the process.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};

/// Prefix of every variable that holds a setting.
const PREFIX: &str = "STUNTDOUBLE_";
/// Pairs of a variable with the prefix and an alias that is accepted in its place.
const ALIASES: [(&str, &str); 2] = [
    ("STUNTDOUBLE_CONTROL_TOKEN", "CONTROL_TOKEN"),
    ("STUNTDOUBLE_BYPASS_OCR", "BYPASS_OCR"),
];
/// Minimal Jaro similarity of a name that is suggested for an unknown one, as in clap.
const SIMILARITY_MIN: f64 = 0.7;

/// Variables with settings. Empty variables and those that Kubernetes sets are left out.
#[derive(Debug, Clone, Default)]
pub struct Environment(BTreeMap<String, OsString>);

impl Environment {
    /// Reads the variables of this process.
    #[must_use]
    pub fn from_process() -> Self {
        let named = |(name, value): (OsString, OsString)| Some((name.into_string().ok()?, value));
        std::env::vars_os().filter_map(named).collect()
    }

    /// Returns the value of the variable `name`, or of its alias, and the name that holds it.
    /// `None` if neither is set.
    pub(crate) fn get<'n>(&self, name: &'n str) -> Option<(&'n str, &OsStr)> {
        let names = std::iter::once(name).chain(alias(name));
        let mut set = names.filter_map(|name| Some((name, self.0.get(name)?.as_os_str())));
        set.next()
    }

    /// Returns a warning for each variable with the prefix that is not in `known`, and for each one
    /// that differs from its alias.
    pub(crate) fn warnings(&self, known: &BTreeSet<String>) -> Vec<String> {
        let is_unknown = |name: &&String| name.starts_with(PREFIX) && !known.contains(*name);
        let unknown = self.0.keys().filter(is_unknown);
        let mut lines: Vec<String> = unknown
            .map(|name| unknown_variable_message(name, known))
            .collect();
        for (name, alias) in ALIASES {
            let values = (self.0.get(name), self.0.get(alias));
            if let (Some(one), Some(other)) = values
                && one != other
            {
                lines.push(format!(
                    "{name} and {alias} are both set and differ; {name} is used"
                ));
            }
        }
        lines
    }
}

impl FromIterator<(String, OsString)> for Environment {
    fn from_iter<I: IntoIterator<Item = (String, OsString)>>(variables: I) -> Self {
        let is_setting = |name: &str| {
            name.starts_with(PREFIX) || ALIASES.iter().any(|(_, alias)| *alias == name)
        };
        let has_setting = |(name, value): &(String, OsString)| {
            is_setting(name) && !value.is_empty() && !is_kubernetes_variable(name, value)
        };
        Self(variables.into_iter().filter(has_setting).collect())
    }
}

fn alias(name: &str) -> Option<&'static str> {
    let found = ALIASES.iter().find(|(of, _)| *of == name);
    found.map(|(_, alias)| *alias)
}

fn unknown_variable_message(name: &str, known: &BTreeSet<String>) -> String {
    let without = |name: &str| name.trim_start_matches(PREFIX).to_owned();
    let similarity = |other: &String| strsim::jaro(&without(name), &without(other));
    let nearest = known
        .iter()
        .map(|other| (similarity(other), other))
        .filter(|(similarity, _)| *similarity > SIMILARITY_MIN)
        .max_by(|(one, _), (other, _)| one.total_cmp(other));
    match nearest {
        Some((_, nearest)) => {
            format!("{name} is not a setting and is ignored; did you mean {nearest}?")
        }
        None => {
            format!("{name} is not a setting and is ignored; stuntdouble --help lists the settings")
        }
    }
}

/// Returns `true` if Kubernetes sets that variable in every pod for a service called `stuntdouble`,
/// or `stuntdouble-` and something: `…_SERVICE_HOST`, `…_SERVICE_PORT[_NAME]`, `…_PORT=tcp://…`,
/// `…_PORT_8080_TCP[_ADDR|_PORT|_PROTO]`.
fn is_kubernetes_variable(name: &str, value: &OsStr) -> bool {
    let Some(rest) = name.strip_prefix(PREFIX) else {
        return false;
    };
    let words: Vec<&str> = rest.split('_').collect();
    let is_number = |word: &str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit());
    let is_protocol = |word: &str| ["TCP", "UDP", "SCTP"].contains(&word);
    let value = value.to_string_lossy();
    let is_address = ["tcp://", "udp://", "sctp://"]
        .iter()
        .any(|scheme| value.starts_with(scheme));
    words.ends_with(&["SERVICE", "HOST"])
        || words.windows(2).any(|pair| pair == ["SERVICE", "PORT"])
        || (words.ends_with(&["PORT"]) && is_address)
        || words
            .windows(3)
            .any(|three| three[0] == "PORT" && is_number(three[1]) && is_protocol(three[2]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(variables: &[(&str, &str)]) -> Environment {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).into());
        variables.iter().map(owned).collect()
    }

    fn known() -> BTreeSet<String> {
        let names = [
            "CONTROL_TOKEN",
            "DATA_DIR",
            "DATA_MOUNT",
            "LOG",
            "LOG_FORMAT",
            "PORT",
        ];
        names.iter().map(|name| format!("{PREFIX}{name}")).collect()
    }

    #[test]
    fn unknown_variable_is_reported_with_the_nearest_setting() {
        let set = environment(&[
            ("STUNTDOUBLE_DATADIR", "/a"),
            ("STUNTDOUBLE_LOG_LEVEL", "debug"),
            ("STUNTDOUBLE_TELEMETRY", "1"),
            ("STUNTDOUBLE_PORT", "1"),
            ("STUNTDOUBLE_EMPTY", ""),
            ("STUNTDOUBLE", "http://localhost:8080"),
            ("PATH", "/bin"),
        ]);
        assert_eq!(
            set.warnings(&known()),
            [
                "STUNTDOUBLE_DATADIR is not a setting and is ignored; did you mean STUNTDOUBLE_DATA_DIR?",
                "STUNTDOUBLE_LOG_LEVEL is not a setting and is ignored; did you mean STUNTDOUBLE_LOG?",
                "STUNTDOUBLE_TELEMETRY is not a setting and is ignored; stuntdouble --help lists the settings",
            ]
        );
    }

    #[test]
    fn variable_with_the_prefix_outranks_its_alias_and_a_difference_is_reported() {
        let name = "STUNTDOUBLE_CONTROL_TOKEN";
        let value = |set: &Environment| {
            set.get(name)
                .map(|(by, value)| (by.to_owned(), value.to_owned()))
        };
        let alone = environment(&[("CONTROL_TOKEN", "b")]);
        assert_eq!(
            value(&alone),
            Some(("CONTROL_TOKEN".to_owned(), "b".into()))
        );
        assert!(alone.warnings(&known()).is_empty());
        let both = environment(&[(name, "a"), ("CONTROL_TOKEN", "b")]);
        assert_eq!(value(&both), Some((name.to_owned(), "a".into())));
        assert_eq!(
            both.warnings(&known()),
            [
                "STUNTDOUBLE_CONTROL_TOKEN and CONTROL_TOKEN are both set and differ; STUNTDOUBLE_CONTROL_TOKEN is used"
            ]
        );
        let same = environment(&[(name, "a"), ("CONTROL_TOKEN", "a")]);
        assert!(same.warnings(&known()).is_empty());
        let empty = environment(&[(name, ""), ("CONTROL_TOKEN", "b")]);
        assert_eq!(value(&empty), value(&alone));
    }

    #[test]
    fn variables_of_a_kubernetes_service_are_ignored_without_a_warning() {
        for (name, value) in [
            ("STUNTDOUBLE_PORT", "tcp://10.0.0.1:8080"),
            ("STUNTDOUBLE_SERVICE_HOST", "10.0.0.1"),
            ("STUNTDOUBLE_SERVICE_PORT", "8080"),
            ("STUNTDOUBLE_SERVICE_PORT_HTTP", "8080"),
            ("STUNTDOUBLE_PORT_8080_TCP", "tcp://10.0.0.1:8080"),
            ("STUNTDOUBLE_PORT_8080_TCP_ADDR", "10.0.0.1"),
            ("STUNTDOUBLE_PORT_8080_TCP_PORT", "8080"),
            ("STUNTDOUBLE_PORT_8080_TCP_PROTO", "tcp"),
            // A second service: stuntdouble-tls.
            ("STUNTDOUBLE_TLS_PORT", "tcp://10.0.0.2:443"),
            ("STUNTDOUBLE_TLS_SERVICE_HOST", "10.0.0.2"),
            ("STUNTDOUBLE_TLS_PORT_443_TCP_ADDR", "10.0.0.2"),
        ] {
            let set = environment(&[(name, value)]);
            assert!(set.get(name).is_none(), "{name}");
            assert!(set.warnings(&known()).is_empty(), "{name}");
        }
        let port = environment(&[("STUNTDOUBLE_PORT", "8080")]);
        assert!(port.get("STUNTDOUBLE_PORT").is_some());
    }
}
