//! Tells the notifier what came of each run.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use chrono::{TimeDelta, Utc};
use tokio_util::sync::CancellationToken;

use crate::config::Config;
use crate::dispatch::{News, Turn, Watcher, chain};
use crate::domain::{Conclusion, Job, JobState, RunRecord};
use crate::notify::{AlertSeries, Finding, Notifier, Outcome};
use crate::store::{JobFilter, Store, StoreError};

/// What ended before this process was there is told of, if it is not older than this.
const LOOK_BACK: TimeDelta = TimeDelta::hours(1);
/// So many of them.
const MOST: usize = 200;
/// How often messages that nobody sends any more are looked for.
const GIVE_UP_EVERY: Duration = Duration::from_hours(1);

/// Watches the queue for the notifier.
#[derive(Debug)]
pub(super) struct Teller {
    config: Arc<Config>,
    store: Arc<dyn Store>,
    notifier: Notifier,
}

impl Teller {
    pub(super) fn new(config: Arc<Config>, store: Arc<dyn Store>, notifier: Notifier) -> Arc<Self> {
        Arc::new(Self { config, store, notifier })
    }

    /// Takes note of runs that ended while nobody could, then sends what is due until it is stopped.
    pub(super) async fn work(self: Arc<Self>, stop: CancellationToken) {
        if !self.notifier.channels().is_empty()
            && let Err(error) = self.catch_up().await
        {
            tracing::warn!(error = chain(&error), "what ended before cannot be looked up");
        }
        tokio::join!(self.notifier.work(self.store.as_ref(), &stop), self.give_up(&stop));
    }

    /// A run that ended right before a crash may not have been told of. One that was is no news.
    async fn catch_up(&self) -> Result<(), StoreError> {
        let states = vec![JobState::Finished, JobState::Failed, JobState::Lost];
        let filter = JobFilter { states, typed: Some(false), limit: Some(MOST), ..JobFilter::default() };
        let since = Utc::now() - LOOK_BACK;
        let mut jobs = self.store.jobs(&filter).await?;
        jobs.retain(|job| job.ended_at.is_some_and(|ended| ended > since));
        jobs.sort_by_key(|job| job.ended_at);
        for job in jobs {
            let record = match (&job.run, job.state) {
                (Some(run), JobState::Finished) => self.store.load(run).await.ok(),
                _ => None,
            };
            if job.state != JobState::Finished || record.is_some() {
                self.observe(&job, record.as_ref()).await?;
            }
        }
        Ok(())
    }

    /// Ends messages that nobody sends any more.
    async fn give_up(&self, stop: &CancellationToken) {
        while !stop.is_cancelled() {
            if let Err(error) = self.notifier.give_up(self.store.as_ref(), Utc::now()).await {
                tracing::warn!(error = chain(&error), "old messages cannot be given up");
            }
            tokio::select! {
                () = stop.cancelled() => {}
                () = tokio::time::sleep(GIVE_UP_EVERY) => {}
            }
        }
    }

    async fn observe(&self, job: &Job, record: Option<&RunRecord>) -> Result<(), StoreError> {
        let Some(finding) = self.finding(job, record) else { return Ok(()) };
        self.notifier.observe(self.store.as_ref(), &finding, Utc::now()).await.map(drop)
    }

    /// What a job that is over means; nothing if somebody stopped it before it had begun.
    fn finding(&self, job: &Job, record: Option<&RunRecord>) -> Option<Finding> {
        if let Some(record) = record {
            // Another instance on this database may know another place by that name.
            let elsewhere = self.config.is_elsewhere(record);
            // Not older than what was said of the job while its record was on its way.
            let at = job.ended_at.map_or(record.finished_at, |ended| ended.max(record.finished_at));
            return (!elsewhere).then(|| Finding { at, ..Finding::of(record) });
        }
        let outcome = match (job.state, job.conclusion) {
            (JobState::Failed | JobState::Lost, Some(Conclusion::TargetFailed)) => Outcome::Away,
            (JobState::Failed, _) => Outcome::NotBegun,
            (JobState::Lost, _) => Outcome::Unknown,
            (JobState::Queued | JobState::Running | JobState::Finished | JobState::Cancelled, _) => {
                return None;
            }
        };
        let series = AlertSeries {
            suite: job.name.clone(),
            target: job.target.clone(),
            demo: self.config.for_target(&job.target).wants_demo(),
            environment: self.config.settings.environment.clone(),
            kind: job.kind,
        };
        let sentence = job.message.clone().unwrap_or_else(|| "nothing is known of the run".to_owned());
        Some(Finding::without_run(series, job.ended_at.unwrap_or_else(Utc::now), outcome, sentence))
    }
}

impl Watcher for Teller {
    fn tell<'a>(&'a self, news: &'a News) -> Pin<Box<dyn Future<Output = ()> + Send + 'a>> {
        Box::pin(async move {
            match news.turn {
                Turn::Ended | Turn::Lost => {}
                Turn::Queued | Turn::Began | Turn::HandedBack => return,
            }
            let mut pause = Duration::from_millis(200);
            // Whoever ran it may be gone before it could tell: its run is kept.
            let record = match (&news.record, &news.job.run, news.job.state) {
                (Some(record), ..) => Some(Arc::clone(record)),
                (None, Some(run), JobState::Finished) => self.store.load(run).await.ok().map(Arc::new),
                (None, ..) => None,
            };
            // The queue waits for a while and no longer; what is lost then is caught up with at the next start.
            while let Err(error) = self.observe(&news.job, record.as_deref()).await {
                tracing::warn!(job = %news.job.id, error = chain(&error), "a run cannot be told of yet");
                tokio::time::sleep(pause).await;
                pause *= 2;
            }
        })
    }
}
