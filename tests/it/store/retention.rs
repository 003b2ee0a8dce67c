//! What goes with age, and what is held: alike on both databases.

use std::fs::{File, FileTimes};
use std::time::{Duration, SystemTime};

use chrono::{DateTime, TimeDelta, Utc};
use tempfile::TempDir;
use thrash::dispatch::{Removed, RetentionPolicy, retain};
use thrash::domain::{JobState, NewJob, PhraseResult, RunId, RunKind, RunRecord};
use thrash::store::{
    AlertChange, AlertNews, Claim, JobEnd, JobFilter, NewMessage, PrunePolicy, Prunes, RunFilter, RunSummary,
    Sent, Spool, Store, StoreErrorKind,
};

use super::conformance::every_store;
use super::place::{Place, PostgresPlace, SqlitePlace};
use super::sample::{hour, record_at};

every_store! {
    old_answers_go_and_figures_stay,
    answers_of_held_runs_and_baselines_stay,
    answers_that_went_are_not_looked_for_again,
    a_held_run_is_not_deleted_by_anybody,
    a_policy_takes_runs_and_answers_by_their_age,
    a_dry_run_says_what_the_real_one_does,
    what_is_more_than_a_policy_lets_be_goes_however_young,
    the_newest_runs_stay_whole_however_old,
}

/// Answers that are a day old go.
fn answers(dry_run: bool) -> PrunePolicy {
    let older_than = Some(Duration::from_hours(24));
    PrunePolicy { what: Prunes::Answers, older_than, dry_run, ..PrunePolicy::default() }
}

async fn save_all(store: &dyn Store, records: &[&RunRecord]) {
    for record in records {
        store.save(record).await.unwrap();
    }
}

/// Whether the run is there with every answer that it had.
async fn is_whole(store: &dyn Store, record: &RunRecord) -> bool {
    store.load(&record.id).await.unwrap() == *record
}

async fn old_answers_go_and_figures_stay(store: &dyn Store) {
    let (old, young) = (record_at(0), record_at(48));
    assert!(old.results.iter().any(|result| result.text.is_some() && !result.observations.is_empty()));
    save_all(store, &[&old, &young]).await;
    let summary = store.summary(&old.id).await.unwrap();

    let dry = store.prune(&answers(true), hour(50)).await.unwrap();
    assert_eq!((dry.pruned, dry.remaining), (vec![old.id.clone()], 2));
    assert!(is_whole(store, &old).await);

    let report = store.prune(&answers(false), hour(50)).await.unwrap();
    assert_eq!((report.pruned, report.remaining), (vec![old.id.clone()], 2));
    let bare =
        |result: &PhraseResult| PhraseResult { text: None, observations: Vec::new(), ..result.clone() };
    let expected = RunRecord {
        answers_removed_at: Some(hour(50)),
        results: old.results.iter().map(bare).collect(),
        ..old.clone()
    };
    assert_eq!(store.load(&old.id).await.unwrap(), expected);
    assert_eq!(summary.answers_removed_at, None);
    let expected = RunSummary { answers_removed_at: Some(hour(50)), ..summary };
    assert_eq!(store.summary(&old.id).await.unwrap(), expected);
    assert_eq!(store.list(&RunFilter::default()).await.unwrap()[1], expected);
    assert!(is_whole(store, &young).await);
}

async fn answers_of_held_runs_and_baselines_stay(store: &dyn Store) {
    let (held, baseline) = (record_at(0), record_at(1));
    save_all(store, &[&held, &baseline]).await;
    store.hold(&held.id, Some("case 12")).await.unwrap();
    store.set_baseline(&baseline.id, None, hour(2)).await.unwrap();
    let report = store.prune(&answers(false), hour(50)).await.unwrap();
    assert_eq!((report.pruned, report.kept), (Vec::new(), 2));
    assert!(is_whole(store, &held).await && is_whole(store, &baseline).await);
}

async fn answers_that_went_are_not_looked_for_again(store: &dyn Store) {
    let old = record_at(0);
    save_all(store, &[&old]).await;
    assert_eq!(store.prune(&answers(false), hour(50)).await.unwrap().pruned, std::slice::from_ref(&old.id));
    assert_eq!(store.prune(&answers(false), hour(99)).await.unwrap().pruned, []);
    assert_eq!(store.load(&old.id).await.unwrap().answers_removed_at, Some(hour(50)));
    // The run itself can still go, and the mark with it.
    store.delete(&old.id).await.unwrap();
    assert_eq!(store.list(&RunFilter::default()).await.unwrap(), []);
}

