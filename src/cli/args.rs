//! The command line, as it is typed.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use serde_yaml::Value;

use super::baseline::BaselineCommand;
use super::compare::{CompareArgs, profiles};
use super::db::DbCommand;
use super::demo::DemoArgs;
use super::history::HistoryArgs;
use super::load::{LoadArgs, ScenariosCommand};
use super::load_worker::WorkerArgs;
use super::model::{ModelCommand, ReferenceArgs};
use super::notify::NotifyCommand;
use super::phrases::PhrasesCommand;
use super::runs::RunsCommand;
use super::schedule::ScheduleCommand;
use super::serve::ServeArgs;
use super::shadow::ShadowArgs;
use super::waivers::WaiversCommand;
use crate::domain::{RunRequest, Selection, Share, Split, TextPolicy, Wait};
use crate::gate::{Gate, GateProfile};
use crate::report::JunitCases;
use crate::suite::perturb::Kinds;

/// Tells whether a deployed detection service still answers rightly, quickly and honestly.
#[derive(Debug, Parser)]
#[command(
    name = "thrash",
    version,
    propagate_version = true,
    max_term_width = 80,
    arg_required_else_help = true
)]
#[command(after_help = "\
Start with `thrash quick`: where no target is named it asks a built-in demo.

Exit codes:
  0    every check passed, or the command did what it was asked
  1    a gate failed
  2    the arguments, the configuration or the suite are wrong
  3    the target failed
  4    could not tell: too little data for a gate
  5    own storage or output failed
  70   a bug in thrash
  130  interrupted; what was found is kept")]
pub(super) struct Cli {
    #[command(flatten)]
    pub(super) global: Global,
    #[command(subcommand)]
    pub(super) command: Command,
}

/// Flags of every command.
#[derive(Debug, Args)]
pub(super) struct Global {
    /// Configuration file (else ./thrash.yaml, else the one in your configuration folder)
    #[arg(long, value_name = "FILE", global = true, help_heading = "General")]
    pub(super) config: Option<PathBuf>,
    /// Where runs are kept: postgres://…, sqlite:FILE, or none
    #[arg(long, value_name = "URL|none", global = true, help_heading = "General")]
    pub(super) database_url: Option<String>,
    /// When to use colours: auto, always or never
    #[arg(
        long,
        value_enum,
        default_value_t,
        global = true,
        value_name = "WHEN",
        hide_possible_values = true
    )]
    #[arg(help_heading = "General")]
    pub(super) color: Color,
    /// Say more on stderr; twice says everything
    #[arg(short, long, action = clap::ArgAction::Count, global = true, help_heading = "General")]
    pub(super) verbose: u8,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum Color {
    #[default]
    Auto,
    Always,
    Never,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Run 25 phrases, for a fast look
    Quick(RunArgs),
    /// Run the whole suite
    Comprehensive(RunArgs),
    /// Run any suite, phrase file or folder
    Run {
        /// Suites, phrase files or folders of them
        #[arg(required = true, value_name = "SUITE|FILE|DIR")]
        suites: Vec<String>,
        #[command(flatten)]
        args: RunArgs,
    },
    /// Load the target as a scenario says, and judge every answer
    Load(LoadArgs),
    /// Send a share of a load that `thrash load --workers` began elsewhere
    LoadWorker(WorkerArgs),
    /// Send for the users of a load run, as the process that started this one says on stdin
    #[command(name = crate::dispatch::SEND_USERS, hide = true)]
    SendUsers,
    /// List, show or check load scenarios
    #[command(subcommand)]
    Scenarios(ScenariosCommand),
    /// List, show or delete stored runs, and see or stop those that go on
    #[command(subcommand)]
    Runs(RunsCommand),
    /// Render a stored run again
    Report {
        /// The run: an id, the beginning of one, or `latest`
        #[arg(value_name = "RUN")]
        run: String,
        #[command(flatten)]
        reports: ReportArgs,
    },
    /// Hold a run against an older one: what changed, and whether that can be chance
    Compare(CompareArgs),
    /// Set, show or clear the run that later ones are held against
    #[command(subcommand)]
    Baseline(BaselineCommand),
    /// Send unlabelled lines to target and reference, and find where they part
    Shadow(ShadowArgs),
    /// Show how the runs of a suite against a target went over time
    History(HistoryArgs),
    /// Look at a suite: what it holds, what it can prove, whether it could fail
    #[command(subcommand)]
    Phrases(PhrasesCommand),
    /// Look at the file of known failures
    #[command(subcommand)]
    Waivers(WaiversCommand),
    /// List, show or check targets
    #[command(subcommand)]
    Targets(TargetsCommand),
    /// Look at a reference model, and get the library that runs it faster
    #[command(subcommand)]
    Model(ModelCommand),
    /// Answer over HTTP, and run what is asked for, until stopped
    Serve(ServeArgs),
    /// List, switch or run the schedules of the service
    #[command(subcommand)]
    Schedule(ScheduleCommand),
    /// Try the channels that are told when something breaks
    #[command(subcommand)]
    Notify(NotifyCommand),
    /// Run the demo detector until stopped
    Demo(DemoArgs),
    /// Show every setting, where it came from, and what can be reached
    Doctor {
        #[command(flatten)]
        target: TargetArgs,
    },
    /// Bring the database up to date, or remove old runs
    #[command(subcommand)]
    Db(DbCommand),
    /// Print the JSON Schema of a file format
    Schema {
        /// The format
        #[arg(value_enum)]
        format: SchemaName,
    },
    /// Print completions for a shell
    Completions {
        /// The shell
        #[arg(value_enum)]
        shell: Shell,
    },
}

