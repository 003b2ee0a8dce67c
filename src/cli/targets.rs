//! `thrash targets`.

use std::fmt::Write;

use chrono::Utc;

use super::args::{Flags, TargetsCommand};
use super::exit::Exit;
use super::failure::{Failure, chain};
use super::output::Output;
use crate::config::Config;
use crate::demo::{Demo, DemoOptions};
use crate::dispatch::DispatchError;
use crate::domain::{Answer, RunId};
use crate::target::{AskOptions, PRESET_NAMES, Target, harmless_phrase, preset_text};

pub(super) async fn targets(
    command: TargetsCommand,
    load: impl Fn(Flags) -> Result<Config, Failure>,
    output: &Output,
) -> Result<Exit, Failure> {
    match command {
        TargetsCommand::List => list(&load(Flags::new())?, output),
        TargetsCommand::Show { name } => {
            let text = preset_text(&name).ok_or_else(|| {
                Failure::usage(format!("there is no preset `{name}`"), format!("presets: {}", PRESET_NAMES.join(", ")))
            })?;
            output.print(text)?;
            Ok(Exit::Passed)
        }
        TargetsCommand::Check { target } => check(&load(target.flags())?, output).await,
    }
}

fn list(config: &Config, output: &Output) -> Result<Exit, Failure> {
    let mut text = String::new();
    let mut exit = Exit::Passed;
    for name in config.target_names() {
        let from = if config.settings.targets.contains_key(&name) { "configured" } else { "preset" };
        match config.contract(&name) {
            Ok(contract) => {
                let here = if name == config.target_name() { "*" } else { " " };
                let _ = writeln!(text, "{here} {name:<15} {from:<11} {:<29} {}", contract.shown_url(), contract.title);
            }
            Err(error) => {
                exit = Exit::Usage;
                output.error(chain(&error));
            }
        }
    }
    output.print(&text)?;
    Ok(exit)
}

/// Sends one harmless phrase and shows how the answer was read.
async fn check(config: &Config, output: &Output) -> Result<Exit, Failure> {
    let mut contract = config.contract(config.target_name())?;
    let demo = if config.wants_demo() { Some(Demo::start(DemoOptions::default()).map_err(DispatchError::from)?) } else { None };
    let url = demo.as_ref().map(Demo::url).or_else(|| config.settings.url.clone());
    if let Some(url) = url {
        contract = contract.with_base_url(&url).map_err(DispatchError::Url)?;
    }
    let ask = AskOptions {
        concurrency: 1,
        rate: None,
        timeout: config.settings.run.timeout.0,
        retries: 0,
        patience: config.settings.run.patience.0,
        run: RunId::new(Utc::now(), rand::random()).to_string(),
    };
    let target = Target::connect(contract, ask, &|name| config.variable(name)).map_err(DispatchError::from)?;
    let health = target.look().await.map_err(DispatchError::from)?;
    let contract = target.contract();
    let mut text = String::new();
    let _ = writeln!(text, "target     {} at {}", contract.name, contract.shown_url());
    let version = health.version.map_or_else(String::new, |version| format!(", version {version}"));
    let _ = writeln!(text, "health     well, {:.1} ms{version}", health.took.as_secs_f64() * 1e3);
    let phrase = harmless_phrase();
    let _ = writeln!(text, "phrase     \"{}\"", phrase.text);
    let (attempt, reading) = target.try_phrase(&phrase).await;
    let status = attempt.status.map_or_else(|| "no answer".to_owned(), |status| format!("HTTP {status}"));
    let _ = writeln!(text, "answer     {status}, {:.1} ms\n", attempt.latency_ms);
    for field in &reading.fields {
        let value = match &field.value {
            Ok(value) => value.clone(),
            Err(problem) => format!("CANNOT BE READ: {problem}"),
        };
        let _ = writeln!(text, "{:<32} {value}", field.name);
        let _ = writeln!(text, "    {}", field.expression.split_whitespace().collect::<Vec<_>>().join(" "));
    }
    let exit = match &reading.answer {
        Answer::Prediction(prediction) if reading.violations.is_empty() => {
            let _ = writeln!(text, "\nread as `{}`: this contract reads this service.", prediction.level);
            Exit::Passed
        }
        Answer::Prediction(prediction) => {
            let broken = reading.violations.join(", ");
            let _ = writeln!(text, "\nread as `{}`, but the answer breaks: {broken}", prediction.level);
            Exit::GateFailed
        }
        Answer::NoAnswer(none) => {
            let _ = writeln!(text, "\nno answer: {} ({})", none.reason.as_str(), none.detail);
            Exit::TargetFailed
        }
    };
    output.print(&text)?;
    if let Some(demo) = demo {
        demo.stop().await;
    }
    Ok(exit)
}
