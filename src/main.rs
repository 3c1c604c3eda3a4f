//! The program: parses the arguments, sets up logs, runs the command, and returns its exit code.

use std::panic::PanicHookInfo;
use std::process::ExitCode;

use stuntdouble::app::{App, START_TARGET};
use stuntdouble::cli::client;
use stuntdouble::cli::commands::{ClientCommand, JsonSource};
use stuntdouble::cli::grammar::Command;
use stuntdouble::cli::load::{self, LoadedCli};
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
    let LoadedCli { cli, warnings } = load::load();
    // A container's health check runs as long as the container: without a runtime it needs less memory.
    if let Some(Command::Client(ClientCommand::Health {
        watch: true,
        host,
        server,
    })) = &cli.command
    {
        return exit_code(
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
    let outcome = match cli.command {
        Some(Command::Client(command)) => runtime.block_on(client::run(&command)),
        Some(Command::Sign { secret }) => client::read_source(&JsonSource::Stdin)
            .and_then(|body| client::print(&format!("{}\n", webhooks::signature(&secret, &body)))),
        Some(Command::Verify { secret, signature }) => client::read_source(&JsonSource::Stdin)
            .and_then(|body| verify_signature(&secret, &body, &signature)),
        Some(Command::Open { server }) => runtime.block_on(client::open_dashboard(&server)),
        Some(Command::Licenses) => client::show_licenses(),
        Some(Command::Serve(config)) => runtime.block_on(serve(*config, &warnings)),
        None => runtime.block_on(serve(cli.config, &warnings)),
    };
    // Does not wait for pictures that are still decoded: their jobs run again at the next start.
    runtime.shutdown_background();
    exit_code(outcome)
}

fn exit_code(outcome: Result<(), String>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => exit_with_error(&message),
    }
}

fn exit_with_error(message: &str) -> ExitCode {
    eprintln!("stuntdouble: {message}");
    ExitCode::FAILURE
}

async fn serve(config: Config, warnings: &[String]) -> Result<(), String> {
    init_logging(&config)?;
    std::panic::set_hook(Box::new(log_panic));
    let format = config.log_format;
    for warning in warnings {
        tracing::warn!("{warning}");
    }
    let signal_error = |error: std::io::Error| format!("cannot listen for signals: {error}");
    let mut terminate = signal(SignalKind::terminate()).map_err(signal_error)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(signal_error)?;
    let app = App::start(config).await?;
    match format {
        LogFormat::Text => {
            client::print(&format!("{}\n", app.listening_line()))?;
            if is_log_in_terminal() {
                app.link_requests();
            }
        }
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
    let is_start = |event: &Metadata<'_>| event.target() == START_TARGET;
    let stdout = std::io::stdout.with_filter(is_start);
    let layer = tracing_subscriber::fmt::layer()
        .with_writer(stdout.or_else(std::io::stderr))
        .with_target(false);
    let registry =
        tracing_subscriber::registry().with(filter.with_target(START_TARGET, LevelFilter::INFO));
    match config.log_format {
        LogFormat::Text => {
            let is_colored = is_log_in_terminal();
            registry.with(layer.with_ansi(is_colored)).init();
        }
        LogFormat::Json => registry.with(layer.json().flatten_event(true)).init(),
    }
    Ok(())
}

/// `true` if a person reads the log: standard error is a terminal.
fn is_log_in_terminal() -> bool {
    std::io::IsTerminal::is_terminal(&std::io::stderr())
}

/// Logs a panic as one line in the configured format.
fn log_panic(panic: &PanicHookInfo<'_>) {
    let payload = panic.payload();
    let text = payload
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    let location = panic.location().map(ToString::to_string);
    tracing::error!(
        reason = text.unwrap_or("no text"),
        location,
        "panicked: this is a bug in stuntdouble"
    );
}

fn verify_signature(secret: &str, body: &[u8], signature: &str) -> Result<(), String> {
    if webhooks::verify(secret, body, signature) {
        return Ok(());
    }
    let bytes = body.len();
    Err(format!(
        "the signature does not match the body of {bytes} bytes with this secret; pass the raw body, byte for byte"
    ))
}