/// Which target.
#[derive(Debug, Args)]
pub(super) struct TargetArgs {
    /// A preset or a configured target
    #[arg(long, value_name = "NAME", help_heading = "Target")]
    pub(super) target: Option<String>,
    /// Where the target is
    #[arg(long, value_name = "URL", help_heading = "Target")]
    pub(super) url: Option<String>,
}

/// How a target is sent what.
#[derive(Debug, Args)]
pub(super) struct SendArgs {
    #[command(flatten)]
    pub(super) target: TargetArgs,
    /// Requests in flight at once
    #[arg(long, value_name = "N", help_heading = "Target")]
    pub(super) concurrency: Option<usize>,
    /// Requests a second, at most (`5` or `5/s`)
    #[arg(long, value_name = "N/s", value_parser = rate, help_heading = "Target")]
    pub(super) rate: Option<f64>,
    /// Deadline of one attempt, where the contract names none (`30s`)
    #[arg(long, value_name = "TIME", help_heading = "Target")]
    pub(super) timeout: Option<Wait>,
    /// Further attempts after a refused connection or 502, 503, 504
    #[arg(long, value_name = "N", help_heading = "Target")]
    pub(super) retries: Option<u32>,
    /// Phrases in one request, for contracts with a batch endpoint
    #[arg(long, value_name = "N", help_heading = "Target")]
    pub(super) batch: Option<usize>,
}

/// Flags of everything that runs phrases.
#[derive(Debug, Args)]
pub(super) struct RunArgs {
    #[command(flatten)]
    pub(super) send: SendArgs,

    /// Send each phrase so many times, and find answers that change
    #[arg(long, value_name = "K", help_heading = "Phrases")]
    pub(super) repeat: Option<u32>,
    /// Send phrases whose answer changed, is wrong or stands at an edge, up to so many times
    #[arg(long, value_name = "N", help_heading = "Phrases")]
    pub(super) repeat_doubtful: Option<u32>,
    /// Also send variants of the phrases: kinds, groups (typing, unicode, wording, direction) or all
    #[arg(long, value_name = "KINDS", help_heading = "Phrases")]
    pub(super) perturb: Option<Kinds>,
    /// Variants of each phrase
    #[arg(long, value_name = "N", help_heading = "Phrases")]
    pub(super) perturb_per_phrase: Option<u32>,
    /// Seed of the order, and of a --limit's draw
    #[arg(long, value_name = "N", help_heading = "Phrases")]
    pub(super) seed: Option<u64>,
    /// At most so many phrases, drawn evenly over the categories
    #[arg(long, value_name = "N", help_heading = "Phrases")]
    pub(super) limit: Option<usize>,
    /// Only this category (repeatable)
    #[arg(long, value_name = "NAME", help_heading = "Phrases")]
    pub(super) category: Vec<String>,
    /// Only phrases with this tag (repeatable)
    #[arg(long, value_name = "NAME", help_heading = "Phrases")]
    pub(super) tag: Vec<String>,

