//! `thrash load` and `thrash scenarios`.

use std::cell::Cell;
use std::fmt::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use clap::{Args, Subcommand};
use serde_yaml::Value;
use tokio::sync::mpsc;

use super::args::{Flags, ReportArgs, TargetArgs, add};
use super::exit::Exit;
use super::failure::Failure;
use super::github::GithubActions;
use super::load_worker;
use super::output::Output;
use super::progress::{Progress, Style};
use super::report::Reports;
use super::run::{EVENTS, Notes, tell};
use super::signals;
use crate::config::Config;
use crate::dispatch::{
    DispatchError, Entry, LoadPlan, NoEntry, Others, Tell, WorkersWish, before_it, check_scenario,
};
use crate::domain::{LoadModel, TextPolicy, Wait, count};
use crate::gate::Gate;
use crate::load::{Overrides, Rate, Scenario, load_scenario, scenario_names, scenario_text};
use crate::run::{IDLE_LONGEST, RunControl};

/// Flags of `thrash load`.
#[derive(Debug, Args)]
pub(super) struct LoadArgs {
    /// A shipped scenario (`thrash scenarios list`), or a file
    #[arg(value_name = "SCENARIO|FILE")]
    scenario: String,
    #[command(flatten)]
    target: TargetArgs,
    /// Multiply the lengths of stages, warm-up and holds, for a rehearsal (`0.1`)
    #[arg(long, value_name = "FACTOR", default_value_t = 1.0, value_parser = factor, help_heading = "Load")]
    scale_time: f64,
    /// Requests a second in place of the scenario's `rate` (`20/s`); not with stages or a search
    #[arg(long, value_name = "RATE", help_heading = "Load")]
    rate: Option<Rate>,
    /// Users in place of the scenario's; not with stages
    #[arg(long, value_name = "N", help_heading = "Load")]
    users: Option<u32>,
    /// How long, in place of the scenario's `duration` (`1m`); not with stages or a search
    #[arg(long, value_name = "TIME", conflicts_with = "scale_time", help_heading = "Load")]
    duration: Option<Wait>,
    /// Requests a second, at most; it can only lower the scenario's `max_rate`
    #[arg(long, value_name = "RATE", help_heading = "Load")]
    max_rate: Option<Rate>,
    /// Ask every phrase once before the load, one at a time; done anyway where a gate needs it
    #[arg(long, help_heading = "Load")]
    idle_pass: bool,
    /// One more gate, such as `latency_p95 <= 500ms` (repeatable)
    #[arg(long, value_name = "EXPR", help_heading = "Gates")]
    gate: Vec<Gate>,
    /// What the run is held against: a run's id, a record file, latest or none (else the set baseline)
    #[arg(long, value_name = "RUN|latest|none|FILE", help_heading = "Gates")]
    baseline: Option<String>,
    /// Another seed of the schedule and of the phrases' order
    #[arg(long, value_name = "N", help_heading = "Load")]
    seed: Option<u64>,
    /// Have so many `thrash load-worker` send it, from other machines; needs PostgreSQL
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1000), help_heading = "Workers")]
    workers: Option<u16>,
    /// The name by which workers find this run (else `THRASH_LOAD_JOB`, else `load`)
    #[arg(long, value_name = "NAME", requires = "workers", help_heading = "Workers")]
    job: Option<String>,
    /// How long to wait for the workers
    #[arg(long, value_name = "TIME", default_value = load_worker::WAIT, help_heading = "Workers")]
    wait: Wait,
    /// Give up (exit 4) where another load runs, in place of waiting for its end
    #[arg(long, help_heading = "Load")]
    no_wait: bool,
    /// On GitHub Actions: no annotations, and nothing in the step's summary
    #[arg(long, help_heading = "Output")]
    no_annotations: bool,
    #[command(flatten)]
    reports: ReportArgs,
}

#[derive(Debug, Subcommand)]
pub(super) enum ScenariosCommand {
    /// List the shipped scenarios
    List,
    /// Print a scenario, to copy and change
    Show {
        /// A shipped scenario, or a file
        #[arg(value_name = "SCENARIO|FILE")]
        scenario: String,
    },
    /// Refuse scenarios with something wrong in them, and say what the others would do
    Check {
        /// Shipped scenarios or files; all shipped ones if none is named
        #[arg(value_name = "SCENARIO|FILE")]
        scenarios: Vec<String>,
        /// Multiply the lengths of stages, warm-up and holds
        #[arg(long, value_name = "FACTOR", default_value_t = 1.0, value_parser = factor)]
        scale_time: f64,
    },
}