async fn a_held_run_is_not_deleted_by_anybody(store: &dyn Store) {
    let run = record_at(0);
    save_all(store, &[&run]).await;
    store.hold(&run.id, Some("case 12")).await.unwrap();
    assert_eq!(store.summary(&run.id).await.unwrap().hold.as_deref(), Some("case 12"));
    let error = store.delete(&run.id).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::InUse);
    assert_eq!(error.to_string(), format!("run `{}` is held: case 12", run.id));
    let all = PrunePolicy { keep_last: Some(0), ..PrunePolicy::default() };
    assert_eq!(store.prune(&all, hour(9)).await.unwrap().kept, 1);
    // That it is no baseline any more does not release it.
    store.set_baseline(&run.id, None, hour(9)).await.unwrap();
    store.clear_baseline(&run.id).await.unwrap();
    assert!(is_whole(store, &run).await);

    store.hold(&run.id, Some("case 13")).await.unwrap();
    assert_eq!(store.summary(&run.id).await.unwrap().hold.as_deref(), Some("case 13"));
    store.hold(&run.id, None).await.unwrap();
    assert_eq!(store.summary(&run.id).await.unwrap().hold, None);
    store.delete(&run.id).await.unwrap();
    let unknown = store.hold(&RunId::from_stored("nope"), Some("case 12")).await.unwrap_err();
    assert_eq!(unknown.kind(), StoreErrorKind::NotFound);
}

/// Runs for ten days, answers for two, traces for one.
const POLICY: RetentionPolicy = RetentionPolicy {
    runs: Some(Duration::from_hours(240)),
    answers: Some(Duration::from_hours(48)),
    traces: Some(Duration::from_hours(24)),
    keep_last: 1,
    most_runs: None,
    most_answers: None,
    most_damaged: None,
};

async fn a_policy_takes_runs_and_answers_by_their_age(store: &dyn Store) {
    let (ancient, old, young, newest) = (record_at(0), record_at(200), record_at(290), record_at(299));
    save_all(store, &[&ancient, &old, &young, &newest]).await;
    let folder = tempfile::tempdir().unwrap();
    let spool = Spool::new(folder.path());
    for (name, age) in [("old.json.bad", 30), ("young.json.bad", 2), ("waits.json", 9_999)] {
        put(&folder, name, hour(300), age);
    }

    let expected = Removed {
        runs: 1,
        answers: 1,
        remaining: 3,
        damaged: vec![folder.path().join("old.json.bad")],
        dry_run: true,
        ..Removed::default()
    };
    assert_eq!(retain(store, &spool, &POLICY, hour(300), true).await.unwrap(), expected);
    assert!(is_whole(store, &ancient).await && folder.path().join("old.json.bad").exists());

    let expected = Removed { dry_run: false, ..expected };
    assert_eq!(retain(store, &spool, &POLICY, hour(300), false).await.unwrap(), expected);
    assert_eq!(store.load(&ancient.id).await.unwrap_err().kind(), StoreErrorKind::NotFound);
    assert!(store.load(&old.id).await.unwrap().answers_removed_at.is_some());
    assert!(is_whole(store, &young).await && is_whole(store, &newest).await);
    // What nobody has delivered yet never goes, however old it is.
    assert_eq!(left(&folder), ["waits.json", "young.json.bad"]);
    assert!(retain(store, &spool, &POLICY, hour(300), false).await.unwrap().is_nothing());
}

/// Puts a file into the spool that is so many hours old.
fn put(folder: &TempDir, name: &str, now: DateTime<Utc>, age: u64) {
    let file = File::create(folder.path().join(name)).unwrap();
    let then = SystemTime::from(now) - Duration::from_hours(age);
    file.set_times(FileTimes::new().set_modified(then)).unwrap();
}

/// The names of the files in the spool.
fn left(folder: &TempDir) -> Vec<String> {
    let entries = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name());
    let mut names: Vec<String> = entries.map(|name| name.into_string().unwrap()).collect();
    names.sort();
    names
}

