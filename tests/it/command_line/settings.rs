//! Messages about invalid and suspicious settings of the server.

use std::process::{Command, Stdio};

/// Starts the program on a port in use, with variables and arguments. Returns its exit code and
/// standard error.
fn output_of(variables: &[(&str, &str)], arguments: &[&str]) -> (Option<i32>, String) {
    let occupied = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = occupied
        .local_addr()
        .expect("an address")
        .port()
        .to_string();
    let output = Command::new(env!("CARGO_BIN_EXE_stuntdouble"))
        .args(["--port", &port])
        .args(arguments)
        .env_clear()
        .envs(variables.iter().copied())
        .stdin(Stdio::null())
        .output()
        .expect("the program runs");
    let text = String::from_utf8(output.stderr).expect("text");
    (output.status.code(), text)
}

#[test]
fn start_with_suspicious_settings_warns_about_each() {
    let variables = [
        ("STUNTDOUBLE_DATADIR", "/a"),
        ("STUNTDOUBLE_CONTROL_TOKEN", "a"),
        ("CONTROL_TOKEN", "b"),
        ("STUNTDOUBLE_TLS_NAME", "mock"),
        ("STUNTDOUBLE_SERVICE_HOST", "10.0.0.1"),
        ("STUNTDOUBLE_TLS_PORT", "tcp://10.0.0.1:8443"),
        ("STUNTDOUBLE_MODE", ""),
    ];
    let (code, text) = output_of(&variables, &[]);
    assert_eq!(code, Some(1));
    let warnings: Vec<&str> = text
        .lines()
        .filter_map(|line| Some(line.split_once(" WARN ")?.1))
        .collect();
    assert_eq!(
        warnings,
        [
            "STUNTDOUBLE_DATADIR is not a setting and is ignored; did you mean STUNTDOUBLE_DATA_DIR?",
            "STUNTDOUBLE_CONTROL_TOKEN and CONTROL_TOKEN are both set and differ; STUNTDOUBLE_CONTROL_TOKEN is used",
            "--tls-name has no effect without --tls (STUNTDOUBLE_TLS=true)",
        ]
    );
    assert!(!text.contains("10.0.0.1"), "{text}");
}

#[test]
fn start_with_invalid_variable_names_it_and_exits_with_code_2() {
    for (name, value, line) in [
        (
            "STUNTDOUBLE_TLS_PORT",
            "abc",
            "error: STUNTDOUBLE_TLS_PORT: invalid value 'abc': invalid digit found in string\n",
        ),
        (
            "STUNTDOUBLE_CONTROL_TOKEN_FILE",
            "/nowhere/token",
            "error: STUNTDOUBLE_CONTROL_TOKEN_FILE: cannot read /nowhere/token: No such file or directory (os error 2)\n",
        ),
        (
            "STUNTDOUBLE_LOG",
            "verbos",
            "error: STUNTDOUBLE_LOG: invalid value 'verbos': 'verbos' is not a level; expected error, warn, info, debug, trace or off, or tracing's directives such as info,hyper=debug\n",
        ),
    ] {
        let (code, text) = output_of(&[(name, value)], &[]);
        assert_eq!(code, Some(2));
        assert!(text.starts_with(line), "{text}");
    }
}

#[test]
fn start_with_token_variable_or_file_protects_the_control_plane() {
    use crate::support::Process;
    let data = tempfile::tempdir().expect("a directory");
    let file = data.path().join("token");
    std::fs::write(&file, "s3cret\n").expect("a file");
    let file = file.to_str().expect("text");
    for (name, value) in [
        ("STUNTDOUBLE_CONTROL_TOKEN", "s3cret"),
        ("CONTROL_TOKEN", "s3cret"),
        ("STUNTDOUBLE_CONTROL_TOKEN_FILE", file),
    ] {
        let process = Process::start_with(&data.path().join("data"), &[], &[(name, value)]);
        let exit_code_with = |variables: &[(&str, &str)]| {
            let output = Command::new(env!("CARGO_BIN_EXE_stuntdouble"))
                .args(["rules", "--url", &process.server.origin])
                .env_clear()
                .envs(variables.iter().copied())
                .output();
            output.expect("the program runs").status.code()
        };
        assert_eq!(exit_code_with(&[]), Some(1), "{name}");
        assert_eq!(exit_code_with(&[(name, value)]), Some(0), "{name}");
    }
}