fn factor(text: &str) -> Result<f64, String> {
    let factor = text.parse().ok().filter(|factor| *factor > 0.0 && *factor <= 1000.0);
    factor.ok_or_else(|| format!("`{text}` is no factor: write a number above 0, such as `0.1`"))
}

/// Runs a scenario and shows what came out.
pub(super) async fn load(
    args: LoadArgs,
    load: impl Fn(Flags) -> Result<Config, Failure>,
    output: Output,
) -> Result<Exit, Failure> {
    let overrides =
        Overrides { rate: args.rate, users: args.users, duration: args.duration, max_rate: args.max_rate };
    let mut scenario = load_scenario(&args.scenario, args.scale_time, overrides)?;
    scenario.seed = args.seed.unwrap_or(scenario.seed);
    scenario.idle_pass |= args.idle_pass;
    tell_of_its_end(&scenario, &args.scenario, output);
    let mut flags = args.target.flags();
    if args.target.target.is_none()
        && let Some(target) = &scenario.target
    {
        flags.push(("target", Value::from(target.clone())));
    }
    let text = args.reports.text.map(|policy| match policy {
        TextPolicy::Full => "full",
        TextPolicy::Redacted => "redacted",
        TextPolicy::None => "none",
    });
    add(&mut flags, "text", text);
    add(&mut flags, "baseline", args.baseline.clone());
    let config = load(flags)?;
    let reports = Reports::check(&args.reports, &config)?;
    let github = GithubActions::of(&config).filter(|_| !args.no_annotations);
    let workers = args.workers.map(|count| WorkersWish {
        job: load_worker::job(args.job, &config),
        count: usize::from(count),
        wait: args.wait.0,
    });
    let plan = LoadPlan::new(&config, scenario, &args.gate)?;
    let control = RunControl::default();
    let progress = Progress::new(Style::choose(reports.quiet()), output);
    let (begun, say) = (Arc::new(AtomicBool::new(false)), progress.clone());
    let has_begun = Arc::clone(&begun);
    let watching = tokio::spawn(signals::watch(control.clone(), move |text| {
        say.say(if has_begun.load(Ordering::Relaxed) { text } else { "stopping" });
    }));
    let waiting = Waiting { waits: !args.no_wait, control: &control, progress: &progress, output };
    let others = waiting.turn(&config, &plan, workers.as_ref()).await?;
    let prepared = plan.prepare(&config, workers, others, &control).await?;
    begun.store(true, Ordering::Relaxed);

    let (events, received) = mpsc::channel(EVENTS);
    let showing = tokio::spawn(progress.follow(received));
    let executed = Box::pin(prepared.execute(control, events)).await;
    let _ = showing.await;
    let exit = tell(&config, executed?, Notes::default(), reports, github, output);
    watching.abort();
    Ok(exit)
}

/// How a load waits for its turn.
struct Waiting<'a> {
    /// Whether it waits where another one is before it.
    waits: bool,
    control: &'a RunControl,
    progress: &'a Progress,
    output: Output,
}

impl Waiting<'_> {
    /// Waits until no other load runs, as far as the database tells: two would measure each other.
    async fn turn(
        &self,
        config: &Config,
        plan: &LoadPlan,
        workers: Option<&WorkersWish>,
    ) -> Result<Others, Failure> {
        let Self { waits, control, progress, output } = *self;
        let unknown = |reason: &str| format!("whether another load runs is not known: {reason}");
        let entry = match Entry::of_load(config, plan, control).await {
            Ok(entry) => entry,
            Err(NoEntry::Failed(error)) => return Err(error.into()),
            Err(NoEntry::NoDatabase) => {
                output.note(unknown("no database is configured"));
                return Ok(Others::NoQueue);
            }
            Err(NoEntry::Unknown(reason)) if waits => {
                output.note(unknown(&reason));
                return Ok(Others::Unknown(reason));
            }
            Err(NoEntry::Unknown(reason)) => {
                return Err(DispatchError::Busy {
                    message: format!("{}; nothing was sent", unknown(&reason)),
                    hint: "leave `--no-wait` out to send it all the same; its record then says so".to_owned(),
                }
                .into());
            }
        };
        // What is wrong anyway is not waited for.
        if let Err(error) = plan.check(config, workers, entry.store()).await {
            entry.leave().await;
            return Err(error.into());
        }
        let say = progress.clone();
        let say: Tell = Arc::new(move |text| say.say(text));
        let (began, has_waited) = (Instant::now(), Cell::new(false));
        let turn = entry.turn(waits, control, say, |other| {
            has_waited.set(true);
            progress.wait(&format!("waiting: {}; Ctrl-C leaves the queue", before_it(other)));
        });
        let held = turn.await;
        if has_waited.get() {
            progress.waited();
        }
        let held = held?;
        if has_waited.get() {
            output.note(format!("its turn has come, after {} s", began.elapsed().as_secs()));
        }
        Ok(Others::Wait(held))
    }
}

