//! Prepare, run, store.

use chrono::Utc;
use tokio::sync::mpsc;

use super::DispatchError;
use super::keep::{Keeper, Kept};
use crate::config::Config;
use crate::demo::{Demo, DemoOptions};
use crate::domain::{RunEvent, RunId, RunRecord, RunRequest, Selection};
use crate::run::{AccuracyRun, RunControl, RunOptions};
use crate::store::DeliveryReport;
use crate::target::{AskOptions, Target};

/// A run that can begin: the suite is loaded, the target has answered.
#[derive(Debug)]
pub struct Prepared {
    run: AccuracyRun,
    keeper: Keeper,
    demo: Option<Demo>,
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
}

impl Prepared {
    /// Loads the suite, compiles the contract, starts the demo detector if it is wanted, and looks whether the target
    /// is there.
    ///
    /// # Errors
    /// Anything that makes a run impossible; nothing has been recorded.
    pub async fn new(config: &Config, request: &RunRequest) -> Result<Self, DispatchError> {
        let size = match (request.suites.as_slice(), request.selection.limit) {
            ([one], None) => config.suite_size(one),
            _ => None,
        };
        let settings = &config.settings;
        let suite = config.catalog().load(&request.suites, size)?;
        let selection = Selection { seed: settings.run.seed.unwrap_or(0), ..request.selection.clone() };
        let mut suite = suite.select(&selection)?;

        let name = config.target_name();
        let mut contract = config.contract(name)?;
        if let Some(url) = &settings.url {
            contract = contract.with_base_url(url).map_err(DispatchError::Url)?;
        }
        if !contract.sends_history() {
            suite = suite.without_history()?;
        }
        match contract.batch_limit() {
            _ if settings.run.batch == 1 => {}
            Some(most) if settings.run.batch <= most => {}
            Some(most) => {
                return Err(DispatchError::Options {
                    message: format!(
                        "target `{name}` takes at most {most} phrases in a request, not {}",
                        settings.run.batch
                    ),
                    hint: format!("--batch {most}"),
                });
            }
            None => {
                return Err(DispatchError::Options {
                    message: format!("target `{name}` has no batch endpoint"),
                    hint: "leave out --batch".to_owned(),
                });
            }
        }
        let keeper = Keeper::open(config)?;
        let demo = if config.wants_demo() { Some(Demo::start(DemoOptions::default())?) } else { None };
        if let Some(demo) = &demo {
            contract = contract.with_base_url(&demo.url()).map_err(DispatchError::Url)?;
        }
        let started_at = Utc::now();
        let id = RunId::new(started_at, rand::random());
        let concurrency = contract
            .limits
            .concurrency
            .map_or(settings.run.concurrency, |most| most.min(settings.run.concurrency));
        let timeout = contract.connection.timeout.unwrap_or(settings.run.timeout).0;
        let ask = AskOptions {
            concurrency,
            rate: settings.run.rate,
            timeout,
            retries: settings.run.retries,
            patience: settings.run.patience.0,
            run: id.to_string(),
        };
        let target = Target::connect(contract, ask, &|name| config.variable(name))?;
        let health = target.look().await?;
        let options = RunOptions {
            id,
            started_at,
            environment: settings.environment.clone(),
            concurrency,
            rate: settings.run.rate,
            timeout,
            retries: settings.run.retries,
            repeat: settings.run.repeat,
            batch: settings.run.batch,
            seed: settings.run.seed.unwrap_or_else(|| u64::from(rand::random::<u32>())),
            text: settings.text,
            give_up_after: settings.run.give_up_after,
            gates: config.gates(),
            demo: demo.is_some(),
            configuration: config
                .effective
                .iter()
                .map(|value| (value.key.clone(), value.value.clone()))
                .collect(),
        };
        Ok(Self { run: AccuracyRun { suite, target, options, version: health.version }, keeper, demo })
    }

    /// How many phrases will be sent, repeats included.
    pub fn planned(&self) -> usize {
        self.run.suite.phrases.len() * self.run.options.repeat as usize
    }

    /// Runs and stores.
    pub async fn execute(self, control: RunControl, events: mpsc::Sender<RunEvent>) -> Executed {
        let record = self.run.execute(control, events).await;
        let (kept, delivered) = self.keeper.keep(&record).await;
        if let Some(demo) = self.demo {
            demo.stop().await;
        }
        Executed { record, kept, delivered }
    }
}
