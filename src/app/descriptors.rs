//! The limit on open files, and the connections that fit into it.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Descriptors for the database, the listeners, webhooks and the like.
const RESERVED: u64 = 64;
/// Descriptors of a connection: its socket, and a file that is sent or received on it.
const PER_CONNECTION: u64 = 2;
/// Connections at most, whatever the limit on open files is: they take memory, too.
const CONNECTIONS_MAX: u64 = 10_000;

/// Raises the limit on open files as far as the process may.
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

/// Returns how many connections may be open at a time: `wanted`, but no more than the limit on open
/// files leaves room for.
pub(super) fn connections_max(wanted: Option<u32>) -> usize {
    let room = room(getrlimit(Resource::Nofile).current);
    if let Some(wanted) = wanted
        && u64::from(wanted) > room
    {
        tracing::warn!(wanted, connections_max = room, "{}", warning(room));
    }
    let connections = wanted.map_or(room, |wanted| room.min(wanted.into()));
    usize::try_from(connections).unwrap_or(usize::MAX)
}

/// Returns the warning about a setting that wants more connections than `room`.
const fn warning(room: u64) -> &'static str {
    if room < CONNECTIONS_MAX {
        "--connections-max is more than the limit on open files (ulimit -n) leaves room for"
    } else {
        "--connections-max is more than the 10000 connections that may be open at most"
    }
}

/// Connections that fit into a limit on open files. `None` is no limit.
fn room(limit: Option<u64>) -> u64 {
    let fitting = |limit: u64| limit.saturating_sub(RESERVED) / PER_CONNECTION;
    limit
        .map_or(CONNECTIONS_MAX, fitting)
        .clamp(1, CONNECTIONS_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_under_a_limit_leaves_descriptors_for_files() {
        for (limit, expected) in [
            (None, 10_000),
            (Some(0), 1),
            (Some(65), 1),
            (Some(256), 96),
            (Some(1_024), 480),
            (Some(1_048_576), 10_000),
        ] {
            assert_eq!(room(limit), expected, "{limit:?}");
        }
    }

    #[test]
    fn warning_names_the_limit_that_is_met() {
        let of_files = warning(room(Some(1_024)));
        assert!(of_files.contains("ulimit -n"), "{of_files}");
        let of_memory = warning(room(Some(1_048_576)));
        assert!(!of_memory.contains("ulimit"), "{of_memory}");
        assert!(
            of_memory.contains(&CONNECTIONS_MAX.to_string()),
            "{of_memory}"
        );
    }
}