    /// Only this part of the suite: dev or held
    #[arg(long, value_name = "PART", help_heading = "Phrases")]
    pub(super) split: Option<Split>,

    /// One more gate, such as `latency_p95 <= 500ms` (repeatable)
    #[arg(long, value_name = "EXPR", help_heading = "Gates")]
    pub(super) gate: Vec<Gate>,
    /// A ready set of gates, such as `regression` (repeatable; instead of the configured ones)
    #[arg(long, value_name = "NAME", help_heading = "Gates")]
    pub(super) gate_profile: Vec<GateProfile>,
    /// What the run is held against: a run's id, a record file, latest or none (else the set baseline)
    #[arg(long, value_name = "RUN|latest|none|FILE", help_heading = "Gates")]
    pub(super) baseline: Option<String>,
    /// Accuracy that is asked (`92%`)
    #[arg(long, value_name = "SHARE", help_heading = "Gates")]
    pub(super) min_accuracy: Option<Share>,
    /// False-positive rate that is allowed (`4%`)
    #[arg(long, value_name = "SHARE", help_heading = "Gates")]
    pub(super) max_fpr: Option<Share>,
    /// File of known failures that gates pass over
    #[arg(long, value_name = "FILE", help_heading = "Gates")]
    pub(super) waivers: Option<PathBuf>,

    /// On GitHub Actions: no annotations, and nothing in the step's summary
    #[arg(long, help_heading = "Output")]
    pub(super) no_annotations: bool,

    #[command(flatten)]
    pub(super) reference: ReferenceArgs,
    #[command(flatten)]
    pub(super) reports: ReportArgs,
}

