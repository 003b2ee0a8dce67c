//! What the process that sends for users prepares: the same scenario, phrases and target as the one that started it.

use std::time::SystemTime;

use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::DispatchError;
use super::connect::Connecting;
use super::load::{deck, load_target, may_be_loaded, phrases, within_limits};
use crate::config::Config;
use crate::domain::RunId;
use crate::load::{Report, Scenario, Sending, UsersOrder, send};

/// Users that can begin to ask.
#[derive(Debug)]
pub struct PreparedUsers(Sending);

impl PreparedUsers {
    /// Loads what the order names, and makes the requests ready.
    ///
    /// # Errors
    /// Anything that makes it impossible, or that has changed since the order was given; nothing has been sent.
    pub async fn new(config: &Config, order: UsersOrder) -> Result<Self, DispatchError> {
        let changed = |what: &str| DispatchError::Options {
            message: format!("{what} changed while the run began"),
            hint: "start it again".to_owned(),
        };
        let mut scenario =
            Scenario::parse(&order.name, &order.name, &order.text, order.time_scale, order.overrides)
                .map_err(|_| changed("the scenario"))?;
        scenario.seed = order.seed;
        let contract = config.contract_here(config.target_name())?;
        may_be_loaded(&contract, &scenario, config.wants_demo())?;
        let suite = phrases(config, &contract, &scenario)?;
        if suite.record.selection_hash != order.selection_hash {
            return Err(changed("the suite"));
        }
        let deck = deck(&suite, &scenario).map_err(|_| changed("the suite"))?;
        let target = Connecting::new(config, contract, &RunId::from_stored(order.run))
            .for_load(&scenario)
            .target(config)?;
        let connections = scenario.connections_of(order.shard);
        let target = Box::pin(load_target(target, &suite, &scenario, connections)).await?;
        let scenario = within_limits(scenario, target.target().contract());
        Ok(Self(Sending {
            ramps: scenario.steps.iter().map(|(_, ramp)| *ramp).collect(),
            warm_up: scenario.warm_up,
            target: target.into(),
            deck,
            idle_right: order.idle_right,
            first: 0,
            longest: scenario.max_duration,
            most: scenario.max_requests,
            shard: order.shard,
            start: order.start.map(instant_of),
            scenario: scenario.into(),
        }))
    }

    /// Sends it all, or until `drain` or `abort` is cancelled, and tells what comes of it.
    ///
    /// # Errors
    /// The system gives no thread or no clock, or sending ended before its time.
    pub async fn send(
        self,
        drain: CancellationToken,
        abort: CancellationToken,
        reports: mpsc::UnboundedSender<Report>,
    ) -> Result<(), DispatchError> {
        let sent = tokio::task::spawn_blocking(move || send(self.0, &drain, &abort, &reports)).await;
        sent.map_err(std::io::Error::other).and_then(|sent| sent).map_err(DispatchError::Load)
    }
}

/// When this machine's clock shows that time, or has shown it.
fn instant_of(time: SystemTime) -> Instant {
    let (now, here) = (Instant::now(), SystemTime::now());
    match (time.duration_since(here), here.duration_since(time)) {
        (Ok(ahead), _) => now + ahead,
        (Err(_), past) => now.checked_sub(past.unwrap_or_default()).unwrap_or(now),
    }
}
