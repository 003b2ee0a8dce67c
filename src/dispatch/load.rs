//! Prepare a load run, run it, store it.
//!
//! A crisis service must not go down because somebody tested it: what is not this machine has to be marked as made for
//! load, and nobody is sent more than they say they bear.

use std::ffi::OsString;
use std::sync::Arc;

use chrono::Utc;
use tokio::sync::mpsc;

use super::DispatchError;
use super::baseline::{Search, Searching};
use super::connect::{Connected, Connecting};
use super::execute::{Executed, Judged};
use super::held::Others;
use super::keep::{Keeper, spool};
use super::load_check::{can_be_asked, fits_body};
use super::load_workers::{Crew, WorkersWish, can_meet, meet};
use crate::config::Config;
use crate::demo::Demo;
use crate::domain::{LoadModel, RunEvent, RunId, Series, count, is_this_machine};
use crate::gate::{Gate, GateOptions};
use crate::load::{Deck, Elsewhere, LoadEngine, OpenEngine, Rate, Scenario, Shard, UsersEngine, UsersOrder};
use crate::run::{IDLE_LONGEST, LoadRun, RunControl, RunFacts};
use crate::store::Store;
use crate::suite::Suite;
use crate::target::{Contract, LoadOptions, LoadTarget, PRESET_NAMES, Target, harmless_phrase};

/// Starts a second above which one thread is not enough.
const ONE_THREAD: f64 = 10_000.0;
/// The hidden command of the process that sends for users.
pub const SEND_USERS: &str = "send-users";

/// A load that could begin: the scenario fits the target, which may be loaded. Nobody was asked anything yet.
#[derive(Debug)]
pub struct LoadPlan {
    id: RunId,
    contract: Contract,
    scenario: Scenario,
    suite: Suite,
    deck: Deck,
    gates: Vec<Gate>,
}

/// A load run that can begin: the target has answered.
#[derive(Debug)]
pub struct PreparedLoad {
    run: LoadRun,
    keeper: Keeper,
    baseline: Searching,
    demo: Option<Demo>,
    /// The workers that send, where it is not this process.
    crew: Option<Arc<Crew>>,
    /// What is known of other loads, if somebody typed it.
    others: Others,
}

impl LoadPlan {
    /// Loads the phrases, compiles the contract, and checks that the target may be loaded. `gates` are what this run has to
    /// hold besides the scenario's.
    ///
    /// # Errors
    /// Anything that makes a run impossible, as far as it can be known without asking anybody.
    pub fn new(config: &Config, scenario: Scenario, gates: &[Gate]) -> Result<Self, DispatchError> {
        Self::named(config, scenario, gates, RunId::new(Utc::now(), rand::random()))
    }

    /// The same with a name that somebody has been told already.
    pub(super) fn named(
        config: &Config,
        scenario: Scenario,
        gates: &[Gate],
        id: RunId,
    ) -> Result<Self, DispatchError> {
        let contract = config.contract_here(config.target_name())?;
        may_be_loaded(&contract, &scenario, config.wants_demo())?;
        scenario.fits(&contract)?;
        let suite = phrases(config, &contract, &scenario)?;
        let deck = deck(&suite, &scenario)?;
        can_be_asked(&scenario, gates)?;
        fits_body(config, &scenario)?;
        // A target must not be sent more at once than it says it bears, whoever sends.
        let scenario = within_limits(scenario, &contract);
        Ok(Self { id, contract, scenario, suite, deck, gates: gates.to_vec() })
    }

    /// How the run is called.
    pub fn id(&self) -> &RunId {
        &self.id
    }

    /// The scenario's name.
    pub fn scenario(&self) -> &str {
        &self.scenario.name
    }

    /// The target's name.
    pub fn target(&self) -> &str {
        &self.contract.name
    }

    /// Looks for what can be known to be wrong before its turn comes: what these `workers` cannot send, and a baseline that
    /// is none.
    ///
    /// # Errors
    /// What is wrong.
    pub async fn check(
        &self,
        config: &Config,
        workers: Option<&WorkersWish>,
        store: &dyn Store,
    ) -> Result<(), DispatchError> {
        if let Some(wish) = workers {
            can_meet(config, wish, &self.scenario)?;
        }
        // The one that is meant may be among what waits in the spool.
        if spool(config).pending().is_ok_and(|waiting| waiting.is_empty()) {
            return self.search(config).check(store).await;
        }
        Ok(())
    }

