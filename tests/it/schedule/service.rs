//! The scheduler over a store and a queue, with a clock that a test moves.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use thrash::config::{Config, Environment};
use thrash::dispatch::Queue;
use thrash::domain::{JobState, RunId};
use thrash::service::schedule::{Done, Scheduler, Turned, enable, lags, planned_job, run_now, views};
use thrash::store::{JobEnd, JobFilter, Lease, Store};

use super::at;
use crate::store::place::{Place, PostgresPlace, SqlitePlace};

pub(super) const START: &str = "2026-11-01T23:59:30Z";

/// What stands in the environment of an installation, and the file beside it.
pub(super) fn config(environment: &[(&str, &str)], file: Option<&str>) -> Config {
    let folder = tempfile::tempdir().expect("a folder");
    let file = file.map(|text| {
        let path = folder.path().join("thrash.yaml");
        std::fs::write(&path, text).expect("the file is written");
        path
    });
    Config::load(file, Environment::of_pairs(environment.iter().copied()), Vec::new())
        .expect("a configuration")
}

pub(super) struct Instance {
    pub(super) config: Arc<Config>,
    pub(super) store: Arc<dyn Store>,
    queue: Arc<Queue>,
    pub(super) scheduler: Scheduler,
}

impl Instance {
    pub(super) fn new(config: Config, store: Box<dyn Store>, name: &str) -> Self {
        let (config, store): (_, Arc<dyn Store>) = (Arc::new(config), Arc::from(store));
        let queue = Queue::new(Arc::clone(&config), Arc::clone(&store), name.to_owned(), Vec::new());
        let scheduler = Scheduler::new(&config, Arc::clone(&queue), Arc::clone(&store));
        Self { config, store, queue, scheduler }
    }

    pub(super) async fn tick(&self, now: DateTime<Utc>) -> Vec<Turned> {
        self.scheduler.tick(now).await.unwrap()
    }

    /// For how long each schedule owes a run.
    async fn lags(&self, now: DateTime<Utc>) -> BTreeMap<String, f64> {
        let states = self.store.schedule_states().await.unwrap();
        lags(&self.config, self.store.as_ref(), &states, now).await.unwrap()
    }

    /// Runs what waits, in no time.
    pub(super) async fn work(&self) -> usize {
        let mut count = 0;
        while let Some((_, lease)) = self.claim().await {
            let end = JobEnd { state: JobState::Finished, conclusion: None, message: None };
            self.store.end_job(&lease, &end).await.unwrap();
            count += 1;
        }
        count
    }

    pub(super) async fn claim(&self) -> Option<(RunId, Lease)> {
        let run = RunId::new(Utc::now(), rand::random());
        let minute = std::time::Duration::from_mins(1);
        let claimed = self.store.claim_job("test", &run, minute).await.unwrap();
        claimed.map(|(job, lease)| (job.id, lease))
    }

    pub(super) async fn jobs(&self) -> usize {
        self.store.jobs(&JobFilter::default()).await.unwrap().len()
    }
}

pub(super) const ON: [(&str, &str); 2] =
    [("QUICK_TEST_ENABLED", "true"), ("COMPREHENSIVE_TEST_ENABLED", "true")];

#[tokio::test]
async fn several_instances_on_one_database_run_each_time_once() {
    let place = PostgresPlace::fresh().await;
    let start = at(START);
    let one = Instance::new(config(&ON, None), place.open().await, "one");
    let other = Instance::new(config(&ON, None), place.open().await, "other");
    one.scheduler.begin(start).await.unwrap();
    other.scheduler.begin(start + TimeDelta::seconds(2)).await.unwrap();
    for step in 0..(3 * 60) {
        let now = start + TimeDelta::minutes(step + 1);
        let (a, b) = tokio::join!(one.tick(now), other.tick(now));
        assert!(a.iter().chain(&b).all(|turned| turned.done == Done::HandedIn), "{a:?} {b:?}");
        one.work().await;
    }
    assert_eq!(one.jobs().await, 6);
}

