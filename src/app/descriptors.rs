//! Limit on open files, and the number of connections that fit into it.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Descriptors reserved for the database, the listeners, webhooks and other files.
const DESCRIPTORS_RESERVED: u64 = 64;
/// Descriptors of a connection: its socket, and the file that is sent or received on it.
const DESCRIPTORS_PER_CONNECTION: u64 = 2;
/// Upper limit of open connections, however many files may be open. Bounds the memory of connections.
const CONNECTIONS_MAX: u64 = 10_000;

/// Raises the limit on open files to the hard limit.
pub(super) fn raise_limit() {
    let limit = getrlimit(Resource::Nofile);
    if limit.current == limit.maximum {
        return;
    }
    let raised = Rlimit {
        current: limit.maximum,
        ..limit
    };
    if let Err(error) = setrlimit(Resource::Nofile, raised) {
        tracing::debug!(%error, "cannot raise the limit on open files");
    }
}

/// Returns how many connections may be open at a time: `requested`, but at most as many as fit into
/// the limit on open files.
pub(super) fn connections_max(requested: Option<u32>) -> usize {
    let capacity = connection_capacity(getrlimit(Resource::Nofile).current);
    if let Some(requested) = requested
        && u64::from(requested) > capacity
    {
        tracing::warn!(
            requested,
            connections_max = capacity,
            "{}",
            capacity_warning(capacity)
        );
    }
    let connections = requested.map_or(capacity, |requested| capacity.min(requested.into()));
    usize::try_from(connections).unwrap_or(usize::MAX)
}

/// Returns the warning about a setting that exceeds `capacity`.
const fn capacity_warning(capacity: u64) -> &'static str {
    if capacity < CONNECTIONS_MAX {
        "--connections-max exceeds what the limit on open files (ulimit -n) allows"
    } else {
        "--connections-max exceeds 10000, the most connections that may be open"
    }
}

/// Returns the number of connections that fit into `files_max` open files. `None`: no limit on files.
fn connection_capacity(files_max: Option<u64>) -> u64 {
    let fitting =
        |files: u64| files.saturating_sub(DESCRIPTORS_RESERVED) / DESCRIPTORS_PER_CONNECTION;
    files_max
        .map_or(CONNECTIONS_MAX, fitting)
        .clamp(1, CONNECTIONS_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connection_capacity_reserves_descriptors_for_files() {
        for (files_max, expected) in [
            (None, 10_000),
            (Some(0), 1),
            (Some(65), 1),
            (Some(256), 96),
            (Some(1_024), 480),
            (Some(1_048_576), 10_000),
        ] {
            assert_eq!(connection_capacity(files_max), expected, "{files_max:?}");
        }
    }

    #[test]
    fn capacity_warning_names_the_limit_that_applies() {
        let file_warning = capacity_warning(connection_capacity(Some(1_024)));
        assert!(file_warning.contains("ulimit -n"), "{file_warning}");
        let count_warning = capacity_warning(connection_capacity(Some(1_048_576)));
        assert!(!count_warning.contains("ulimit"), "{count_warning}");
        assert!(
            count_warning.contains(&CONNECTIONS_MAX.to_string()),
            "{count_warning}"
        );
    }
}
