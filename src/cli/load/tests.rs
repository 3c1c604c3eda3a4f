use super::*;
use crate::cli::commands::ClientCommand;
use crate::cli::grammar::Command as Chosen;
use crate::settings::{Config, KeyMode};

fn parsed(arguments: &[&str], variables: &[(&str, &str)]) -> Result<LoadedCli, Error> {
    let arguments = std::iter::once("stuntdouble").chain(arguments.iter().copied());
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).into());
    let environment = variables.iter().map(owned).collect();
    let arguments: Vec<OsString> = arguments.map(OsString::from).collect();
    parse(&arguments, &environment)
}

fn served(arguments: &[&str], variables: &[(&str, &str)]) -> Config {
    let loaded = parsed(arguments, variables);
    let cli = loaded.unwrap_or_else(|error| panic!("{error}")).cli;
    match cli.command {
        Some(Chosen::Serve(config)) => *config,
        None => cli.config,
        Some(other) => panic!("{other:?}"),
    }
}

fn called(arguments: &[&str], variables: &[(&str, &str)]) -> ClientCommand {
    let loaded = parsed(arguments, variables);
    match loaded.unwrap_or_else(|error| panic!("{error}")).cli.command {
        Some(Chosen::Client(client)) => client,
        other => panic!("{other:?}"),
    }
}

/// Returns the first paragraph of the error.
fn load_error(arguments: &[&str], variables: &[(&str, &str)]) -> String {
    let error = parsed(arguments, variables).expect_err("an error");
    assert_eq!(error.exit_code(), 2);
    let text = error.to_string();
    text.split("\n\n").next().unwrap_or_default().to_owned()
}

#[test]
fn every_setting_has_the_variable_of_its_flag() {
    let described = Cli::command();
    let serve = described.find_subcommand("serve").expect("a command");
    for command in [&described, serve] {
        for argument in command.get_arguments() {
            let flag = argument.get_long().expect("a flag");
            let name = format!("STUNTDOUBLE_{}", flag.to_uppercase().replace('-', "_"));
            assert_eq!(variable(argument), Some(name));
        }
    }
}

#[test]
fn flag_takes_precedence_over_variable_and_variable_over_default() {
    let variables = [
        ("STUNTDOUBLE_PORT", "81"),
        ("STUNTDOUBLE_TLS_NAME", "a,b"),
        ("STUNTDOUBLE_TLS", "Yes"),
        ("STUNTDOUBLE_FETCH", "off"),
        ("STUNTDOUBLE_ANALYSIS_DEFAULT", "false"),
        ("STUNTDOUBLE_MODE", "strict"),
        ("STUNTDOUBLE_SEED", "--port=7"),
        ("BYPASS_OCR", "true"),
    ];
    for serve in [&[][..], &["serve"]] {
        let config = served(serve, &variables);
        assert_eq!((config.port, config.mode), (81, KeyMode::Strict));
        assert_eq!(config.tls.tls_names, ["a", "b"]);
        assert_eq!((config.tls.tls, config.orders.fetch), (true, false));
        assert!(!config.undetectable.analysis_default && config.undetectable.bypass_ocr);
        assert_eq!(
            (config.seed.as_str(), config.tls.tls_port),
            ("--port=7", 8443)
        );
        let config = served(
            &[serve, &["--port", "82", "--tls-name", "c"]].concat(),
            &variables,
        );
        assert_eq!(
            (config.port, config.tls.tls_names),
            (82, vec!["c".to_owned()])
        );
    }
}

#[test]
fn empty_and_kubernetes_variables_count_as_not_set() {
    let empty = [
        ("STUNTDOUBLE_PORT", ""),
        ("STUNTDOUBLE_MODE", ""),
        ("STUNTDOUBLE_DATA_DIR", ""),
        ("STUNTDOUBLE_TLS", ""),
        ("STUNTDOUBLE_CONTROL_TOKEN", ""),
        ("CONTROL_TOKEN", ""),
        ("STUNTDOUBLE_CONTROL_TOKEN_FILE", ""),
        ("STUNTDOUBLE_S3_SECRET", ""),
    ];
    let kubernetes = [
        ("STUNTDOUBLE_PORT", "tcp://10.0.0.1:8080"),
        ("STUNTDOUBLE_SERVICE_PORT", "8080"),
    ];
    let defaults = format!("{:?}", Config::defaults());
    assert_eq!(format!("{:?}", served(&[], &empty)), defaults);
    assert_eq!(format!("{:?}", served(&[], &kubernetes)), defaults);
    assert!(parsed(&[], &kubernetes).is_ok_and(|it| it.warnings.is_empty()));
    let client = called(&["rules"], &[("STUNTDOUBLE_URL", ""), kubernetes[0]]);
    assert_eq!(client.server().base_url(), "http://127.0.0.1:8080");
}