#[tokio::test]
async fn a_time_at_which_the_last_run_is_under_way_is_passed_over() {
    let place = SqlitePlace::fresh().await;
    let instance = Instance::new(config(&ON[..1], None), place.open().await, "one");
    instance.scheduler.begin(at("2026-11-02T00:00:00Z")).await.unwrap();
    let tick =
        async |time: &str| instance.tick(at(time)).await.into_iter().map(|turned| turned.done).collect();
    let done: Vec<Done> = tick("2026-11-02T00:30:00Z").await;
    assert_eq!(done, [Done::HandedIn]);
    let (_, lease) = instance.claim().await.unwrap();
    let done: Vec<Done> = tick("2026-11-02T01:00:00Z").await;
    assert_eq!(done, [Done::PassedOver]);
    let done: Vec<Done> = tick("2026-11-02T01:00:05Z").await;
    assert_eq!(done, [], "it is not tried again");
    let end = JobEnd { state: JobState::Finished, conclusion: None, message: None };
    instance.store.end_job(&lease, &end).await.unwrap();
    let done: Vec<Done> = tick("2026-11-02T01:30:00Z").await;
    assert_eq!(done, [Done::HandedIn]);
}

#[tokio::test]
async fn what_was_missed_while_the_service_was_away_is_run_once() {
    let place = SqlitePlace::fresh().await;
    {
        let before = Instance::new(config(&ON[..1], None), place.open().await, "one");
        before.scheduler.begin(at("2026-11-02T00:00:00Z")).await.unwrap();
        assert_eq!(before.tick(at("2026-11-02T00:30:00Z")).await.len(), 1);
        before.work().await;
        before.store.close().await;
    }
    let after = Instance::new(config(&ON[..1], None), place.open().await, "two");
    after.scheduler.begin(at("2026-11-02T04:10:00Z")).await.unwrap();
    let turned = after.tick(at("2026-11-02T04:10:00Z")).await;
    assert_eq!(turned.len(), 1);
    assert_eq!(turned[0].meant, at("2026-11-02T04:00:00Z"));
    assert_eq!(after.tick(at("2026-11-02T04:10:05Z")).await, []);
    assert_eq!(after.jobs().await, 2);
}

#[tokio::test]
async fn a_schedule_is_switched_while_the_service_runs() {
    let place = SqlitePlace::fresh().await;
    let instance = Instance::new(config(&[], None), place.open().await, "one");
    let (config, store) = (&instance.config, instance.store.as_ref());
    instance.scheduler.begin(at("2026-11-02T00:00:00Z")).await.unwrap();
    assert_eq!(instance.tick(at("2026-11-02T00:30:00Z")).await, [], "nothing configured, nothing begins");
    let quick = planned_job(config, "quick").unwrap();
    let view = enable(config, store, &quick, true, at("2026-11-02T00:40:00Z")).await.unwrap();
    assert_eq!((view.enabled, view.switched), (true, true));
    assert_eq!(view.next, Some(at("2026-11-02T01:00:00Z")));
    assert_eq!(
        instance.tick(at("2026-11-02T00:41:00Z")).await,
        [],
        "what passed while it was off stays missed"
    );
    assert_eq!(instance.tick(at("2026-11-02T01:00:00Z")).await.len(), 1);
    let view = enable(config, store, &quick, false, at("2026-11-02T01:10:00Z")).await.unwrap();
    assert_eq!((view.enabled, view.switched, view.next), (false, false, None), "as configured again");
    assert_eq!(view.last, Some(at("2026-11-02T01:00:00Z")));
    assert_eq!(instance.tick(at("2026-11-02T01:30:00Z")).await, []);
}

