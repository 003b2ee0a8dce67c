//! A load from several machines: one process begins the run and judges it, workers send.
//!
//! They meet on a board in PostgreSQL ([`LoadBoard`]). [`Crew`] is the side that begins: it posts the job, waits for its
//! workers, has all of them start at one moment of the database's clock, and adds up without loss what they tell. A
//! [`PreparedWorker`] is the other: it reads scenario and hashes from the board, and phrases, contract and address from
//! its own files, so that nobody with a database can point it anywhere. Whoever hears nothing of the other side for some
//! seconds stops sending; whoever is missing makes the run inconclusive.

mod crew;
mod gathered;
mod message;
mod shift;
mod stillness;
mod worker;

use std::future::Future;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::DispatchError;
use super::keep::Keeper;
use crate::config::Config;
use crate::domain::{LoadModel, count};
use crate::load::{Rate, Scenario, Shard};
use crate::store::{LoadBoard, PostgresLocation, StoreError, StoreErrorKind, StoreLocation, StoreOptions};

pub(super) use crew::Crew;
pub use worker::{PreparedWorker, Waiting, Worked};

/// How often each side looks at the board.
const LOOK_EVERY: Duration = Duration::from_millis(150);
/// A statement may take so long; a worker that hears nothing must stop soon.
const STATEMENT: Duration = Duration::from_secs(1);
/// While nothing is sent the database may be silent for so long.
const IDLE_SILENCE: Duration = Duration::from_secs(10);

/// How the workers of a run find it, and how many it wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkersWish {
    /// The job's name.
    pub job: String,
    /// How many.
    pub count: usize,
    /// How long they are waited for.
    pub wait: Duration,
}

/// Refuses what workers cannot send, and a database in which they cannot meet. Nobody is asked.
pub(super) fn can_meet(
    config: &Config,
    wish: &WorkersWish,
    scenario: &Scenario,
) -> Result<(), DispatchError> {
    can_send(config, wish, scenario)?;
    place(config).map(drop)
}

/// Refuses what workers cannot send, and opens the board.
pub(super) async fn meet(
    config: &Config,
    wish: &WorkersWish,
    scenario: &Scenario,
) -> Result<LoadBoard, DispatchError> {
    can_send(config, wish, scenario)?;
    board(config).await
}

/// Refuses what workers cannot send.
fn can_send(config: &Config, wish: &WorkersWish, scenario: &Scenario) -> Result<(), DispatchError> {
    let refuse = |message: String, hint: &str| Err(DispatchError::Options { message, hint: hint.to_owned() });
    if config.wants_demo() {
        return refuse(
            "the embedded demo is inside this process, and workers are others".to_owned(),
            "name a target with `--target` and `--url`",
        );
    }
    if wish.count > scenario.max_in_flight {
        let most = scenario.max_in_flight;
        return refuse(
            format!("{} workers cannot share {} at once", wish.count, count(most, "request", "requests")),
            "ask for fewer workers, or raise the scenario's `max_in_flight` or `users`",
        );
    }
    can_share(scenario, wish.count)
}

/// Refuses a `max_rate` of which some worker would get too little: each gets whole requests a second, so that no second
/// holds more than all of them may send. And fewer connections than workers: each opens one at least.
fn can_share(scenario: &Scenario, workers: usize) -> Result<(), DispatchError> {
    if let Some(connections) = scenario.connections.filter(|connections| *connections < workers) {
        return Err(DispatchError::Options {
            message: format!(
                "{} cannot share {}, which is what `connections.count` says",
                count(workers, "worker", "workers"),
                count(connections, "connection", "connections")
            ),
            hint: "raise `connections.count` or leave it out, or ask for fewer workers".to_owned(),
        });
    }
    let Some(most) = scenario.max_rate else { return Ok(()) };
    let least = Shard { index: workers - 1, count: workers }.rate(most);
    let each = match scenario.model {
        LoadModel::Arrivals => scenario.peak() / f64::from(u32::try_from(workers).unwrap_or(u32::MAX)),
        LoadModel::Users => 0.0,
    };
    if least >= 1.0 && each <= least {
        return Ok(());
    }
    let needs = if each > 0.0 { format!(", and each has to send {}", Rate(each)) } else { String::new() };
    Err(DispatchError::Options {
        message: format!(
            "{} cannot share `max_rate: {}`: one would get {}{needs}",
            count(workers, "worker", "workers"),
            Rate(most),
            Rate(least)
        ),
        hint:
            "raise `max_rate` (or the target's `limits.rate`), or ask for a number of workers that divides it"
                .to_owned(),
    })
}

/// The board in the configured database.
async fn board(config: &Config) -> Result<LoadBoard, DispatchError> {
    let options =
        StoreOptions { connect_timeout: config.settings.store.connect_timeout.0, ..StoreOptions::default() };
    Ok(LoadBoard::open(&place(config)?, &options).await?.answering_within(STATEMENT))
}

/// Where workers meet.
fn place(config: &Config) -> Result<PostgresLocation, DispatchError> {
    match Keeper::location(config)? {
        Some(StoreLocation::Postgres(at)) => Ok(at),
        other => {
            let place = other
                .map_or_else(|| "nowhere".to_owned(), |location| format!("in `{}`", location.redacted()));
            Err(DispatchError::Options {
                message: format!("workers meet in PostgreSQL, and runs are kept {place}"),
                hint: "name the database: `DATABASE_URL=postgres://user:password@host/database`".to_owned(),
            })
        }
    }
}

/// Whether the database may be just slow for a moment, which is not gone.
fn may_pass(error: &StoreError) -> bool {
    matches!(error.kind(), StoreErrorKind::Unreachable | StoreErrorKind::Busy)
}

/// Asks until the database answers, while nothing is sent. What is asked must do no harm when it is asked twice.
async fn patiently<T, F>(mut ask: impl FnMut() -> F) -> Result<T, StoreError>
where
    F: Future<Output = Result<T, StoreError>>,
{
    let until = Instant::now() + IDLE_SILENCE;
    loop {
        match ask().await {
            Err(error) if may_pass(&error) && Instant::now() < until => sleep(LOOK_EVERY).await,
            answered => return answered,
        }
    }
}
