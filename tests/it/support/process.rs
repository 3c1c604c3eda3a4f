//! The real program, to be killed. What waits for it here blocks: nothing else runs meanwhile.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};

use super::TestServer;

/// A running program; dropped, it is killed.
pub struct Process {
    pub stunt: TestServer,
    child: Child,
}

impl Process {
    /// Starts the program on a free port, with that data directory and further arguments.
    pub fn start(data_dir: &Path, arguments: &[&str]) -> Self {
        Self::start_with(data_dir, arguments, &[])
    }

    /// Starts the program with these variables, too.
    pub fn start_with(data_dir: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> Self {
        let program = Command::new(env!("CARGO_BIN_EXE_stuntdouble"));
        Self::spawn(program, data_dir, arguments, variables, Stdio::inherit()).0
    }

    /// Starts the program with its standard error going to `log`. Returns its first line on
    /// standard output, too.
    pub fn logging(data_dir: &Path, arguments: &[&str], log: impl Into<Stdio>) -> (Self, String) {
        let program = Command::new(env!("CARGO_BIN_EXE_stuntdouble"));
        Self::spawn(program, data_dir, arguments, &[], log.into())
    }

    /// Starts the program with those limits on open files, as `ulimit` takes them.
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
        let stdout = child.stdout.take().expect("its output");
        BufReader::new(stdout)
            .read_line(&mut line)
            .expect("its start line");
        let begin = line.find("http://").map(|begin| &line[begin..]);
        let origin = begin
            .and_then(|rest| rest.split([',', '"']).next())
            .unwrap_or_else(|| panic!("no address in {line:?}"));
        let process = Self {
            stunt: TestServer::connect(origin),
            child,
        };
        (process, line)
    }

    /// The id of the process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// SIGKILL, and waits until it is gone.
    pub fn kill(mut self) {
        self.child.kill().expect("it was running");
        self.child.wait().expect("its status");
    }

    /// SIGTERM.
    pub fn terminate(&self) {
        let value = Command::new("sh")
            .args(["-c", "kill -TERM \"$0\"", &self.child.id().to_string()])
            .status()
            .expect("a shell");
        assert!(value.success());
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