#[tokio::test]
async fn what_installations_have_in_their_environment_means_what_it_says() {
    let enabled = |environment: &[(&str, &str)]| {
        let config = config(environment, None);
        let jobs = config.planned_jobs();
        let on = |name: &str| jobs.iter().find(|job| job.plan.name == name).unwrap().enabled;
        (on("quick"), on("comprehensive"), config.schedules_are_off())
    };
    assert_eq!(enabled(&[]), (false, false, false));
    assert_eq!(enabled(&ON), (true, true, false));
    assert_eq!(enabled(&[("CONTINUOUS_TESTING_ENABLED", "true")]), (true, true, false));
    let but_one = [("CONTINUOUS_TESTING_ENABLED", "true"), ("QUICK_TEST_ENABLED", "false")];
    assert_eq!(enabled(&but_one), (false, true, false));
    let none = [("CONTINUOUS_TESTING_ENABLED", "false"), ("QUICK_TEST_ENABLED", "true")];
    assert!(enabled(&none).2);
    let place = SqlitePlace::fresh().await;
    let instance = Instance::new(config(&none, None), place.open().await, "one");
    instance.scheduler.begin(at("2026-11-02T00:00:00Z")).await.unwrap();
    assert_eq!(instance.tick(at("2026-11-02T00:30:00Z")).await, []);
    let shown = views(&instance.config, instance.store.as_ref(), at("2026-11-02T00:30:00Z")).await.unwrap();
    assert!(shown.iter().all(|view| !view.enabled && view.next.is_none()));

    let lines = [("QUICK_TEST_SCHEDULE", "*/5 * * * *"), ("COMPREHENSIVE_TEST_SCHEDULE", "0 0 21 * * *")];
    let jobs = config(&lines, None).planned_jobs();
    assert_eq!(
        jobs.iter().map(|job| job.plan.line.as_str()).collect::<Vec<_>>(),
        ["0 0 21 * * *", "*/5 * * * *"]
    );
    for (name, value) in [("QUICK_TEST_SCHEDULE", "every now and then"), ("QUICK_TEST_ENABLED", "perhaps")] {
        let environment = Environment::of_pairs([(name, value)]);
        let error = Config::load(None, environment, Vec::new()).unwrap_err().to_string();
        assert!(error.contains(name) && error.contains(value), "{error}");
    }
}

