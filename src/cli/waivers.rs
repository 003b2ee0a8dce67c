//! `thrash waivers`.

use std::fmt::Write;
use std::path::PathBuf;

use chrono::{NaiveDate, Utc};
use clap::Subcommand;
use serde_yaml::Value;

use super::args::{Flags, TargetArgs};
use super::exit::Exit;
use super::failure::Failure;
use super::output::Output;
use crate::config::Config;
use crate::dispatch;
use crate::report::clean;
use crate::suite::Waiver;

#[derive(Debug, Subcommand)]
pub(super) enum WaiversCommand {
    /// Refuse a file with something wrong in it, or with a waiver that is over
    Check {
        /// The suites whose failures it lists, or phrase files or folders of them
        #[arg(default_value = "comprehensive", value_name = "SUITE|FILE|DIR")]
        suites: Vec<String>,
        /// The file, if not the configured one
        #[arg(long, value_name = "FILE")]
        waivers: Option<PathBuf>,
        #[command(flatten)]
        target: TargetArgs,
    },
}

pub(super) fn waivers(
    command: WaiversCommand,
    load: impl Fn(Flags) -> Result<Config, Failure>,
    output: Output,
) -> Result<Exit, Failure> {
    let WaiversCommand::Check { suites, waivers, target } = command;
    let mut flags = target.flags();
    flags.extend(waivers.map(|file| ("waivers.file", Value::from(file.display().to_string()))));
    let config = load(flags)?;
    let waivers = dispatch::waivers(&config, &suites)?.ok_or_else(|| {
        Failure::usage(
            "no file of known failures is named",
            "`--waivers FILE`, or `waivers: {file: FILE}` in the configuration",
        )
    })?;
    let today = Utc::now().date_naive();
    let over = waivers.waivers.iter().filter(|waiver| waiver.applies && waiver.expires < today).count();
    let mut page: String = waivers.waivers.iter().map(|waiver| line(waiver, today)).collect();
    let verdict = if over == 0 { "accepted" } else { "refused" };
    let _ = writeln!(page, "{verdict}: {over} of {} over", waivers.waivers.len());
    let exit = if over == 0 { Exit::Passed } else { Exit::Usage };
    Ok(exit.after(output.show(&page), output))
}

fn line(waiver: &Waiver, today: NaiveDate) -> String {
    let days = (waiver.expires - today).num_days();
    let left = match days {
        _ if !waiver.applies => "for another suite or target".to_owned(),
        ..0 => "over".to_owned(),
        0 => "its last day".to_owned(),
        1 => "1 day left".to_owned(),
        days => format!("{days} days left"),
    };
    let [phrase, owner, reason] = [&waiver.phrase, &waiver.owner, &waiver.reason].map(|text| clean(text));
    format!("  {phrase}  until {}, {left}; {owner}: {reason}\n", waiver.expires)
}
