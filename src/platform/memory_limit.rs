//! Memory that the process may use: the smallest of the machine's memory, the cgroup limits and the
//! resource limits.
//!
//! A container's limit is a cgroup limit. Both cgroup versions are read, with all visible ancestors. The
//! smallest limit applies.

use std::fs;
use std::path::{Path, PathBuf};

/// Mount points of cgroup version 2, alone and beside version 1.
const CGROUP_2_MOUNTS: [&str; 2] = ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"];
const CGROUP_2_FILES: [&str; 2] = ["memory.max", "memory.high"];
const CGROUP_1_MOUNT: &str = "/sys/fs/cgroup/memory";
const CGROUP_1_FILE: &str = "memory.limit_in_bytes";
/// Resource limits on allocations (`RLIMIT_AS` and `RLIMIT_DATA`), and the bytes of each that are not
/// available for allocations. The program, the stacks of its threads and two arenas of glibc's allocator
/// reserve address space even if they do not use it.
const RESOURCES: [(&str, u64); 2] = [
    ("Max address space", 256 * 1024 * 1024),
    ("Max data size", 0),
];

/// Returns the bytes of memory that this process may use. `None` if the system does not say.
#[must_use]
pub fn process_bytes() -> Option<u64> {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    cgroup_files(&read("/proc/self/cgroup"))
        .iter()
        .filter_map(|file| cgroup_bytes(file))
        .chain(total_bytes(&read("/proc/meminfo")))
        .chain(resource_bytes(&read("/proc/self/limits")))
        .min()
}

/// Returns the resident memory of the process. `None` if the system does not report it.
#[must_use]
pub fn resident_bytes() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kibibytes: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kibibytes * 1024)
}

fn cgroup_bytes(file: &Path) -> Option<u64> {
    limit_bytes(&fs::read_to_string(file).ok()?)
}

/// Returns the limit in a cgroup file. `None` for `max`, which means no limit.
fn limit_bytes(text: &str) -> Option<u64> {
    text.trim().parse().ok()
}

/// Returns the files that may have a limit of the process whose `/proc/self/cgroup` is `text`.
///
/// The path in `text` may not exist below the mount point: a container may mount its own cgroup as the
/// root. So all ancestors are included as well.
fn cgroup_files(text: &str) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for line in text.lines() {
        let mut fields = line.splitn(3, ':');
        let (Some(_), Some(controllers), Some(path)) =
            (fields.next(), fields.next(), fields.next())
        else {
            continue;
        };
        let path = path.trim_start_matches('/');
        for ancestor in Path::new(path).ancestors() {
            if controllers.is_empty() {
                for (mount, file) in CGROUP_2_MOUNTS
                    .iter()
                    .flat_map(|mount| CGROUP_2_FILES.map(|file| (mount, file)))
                {
                    files.push(Path::new(mount).join(ancestor).join(file));
                }
            } else if controllers.split(',').any(|name| name == "memory") {
                files.push(Path::new(CGROUP_1_MOUNT).join(ancestor).join(CGROUP_1_FILE));
            }
        }
    }
    files
}

/// Returns the memory of the machine whose `/proc/meminfo` is `text`.
fn total_bytes(text: &str) -> Option<u64> {
    let total = text.lines().find_map(|line| line.strip_prefix("MemTotal:"));
    let kibibytes: u64 = total?.trim().strip_suffix(" kB")?.parse().ok()?;
    kibibytes.checked_mul(1024)
}

/// Returns the smallest memory that the soft limits in `text`, a `/proc/self/limits`, leave for
/// allocations. `None` if there is no limit.
fn resource_bytes(text: &str) -> Option<u64> {
    RESOURCES
        .iter()
        .filter_map(|(resource, reserved_bytes)| {
            let line = text.lines().find_map(|line| line.strip_prefix(resource));
            let bytes: u64 = line?.split_whitespace().next()?.parse().ok()?;
            Some(bytes.saturating_sub(*reserved_bytes))
        })
        .min()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limit_bytes_of_max_is_none() {
        assert_eq!(limit_bytes("536870912\n"), Some(536_870_912));
        assert_eq!(limit_bytes("max\n"), None);
        assert_eq!(limit_bytes(""), None);
    }

    #[test]
    fn cgroup_files_of_version_2_include_all_ancestors() {
        let files = cgroup_files("0::/docker/1f\n");
        let expected = [
            "/sys/fs/cgroup/docker/1f/memory.max",
            "/sys/fs/cgroup/docker/1f/memory.high",
            "/sys/fs/cgroup/unified/docker/1f/memory.max",
            "/sys/fs/cgroup/unified/docker/1f/memory.high",
            "/sys/fs/cgroup/docker/memory.max",
            "/sys/fs/cgroup/docker/memory.high",
            "/sys/fs/cgroup/unified/docker/memory.max",
            "/sys/fs/cgroup/unified/docker/memory.high",
            "/sys/fs/cgroup/memory.max",
            "/sys/fs/cgroup/memory.high",
            "/sys/fs/cgroup/unified/memory.max",
            "/sys/fs/cgroup/unified/memory.high",
        ];
        assert_eq!(files, expected.map(PathBuf::from));
    }

    #[test]
    fn cgroup_files_of_version_1_are_those_of_the_memory_controller() {
        let files = cgroup_files("9:name=systemd:/x\n4:cpu,memory:/docker/1f\n3:cpuset:/y\n");
        let expected = [
            "/sys/fs/cgroup/memory/docker/1f/memory.limit_in_bytes",
            "/sys/fs/cgroup/memory/docker/memory.limit_in_bytes",
            "/sys/fs/cgroup/memory/memory.limit_in_bytes",
        ];
        assert_eq!(files, expected.map(PathBuf::from));
        assert_eq!(cgroup_files("nonsense\n\n"), Vec::<PathBuf>::new());
    }

    #[test]
    fn total_bytes_converts_kibibytes() {
        let text = "MemTotal:       24683840 kB\nMemFree:        20042356 kB\n";
        assert_eq!(total_bytes(text), Some(24_683_840 * 1024));
        assert_eq!(total_bytes("MemFree: 1 kB\n"), None);
    }

    #[test]
    fn resource_bytes_is_the_smaller_soft_limit() {
        let limits = |address_space: &str, data: &str| {
            format!(
                "Limit                     Soft Limit           Hard Limit           Units     \n\
                 Max data size             {data}            unlimited            bytes     \n\
                 Max address space         {address_space}            unlimited            bytes     \n"
            )
        };
        assert_eq!(resource_bytes(&limits("unlimited", "unlimited")), None);
        assert_eq!(
            resource_bytes(&limits("536870912", "unlimited")),
            Some(536_870_912 - 268_435_456)
        );
        assert_eq!(
            resource_bytes(&limits("536870912", "1048576")),
            Some(1_048_576)
        );
        assert_eq!(resource_bytes(&limits("1024", "unlimited")), Some(0));
        assert_eq!(resource_bytes(""), None);
    }

    #[test]
    fn process_bytes_of_this_process_is_positive() {
        assert!(process_bytes().is_some_and(|bytes| bytes > 0));
    }
}
