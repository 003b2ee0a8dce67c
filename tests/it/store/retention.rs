//! What goes with age, and what is held: alike on both databases.

use std::fs::{File, FileTimes};
use std::time::{Duration, SystemTime};

use thrash::dispatch::{Removed, RetentionPolicy, retain};
use thrash::domain::{PhraseResult, RunId, RunRecord};
use thrash::store::{PrunePolicy, Prunes, RunFilter, RunSummary, Spool, Store, StoreErrorKind};

use super::conformance::every_store;
use super::place::{Place, PostgresPlace, SqlitePlace};
use super::sample::{hour, record_at};

every_store! {
    old_answers_go_and_figures_stay,
    answers_of_held_runs_and_baselines_stay,
    answers_that_went_are_not_looked_for_again,
    a_held_run_is_not_deleted_by_anybody,
    a_policy_takes_runs_and_answers_by_their_age,
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
};

async fn a_policy_takes_runs_and_answers_by_their_age(store: &dyn Store) {
    let (ancient, old, young, newest) = (record_at(0), record_at(200), record_at(290), record_at(299));
    save_all(store, &[&ancient, &old, &young, &newest]).await;
    let folder = tempfile::tempdir().unwrap();
    let spool = Spool::new(folder.path());
    for (name, age) in [("old.json.bad", 30), ("young.json.bad", 2), ("waits.json", 9_999)] {
        let file = File::create(folder.path().join(name)).unwrap();
        let then = SystemTime::from(hour(300)) - Duration::from_hours(age);
        file.set_times(FileTimes::new().set_modified(then)).unwrap();
    }

    let expected = Removed { runs: 1, answers: 1, remaining: 3, held: 0, unreadable: 0, traces: None };
    assert_eq!(retain(store, &spool, &POLICY, hour(300), true).await.unwrap(), expected);
    assert!(is_whole(store, &ancient).await && folder.path().join("old.json.bad").exists());

    let expected = Removed { traces: Some(1), ..expected };
    assert_eq!(retain(store, &spool, &POLICY, hour(300), false).await.unwrap(), expected);
    assert_eq!(store.load(&ancient.id).await.unwrap_err().kind(), StoreErrorKind::NotFound);
    assert!(store.load(&old.id).await.unwrap().answers_removed_at.is_some());
    assert!(is_whole(store, &young).await && is_whole(store, &newest).await);
    let mut left: Vec<_> =
        std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    left.sort();
    // What nobody has delivered yet never goes, however old it is.
    assert_eq!(left, ["waits.json", "young.json.bad"]);
    assert!(retain(store, &spool, &POLICY, hour(300), false).await.unwrap().is_nothing());
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
