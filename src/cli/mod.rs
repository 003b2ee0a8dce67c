//! The command line: what is typed, what is shown, what the shell gets back.

mod args;
mod baseline;
mod compare;
mod db;
mod demo;
mod doctor;
mod exit;
mod failure;
mod github;
mod history;
mod load;
mod load_worker;
mod model;
mod model_pull;
mod model_runtime;
mod notify;
mod output;
mod phrases;
mod phrases_io;
mod progress;
mod queue;
mod report;
mod run;
mod runs;
mod schedule;
mod send_users;
mod serve;
mod shadow;
mod signals;
mod targets;
mod waivers;

use std::io::{ErrorKind, IsTerminal};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;

use clap::{CommandFactory, Parser};

use crate::config::{Config, Environment, Settings};
use args::{Cli, Command, Flags, SchemaName};
pub use exit::Exit;
pub use failure::Failure;
use output::Output;

/// Runs the command line and tells the shell how it ended.
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let exit = if error.use_stderr() { Exit::Usage } else { Exit::Passed };
            return match error.print() {
                // A reader that has gone away has seen enough.
                Err(failed) if failed.kind() != ErrorKind::BrokenPipe => exit.or(Exit::Storage),
                _ => exit,
            }
            .into();
        }
    };
    if matches!(cli.command, Command::Serve(_)) {
        serve::keep_little();
    }
    let environment = Environment::of_process();
    let output = Output::new(cli.global.color, environment.allows_color());
    let ended = catch_unwind(AssertUnwindSafe(|| run_in_runtime(cli, &environment, output)));
    let exit = match ended {
        Ok(Ok(exit)) => exit,
        Ok(Err(failure)) => {
            output.note(format!("error: {failure}"));
            failure.exit
        }
        // The panic hook has said where.
        Err(_) => {
            output.note("this is a bug in thrash; please report the lines above and what you ran");
            Exit::Bug
        }
    };
    exit.into()
}

fn run_in_runtime(cli: Cli, environment: &Environment, output: Output) -> Result<Exit, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(Failure::bug)?;
    let exit = runtime.block_on(run(cli, environment, output));
    // Something that still waits for the network must not hold the program.
    runtime.shutdown_background();
    exit
}

async fn run(cli: Cli, environment: &Environment, output: Output) -> Result<Exit, Failure> {
    signals::outlive_full_files();
    let Cli { global, command } = cli;
    let load = |more: Flags| {
        let flags = global.flags().into_iter().chain(more).collect();
        let config = Config::load(global.config.clone(), environment.clone(), flags)?;
        start_log(&config.settings);
        for (name, meant) in config.misspelt_variables() {
            tracing::warn!("the variable `{name}` means nothing here: is {meant} meant?");
        }
        Ok::<Config, Failure>(config)
    };
    match command {
        Command::Quick(args) => {
            Box::pin(run::run(load(args.flags())?, args, vec!["quick".to_owned()], output)).await
        }
        Command::Comprehensive(args) => {
            Box::pin(run::run(load(args.flags())?, args, vec!["comprehensive".to_owned()], output)).await
        }
        Command::Run { suites, args } => Box::pin(run::run(load(args.flags())?, args, suites, output)).await,
        Command::Load(args) => Box::pin(load::load(args, load, output)).await,
        Command::LoadWorker(args) => Box::pin(load_worker::work(args, load, output)).await,
        Command::SendUsers => Box::pin(send_users::send_users(load, output)).await,
        Command::Scenarios(command) => load::scenarios(command, load, output),
        Command::Runs(command) => Box::pin(runs::runs(&load(Flags::new())?, command, output)).await,
        Command::Report { run, reports } => runs::show(&load(Flags::new())?, &run, &reports, output).await,
        Command::Shadow(args) => Box::pin(shadow::run(&load(args.flags())?, args, output)).await,
        Command::Compare(args) => compare::run(&load(args.flags())?, args, output).await,
        Command::Baseline(command) => baseline::baseline(&load(Flags::new())?, command, output).await,
        Command::History(args) => history::history(&load(Flags::new())?, args, output).await,
        Command::Phrases(command) => phrases::phrases(&load(Flags::new())?, command, output),
        Command::Waivers(command) => waivers::waivers(command, load, output),
        Command::Targets(command) => Box::pin(targets::targets(command, load, output)).await,
        Command::Model(command) => model::model(command, load, output).await,
        Command::Serve(args) => Box::pin(serve::serve(args, load, output)).await,
        Command::Schedule(command) => schedule::schedule(load(Flags::new())?, command, output).await,
        Command::Notify(command) => notify::notify(&load(Flags::new())?, command, output).await,
        Command::Demo(args) => demo::demo(&args, output).await,
        Command::Doctor { target } => doctor::doctor(&load(target.flags())?, output).await,
        Command::Db(command) => db::db(&load(Flags::new())?, command, output).await,
        Command::Schema { format } => {
            let schema = match format {
                SchemaName::Record => crate::report::record_schema(),
                SchemaName::Comparison => crate::report::comparison_schema(),
                SchemaName::History => crate::report::history_schema(),
                SchemaName::Shadow => crate::report::shadow_schema(),
                SchemaName::Phrases => crate::suite::category_schema(),
                SchemaName::Scenario => crate::load::scenario_schema(),
                SchemaName::Target => crate::target::schema(),
                SchemaName::Config => crate::config::schema(),
                SchemaName::Waivers => crate::suite::waiver_schema(),
            };
            output.print(&format!("{schema:#}\n"))?;
            Ok(Exit::Passed)
        }
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "thrash", &mut script);
            output.print(&String::from_utf8_lossy(&script))?;
            Ok(Exit::Passed)
        }
    }
}

/// Diagnostics go to stderr, and only ours: the libraries' speak of queries and headers.
fn start_log(settings: &Settings) {
    use crate::config::LogLevel;
    use tracing_subscriber::filter::LevelFilter;
    let level = match settings.log {
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
        LogLevel::Trace => LevelFilter::TRACE,
    };
    let filter = tracing_subscriber::EnvFilter::default()
        // Who changed what is kept, whatever else is not.
        .add_directive("thrash::audit=info".parse().unwrap_or_else(|_| LevelFilter::WARN.into()))
        .add_directive(format!("thrash={level}").parse().unwrap_or_else(|_| LevelFilter::WARN.into()));
    // Set twice only when a test loads two configurations in one process.
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_target(false)
        // They would go to stderr too, and a log that cannot be written must end nothing.
        .log_internal_errors(false)
        .try_init();
}
