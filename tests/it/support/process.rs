//! The program as a child process. Waiting for it blocks the test's thread.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};

use super::TestServer;

/// A running program. Killed on drop.
pub struct Process {
    pub server: TestServer,
    child: Child,
}

impl Process {
    /// Starts the program on a free port with `data_dir` and `arguments`.
    pub fn start(data_dir: &Path, arguments: &[&str]) -> Self {
        Self::start_with(data_dir, arguments, &[])
    }

    /// Like [`Self::start`], with environment variables.
    pub fn start_with(data_dir: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> Self {
        let program = Command::new(env!("CARGO_BIN_EXE_stuntdouble"));
        Self::spawn(program, data_dir, arguments, variables, Stdio::inherit()).0
    }

    /// Starts the program with standard error redirected to `log`. Also returns the first line of
    /// standard output.
    pub fn start_with_log(
        data_dir: &Path,
        arguments: &[&str],
        log: impl Into<Stdio>,
    ) -> (Self, String) {
        let program = Command::new(env!("CARGO_BIN_EXE_stuntdouble"));
        Self::spawn(program, data_dir, arguments, &[], log.into())
    }

    /// Starts the program with limits on open files, in the syntax of `ulimit`.
    pub fn start_with_limits(ulimits: &[&str], data_dir: &Path, arguments: &[&str]) -> Self {
        let ulimits: Vec<_> = ulimits.iter().map(|it| format!("ulimit {it}; ")).collect();
        let mut program = Command::new("sh");
        let script = format!("{}exec \"$0\" \"$@\"", ulimits.concat());
        program.args(["-c", &script, env!("CARGO_BIN_EXE_stuntdouble")]);
        Self::spawn(program, data_dir, arguments, &[], Stdio::inherit()).0
    }

    fn spawn(
        mut program: Command,
        data_dir: &Path,
        arguments: &[&str],
        variables: &[(&str, &str)],
        log: Stdio,
    ) -> (Self, String) {
        let mut child = program
            .args(["--port", "0", "--data-dir"])
            .arg(data_dir)
            .args(arguments)
            .env_clear()
            .envs(variables.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .expect("the program starts");
        let mut line = String::new();
        let stdout = child.stdout.take().expect("a piped standard output");
        BufReader::new(stdout)
            .read_line(&mut line)
            .expect("a start line");
        let url = line.find("http://").map(|start| &line[start..]);
        let origin = url
            .and_then(|rest| rest.split([',', '"']).next())
            .unwrap_or_else(|| panic!("no address in {line:?}"));
        let process = Self {
            server: TestServer::connect(origin),
            child,
        };
        (process, line)
    }

    /// Returns the process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends SIGKILL and waits for the process to exit.
    pub fn kill(mut self) {
        self.child.kill().expect("a running process");
        self.child.wait().expect("an exit status");
    }

    /// Sends SIGTERM.
    pub fn terminate(&self) {
        let status = Command::new("sh")
            .args(["-c", "kill -TERM \"$0\"", &self.child.id().to_string()])
            .status()
            .expect("a shell");
        assert!(status.success());
    }

    /// Waits for the process to exit and returns its status.
    pub fn wait(mut self) -> ExitStatus {
        self.child.wait().expect("an exit status")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Errors if the process has already exited.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
