//! Lines without labels: prepare and send. Nothing is stored: they are somebody's own words.

use chrono::Utc;
use tokio::sync::mpsc;

use super::DispatchError;
use super::connect::{Connected, Connecting};
use super::execute::check_batch;
use crate::config::Config;
use crate::demo::Demo;
use crate::domain::{RunEvent, RunId, ShadowReport, TextPolicy};
use crate::reference::Model;
use crate::run::{RunControl, ShadowOptions, ShadowRun};
use crate::suite::TextLines;

/// Lines that can be sent: the reference is loaded, the target has answered.
#[derive(Debug)]
pub struct PreparedShadow {
    run: ShadowRun,
    demo: Option<Demo>,
}

/// What is shown of the strongest disagreements.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shown {
    /// How many.
    pub most: usize,
    /// Their text.
    pub text: TextPolicy,
}

impl PreparedShadow {
    /// Loads the reference, compiles the contract, starts the demo detector if it is wanted, and looks whether the
    /// target is there.
    ///
    /// # Errors
    /// Anything that makes it impossible, a reference that cannot be used included: without one nothing could
    /// disagree.
    pub async fn new(config: &Config, lines: TextLines, shown: Shown) -> Result<Self, DispatchError> {
        let Some(options) = config.reference() else {
            return Err(DispatchError::Options {
                message: "there is no reference that the target could be held against".to_owned(),
                hint: "name one with `--reference DIR`, or leave out `--reference none`".to_owned(),
            });
        };
        let contract = config.contract_here(config.target_name())?;
        check_batch(&contract, config.settings.run.batch)?;
        let loading = tokio::task::spawn_blocking(move || Model::load(&options)).await;
        let model = loading.unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()))?;
        let started_at = Utc::now();
        let id = RunId::new(started_at, rand::random());
        let connected = Connecting::new(config, contract, &id).connect(config).await?;
        let Connected { target, health, ask, demo } = connected;
        let options = ShadowOptions {
            started_at,
            concurrency: ask.concurrency,
            batch: config.settings.run.batch,
            give_up_after: config.settings.run.give_up_after,
            error_budget: config.settings.thresholds.error_budget.value(),
            most: shown.most,
            text: shown.text,
            demo: demo.is_some(),
        };
        Ok(Self { run: ShadowRun { lines, target, model, options, version: health.version }, demo })
    }

    /// Sends the lines and compares.
    pub async fn execute(self, control: RunControl, events: mpsc::Sender<RunEvent>) -> ShadowReport {
        let report = self.run.execute(control, events).await;
        if let Some(demo) = self.demo {
            demo.stop().await;
        }
        report
    }
}
