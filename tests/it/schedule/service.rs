//! The scheduler over a store and a queue, with a clock that a test moves.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use thrash::config::{Config, Environment};
use thrash::dispatch::Queue;
use thrash::domain::{JobState, RunId};
use thrash::service::schedule::{Done, Scheduler, Turned, enable, planned_job, run_now, views};
use thrash::store::{JobEnd, JobFilter, Lease, Store};

use super::at;
use crate::store::place::{Place, PostgresPlace, SqlitePlace};

const START: &str = "2026-11-01T23:59:30Z";

/// What stands in the environment of an installation, and the file beside it.
fn config(environment: &[(&str, &str)], file: Option<&str>) -> Config {
    let folder = tempfile::tempdir().expect("a folder");
    let file = file.map(|text| {
        let path = folder.path().join("thrash.yaml");
        std::fs::write(&path, text).expect("the file is written");
        path
    });
    Config::load(file, Environment::of_pairs(environment.iter().copied()), Vec::new())
        .expect("a configuration")
}

struct Instance {
    config: Arc<Config>,
    store: Arc<dyn Store>,
    queue: Arc<Queue>,
    scheduler: Scheduler,
}

impl Instance {
    fn new(config: Config, store: Box<dyn Store>, name: &str) -> Self {
        let (config, store): (_, Arc<dyn Store>) = (Arc::new(config), Arc::from(store));
        let queue = Queue::new(Arc::clone(&config), Arc::clone(&store), name.to_owned(), Vec::new());
        let scheduler = Scheduler::new(&config, Arc::clone(&queue), Arc::clone(&store));
        Self { config, store, queue, scheduler }
    }

    async fn tick(&self, now: DateTime<Utc>) -> Vec<Turned> {
        self.scheduler.tick(now).await.unwrap()
    }

    /// Runs what waits, in no time.
    async fn work(&self) -> usize {
        let mut count = 0;
        while let Some((_, lease)) = self.claim().await {
            let end = JobEnd { state: JobState::Finished, conclusion: None, message: None };
            self.store.end_job(&lease, &end).await.unwrap();
            count += 1;
        }
        count
    }

    async fn claim(&self) -> Option<(RunId, Lease)> {
        let run = RunId::new(Utc::now(), rand::random());
        let minute = std::time::Duration::from_mins(1);
        let claimed = self.store.claim_job("test", &run, minute).await.unwrap();
        claimed.map(|(job, lease)| (job.id, lease))
    }

    async fn jobs(&self) -> usize {
        self.store.jobs(&JobFilter::default()).await.unwrap().len()
    }
}

const ON: [(&str, &str); 2] = [("QUICK_TEST_ENABLED", "true"), ("COMPREHENSIVE_TEST_ENABLED", "true")];

#[tokio::test]
async fn a_day_of_the_usual_schedules_is_49_runs_and_leaves_nothing_behind() {
    let place = SqlitePlace::fresh().await;
    let instance = Instance::new(config(&ON, None), place.open().await, "one");
    let start = at(START);
    instance.scheduler.begin(start).await.unwrap();
    let (mut handed_in, mut worked) = (Vec::new(), 0);
    for step in 0..(24 * 60 * 2) {
        handed_in.extend(instance.tick(start + TimeDelta::seconds(30 * (step + 1))).await);
        worked += instance.work().await;
    }
    assert!(handed_in.iter().all(|turned| turned.done == Done::HandedIn), "{handed_in:?}");
    let of = |name: &str| handed_in.iter().filter(|turned| turned.name == name).count();
    assert_eq!((of("quick"), of("comprehensive"), worked), (48, 1, 49));
    let six = handed_in.iter().find(|turned| turned.name == "comprehensive").unwrap();
    assert_eq!(six.meant, at("2026-11-02T06:00:00Z"));
    assert_eq!(instance.jobs().await, 49);
    assert_eq!(instance.store.schedule_states().await.unwrap().len(), 2, "one row a schedule");
}

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

#[tokio::test]
async fn a_job_that_cannot_be_run_holds_up_no_other() {
    let place = SqlitePlace::fresh().await;
    let file = "schedules: {jobs: {gone: {cron: '*/30 * * * *', suite: no-such-suite, enabled: true}}}\n";
    let instance = Instance::new(config(&ON[..1], Some(file)), place.open().await, "one");
    instance.scheduler.begin(at("2026-11-02T00:00:00Z")).await.unwrap();
    let turned = instance.tick(at("2026-11-02T00:30:00Z")).await;
    assert_eq!(turned.len(), 2);
    assert!(matches!(&turned[0].done, Done::Refused(why) if why.contains("no-such-suite")), "{turned:?}");
    assert_eq!(turned[1].done, Done::HandedIn);
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
