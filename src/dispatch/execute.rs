//! Prepare, run, compare, store.

use std::time::Duration;

use chrono::Utc;
use tokio::sync::mpsc;

use super::DispatchError;
use super::attempt::end_of;
use super::baseline::{Search, Searching};
use super::connect::{Connected, Connecting};
use super::entry::{Tell, typed_job};
use super::held::Held;
use super::keep::{Keeper, Kept};
use super::waivers::waivers;
use crate::config::Config;
use crate::demo::Demo;
use crate::domain::{RunEvent, RunId, RunKind, RunRecord, RunRequest, Selection, Series};
use crate::gate::Gate;
use crate::run::{AccuracyRun, ReferencePlan, RunControl, RunOptions};
use crate::store::DeliveryReport;
use crate::suite::perturb::variants;
use crate::target::Contract;

/// How long the store may take for a record once everything is to stop at once: less than until the program ends.
pub(super) const HURRY: Duration = Duration::from_secs(2);

/// A run that can begin: the suite is loaded, the target has answered.
#[derive(Debug)]
pub struct Prepared {
    run: AccuracyRun,
    keeper: Keeper,
    baseline: Searching,
    demo: Option<Demo>,
}

/// A run that ended and is judged, and is not kept yet.
#[derive(Debug)]
pub(super) struct Judged {
    /// What it found.
    pub(super) record: RunRecord,
    pub(super) keeper: Keeper,
    pub(super) demo: Option<Demo>,
}

/// A run that ended.
#[derive(Debug)]
pub struct Executed {
    /// What it found.
    pub record: RunRecord,
    /// Where that is kept.
    pub kept: Kept,
    /// Records of earlier runs that left the spool.
    pub delivered: Option<DeliveryReport>,
    /// What the queue could not be told of a run that was typed, though its record is kept.
    pub untold: Option<String>,
}

impl Prepared {
    /// Loads the suite, compiles the contract, starts the demo detector if it is wanted, and looks whether the target
    /// is there. `gates` are what this run has to hold besides the configured ones.
    ///
    /// # Errors
    /// Anything that makes a run impossible; nothing has been recorded.
    pub async fn new(config: &Config, request: &RunRequest, gates: &[Gate]) -> Result<Self, DispatchError> {
        Self::named(config, request, gates, RunId::new(Utc::now(), rand::random())).await
    }

    /// The same with a name that somebody has been told already.
    pub(super) async fn named(
        config: &Config,
        request: &RunRequest,
        gates: &[Gate],
        id: RunId,
    ) -> Result<Self, DispatchError> {
        let size = match (request.suites.as_slice(), request.selection.limit) {
            ([one], None) => config.suite_size(one),
            _ => None,
        };
        let settings = &config.settings;
        let suite = config.catalog().load(&request.suites, size)?;
        // A configured gate may be about another suite; one that was asked for with this one is not.
        for (kind, name) in gates.iter().filter_map(Gate::named_slice) {
            suite.check_slice(kind, name)?;
        }
        let waivers = waivers(config, &request.suites)?;
        let selection = Selection { seed: settings.run.seed.unwrap_or(0), ..request.selection.clone() };
        let mut suite = suite.select(&selection)?;

        let contract = config.contract_here(config.target_name())?;
        if !contract.sends_history() {
            suite = suite.without_history()?;
        }
        check_batch(&contract, settings.run.batch)?;
        let started_at = Utc::now();
        let series = Series {
            suite: suite.record.name.clone(),
            target: contract.name.clone(),
            demo: config.wants_demo(),
        };
        let search = Search {
            wish: settings.baseline.clone(),
            run: id.clone(),
            series,
            url: contract.shown_url(),
            selection_hash: suite.record.selection_hash.clone(),
        };
        let (keeper, baseline) = Keeper::open(config, search, None)?;
        let baseline = baseline.settled().await?;
        let connected = Connecting::new(config, contract, &id).connect(config).await?;
        let Connected { target, health, ask, demo } = connected;
        let mut wanted = config.gates_for(target.contract());
        wanted.gates.extend(gates.iter().cloned());
        let options = RunOptions {
            id,
            started_at,
            environment: settings.environment.clone(),
            concurrency: ask.concurrency,
            rate: ask.rate,
            timeout: ask.timeout,
            retries: ask.retries,
            repeat: settings.run.repeat,
            repeat_doubtful: settings.run.repeat_doubtful,
            batch: settings.run.batch,
            seed: settings.run.seed.unwrap_or_else(|| u64::from(rand::random::<u32>())),
            text: settings.text,
            give_up_after: settings.run.give_up_after,
            gates: wanted,
            waivers,
            demo: demo.is_some(),
            configuration: config
                .effective
                .iter()
                .map(|value| (value.key.clone(), value.value.clone()))
                .collect(),
        };
        // By the selection's seed, which is recorded and does not change by itself: the same texts every time.
        let variants = variants(
            &suite.phrases,
            &settings.run.perturb,
            settings.run.perturb_per_phrase as usize,
            suite.record.selection.seed,
        );
        let wait = settings.reference.wait.0;
        let reference = config.reference().map(|options| ReferencePlan { options, wait });
        let run = AccuracyRun { suite, variants, target, options, reference, version: health.version };
        Ok(Self { run, keeper, baseline, demo })
    }