    /// What the run is to be held against.
    fn search(&self, config: &Config) -> Search {
        Search {
            wish: config.settings.baseline.clone(),
            run: self.id.clone(),
            series: Series {
                suite: self.scenario.suite_name(),
                target: self.contract.name.clone(),
                demo: config.wants_demo(),
            },
            url: self.contract.shown_url(),
            selection_hash: self.suite.record.selection_hash.clone(),
        }
    }

    /// Makes a run of it that somebody typed: starts the demo detector if it is wanted, and looks whether the target is
    /// there. With `workers` they send it, and not this process. `others` is what is known of other loads.
    ///
    /// # Errors
    /// Anything that makes a run impossible; nothing has been sent or recorded.
    pub async fn prepare(
        self,
        config: &Config,
        workers: Option<WorkersWish>,
        others: Others,
        control: &RunControl,
    ) -> Result<PreparedLoad, DispatchError> {
        let store = others.store();
        let prepared = tokio::select! {
            prepared = Box::pin(self.connect(config, workers, store)) => prepared,
            () = control.stopping() => {
                Err(DispatchError::Stopped { message: "stopped before anything was sent".to_owned() })
            }
        };
        match prepared {
            Ok(prepared) => Ok(PreparedLoad { others, ..prepared }),
            Err(error) => {
                if let Some(held) = others.held() {
                    held.fail(&error, control).await;
                }
                Err(error)
            }
        }
    }

    /// The same for whoever holds its job; the store may be open already.
    pub(super) async fn connect(
        self,
        config: &Config,
        workers: Option<WorkersWish>,
        store: Option<Arc<dyn Store>>,
    ) -> Result<PreparedLoad, DispatchError> {
        let search = self.search(config);
        let Self { id, contract, scenario, suite, deck, gates } = self;
        let settings = &config.settings;
        let board = match &workers {
            Some(wish) => Some(meet(config, wish, &scenario).await?),
            None => None,
        };
        let started_at = Utc::now();
        let (keeper, baseline) = Keeper::open(config, search, store)?;
        let baseline = baseline.settled().await?;
        let Connected { target, health, demo, .. } =
            Connecting::new(config, contract, &id).for_load(&scenario).connect(config).await?;
        let sends_itself = workers.is_none() && scenario.model == LoadModel::Arrivals;
        let connections = if sends_itself { scenario.connections_of(Shard::WHOLE) } else { 1 };
        let target = Box::pin(load_target(target, &suite, &scenario, connections)).await?;
        let crew = match (board, workers) {
            (Some(board), Some(wish)) => {
                let what = (&scenario, target.target().contract(), suite.record.selection_hash.as_str());
                Some(Arc::new(Crew::post(board, wish, &id, config.target_name(), what).await?))
            }
            _ => None,
        };
        let gates = GateOptions {
            gates: scenario.gates.iter().chain(&gates).cloned().collect(),
            error_budget: settings.thresholds.error_budget.value(),
            needs_baseline: config.needs_baseline(),
        };
        let engine = match (&crew, scenario.model) {
            (Some(crew), _) => LoadEngine::Elsewhere(Arc::clone(crew) as Arc<dyn Elsewhere>),
            (None, LoadModel::Arrivals) => {
                LoadEngine::Open(OpenEngine { threads: threads(scenario.peak(), 1) })
            }
            (None, LoadModel::Users) => LoadEngine::Users(Box::new(UsersEngine {
                arguments: send_again(config),
                order: UsersOrder {
                    name: scenario.name.clone(),
                    text: scenario.text.clone(),
                    time_scale: scenario.time_scale,
                    overrides: scenario.overrides,
                    seed: scenario.seed,
                    run: id.to_string(),
                    target: config.target_name().to_owned(),
                    url: demo.as_ref().map(Demo::url).or_else(|| settings.url.clone()),
                    selection_hash: suite.record.selection_hash.clone(),
                    idle_right: None,
                    shard: Shard::WHOLE,
                    start: None,
                },
            })),
        };
        let run = LoadRun {
            engine,
            idle_pass: (scenario.idle_pass || gates.gates.iter().any(Gate::needs_idle))
                .then_some(IDLE_LONGEST),
            facts: RunFacts {
                id,
                started_at,
                environment: settings.environment.clone(),
                text: settings.text,
                demo: demo.is_some(),
                configuration: config
                    .effective
                    .iter()
                    .map(|value| (value.key.clone(), value.value.clone()))
                    .collect(),
                version: health.version,
            },
            scenario,
            suite,
            target,
            deck,
            gates,
        };
        Ok(PreparedLoad { run, keeper, baseline, demo, crew, others: Others::NoQueue })
    }
}

