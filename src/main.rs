//! The program: arguments, logs, the server, its exit code.

use std::panic::PanicHookInfo;
use std::process::ExitCode;

use stuntdouble::app::{App, START_TARGET};
use stuntdouble::cli::client;
use stuntdouble::cli::commands::{ClientCommand, JsonSource};
use stuntdouble::cli::grammar::Command;
use stuntdouble::cli::load::{self, Loaded};
use stuntdouble::services::webhooks;
use stuntdouble::settings::{Config, LogFormat};
use tokio::signal::unix::{SignalKind, signal};
use tracing::Metadata;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::writer::MakeWriterExt;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

fn main() -> ExitCode {
    let Loaded { cli, warnings } = load::load();
    // An engine probes for as long as a container runs: without the threads of a runtime, for less.
    if let Some(Command::Client(ClientCommand::Health {
        watch: true,
        host,
        server,
    })) = &cli.command
    {
        return wait_for_signal(
            client::watch_health(*host, server.port())
                .and_then(|body| client::print(&format!("{body}\n"))),
        );
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => return exit_with_error(&format!("cannot start: {error}")),
    };
    let done = match cli.command {
        Some(Command::Client(command)) => runtime.block_on(client::run(&command)),
        Some(Command::Sign { secret }) => client::read_source(&JsonSource::Stdin)
            .and_then(|body| client::print(&format!("{}\n", webhooks::signature(&secret, &body)))),
        Some(Command::Verify { secret, signature }) => client::read_source(&JsonSource::Stdin)
            .and_then(|body| verify_signature(&secret, &body, &signature)),
        Some(Command::Licenses) => client::show_licenses(),
        Some(Command::Serve(config)) => runtime.block_on(serve(*config, &warnings)),
        None => runtime.block_on(serve(cli.config, &warnings)),
    };
    // What is still decoded is not waited for: its order is taken up at the next start.
    runtime.shutdown_background();
    wait_for_signal(done)
}

fn wait_for_signal(done: Result<(), String>) -> ExitCode {
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(line) => exit_with_error(&line),
    }
}

fn exit_with_error(line: &str) -> ExitCode {
    eprintln!("stuntdouble: {line}");
    ExitCode::FAILURE
}

async fn serve(config: Config, warnings: &[String]) -> Result<(), String> {
    init_logging(&config)?;
    std::panic::set_hook(Box::new(log_panic));
    let format = config.log_format;
    for warning in warnings {
        tracing::warn!("{warning}");
    }
    let broken = |error: std::io::Error| format!("cannot listen for signals: {error}");
    let mut terminate = signal(SignalKind::terminate()).map_err(broken)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(broken)?;
    let app = App::start(config).await?;
    match format {
        LogFormat::Text => client::print(&format!("{}\n", app.listening_line()))?,
        LogFormat::Json => app.log_start(),
    }
    app.serve(async move {
        tokio::select! {
            _ = terminate.recv() => "SIGTERM",
            _ = interrupt.recv() => "SIGINT",
        }
    })
    .await
}

fn init_logging(config: &Config) -> Result<(), String> {
    let filter: Targets = config
        .log
        .parse()
        .map_err(|error| format!("--log {}: {error}", config.log))?;
    let filter = filter.with_target(START_TARGET, LevelFilter::INFO);
    let is_start = |line: &Metadata<'_>| line.target() == START_TARGET;
    let stdout = std::io::stdout.with_filter(is_start);
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(stdout.or_else(std::io::stderr))
        .with_target(false);
    let registry = tracing_subscriber::registry().with(filter);
    match config.log_format {
        LogFormat::Text => {
            let ansi = std::io::IsTerminal::is_terminal(&std::io::stderr());
            registry.with(lines.with_ansi(ansi)).init();
        }
        LogFormat::Json => registry.with(lines.json().flatten_event(true)).init(),
    }
    Ok(())
}

/// Logs a panic in one line, in the format of all others.
fn log_panic(panic: &PanicHookInfo<'_>) {
    let payload = panic.payload();
    let text = payload.downcast_ref::<&str>().copied();
    let text = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    let location = panic.location().map(ToString::to_string);
    tracing::error!(
        reason = text.unwrap_or("no text"),
        location,
        "panicked: a fault of stuntdouble"
    );
}

fn verify_signature(secret: &str, body: &[u8], signature: &str) -> Result<(), String> {
    if webhooks::verify(secret, body, signature) {
        return Ok(());
    }
    let bytes = body.len();
    Err(format!(
        "not the signature of these {bytes} bytes with that secret; the body has to be as it came, byte for byte"
    ))
}
