//! `thrash notify`.

use chrono::Utc;
use clap::Subcommand;

use super::exit::Exit;
use super::failure::Failure;
use super::output::Output;
use crate::config::Config;
use crate::notify::{Channel, Notifier};

#[derive(Debug, Subcommand)]
pub(super) enum NotifyCommand {
    /// Send one message, marked as a test
    Test {
        /// The channel (else every one)
        #[arg(value_name = "CHANNEL")]
        channel: Option<String>,
    },
}

pub(super) async fn notify(config: &Config, command: NotifyCommand, output: Output) -> Result<Exit, Failure> {
    let NotifyCommand::Test { channel } = command;
    let notifier = Notifier::new(config.notify()?).map_err(Failure::bug)?;
    let known: Vec<&str> = notifier.channels().iter().map(|channel| channel.name.as_str()).collect();
    let chosen: Vec<&Channel> = match &channel {
        None => notifier.channels().iter().collect(),
        Some(name) => notifier.channels().iter().filter(|channel| channel.name == *name).collect(),
    };
    if chosen.is_empty() {
        let message = channel.map_or_else(
            || "no channel is configured".to_owned(),
            |name| format!("there is no channel `{name}`"),
        );
        let hint = match known.as_slice() {
            [] => "set DISCORD_WEBHOOK_URL or SLACK_WEBHOOK, or name one under `notify.channels`".to_owned(),
            known => format!("one of {}", known.join(", ")),
        };
        return Err(Failure::usage(message, hint));
    }
    let mut exit = Exit::Passed;
    for channel in chosen {
        let (line, ended) = match notifier.test(channel, Utc::now()).await {
            Ok(()) => (format!("ok  {}\n", channel.name), Exit::Passed),
            Err(error) => (format!("NO  {error}\n"), Exit::TargetFailed),
        };
        exit = exit.or(ended).after(output.show(&line), output);
    }
    Ok(exit)
}