impl PreparedLoad {
    /// Runs what somebody typed, judges and stores.
    ///
    /// # Errors
    /// The system gives no thread or no clock; nothing was sent then.
    pub async fn execute(
        mut self,
        control: RunControl,
        events: mpsc::Sender<RunEvent>,
    ) -> Result<Executed, DispatchError> {
        let others = std::mem::replace(&mut self.others, Others::NoQueue);
        match Box::pin(self.judge(&others, control.clone(), events)).await {
            Ok(judged) => Ok(judged.keep(&control, others.held()).await),
            Err(error) => {
                if let Some(held) = others.held() {
                    held.fail(&error, &control).await;
                }
                Err(error)
            }
        }
    }

    /// Runs and judges.
    pub(super) async fn judge(
        self,
        others: &Others,
        control: RunControl,
        events: mpsc::Sender<RunEvent>,
    ) -> Result<Judged, DispatchError> {
        let Self { run, keeper, baseline, demo, crew, others: _ } = self;
        let executed = match &crew {
            Some(crew) => match crew.gather(&control, &events).await {
                Ok(()) => run.execute(control.clone(), events).await.map_err(DispatchError::Load),
                Err(error) => Err(error),
            },
            None => run.execute(control.clone(), events).await.map_err(DispatchError::Load),
        };
        if let Some(crew) = crew {
            crew.dismiss().await;
        }
        let mut measured = executed?;
        let (baseline, beside) =
            tokio::join!(baseline.compare(measured.record(), &control), others.beside(&control));
        if let Some((beside, ended)) = beside {
            measured = measured.beside(beside, ended);
        }
        Ok(Judged { record: measured.conclude(baseline), keeper, demo })
    }
}

/// Threads of each of so many machines for so many starts a second.
pub(super) fn threads(peak: f64, machines: usize) -> usize {
    let peak = peak / f64::from(u32::try_from(machines).unwrap_or(u32::MAX));
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    if peak > ONE_THREAD { cores.saturating_sub(1).max(1) } else { 1 }
}

/// The phrases that a scenario sends to this target.
pub(super) fn phrases(
    config: &Config,
    contract: &Contract,
    scenario: &Scenario,
) -> Result<Suite, DispatchError> {
    if let Some(body) = &scenario.body {
        return Ok(Suite::of_fixed_body(harmless_phrase(), body));
    }
    let suite = config.catalog().load(std::slice::from_ref(&scenario.suite), None)?;
    let suite = suite.select(&scenario.selection)?;
    let sends_history =
        if scenario.batch == 1 { contract.sends_history() } else { contract.batch_sends_history() };
    Ok(if sends_history { suite } else { suite.without_history()? })
}

/// Which of them each request sends.
pub(super) fn deck(suite: &Suite, scenario: &Scenario) -> Result<Deck, DispatchError> {
    Deck::new(&suite.phrases, &scenario.weights, scenario.batch, scenario.seed).map_err(|message| {
        DispatchError::Options { message, hint: "mend `phrases` or `batch` of the scenario".to_owned() }
    })
}

/// The target with the requests for these phrases, which go over so many connections at most where HTTP/2 is spoken.
pub(super) async fn load_target(
    target: Target,
    suite: &Suite,
    scenario: &Scenario,
    connections: usize,
) -> Result<LoadTarget, DispatchError> {
    let options = LoadOptions {
        headers: scenario.headers.clone(),
        close: !scenario.keep_alive,
        timeout: scenario.timeout,
        body: scenario.body.as_ref().map(|body| body.clone().into_bytes()),
        checks: scenario.checks.iter().map(|(_, rule)| rule.clone()).collect(),
        batch: scenario.batch,
        connections,
    };
    LoadTarget::new(target, suite.phrases.clone(), &options).await.map_err(|message| DispatchError::Options {
        message,
        hint: "look at the scenario's headers and the target's URL".to_owned(),
    })
}