/// Where a run is written to.
#[derive(Debug, Args)]
pub(super) struct ReportArgs {
    /// Write the run record as JSON; `-` is stdout
    #[arg(long, value_name = "FILE|-", help_heading = "Output")]
    pub(super) json: Option<PathBuf>,
    /// Write a page to be read in a browser; `-` is stdout
    #[arg(long, value_name = "FILE|-", help_heading = "Output")]
    pub(super) html: Option<PathBuf>,
    /// Write JUnit XML; `-` is stdout
    #[arg(long, value_name = "FILE|-", help_heading = "Output")]
    pub(super) junit: Option<PathBuf>,
    /// Write SARIF 2.1.0, for code scanning; `-` is stdout
    #[arg(long, value_name = "FILE|-", help_heading = "Output")]
    pub(super) sarif: Option<PathBuf>,
    /// Write Markdown, for pull requests; `-` is stdout
    #[arg(long, value_name = "FILE|-", help_heading = "Output")]
    pub(super) markdown: Option<PathBuf>,
    /// Write every observation as a row of CSV, of a load run every second; `-` is stdout
    #[arg(long, value_name = "FILE|-", help_heading = "Output")]
    pub(super) csv: Option<PathBuf>,
    /// What the JUnit file lists: all phrases and gates, or gates
    #[arg(long, value_enum, value_name = "all|gates", default_value_t, hide_possible_values = true)]
    #[arg(help_heading = "Output")]
    pub(super) junit_cases: JunitChoice,
    /// Write every format into this folder, under the run's id
    #[arg(long, value_name = "DIR", help_heading = "Output")]
    pub(super) out: Option<PathBuf>,
    /// What becomes of the phrases' text: full, redacted or none; `full` shows it in the terminal, too
    #[arg(long, value_name = "WHAT", help_heading = "Output")]
    pub(super) text: Option<TextPolicy>,
    /// Say nothing unless something needs attention
    #[arg(short, long, help_heading = "Output")]
    pub(super) quiet: bool,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum JunitChoice {
    #[default]
    All,
    Gates,
}

impl From<JunitChoice> for JunitCases {
    fn from(choice: JunitChoice) -> Self {
        match choice {
            JunitChoice::All => Self::All,
            JunitChoice::Gates => Self::Gates,
        }
    }
}

#[derive(Debug, Subcommand)]
pub(super) enum TargetsCommand {
    /// List presets and configured targets
    List,
    /// Print a target's contract, as a pattern for your own
    Show {
        /// A preset or a configured target
        #[arg(value_name = "NAME")]
        name: String,
    },
    /// Send one harmless phrase and show how the answer is read, field by field
    Check {
        #[command(flatten)]
        target: TargetArgs,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum SchemaName {
    /// Run records
    Record,
    /// What `compare` writes
    Comparison,
    /// Histories
    History,
    /// What `shadow` writes
    Shadow,
    /// Phrase files
    Phrases,
    /// Load scenarios
    Scenario,
    /// Targets
    Target,
    /// Configuration files
    Config,
    /// Files of known failures
    Waivers,
}

fn rate(text: &str) -> Result<f64, String> {
    let number = text.strip_suffix("/s").unwrap_or(text);
    number
        .parse()
        .ok()
        .filter(|rate: &f64| rate.is_finite() && *rate > 0.0)
        .ok_or_else(|| "write a number of requests a second above 0, such as `5` or `0.5/s`".to_owned())
}

/// Settings that flags make, by key.
pub(super) type Flags = Vec<(&'static str, Value)>;

impl Global {
    pub(super) fn flags(&self) -> Flags {
        let mut flags = Flags::new();
        add(&mut flags, "store.database_url", self.database_url.clone());
        match self.verbose {
            0 => {}
            1 => flags.push(("log", Value::from("info"))),
            _ => flags.push(("log", Value::from("debug"))),
        }
        flags
    }
}

impl TargetArgs {
    pub(super) fn flags(&self) -> Flags {
        let mut flags = Flags::new();
        add(&mut flags, "target", self.target.clone());
        add(&mut flags, "url", self.url.clone());
        flags
    }
}

impl SendArgs {
    pub(super) fn flags(&self) -> Flags {
        let mut flags = self.target.flags();
        add(&mut flags, "run.concurrency", self.concurrency.map(|n| n as u64));
        add(&mut flags, "run.rate", self.rate);
        add(&mut flags, "run.timeout", self.timeout.map(|wait| wait.to_string()));
        add(&mut flags, "run.retries", self.retries);
        add(&mut flags, "run.batch", self.batch.map(|n| n as u64));
        flags
    }
}

impl RunArgs {
    pub(super) fn flags(&self) -> Flags {
        let mut flags = self.send.flags();
        flags.extend(self.reference.flags());
        add(&mut flags, "run.repeat", self.repeat);
        add(&mut flags, "run.repeat_doubtful", self.repeat_doubtful);
        add(&mut flags, "run.perturb", self.perturb.as_ref().map(ToString::to_string));
        add(&mut flags, "run.perturb_per_phrase", self.perturb_per_phrase);
        add(&mut flags, "run.seed", self.seed);
        add(&mut flags, "gate_profiles", profiles(&self.gate_profile));
        add(&mut flags, "baseline", self.baseline.clone());
        add(&mut flags, "thresholds.accuracy", self.min_accuracy.map(Share::value));
        add(&mut flags, "thresholds.false_positive_rate", self.max_fpr.map(Share::value));
        add(&mut flags, "waivers.file", self.waivers.as_ref().map(|file| file.display().to_string()));
        let text = self.reports.text.map(|policy| match policy {
            TextPolicy::Full => "full",
            TextPolicy::Redacted => "redacted",
            TextPolicy::None => "none",
        });
        add(&mut flags, "text", text);
        flags
    }

    pub(super) fn request(&self, suites: Vec<String>) -> RunRequest {
        let selection = Selection {
            categories: self.category.clone(),
            tags: self.tag.clone(),
            split: self.split,
            limit: self.limit,
            seed: 0,
        };
        RunRequest { suites, selection }
    }
}

pub(super) fn add<T: Into<Value>>(flags: &mut Flags, key: &'static str, value: Option<T>) {
    flags.extend(value.map(|value| (key, value.into())));
}
