//! The real program, to be killed. What waits for it here blocks: nothing else runs meanwhile.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};

use super::Stunt;

/// A running program; dropped, it is killed.
pub struct Process {
    pub stunt: Stunt,
    child: Child,
}

impl Process {
    /// Starts the program on a free port, with that data directory and further arguments.
    pub fn start(data_dir: &Path, arguments: &[&str]) -> Self {
        Self::start_with(data_dir, arguments, &[])
    }

    /// Starts the program with these variables, too.
    pub fn start_with(data_dir: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_stuntdouble"))
            .args(["--port", "0", "--data-dir"])
            .arg(data_dir)
            .args(arguments)
            .env_clear()
            .envs(variables.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let mut line = String::new();
        let stdout = child.stdout.take().expect("its output");
        BufReader::new(stdout)
            .read_line(&mut line)
            .expect("its start line");
        let origin = line
            .split_once("listening on ")
            .and_then(|(_, rest)| rest.split(',').next())
            .unwrap_or_else(|| panic!("no address in {line:?}"));
        Self {
            stunt: Stunt::at(origin),
            child,
        }
    }

    /// SIGKILL, and waits until it is gone.
    pub fn kill(mut self) {
        self.child.kill().expect("it was running");
        self.child.wait().expect("its status");
    }

    /// SIGTERM.
    pub fn terminate(&self) {
        let told = Command::new("sh")
            .args(["-c", "kill -TERM \"$0\"", &self.child.id().to_string()])
            .status()
            .expect("a shell");
        assert!(told.success());
    }

    /// How it ends by itself.
    pub fn ended(mut self) -> ExitStatus {
        self.child.wait().expect("its status")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // it may have ended by itself
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