/// The arguments by which this program becomes the process that sends for users. The rest is told it on its stdin, where
/// nobody else can read it.
pub(super) fn send_again(config: &Config) -> Vec<OsString> {
    let mut arguments = vec![SEND_USERS.into()];
    if let Some(file) = &config.file {
        arguments.extend(["--config".into(), file.into()]);
    }
    arguments
}

/// The scenario with what the target bears as its most requests at once, and as its highest rate: a target that has just recovered must not be sent in one
/// second what it missed in three.
pub(super) fn within_limits(mut scenario: Scenario, contract: &Contract) -> Scenario {
    if let Some(limit) = contract.limits.rate {
        scenario.max_rate = Some(scenario.max_rate.map_or(limit, |most| most.min(limit)));
    }
    if let Some(limit) = contract.limits.concurrency.filter(|limit| *limit < scenario.max_in_flight) {
        scenario.lowered_from = Some(scenario.max_in_flight);
        scenario.max_in_flight = limit;
    }
    scenario
}

/// Refuses a target that nobody said may be loaded, and a load beyond what it says it bears.
pub(super) fn may_be_loaded(
    contract: &Contract,
    scenario: &Scenario,
    demo: bool,
) -> Result<(), DispatchError> {
    let name = &contract.name;
    let refuse = |message: String, hint: String| Err(DispatchError::Options { message, hint });
    // A proxy elsewhere carries every byte elsewhere.
    let proxy = contract.connection.proxy.as_ref();
    let is_here = is_this_machine(contract.base_url.host_str().unwrap_or_default())
        && proxy.is_none_or(|proxy| proxy.host().is_some_and(|host| is_this_machine(&host)));
    if !(demo || contract.allow_load || is_here) {
        return refuse(
            format!("target `{name}` at {} is not marked for load: nothing was sent", contract.shown_url()),
            if PRESET_NAMES.contains(&name.as_str()) {
                format!(
                    "people may be waiting for its answers. If it is a test system, give it a target of its own: `targets: \
                     {{loaded: {{extends: {name}, base_url: {}, allow_load: true}}}}` in the configuration, and `--target loaded`",
                    contract.shown_url()
                )
            } else {
                format!(
                    "people may be waiting for its answers. If it is a test system, write `base_url: {}` and `allow_load: \
                     true` into `targets.{name}`: the mark is for the address beside it, and does not go with `--url`",
                    contract.shown_url()
                )
            },
        );
    }
    if let Some(limit) = contract.limits.concurrency
        && scenario.model == LoadModel::Users
        && scenario.max_in_flight > limit
    {
        return refuse(
            format!(
                "the scenario has up to {} at once, and target `{name}` bears {} at once",
                count(scenario.max_in_flight, "user", "users"),
                count(limit, "request", "requests")
            ),
            "lower the number of users, or raise `limits.concurrency` of the target if it bears more by now"
                .to_owned(),
        );
    }
    // Each request is followed by another, at least, and `max_rate` is over all of them.
    let starts = scenario.peak() * 2.0;
    if contract.is_polled()
        && scenario.model == LoadModel::Arrivals
        && let Some(most) = scenario.max_rate.into_iter().chain(contract.limits.rate).reduce(f64::min)
        && starts > most
    {
        return refuse(
            format!(
                "target `{name}` is asked again for each decision, so the scenario sends up to {} at least, and may send {}",
                Rate(starts),
                Rate(most)
            ),
            "raise `max_rate`, or `limits.rate` of the target if it bears more; or lower the load".to_owned(),
        );
    }
    let most = scenario.max_rate.map_or_else(|| scenario.peak(), |most| most.min(scenario.peak()));
    match contract.limits.rate {
        Some(limit)
            if scenario.model == LoadModel::Users && scenario.max_rate.is_none_or(|most| most > limit) =>
        {
            refuse(
                format!("users ask as fast as they are answered, and target `{name}` bears {}", Rate(limit)),
                format!("write `max_rate: {}` or less into the scenario", Rate(limit)),
            )
        }
        Some(limit) if scenario.model == LoadModel::Arrivals && most > limit => refuse(
            format!("the scenario goes up to {}, and target `{name}` bears {}", Rate(most), Rate(limit)),
            "lower the load, or raise `limits.rate` of the target if it bears more by now".to_owned(),
        ),
        _ => Ok(()),
    }
}
