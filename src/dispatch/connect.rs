//! A target that is there: its contract, a connection, and one look.

use std::time::Duration;

use chrono::Utc;

use super::DispatchError;
use crate::config::Config;
use crate::demo::{Demo, DemoOptions};
use crate::domain::{HttpVersion, RunId};
use crate::load::Scenario;
use crate::target::{AskOptions, Contract, Health, HealthError, Target};

/// How long each further look may take at a target that has answered, though not over HTTP/2.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// A target that has answered, and the demo detector behind it if it is that one.
#[derive(Debug)]
pub struct Connected {
    /// The target.
    pub target: Target,
    /// What it said of itself.
    pub health: Health,
    /// How it is asked.
    pub(super) ask: AskOptions,
    pub(super) demo: Option<Demo>,
}

impl Connected {
    /// Connects to the configured target for a look, not for a run: one request at a time, no second try.
    ///
    /// # Errors
    /// The target cannot be used, or is not there.
    pub async fn to_look(config: &Config) -> Result<Self, DispatchError> {
        let id = RunId::new(Utc::now(), rand::random());
        let contract = config.contract_here(config.target_name())?;
        let mut connecting = Connecting::new(config, contract, &id);
        connecting.ask = AskOptions { concurrency: 1, rate: None, retries: 0, ..connecting.ask };
        connecting.connect(config).await
    }

    /// Ends the demo detector, if there is one.
    pub async fn close(self) {
        if let Some(demo) = self.demo {
            demo.stop().await;
        }
    }
}

/// A connection in the making.
pub(super) struct Connecting {
    contract: Contract,
    ask: AskOptions,
    /// Which key says what HTTP is spoken.
    http_key: String,
}

impl Connecting {
    /// As the configuration asks, within what the contract allows.
    pub(super) fn new(config: &Config, contract: Contract, run: &RunId) -> Self {
        let settings = &config.settings.run;
        let concurrency =
            contract.limits.concurrency.map_or(settings.concurrency, |most| most.min(settings.concurrency));
        let timeout: Duration = contract.connection.timeout.unwrap_or(settings.timeout).0;
        let ask = AskOptions {
            concurrency,
            connections: concurrency,
            rate: settings.rate,
            timeout,
            retries: settings.retries,
            patience: settings.patience.0,
            run: run.to_string(),
        };
        let http_key = format!("`connection.http` of the target `{}`", contract.name);
        Self { contract, ask, http_key }
    }

    /// Sends no more requests a second than the scenario, whatever else is configured, over connections as it says; and no
    /// further one but for a connection that was closed, so that a target in trouble is known soon.
    pub(super) fn for_load(mut self, scenario: &Scenario) -> Self {
        self.ask.retries = self.ask.retries.min(1);
        self.ask.connections = if scenario.keep_alive { scenario.max_in_flight } else { 0 };
        if let Some(http) = scenario.http {
            self.contract.connection.http = http;
            self.http_key = format!("`connections.http` of {}", scenario.file);
        }
        self.ask.rate = match (self.ask.rate, scenario.max_rate) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        };
        self
    }

    /// Connects to a target that somebody else has looked at already.
    pub(super) fn target(self, config: &Config) -> Result<Target, DispatchError> {
        Ok(Target::connect(self.contract, self.ask, &|name| config.variable(name))?)
    }

    /// Starts the demo detector if it is wanted, connects, and looks whether the target is there.
    pub(super) async fn connect(self, config: &Config) -> Result<Connected, DispatchError> {
        let Self { mut contract, ask, http_key } = self;
        let demo = if config.wants_demo() { Some(Demo::start(DemoOptions::default())?) } else { None };
        if let Some(demo) = &demo {
            contract = contract.with_base_url(&demo.url()).map_err(DispatchError::Url)?;
        }
        let target = Target::connect(contract, ask.clone(), &|name| config.variable(name))?;
        let health = if target.contract().connection.http == HttpVersion::Http2 {
            look_over_http2(&target, &http_key).await?
        } else {
            target.look().await?
        };
        Ok(Connected { target, health, ask, demo })
    }
}

/// Looks whether the target is there. One that answers something else than HTTP/2 may speak another one: that is said of it
/// only if it does, and if it still speaks no HTTP/2 when it is asked once more.
async fn look_over_http2(target: &Target, key: &str) -> Result<Health, DispatchError> {
    let failed = match target.look().await {
        Err(failed) if failed.is_no_http2() => failed,
        looked => return Ok(looked?),
    };
    let looked = target.look_over(HttpVersion::Http1, LOOK_AGAIN).await?;
    if let Err(HealthError::Unreachable { .. }) = looked {
        return Err(failed.into());
    }
    match target.look_for(LOOK_AGAIN).await {
        Err(again) if again.is_no_http2() => {}
        looked => return Ok(looked?),
    }
    let Contract { name, .. } = target.contract();
    let url = target.contract().shown_url();
    Err(DispatchError::Options {
        message: format!(
            "target `{name}` at {url} answers over HTTP/1.1 and not over HTTP/2, which {key} asks for"
        ),
        hint: "write `http: \"1.1\"` there, or leave it out; nothing was sent but a look at its health"
            .to_owned(),
    })
}
