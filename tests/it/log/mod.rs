//! The log: the real program's, line by line.

mod hostile;
mod job;
mod lines;

use std::io::{BufRead, BufReader, PipeReader};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tempfile::TempDir;
use tokio::sync::watch;

use crate::support::{Process, TestServer};

/// Time for which a line is awaited before the test fails; nothing is timed by it.
const PATIENCE: Duration = Duration::from_mins(5);

/// A running program whose log is kept.
struct Logged {
    process: Process,
    /// First line on standard output.
    start_line: String,
    /// The log so far.
    log: watch::Receiver<String>,
    reading: JoinHandle<()>,
    data: TempDir,
}

impl Logged {
    fn start(arguments: &[&str]) -> Self {
        let data = tempfile::tempdir().expect("a directory");
        let (reader, writer) = std::io::pipe().expect("a pipe");
        let (process, start_line) = Process::logging(data.path(), arguments, writer);
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

    fn stunt(&self) -> &TestServer {
        &self.process.stunt
    }

    /// Waits until the log has that text.
    async fn wait_for(&self, text: &str) {
        let mut log = self.log.clone();
        let waited = tokio::time::timeout(PATIENCE, log.wait_for(|log| log.contains(text))).await;
        let is_there = matches!(waited, Ok(Ok(_)));
        assert!(is_there, "no {text:?} in {}", *self.log.borrow());
    }

    /// Stops the program by SIGTERM. Returns its whole log but for the line on its stop, which
    /// each log has to end with.
    fn stop(self) -> Vec<String> {
        let mut lines = self.stop_with_all();
        let last = lines.pop().expect("a line");
        assert!(last.contains("stopped"), "{last}");
        lines
    }

    /// Stops the program by SIGTERM. Returns its whole log.
    fn stop_with_all(self) -> Vec<String> {
        let Self {
            process,
            log,
            reading,
            ..
        } = self;
        process.terminate();
        assert!(process.ended().success());
        reading.join().expect("a log in UTF-8");
        log.borrow().lines().map(str::to_owned).collect()
    }
}

/// Sends the log on, line by line, until the program ends.
fn collect(reader: PipeReader, log: &watch::Sender<String>) {
    let mut reader = BufReader::new(reader);
    let mut line = String::new();
    while reader.read_line(&mut line).expect("UTF-8") > 0 {
        log.send_modify(|log| log.push_str(&line));
        line.clear();
    }
}

/// A line of the log in text without the time that it begins with: `WARN request refused …`.
fn untimed(line: &str) -> &str {
    let (time, rest) = line.split_once(' ').expect("a time");
    let is_time = time.len() == "2026-03-12T10:00:00.000000Z".len() && time.ends_with('Z');
    assert!(is_time, "{line}");
    rest.trim_start()
}