#[tokio::test]
async fn a_job_of_ones_own_needs_a_line_and_one_thing_to_run() {
    let file = "schedules: {jobs: {nightly: {cron: '30 2 * * mon-fri', suite: easy, zone: Europe/Berlin, jitter: 10m}}}\n";
    let jobs = config(&[], Some(file)).planned_jobs();
    assert_eq!(
        jobs.iter().map(|job| job.plan.name.as_str()).collect::<Vec<_>>(),
        ["comprehensive", "nightly", "quick"]
    );
    assert_eq!(jobs[1].plan.zone.to_string(), "Europe/Berlin");
    for (job, words) in [
        ("{cron: '0 6 * * *'}", "either a `suite` or a `scenario`"),
        ("{cron: '0 6 * * *', suite: a, scenario: b}", "either a `suite` or a `scenario`"),
        ("{suite: quick}", "cron"),
        ("{cron: '0 6 * *', suite: quick}", "4 fields"),
        ("{cron: '0 6 * * *', suite: quick, zone: Mars}", "no time zone"),
        ("{cron: '0 6 * * *', suite: quick, jitter: 2days}", "at most a day"),
        ("{cron: '0 6 * * *', suite: quick, catchup: 2h}", "catch_up"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("thrash.yaml");
        std::fs::write(&path, format!("schedules: {{jobs: {{mine: {job}}}}}\n")).unwrap();
        let error = Config::load(Some(path), Environment::default(), Vec::new()).unwrap_err().to_string();
        assert!(error.contains(words), "{job}: {error}");
    }
}

/// Whole seconds.
fn seconds(lag: f64) -> u64 {
    std::time::Duration::from_secs_f64(lag).as_secs()
}

#[tokio::test]
async fn a_run_is_owed_from_the_first_start_that_none_was_begun_for() {
    let place = SqlitePlace::fresh().await;
    let instance = Instance::new(config(&ON[..1], None), place.open().await, "one");
    // The database says when a run was begun, by a clock that is behind this one.
    let at = |time: &str| at(&format!("2090-11-02T{time}:00Z"));
    let lag = async |time: &str| {
        let lags = instance.lags(at(time)).await;
        assert_eq!(lags.len(), 1, "of those that are on: {lags:?}");
        seconds(lags["quick"])
    };
    instance.scheduler.begin(at("00:00")).await.unwrap();
    assert_eq!((lag("00:29").await, lag("00:31").await), (0, 60));
    assert_eq!(instance.tick(at("00:30")).await[0].done, Done::HandedIn);
    assert_eq!(lag("00:45").await, 900, "it waits in the queue");
    assert_eq!(instance.tick(at("01:00")).await[0].done, Done::PassedOver);
    assert_eq!(lag("01:30").await, 3600, "and nobody works");
    let (_, lease) = instance.claim().await.unwrap();
    assert_eq!(lag("00:59").await, 0);
    assert_eq!(lag("01:20").await, 1200, "one run for two times leaves one");
    let end = JobEnd { state: JobState::Finished, conclusion: None, message: None };
    instance.store.end_job(&lease, &end).await.unwrap();
    assert_eq!(instance.tick(at("01:30")).await[0].done, Done::HandedIn);
    instance.work().await;
    assert_eq!(lag("01:59").await, 0);

    // What is switched off owes nothing.
    assert_eq!(instance.tick(at("23:59")).await[0].done, Done::HandedIn);
    instance.work().await;
    let quick = planned_job(&instance.config, "quick").unwrap();
    enable(&instance.config, instance.store.as_ref(), &quick, false, at("23:59")).await.unwrap();
    assert!(instance.lags(at("23:59")).await.is_empty());
}

#[tokio::test]
async fn what_was_given_up_is_not_owed() {
    let place = SqlitePlace::fresh().await;
    let instance = Instance::new(config(&ON[1..], None), place.open().await, "one");
    let lag = async |time: &str| {
        let lags = instance.lags(at(time)).await;
        seconds(lags["comprehensive"])
    };
    instance.scheduler.begin(at("2090-11-02T00:00:00Z")).await.unwrap();
    assert_eq!(lag("2090-11-02T20:00:00Z").await, 14 * 3600);
    assert_eq!(instance.tick(at("2090-11-02T20:00:00Z")).await, []);
    assert_eq!(lag("2090-11-02T20:00:00Z").await, 0, "six hours is the longest to catch up with");
    assert_eq!(lag("2090-11-03T06:10:00Z").await, 600);
}

#[tokio::test]
async fn a_job_that_cannot_be_run_holds_up_no_other() {
    let place = SqlitePlace::fresh().await;
    let file = "schedules: {jobs: {gone: {cron: '*/30 * * * *', suite: no-such-suite, enabled: true}}}\n";
    let instance = Instance::new(config(&ON[..1], Some(file)), place.open().await, "one");
    instance.scheduler.begin(at("2026-11-02T00:00:00Z")).await.unwrap();
    let turned = instance.tick(at("2026-11-02T00:30:00Z")).await;
    assert_eq!(turned.len(), 2);
    // The run fails, so that it is seen.
    assert!(turned.iter().all(|turned| turned.done == Done::HandedIn), "{turned:?}");
    let gone = planned_job(&instance.config, "gone").unwrap();
    let error = run_now(&instance.queue, &gone).await.unwrap_err().to_string();
    assert!(error.contains("no-such-suite"), "{error}");
    let (config, store) = (&instance.config, instance.store.as_ref());
    let error = enable(config, store, &gone, true, at("2026-11-02T00:31:00Z")).await.unwrap_err().to_string();
    assert!(error.contains("no-such-suite"), "{error}");
    enable(config, store, &gone, false, at("2026-11-02T00:31:00Z")).await.unwrap();
    assert_eq!(instance.tick(at("2026-11-02T00:31:00Z")).await, []);
}

#[tokio::test]
async fn a_run_by_hand_counts_as_the_jobs_own() {
    let place = SqlitePlace::fresh().await;
    let instance = Instance::new(config(&ON[..1], None), place.open().await, "one");
    instance.scheduler.begin(at("2026-11-02T00:00:00Z")).await.unwrap();
    let quick = planned_job(&instance.config, "quick").unwrap();
    let job = run_now(&instance.queue, &quick).await.unwrap();
    assert_eq!((job.requester.as_str(), job.name.as_str()), ("schedule:quick", "quick"));
    assert_eq!(instance.tick(at("2026-11-02T00:30:00Z")).await[0].done, Done::PassedOver);
}