pub(super) fn scenarios(
    command: ScenariosCommand,
    load: impl Fn(Flags) -> Result<Config, Failure>,
    output: Output,
) -> Result<Exit, Failure> {
    match command {
        ScenariosCommand::List => {
            let mut page = String::new();
            for name in scenario_names() {
                let scenario = load_scenario(name, 1.0, Overrides::default())?;
                let _ = writeln!(page, "{name:<16}{:<28}{}", shape(&scenario), scenario.title);
            }
            output.print(&page)?;
        }
        ScenariosCommand::Show { scenario } => output.print(&scenario_text(&scenario)?)?,
        ScenariosCommand::Check { scenarios, scale_time } => {
            let all = || scenario_names().into_iter().map(str::to_owned).collect();
            // What is shipped is for any target.
            let is_shipped = scenarios.is_empty();
            let names: Vec<String> = if is_shipped { all() } else { scenarios };
            let check = |name: &str| -> Result<Scenario, Failure> {
                let scenario = load_scenario(name, scale_time, Overrides::default())?;
                if !is_shipped {
                    let target = scenario.target.iter().map(|target| ("target", Value::from(target.clone())));
                    check_scenario(&load(target.collect())?, &scenario)?;
                }
                Ok(scenario)
            };
            let mut page = String::new();
            let mut exit = Exit::Passed;
            for name in names {
                match check(&name) {
                    Ok(scenario) => {
                        let _ = writeln!(page, "ok  {name}: {}", plan(&scenario));
                        if scenario.gates.is_empty() {
                            output.note(format!("note: {name} has no gates, so a run of it shows nothing"));
                        }
                        tell_of_its_end(&scenario, &name, output);
                    }
                    Err(failure) => {
                        exit = Exit::Usage;
                        output.note(format!("error: {failure}"));
                    }
                }
            }
            return Ok(exit.after(output.show(&page), output));
        }
    }
    Ok(Exit::Passed)
}

/// A scenario that its own limits end shows nothing, and that is known beforehand.
fn tell_of_its_end(scenario: &Scenario, name: &str, output: Output) {
    if let Some(limit) = scenario.limit_that_ends_it() {
        output.note(format!(
            "note: `{limit}` ends {name} before its stages do, so no run of it can be conclusive"
        ));
    }
}

/// How much, and for how long.
fn shape(scenario: &Scenario) -> String {
    let length = Wait(std::time::Duration::from_secs(scenario.length().as_secs()));
    match scenario.model {
        LoadModel::Arrivals if scenario.is_search => {
            format!("up to {}, {length} at most", Rate(scenario.peak()))
        }
        LoadModel::Arrivals => format!("{}, {length}", Rate(scenario.peak())),
        LoadModel::Users => format!("{}, {length}", count(scenario.peak(), "user", "users")),
    }
}

/// What a run of it would do.
fn plan(scenario: &Scenario) -> String {
    let requests = scenario.planned().map_or_else(
        || "as many requests as the users get answered".to_owned(),
        |requests| count(requests.round(), "request", "requests"),
    );
    let batch = match scenario.batch {
        1 => String::new(),
        batch => format!(" of {batch} phrases"),
    };
    let idle = if scenario.idle_pass {
        format!(", each phrase once before it ({} at most)", Wait(IDLE_LONGEST))
    } else {
        String::new()
    };
    let gates = count(scenario.gates.len(), "gate", "gates");
    format!("{}, {requests}{batch}{idle}, {gates}", shape(scenario))
}
