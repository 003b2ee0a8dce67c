//! `thrash load-worker`: one of several machines that send a load together.

use std::time::Duration;

use clap::Args;
use serde_yaml::Value;

use super::args::{Flags, TargetArgs};
use super::exit::Exit;
use super::failure::Failure;
use super::output::Output;
use super::signals;
use crate::config::Config;
use crate::dispatch::{PreparedWorker, Waiting, Worked};
use crate::domain::{Wait, count};
use crate::load::Shard;
use crate::run::RunControl;

/// Where a run and its workers look for each other if nobody gives it a name.
pub(super) const JOB: &str = "load";
/// How long they wait for each other.
pub(super) const WAIT: &str = "5m";

/// Flags of `thrash load-worker`.
#[derive(Debug, Args)]
pub(super) struct WorkerArgs {
    /// The name of the run to send for (else `THRASH_LOAD_JOB`, else `load`)
    #[arg(long, value_name = "NAME", help_heading = "Load")]
    job: Option<String>,
    /// Which worker this is, from 0 (else `JOB_COMPLETION_INDEX`)
    #[arg(long, value_name = "I", help_heading = "Load")]
    shard: Option<usize>,
    /// How many there are (else `THRASH_SHARDS`)
    #[arg(long, value_name = "N", help_heading = "Load")]
    shards: Option<usize>,
    /// How long to wait for the run to begin
    #[arg(long, value_name = "TIME", default_value = WAIT, help_heading = "Load")]
    wait: Wait,
    #[command(flatten)]
    target: TargetArgs,
}

/// The name of the job: what was typed, else what the environment says.
pub(super) fn job(typed: Option<String>, config: &Config) -> String {
    typed.or_else(|| config.variable("THRASH_LOAD_JOB")).unwrap_or_else(|| JOB.to_owned())
}

pub(super) async fn work(
    args: WorkerArgs,
    load: impl Fn(Flags) -> Result<Config, Failure>,
    output: Output,
) -> Result<Exit, Failure> {
    let config = load(args.target.flags())?;
    let shard = shard(&args, &config)?;
    let job = job(args.job, &config);
    let control = RunControl::default();
    let watching = tokio::spawn(signals::watch(control.clone(), move |text| output.note(text)));
    let wait: Duration = args.wait.0;
    let waiting = Waiting::find(&config, &job, wait, &control).await?;
    let mut flags = args.target.flags();
    if config.settings.target.is_none() {
        flags.push(("target", Value::from(waiting.target())));
    }
    let prepared = Box::pin(PreparedWorker::new(&load(flags)?, waiting, shard)).await?;
    output.note(format!("worker {} of {} is ready", shard.index, shard.count));
    let worked = Box::pin(prepared.work(&control)).await?;
    watching.abort();
    Ok(match worked {
        Worked::Done { requests } => {
            output.note(format!("worker {} sent {}", shard.index, count(requests, "request", "requests")));
            Exit::Passed
        }
        Worked::Stopped => Exit::Interrupted,
    })
}

/// Which worker this is, of how many.
fn shard(args: &WorkerArgs, config: &Config) -> Result<Shard, Failure> {
    let number = |typed: Option<usize>, flag: &str, variable: &str| match (typed, config.variable(variable)) {
        (Some(typed), _) => Ok(typed),
        (None, Some(text)) => text.trim().parse().map_err(|_| {
            Failure::usage(
                format!("`{variable}` is `{text}`, and that is no number"),
                format!("or use `{flag}`"),
            )
        }),
        (None, None) => Err(Failure::usage(
            format!("a worker needs `{flag}`"),
            format!("or `{variable}`, as an Indexed Job of Kubernetes sets it: docs/load.md"),
        )),
    };
    let index = number(args.shard, "--shard", "JOB_COMPLETION_INDEX")?;
    let count = number(args.shards, "--shards", "THRASH_SHARDS")?;
    if index >= count {
        return Err(Failure::usage(
            format!("there is no worker {index} of {count}"),
            "they are counted from 0: the last of 4 is 3",
        ));
    }
    Ok(Shard { index, count })
}
