//! Log lines of the real program.

mod hostile;
mod job;
mod lines;

use std::io::{BufRead, BufReader, PipeReader};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tempfile::TempDir;
use tokio::sync::watch;

use crate::support::{Process, TestServer};

/// Time limit for a line. The test fails when it passes; no test depends on its length.
const PATIENCE: Duration = Duration::from_mins(5);

/// A running program whose log is recorded.
struct LoggedProcess {
    process: Process,
    /// First line on standard output.
    start_line: String,
    /// The log so far.
    log: watch::Receiver<String>,
    reading: JoinHandle<()>,
    data: TempDir,
}

impl LoggedProcess {
    fn start(arguments: &[&str]) -> Self {
        let data = tempfile::tempdir().expect("a directory");
        let (reader, writer) = std::io::pipe().expect("a pipe");
        let (process, start_line) = Process::start_with_log(data.path(), arguments, writer);
        let (sender, log) = watch::channel(String::new());
        let reading = thread::spawn(move || collect(reader, &sender));
        Self {
            process,
            start_line,
            log,
            reading,
            data,
        }
    }

    fn server(&self) -> &TestServer {
        &self.process.server
    }

    /// Waits until the log contains `text`.
    async fn wait_for(&self, text: &str) {
        let mut log = self.log.clone();
        let result = tokio::time::timeout(PATIENCE, log.wait_for(|log| log.contains(text))).await;
        let is_found = matches!(result, Ok(Ok(_)));
        assert!(is_found, "no {text:?} in {}", *self.log.borrow());
    }

    /// Stops the program by SIGTERM. Returns the log without its last line. Panics if the last line
    /// does not report the stop.
    fn stop(self) -> Vec<String> {
        let mut lines = self.stop_with_last_line();
        let last = lines.pop().expect("a line");
        assert!(last.contains("stopped"), "{last}");
        lines
    }

    /// Stops the program by SIGTERM. Returns the complete log.
    fn stop_with_last_line(self) -> Vec<String> {
        let Self {
            process,
            log,
            reading,
            ..
        } = self;
        process.terminate();
        assert!(process.wait().success());
        reading.join().expect("a log in UTF-8");
        log.borrow().lines().map(str::to_owned).collect()
    }
}

/// Publishes the log line by line until the program exits.
fn collect(reader: PipeReader, log: &watch::Sender<String>) {
    let mut reader = BufReader::new(reader);
    let mut line = String::new();
    while reader.read_line(&mut line).expect("UTF-8") > 0 {
        log.send_modify(|log| log.push_str(&line));
        line.clear();
    }
}

/// Returns a line of a text log without its timestamp: `WARN request refused …`.
fn without_time(line: &str) -> &str {
    let (time, rest) = line.split_once(' ').expect("a time");
    let is_time = time.len() == "2026-03-12T10:00:00.000000Z".len() && time.ends_with('Z');
    assert!(is_time, "{line}");
    rest.trim_start()
}