#[test]
fn error_of_a_variable_names_the_variable() {
    for (name, value, line) in [
        (
            "STUNTDOUBLE_PORT",
            "abc",
            "STUNTDOUBLE_PORT: invalid value 'abc': invalid digit found in string",
        ),
        (
            "STUNTDOUBLE_MODE",
            "opn",
            "STUNTDOUBLE_MODE: invalid value 'opn'\n  [possible values: open, strict]",
        ),
        (
            "STUNTDOUBLE_TLS",
            "ture",
            "STUNTDOUBLE_TLS: invalid value 'ture': expected true or false",
        ),
        (
            "BYPASS_OCR",
            "maybe",
            "BYPASS_OCR: invalid value 'maybe': expected true or false",
        ),
        (
            "CONTROL_TOKEN",
            " a",
            "CONTROL_TOKEN: no client can send it: it begins or ends with white space, or has a control character",
        ),
    ] {
        let expected = format!("error: {line}");
        assert_eq!(load_error(&[], &[(name, value)]), expected);
        // An error of the command line takes precedence.
        let by_flag = load_error(&["--upload-url-ttl-s", "0"], &[(name, value)]);
        assert_eq!(
            by_flag,
            "error: invalid value '0' for '--upload-url-ttl-s <S>': 0 is not in 1..=604800"
        );
    }
    let log = load_error(&[], &[("STUNTDOUBLE_LOG", "verbos")]);
    let expected = "error: STUNTDOUBLE_LOG: invalid value 'verbos': 'verbos' is not a level; expected error, warn, info, debug, trace or off, ";
    assert!(log.starts_with(expected), "{log}");
    let by_flag = load_error(&["--log", "verbos"], &[]);
    let expected = "error: invalid value 'verbos' for '--log <FILTER>': 'verbos' is not a level; ";
    assert!(by_flag.starts_with(expected), "{by_flag}");
    let url = load_error(&["rules", "add", "{}"], &[("STUNTDOUBLE_URL", "mock:8080")]);
    assert_eq!(
        url,
        "error: STUNTDOUBLE_URL: invalid value 'mock:8080': give scheme, host and port, such as http://mock:8080"
    );
}

#[test]
fn invalid_variables_of_other_commands_are_ignored() {
    let wrong = [("STUNTDOUBLE_MODE", "opn"), ("STUNTDOUBLE_LOG", "verbos")];
    let client = called(
        &["rules", "add", "--", "{}"],
        &[wrong[0], wrong[1], ("STUNTDOUBLE_URL", "http://a")],
    );
    assert_eq!(client.server().base_url(), "http://a");
    served(&[], &[("STUNTDOUBLE_URL", "no URL")]);
}

#[test]
fn client_token_is_read_from_variables_and_files() {
    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("token");
    std::fs::write(&file, "f1le\n").expect("a file");
    let file = file.to_str().expect("text");
    let both = [("STUNTDOUBLE_CONTROL_TOKEN", "a"), ("CONTROL_TOKEN", "b")];
    let by_file = [("STUNTDOUBLE_CONTROL_TOKEN_FILE", file)];
    for (arguments, variables, token) in [
        (&["rules"][..], &both[..], "a"),
        (&["rules", "clear"], &both[1..], "b"),
        (&["rules", "--token", "c"], &both[..], "c"),
        (&["rules", "clear"], &by_file[..], "f1le"),
        (&["rules", "--token-file", file], &both[..], "f1le"),
        (&["rules", "--token", "c"], &by_file[..], "c"),
    ] {
        let client = called(arguments, variables);
        assert_eq!(client.server().token(), Some(token), "{arguments:?}");
    }
}

