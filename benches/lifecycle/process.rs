//! The processes that are measured: started, found by their start line, watched through
//! `/proc`, and killed when they are let go, also by a panic.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, PipeReader};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::{BenchOutcome, usage_error};

/// How long a process may take until its start line.
const START_PATIENCE: Duration = Duration::from_secs(20);
/// How many of the last lines of output are kept, to be shown when an answer was wrong.
const LOG_LINES_MAX: usize = 20;
/// The kernel's `USER_HZ`, in which `/proc/PID/stat` counts: 100 on every Linux.
const TICKS_PER_SECOND: u32 = 100;

/// The last lines of a process's output.
type ServerLog = Arc<Mutex<VecDeque<String>>>;

/// A running server, killed when dropped.
pub struct ServerProcess {
    child: Child,
    /// Where it listens.
    pub address: SocketAddr,
    /// When it was executed.
    pub executed: Instant,
    log: ServerLog,
}

/// What the kernel says of a process's memory, in bytes.
#[derive(Debug, Clone, Copy)]
pub struct Memory {
    /// `VmRSS`: resident now.
    pub resident_bytes: u64,
    /// `VmHWM`: the most that was ever resident, or since the mark was reset.
    pub peak_bytes: u64,
}

impl ServerProcess {
    /// Starts the mock server `binary` on a port of its choice, with `data_dir` as its data
    /// directory and no processing delay.
    pub fn stuntdouble(binary: &Path, data_dir: &Path) -> BenchOutcome<Self> {
        Self::stuntdouble_with(binary, data_dir, &[])
    }

    /// The same, with these arguments too.
    pub fn stuntdouble_with(binary: &Path, data_dir: &Path, more: &[&str]) -> BenchOutcome<Self> {
        let mut command = Command::new(binary);
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("STUNTDOUBLE_") {
                command.env_remove(name);
            }
        }
        command
            .args(["--port", "0", "--processing-ms", "0", "--data-dir"])
            .arg(data_dir)
            .args(more);
        Self::start(&mut command)
    }

    /// Starts `command` and waits for its start line.
    pub fn start(command: &mut Command) -> BenchOutcome<Self> {
        let (reader, writer) = std::io::pipe()?;
        command
            .stdin(Stdio::null())
            .stdout(writer.try_clone()?)
            .stderr(writer);
        let log = ServerLog::default();
        let (announce, announced) = channel();
        let stored = Arc::clone(&log);
        std::thread::spawn(move || follow(reader, &stored, &announce));
        let executed = Instant::now();
        let child = command.spawn()?;
        // The command holds the pipe's writing ends; without this the reader sees no end.
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let mut process = Self {
            child,
            address: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            executed,
            log,
        };
        match announced.recv_timeout(START_PATIENCE) {
            Ok(address) => process.address = address,
            Err(error) => {
                let why = format!("no start line ({error}); it said:\n{}", process.log());
                return Err(usage_error(why));
            }
        }
        Ok(process)
    }

    /// The last lines it printed.
    pub fn log(&self) -> String {
        let lines = self.log.lock().unwrap_or_else(PoisonError::into_inner);
        let indented: Vec<String> = lines.iter().map(|line| format!("    {line}")).collect();
        indented.join("\n")
    }

    /// Its memory.
    pub fn memory(&self) -> BenchOutcome<Memory> {
        let status = std::fs::read_to_string(self.proc_file("status"))?;
        let field = |name: &str| -> BenchOutcome<u64> {
            let kib = status
                .lines()
                .find_map(|line| line.strip_prefix(name))
                .and_then(|rest| rest.trim().strip_suffix("kB"))
                .ok_or_else(|| usage_error(format!("no {name} in /proc/PID/status")))?;
            Ok(kib.trim().parse::<u64>()? * 1024)
        };
        Ok(Memory {
            resident_bytes: field("VmRSS:")?,
            peak_bytes: field("VmHWM:")?,
        })
    }

    /// Sets the peak back to what is resident now; some sandboxes refuse.
    pub fn reset_peak(&self) -> bool {
        std::fs::write(self.proc_file("clear_refs"), "5").is_ok()
    }

    /// The processor time it has used, user and system, in steps of 10 ms.
    pub fn processor_time(&self) -> BenchOutcome<Duration> {
        processor_time(&self.proc_file("stat"))
    }

    fn proc_file(&self, name: &str) -> PathBuf {
        Path::new("/proc")
            .join(self.child.id().to_string())
            .join(name)
    }
}

impl Drop for ServerProcess {
    fn drop(&mut self) {
        // It may be gone already; either way there is no one left to tell.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// The processor time this bench has used itself.
pub fn own_processor_time() -> BenchOutcome<Duration> {
    processor_time(Path::new("/proc/self/stat"))
}

fn processor_time(stat: &Path) -> BenchOutcome<Duration> {
    let text = std::fs::read_to_string(stat)?;
    // The second field is the name in parentheses and may hold spaces; utime and stime are
    // fields 14 and 15.
    let after_name = text.rsplit_once(')').map_or("", |(_, rest)| rest);
    let ticks: u32 = after_name
        .split_whitespace()
        .skip(11)
        .take(2)
        .map(str::parse::<u32>)
        .sum::<Result<_, _>>()?;
    Ok(Duration::from_secs(u64::from(ticks)) / TICKS_PER_SECOND)
}

/// Reads a process's output to its end, so that it never blocks on it.
fn follow(output: PipeReader, log: &ServerLog, announce: &Sender<SocketAddr>) {
    for line in BufReader::new(output).lines() {
        let Ok(line) = line else { return };
        if let Some(address) = listening_address(&line) {
            // Nobody listens any more after the first.
            announce.send(address).ok();
        }
        let mut lines = log.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.len() == LOG_LINES_MAX {
            lines.pop_front();
        }
        lines.push_back(line);
    }
}

/// The address in a start line, `… listening on http://127.0.0.1:PORT …`; one that listens
/// everywhere is called on loopback.
fn listening_address(line: &str) -> Option<SocketAddr> {
    let (_, rest) = line.split_once("listening on http://")?;
    let end = rest
        .find(|c: char| !(c.is_ascii_digit() || c == '.' || c == ':'))
        .unwrap_or(rest.len());
    let mut address: SocketAddr = rest[..end].trim_end_matches(['.', ':']).parse().ok()?;
    if address.ip().is_unspecified() {
        address.set_ip(IpAddr::V4(Ipv4Addr::LOCALHOST));
    }
    Some(address)
}
