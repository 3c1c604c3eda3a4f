//! Server processes: started, found by their start line, measured through `/proc`, and killed when
//! dropped, also by a panic.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, PipeReader};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::{BenchResult, bench_error};

/// Time limit for the start line of a process.
const START_TIMEOUT: Duration = Duration::from_secs(20);
/// Number of the last output lines that are stored, for error messages.
const LOG_LINES_MAX: usize = 20;
/// The kernel's `USER_HZ`, the unit of `/proc/PID/stat`: 100 on every Linux.
const TICKS_PER_SECOND: u32 = 100;

/// Last lines of a process's output.
type ServerLog = Arc<Mutex<VecDeque<String>>>;

/// A running server, killed when dropped.
pub struct ServerProcess {
    child: Child,
    /// Address on which the server listens.
    pub address: SocketAddr,
    /// Time of the exec.
    pub executed_at: Instant,
    log: ServerLog,
}

/// Memory of a process in bytes, as counted by the kernel.
#[derive(Debug, Clone, Copy)]
pub struct ProcessMemory {
    /// `VmRSS`: resident at the moment.
    pub resident_bytes: u64,
    /// `VmHWM`: highest resident memory since the start, or since the peak was reset.
    pub peak_bytes: u64,
}

impl ServerProcess {
    /// Starts the server `binary` on a free port, with the data directory `data_dir` and no
    /// processing delay.
    pub fn stuntdouble(binary: &Path, data_dir: &Path) -> BenchResult<Self> {
        Self::stuntdouble_with(binary, data_dir, &[])
    }

    /// Starts the server with additional `arguments`.
    pub fn stuntdouble_with(
        binary: &Path,
        data_dir: &Path,
        arguments: &[&str],
    ) -> BenchResult<Self> {
        let mut command = Command::new(binary);
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("STUNTDOUBLE_") {
                command.env_remove(name);
            }
        }
        command
            .args(["--port", "0", "--processing-ms", "0", "--data-dir"])
            .arg(data_dir)
            .args(arguments);
        Self::start(&mut command)
    }

    /// Starts `command` and waits for its start line.
    pub fn start(command: &mut Command) -> BenchResult<Self> {
        let (reader, writer) = std::io::pipe()?;
        command
            .stdin(Stdio::null())
            .stdout(writer.try_clone()?)
            .stderr(writer);
        let log = ServerLog::default();
        let (address_sender, address_receiver) = channel();
        let thread_log = Arc::clone(&log);
        std::thread::spawn(move || follow(reader, &thread_log, &address_sender));
        let executed_at = Instant::now();
        let child = command.spawn()?;
        // The command holds write ends of the pipe, without whose drop the reader sees no end.
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let mut process = Self {
            child,
            address: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            executed_at,
            log,
        };
        match address_receiver.recv_timeout(START_TIMEOUT) {
            Ok(address) => process.address = address,
            Err(error) => {
                let message = format!("no start line ({error}), output:\n{}", process.log());
                return Err(bench_error(message));
            }
        }
        Ok(process)
    }

    /// Returns the last output lines of the process.
    pub fn log(&self) -> String {
        let lines = self.log.lock().unwrap_or_else(PoisonError::into_inner);
        let indented: Vec<String> = lines.iter().map(|line| format!("    {line}")).collect();
        indented.join("\n")
    }

    /// Returns the memory of the process.
    pub fn memory(&self) -> BenchResult<ProcessMemory> {
        let status = std::fs::read_to_string(self.proc_file("status"))?;
        let field = |name: &str| -> BenchResult<u64> {
            let kib = status
                .lines()
                .find_map(|line| line.strip_prefix(name))
                .and_then(|rest| rest.trim().strip_suffix("kB"))
                .ok_or_else(|| bench_error(format!("no {name} in /proc/PID/status")))?;
            Ok(kib.trim().parse::<u64>()? * 1024)
        };
        Ok(ProcessMemory {
            resident_bytes: field("VmRSS:")?,
            peak_bytes: field("VmHWM:")?,
        })
    }

    /// Resets the peak to the resident memory. Returns `false` if the sandbox does not allow that.
    pub fn reset_peak(&self) -> bool {
        std::fs::write(self.proc_file("clear_refs"), "5").is_ok()
    }

    /// Returns the processor time of the process, user and system, in steps of 10 ms.
    pub fn processor_time(&self) -> BenchResult<Duration> {
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
        // Errors mean that the process has ended already.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Returns the processor time of this process.
pub fn own_processor_time() -> BenchResult<Duration> {
    processor_time(Path::new("/proc/self/stat"))
}

fn processor_time(stat: &Path) -> BenchResult<Duration> {
    let text = std::fs::read_to_string(stat)?;
    // The second field is the name in parentheses, which may contain spaces. Fields 14 and 15 are
    // utime and stime.
    let after_name = text.rsplit_once(')').map_or("", |(_, rest)| rest);
    let ticks: u32 = after_name
        .split_whitespace()
        .skip(11)
        .take(2)
        .map(str::parse::<u32>)
        .sum::<Result<_, _>>()?;
    Ok(Duration::from_secs(u64::from(ticks)) / TICKS_PER_SECOND)
}

/// Reads the output of a process to its end, so that the process never blocks on it.
fn follow(output: PipeReader, log: &ServerLog, address_sender: &Sender<SocketAddr>) {
    for line in BufReader::new(output).lines() {
        let Ok(line) = line else { return };
        if let Some(address) = listening_address(&line) {
            // The receiver is dropped after the first address.
            address_sender.send(address).ok();
        }
        let mut lines = log.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.len() == LOG_LINES_MAX {
            lines.pop_front();
        }
        lines.push_back(line);
    }
}

/// Returns the address in a start line, `… listening on http://127.0.0.1:PORT …`, with loopback in
/// place of an unspecified address.
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