#[test]
fn secret_is_the_content_of_its_file_without_the_last_line_break() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = |name: &str| dir.path().join(name).to_str().expect("text").to_owned();
    for (content, secret) in [("a b", "a b"), ("a\n", "a"), ("a\r\n", "a")] {
        std::fs::write(path("secret"), content).expect("a file");
        let (token, s3) = (
            "STUNTDOUBLE_CONTROL_TOKEN_FILE",
            "STUNTDOUBLE_S3_SECRET_FILE",
        );
        let config = served(&[], &[(token, &path("secret")), (s3, &path("secret"))]);
        assert_eq!(config.control.control_token.as_deref(), Some(secret));
        assert_eq!(config.storage.s3_secret, secret);
        let by_flag = ["--s3-secret-file", &path("secret")];
        let config = served(&by_flag, &[("STUNTDOUBLE_S3_SECRET", "variable")]);
        assert_eq!(config.storage.s3_secret, secret);
    }
    let config = served(
        &["--s3-secret", "flag"],
        &[("STUNTDOUBLE_S3_SECRET_FILE", "/nowhere")],
    );
    assert_eq!(config.storage.s3_secret, "flag");
}

#[test]
fn secret_file_without_a_secret_is_refused_by_name() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = |name: &str| dir.path().join(name).to_str().expect("text").to_owned();
    std::fs::write(path("empty"), "\n").expect("a file");
    std::fs::write(path("lines"), "a\nb\n").expect("a file");
    let token = "STUNTDOUBLE_CONTROL_TOKEN";
    let s3 = "STUNTDOUBLE_S3_SECRET";
    let (token_file, s3_file) = (
        "STUNTDOUBLE_CONTROL_TOKEN_FILE",
        "STUNTDOUBLE_S3_SECRET_FILE",
    );
    for (arguments, variables, line) in [
        (
            &[][..],
            &[(token_file, "/nowhere/a")][..],
            format!("{token_file}: cannot read /nowhere/a: No such file or directory (os error 2)"),
        ),
        (
            &[],
            &[(s3_file, &path("empty"))],
            format!("{s3_file}: {} is empty", path("empty")),
        ),
        (
            &["--control-token-file", &path("empty")],
            &[],
            format!("--control-token-file: {} is empty", path("empty")),
        ),
        (
            &[],
            &[(token_file, &path("lines"))],
            format!(
                "{token_file}: {}: no client can send it: it begins or ends with white space, or has a control character",
                path("lines")
            ),
        ),
        (
            &[],
            &[(s3, "a"), (s3_file, "/nowhere/a")],
            format!("{s3} and {s3_file} are both set; set one"),
        ),
        (
            &[],
            &[("CONTROL_TOKEN", "a"), (token_file, "/nowhere/a")],
            format!("CONTROL_TOKEN and {token_file} are both set; set one"),
        ),
        (
            &["--control-token", "a", "--control-token-file", "b"],
            &[(token, "c")],
            "--control-token and --control-token-file are both set; set one".to_owned(),
        ),
    ] {
        assert_eq!(load_error(arguments, variables), format!("error: {line}"));
    }
}

#[test]
fn questionable_settings_give_warnings_only_if_the_server_starts() {
    let variables = [
        ("STUNTDOUBLE_DATADIR", "/a"),
        ("STUNTDOUBLE_TLS_NAME", "mock"),
    ];
    let lines = [
        "STUNTDOUBLE_DATADIR is not a setting and is ignored; did you mean STUNTDOUBLE_DATA_DIR?",
        "--tls-name has no effect without --tls (STUNTDOUBLE_TLS=true)",
    ];
    for arguments in [&[][..], &["serve"]] {
        let loaded = parsed(arguments, &variables).expect("valid arguments");
        assert_eq!(loaded.warnings, lines);
    }
    let tls = parsed(&["--tls"], &variables).expect("valid arguments");
    assert_eq!(tls.warnings, lines[..1]);
    let client = parsed(&["rules"], &variables).expect("valid arguments");
    assert!(client.warnings.is_empty());
}

#[test]
fn help_shows_the_variables_even_if_their_values_are_invalid() {
    for arguments in [&["--help"][..], &["serve", "--help"], &["rules", "--help"]] {
        let error = parsed(arguments, &[("STUNTDOUBLE_PORT", "abc")]).expect_err("help");
        assert_eq!(error.exit_code(), 0);
        let text = error.to_string();
        for shown in [
            "[env: STUNTDOUBLE_PORT=",
            "[env: STUNTDOUBLE_CONTROL_TOKEN_FILE]",
        ] {
            assert!(text.contains(shown), "{shown}: {text}");
        }
    }
}
