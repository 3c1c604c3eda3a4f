//! The log: the real program's, line by line.

mod hostile;
mod job;
mod lines;

use std::fs::File;
use std::io::Read;
use std::time::Duration;

use tempfile::{NamedTempFile, TempDir};

use crate::support::{Process, Stunt};

/// Time for which a line is awaited before the test fails; nothing is timed by it.
const PATIENCE: Duration = Duration::from_mins(5);

/// A running program whose log is kept.
struct Logged {
    process: Process,
    /// First line on standard output.
    start_line: String,
    file: NamedTempFile,
    data: TempDir,
}

impl Logged {
    fn start(arguments: &[&str]) -> Self {
        let data = tempfile::tempdir().expect("a directory");
        let file = NamedTempFile::new().expect("a file");
        let log = file.reopen().expect("a file");
        let (process, start_line) = Process::logging(data.path(), arguments, log);
        Self {
            process,
            start_line,
            file,
            data,
        }
    }

    fn stunt(&self) -> &Stunt {
        &self.process.stunt
    }

    /// The log so far.
    fn text(&self) -> String {
        let (mut file, mut text) = (File::open(self.file.path()).expect("a file"), String::new());
        file.read_to_string(&mut text).expect("UTF-8");
        text
    }

    /// Waits until the log has that text.
    async fn wait_for(&self, text: &str) {
        let there = async {
            while !self.text().contains(text) {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        let waited = tokio::time::timeout(PATIENCE, there).await;
        assert!(waited.is_ok(), "no {text:?} in {}", self.text());
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
        let Self { process, file, .. } = self;
        process.terminate();
        assert!(process.ended().success());
        let text = std::fs::read_to_string(file.path()).expect("UTF-8");
        text.lines().map(str::to_owned).collect()
    }
}

/// A line of the log in text without the time that it begins with: `WARN request refused …`.
fn untimed(line: &str) -> &str {
    let (time, rest) = line.split_once(' ').expect("a time");
    let is_time = time.len() == "2026-03-12T10:00:00.000000Z".len() && time.ends_with('Z');
    assert!(is_time, "{line}");
    rest.trim_start()
}
