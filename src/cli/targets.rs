//! `thrash targets`.

use std::fmt::Write;

use super::args::{Flags, TargetsCommand};
use super::exit::Exit;
use super::failure::Failure;
use super::output::Output;
use super::runs::cut;
use crate::config::Config;
use crate::dispatch::Connected;
use crate::domain::Answer;
use crate::target::harmless_phrase;

pub(super) async fn targets(
    command: TargetsCommand,
    load: impl Fn(Flags) -> Result<Config, Failure>,
    output: Output,
) -> Result<Exit, Failure> {
    match command {
        TargetsCommand::List => Ok(list(&load(Flags::new())?, output)),
        TargetsCommand::Show { name } => {
            output.print(&load(Flags::new())?.contract_text(&name)?)?;
            Ok(Exit::Passed)
        }
        TargetsCommand::Check { target } => check(&load(target.flags())?, output).await,
    }
}

fn list(config: &Config, output: Output) -> Exit {
    output.note("* is the one that is asked where --target names none");
    let mut text = String::new();
    let mut exit = Exit::Passed;
    for name in config.target_names() {
        let from = if config.settings.targets.contains_key(&name) { "configured" } else { "preset" };
        match config.contract(&name) {
            Ok(contract) => {
                let here = if name == config.target_name() { "*" } else { " " };
                let url = contract.shown_url();
                let line = format!("{here} {name:<14} {from:<10} {url:<23} {}", contract.title);
                let _ = writeln!(text, "{}", cut(&line, output.width()));
            }
            Err(error) => {
                exit = Exit::Usage;
                output.note(format!("error: {error}"));
            }
        }
    }
    exit.after(output.show(&text), output)
}

/// Sends one harmless phrase and shows how the answer was read.
async fn check(config: &Config, output: Output) -> Result<Exit, Failure> {
    let connected = Connected::to_look(config).await?;
    let (target, health) = (&connected.target, &connected.health);
    let contract = target.contract();
    let mut text = String::new();
    let _ = writeln!(text, "target     {} at {}", contract.name, contract.shown_url());
    let version = health.version.as_ref().map_or_else(String::new, |version| format!(", version {version}"));
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
    connected.close().await;
    Ok(exit.after(output.show(&text), output))
}