    /// Runs what somebody typed, holds it against its baseline, judges and stores. It is in the queue meanwhile, where
    /// others see it and may stop it; `say` says that to whoever typed it.
    pub async fn execute(
        mut self,
        config: &Config,
        control: RunControl,
        events: mpsc::Sender<RunEvent>,
        say: Tell,
    ) -> Executed {
        let (options, suite) = (&self.run.options, &self.run.suite.record.name);
        let target = &self.run.target.contract().name;
        let job = typed_job(config, &options.id, RunKind::Accuracy, suite, target);
        let held = self.keeper.opened().map(|store| Held::suite(config, job, store, control.clone(), say));
        Box::pin(self.judge(control.clone(), events)).await.keep(&control, held).await
    }

    /// Runs, holds the run against its baseline, and judges.
    pub(super) async fn judge(self, control: RunControl, events: mpsc::Sender<RunEvent>) -> Judged {
        let measured = self.run.execute(control.clone(), events).await;
        let baseline = self.baseline.compare(measured.record(), &control).await;
        Judged { record: measured.conclude(baseline), keeper: self.keeper, demo: self.demo }
    }
}

impl Judged {
    /// Stores the run, or leaves it in the spool, where it goes soon if everything is to stop at once. Dropped instead, it
    /// is forgotten. A run that was typed is `held` in the queue until then.
    pub(super) async fn keep(self, control: &RunControl, held: Option<Held>) -> Executed {
        let hurry = async {
            control.aborted().await;
            tokio::time::sleep(HURRY).await;
        };
        let (kept, delivered, store) = self.keeper.keep(&self.record, hurry).await;
        let is_stored = matches!(kept, Kept::Stored { .. });
        let untold = match held {
            Some(held) => held.end(end_of(&self.record, &kept, true), is_stored, control).await,
            None => None,
        };
        // Where the record could not be stored it is no news that the queue is away.
        let untold = untold.filter(|_| is_stored);
        if let Some(store) = store.filter(|_| !control.is_aborted()) {
            store.close().await;
        }
        if let Some(demo) = self.demo {
            demo.stop().await;
        }
        Executed { record: self.record, kept, delivered, untold }
    }
}

/// Whether the target takes so many phrases in a request.
pub(super) fn check_batch(contract: &Contract, batch: usize) -> Result<(), DispatchError> {
    let name = &contract.name;
    match contract.batch_limit() {
        _ if batch == 1 => Ok(()),
        Some(most) if batch <= most => Ok(()),
        Some(most) => Err(DispatchError::Options {
            message: format!("target `{name}` takes at most {most} phrases in a request, not {batch}"),
            hint: format!("`--batch {most}`"),
        }),
        None => Err(DispatchError::Options {
            message: format!("target `{name}` has no batch endpoint"),
            hint: "leave out `--batch`".to_owned(),
        }),
    }
}
