//! Settings of the server, as the program says what is wrong with them.

use std::process::{Command, Stdio};

/// Output of the program that is started with those variables on a port that is taken.
fn output_of(variables: &[(&str, &str)], arguments: &[&str]) -> (Option<i32>, String) {
    let occupied = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = occupied
        .local_addr()
        .expect("an address")
        .port()
        .to_string();
    let ended = Command::new(env!("CARGO_BIN_EXE_stuntdouble"))
        .args(["--port", &port])
        .args(arguments)
        .env_clear()
        .envs(variables.iter().copied())
        .stdin(Stdio::null())
        .output()
        .expect("the program runs");
    let text = String::from_utf8(ended.stderr).expect("text");
    (ended.status.code(), text)
}

#[test]
fn start_with_settings_that_look_wrong_warns_of_each() {
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
fn wrong_variable_ends_the_program_with_its_name_and_code_2() {
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
            "error: STUNTDOUBLE_LOG: invalid value 'verbos': 'verbos' is not a level; expected error, warn, info, debug, trace or off, or directives of tracing such as info,hyper=debug\n",
        ),
    ] {
        let (code, text) = output_of(&[(name, value)], &[]);
        assert_eq!(code, Some(2));
        assert!(text.starts_with(line), "{text}");
    }
}

#[test]
fn control_token_of_the_variable_and_of_the_file_guards_the_control_plane() {
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
        let server = Process::start_with(&data.path().join("data"), &[], &[(name, value)]);
        let ask = |variables: &[(&str, &str)]| {
            let ran = Command::new(env!("CARGO_BIN_EXE_stuntdouble"))
                .args(["rules", "--url", &server.stunt.origin])
                .env_clear()
                .envs(variables.iter().copied())
                .output();
            ran.expect("it runs").status.code()
        };
        assert_eq!(ask(&[]), Some(1), "{name}");
        assert_eq!(ask(&[(name, value)]), Some(0), "{name}");
    }
}