async fn a_dry_run_says_what_the_real_one_does(store: &dyn Store) {
    let now = Utc::now() + TimeDelta::days(3);
    let at = |days: i64| RunRecord { started_at: now - TimeDelta::days(days), ..record_at(0) };
    let (ancient, old, held, newest) = (at(30), at(5), at(31), at(1));
    save_all(store, &[&ancient, &old, &held, &newest]).await;
    store.hold(&held.id, Some("case 12")).await.unwrap();
    // Two jobs and a message that are over, and one of each that is not.
    for (name, is_over) in [("a", true), ("b", true), ("c", false)] {
        let id = RunId::new(Utc::now(), rand::random());
        let (requester, target) = ("api:test".to_owned(), name.to_owned());
        let (kind, name, priority) = (RunKind::Accuracy, "quick".to_owned(), 0);
        let job = NewJob { id, kind, name, target, priority, requester, idempotency_key: None };
        store.submit_job(&job, 9).await.unwrap();
        let (_, lease) = store.claim_job("i", &job.id, Duration::from_mins(5)).await.unwrap().expect("a job");
        let end = JobEnd { state: JobState::Finished, conclusion: None, message: None };
        if is_over {
            store.end_job(&lease, &end).await.unwrap().expect("the lease holds");
        }
    }
    for (series, well) in [("over", true), ("goes-on", false)] {
        let message = NewMessage {
            key: series.to_owned(),
            channel: series.to_owned(),
            urgent: false,
            due_at: Utc::now() - TimeDelta::hours(1),
            body: "{}".to_owned(),
        };
        let news = AlertNews { episode: "e".to_owned(), good: false, messages: vec![message] };
        let change = AlertChange {
            series: series.to_owned(),
            from: None,
            state: "{}".to_owned(),
            episode: Some("e".to_owned()),
            news: Some(news),
        };
        assert!(store.change_alert(&change, Utc::now()).await.unwrap());
        let claim =
            Claim { channel: series, now: Utc::now(), lease: Duration::from_mins(1), per_minute: 100 };
        let claimed = store.claim_message(&claim).await.unwrap().expect("a message");
        assert!(store.finish_message(&claimed, &Sent::Done, Utc::now()).await.unwrap());
        if well {
            let over = AlertChange { from: Some(1), episode: None, news: None, ..change };
            assert!(store.change_alert(&over, Utc::now()).await.unwrap());
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let spool = Spool::new(folder.path());
    for (name, age) in
        [("a.json.bad", 1), ("b.json.bad", 2), ("c.json.bad", 3), ("d.json.bad", 99), ("e.json", 99)]
    {
        put(&folder, name, now, age);
    }
    let policy = RetentionPolicy { most_damaged: Some(2), ..POLICY };
    let dry = retain(store, &spool, &policy, now, true).await.unwrap();
    let damaged = ["c.json.bad", "d.json.bad"].map(|name| folder.path().join(name)).to_vec();
    let (runs, answers, remaining, held) = (1, 1, 3, 1);
    let expected = Removed {
        runs,
        answers,
        remaining,
        held,
        jobs: 2,
        messages: 1,
        damaged,
        dry_run: true,
        ..Removed::default()
    };
    assert_eq!(dry, expected);
    assert_eq!(left(&folder).len(), 5);

    let done = retain(store, &spool, &policy, now, false).await.unwrap();
    assert_eq!(done, Removed { dry_run: false, ..dry });
    assert_eq!(left(&folder), ["a.json.bad", "b.json.bad", "e.json"]);
    assert_eq!(store.jobs(&JobFilter::default()).await.unwrap().len(), 1);
    assert_eq!(store.outbox_counts().await.unwrap().sent, 1);
    assert!(retain(store, &spool, &policy, now, true).await.unwrap().is_nothing());
}

async fn what_is_more_than_a_policy_lets_be_goes_however_young(store: &dyn Store) {
    let runs: Vec<RunRecord> = (0..5).map(record_at).collect();
    save_all(store, &runs.iter().collect::<Vec<_>>()).await;
    store.hold(&runs[0].id, Some("case 12")).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let spool = Spool::new(folder.path().join("none"));
    let policy = RetentionPolicy { most_runs: Some(3), most_answers: Some(1), ..RetentionPolicy::default() };
    let dry = retain(store, &spool, &policy, hour(5), true).await.unwrap();
    assert_eq!((dry.runs, dry.answers, dry.remaining, dry.held), (1, 2, 4, 1));
    let done = retain(store, &spool, &policy, hour(5), false).await.unwrap();
    assert_eq!(done, Removed { dry_run: false, ..dry });
    assert_eq!(store.load(&runs[1].id).await.unwrap_err().kind(), StoreErrorKind::NotFound);
    for thin in &runs[2..4] {
        assert!(store.load(&thin.id).await.unwrap().answers_removed_at.is_some());
    }
    assert!(is_whole(store, &runs[0]).await && is_whole(store, &runs[4]).await);
    assert!(retain(store, &spool, &policy, hour(5), false).await.unwrap().is_nothing());
}

async fn the_newest_runs_stay_whole_however_old(store: &dyn Store) {
    let (older, newest) = (record_at(0), record_at(1));
    save_all(store, &[&older, &newest]).await;
    let folder = tempfile::tempdir().unwrap();
    let spool = Spool::new(folder.path().join("none"));
    let keeping = |keep_last| RetentionPolicy { keep_last, ..POLICY };
    assert!(retain(store, &spool, &keeping(2), hour(9_999), false).await.unwrap().is_nothing());
    let for_ever = RetentionPolicy { keep_last: 0, ..RetentionPolicy::default() };
    assert!(retain(store, &spool, &for_ever, hour(9_999), false).await.unwrap().is_nothing());
    assert_eq!(retain(store, &spool, &keeping(1), hour(9_999), false).await.unwrap().runs, 1);
    assert!(is_whole(store, &newest).await);
}
