//! What every store does, run against each of them.

use std::time::Duration;

use super::place::{Place, PostgresPlace, SqlitePlace};
use super::sample::{hour, record_at, record_with_phrases};
use thrash::domain::{Conclusion, RunId, RunKind, RunRecord, RunStatus};
use thrash::store::{PrunePolicy, RunFilter, Saved, Store, StoreErrorKind};

macro_rules! every_store {
    ($($test:ident,)*) => {
        mod sqlite {
            use super::{Place, SqlitePlace};
            $(#[tokio::test]
            async fn $test() {
                let place = SqlitePlace::fresh().await;
                super::$test(&*place.open().await).await;
            })*
        }
        mod postgres {
            use super::{Place, PostgresPlace};
            $(#[tokio::test]
            async fn $test() {
                let place = PostgresPlace::fresh().await;
                super::$test(&*place.open().await).await;
            })*
        }
    };
}

every_store! {
    a_saved_run_is_loaded_as_it_was,
    a_run_without_phrases_is_loaded_as_it_was,
    a_large_run_is_loaded_as_it_was,
    text_with_nul_is_stored,
    names_longer_than_the_old_columns_are_stored,
    saving_a_run_twice_stores_it_once,
    tasks_that_save_the_same_run_store_it_once,
    a_run_is_resolved_by_its_id_its_prefix_and_latest,
    an_ambiguous_prefix_names_the_candidates,
    many_candidates_are_cut_short,
    nothing_resolves_to_not_found,
    signs_of_the_query_language_are_not_wild,
    runs_are_listed_newest_first,
    the_list_is_filtered_and_limited,
    a_summary_says_what_the_record_says,
    a_deleted_run_is_gone,
    pruning_by_age_keeps_kept_and_young_runs,
    pruning_by_number_counts_each_suite_and_target,
    pruning_by_both_takes_only_what_both_let_go,
    a_dry_run_prunes_nothing,
    a_policy_without_limits_prunes_nothing,
    pruning_many_runs_takes_them_all,
    migrations_are_all_applied,
    a_store_answers,
}

async fn save_all(store: &dyn Store, records: &[&RunRecord]) {
    for record in records {
        assert_eq!(store.save(record).await.expect("the run is saved"), Saved::Stored);
    }
}

async fn ids(store: &dyn Store, filter: &RunFilter) -> Vec<RunId> {
    store.list(filter).await.expect("a list").into_iter().map(|run| run.id).collect()
}

async fn kind_of_load(store: &dyn Store, id: &RunId) -> StoreErrorKind {
    store.load(id).await.expect_err("no such run").kind()
}

fn of_suite(mut record: RunRecord, suite: &str, target: &str) -> RunRecord {
    record.suite.name = suite.into();
    record.target.name = target.into();
    record
}

fn with_id(mut record: RunRecord, id: &str) -> RunRecord {
    record.id = RunId::from_stored(id);
    record
}

async fn a_saved_run_is_loaded_as_it_was(store: &dyn Store) {
    let record = record_at(0);
    assert_eq!(store.save(&record).await.unwrap(), Saved::Stored);
    assert_eq!(store.load(&record.id).await.unwrap(), record);
}

async fn a_run_without_phrases_is_loaded_as_it_was(store: &dyn Store) {
    let record = record_with_phrases(0, 0);
    save_all(store, &[&record]).await;
    assert_eq!(store.load(&record.id).await.unwrap(), record);
    assert_eq!(store.summary(&record.id).await.unwrap().phrases, 0);
}

async fn a_large_run_is_loaded_as_it_was(store: &dyn Store) {
    let record = record_with_phrases(0, 5_001);
    save_all(store, &[&record]).await;
    assert_eq!(store.load(&record.id).await.unwrap(), record);
}

async fn text_with_nul_is_stored(store: &dyn Store) {
    let mut record = record_at(0);
    record.results[0].text = Some("a\0b".into());
    record.environment = Some("\0".into());
    save_all(store, &[&record]).await;
    let text = store.load(&record.id).await.unwrap().results[0].text.clone().unwrap();
    assert!(text == "a\0b" || text == "a\u{fffd}b", "the sign is kept or marked");
}

async fn names_longer_than_the_old_columns_are_stored(store: &dyn Store) {
    let mut record = of_suite(record_at(0), &"süite".repeat(60), &"t".repeat(300));
    record.results[0].id = "ü".repeat(400);
    save_all(store, &[&record]).await;
    assert_eq!(store.load(&record.id).await.unwrap(), record);
    assert_eq!(store.summary(&record.id).await.unwrap().suite, record.suite.name);
}

async fn saving_a_run_twice_stores_it_once(store: &dyn Store) {
    let record = record_at(0);
    save_all(store, &[&record]).await;
    assert_eq!(store.save(&record).await.unwrap(), Saved::AlreadyStored);
    assert_eq!(store.list(&RunFilter::default()).await.unwrap().len(), 1);
    assert_eq!(store.load(&record.id).await.unwrap(), record);
}

async fn tasks_that_save_the_same_run_store_it_once(store: &dyn Store) {
    let record = record_with_phrases(0, 300);
    let (a, b, c, d) =
        tokio::join!(store.save(&record), store.save(&record), store.save(&record), store.save(&record));
    let stored = [a, b, c, d].into_iter().filter(|saved| *saved.as_ref().unwrap() == Saved::Stored).count();
    assert_eq!(stored, 1);
    assert_eq!(store.list(&RunFilter::default()).await.unwrap().len(), 1);
}

async fn a_run_is_resolved_by_its_id_its_prefix_and_latest(store: &dyn Store) {
    let old = with_id(record_at(0), "20260101-000000-aaaaaa");
    let new = with_id(record_at(24), "20260102-000000-bbbbbb");
    save_all(store, &[&new, &old]).await;
    assert_eq!(store.resolve("20260101-000000-aaaaaa").await.unwrap(), old.id);
    assert_eq!(store.resolve(" 20260101-000000-AAAAAA ").await.unwrap(), old.id);
    assert_eq!(store.resolve("20260102").await.unwrap(), new.id);
    assert_eq!(store.resolve("latest").await.unwrap(), new.id);
}

async fn an_ambiguous_prefix_names_the_candidates(store: &dyn Store) {
    let a = with_id(record_at(0), "20260101-000000-aaaaaa");
    let b = with_id(record_at(1), "20260101-000000-aaaaab");
    // An id that is the beginning of another one is still that one's own.
    let c = with_id(record_at(2), "20260101-000000-aaaaaab");
    save_all(store, &[&a, &b, &c]).await;
    let error = store.resolve("20260101-000000-aaaaa").await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Ambiguous);
    assert_eq!(
        error.to_string(),
        "`20260101-000000-aaaaa` matches several stored runs: \
         20260101-000000-aaaaaab, 20260101-000000-aaaaab, 20260101-000000-aaaaaa"
    );
    assert_eq!(store.resolve("20260101-000000-aaaaaa").await.unwrap(), a.id);
}

async fn many_candidates_are_cut_short(store: &dyn Store) {
    for n in 0..12 {
        save_all(store, &[&record_at(n)]).await;
    }
    let error = store.resolve("2026").await.unwrap_err().to_string();
    assert!(error.ends_with(", …"), "{error}");
    assert_eq!(error.matches("2026").count(), 11);
}

async fn nothing_resolves_to_not_found(store: &dyn Store) {
    assert_eq!(store.resolve("latest").await.unwrap_err().kind(), StoreErrorKind::NotFound);
    save_all(store, &[&record_at(0)]).await;
    for query in ["", "nope", "legacy-1", "legacy-"] {
        let error = store.resolve(query).await.unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::NotFound, "{query}");
    }
    let unknown = RunId::from_stored("nope");
    assert_eq!(kind_of_load(store, &unknown).await, StoreErrorKind::NotFound);
    assert_eq!(store.summary(&unknown).await.unwrap_err().kind(), StoreErrorKind::NotFound);
    assert_eq!(store.delete(&unknown).await.unwrap_err().kind(), StoreErrorKind::NotFound);
    assert_eq!(store.set_keep(&unknown, true).await.unwrap_err().kind(), StoreErrorKind::NotFound);
}

async fn signs_of_the_query_language_are_not_wild(store: &dyn Store) {
    save_all(store, &[&record_at(0)]).await;
    for query in ["%", "_", "2026____", "'", "\\", "*", "2026*"] {
        assert_eq!(store.resolve(query).await.unwrap_err().kind(), StoreErrorKind::NotFound, "{query}");
    }
}

async fn runs_are_listed_newest_first(store: &dyn Store) {
    let (a, b, c) = (record_at(0), record_at(1), record_at(2));
    save_all(store, &[&b, &c, &a]).await;
    assert_eq!(ids(store, &RunFilter::default()).await, [c.id, b.id, a.id]);
}

async fn the_list_is_filtered_and_limited(store: &dyn Store) {
    let a = of_suite(record_at(0), "quick", "demo");
    let b = of_suite(record_at(1), "quick", "ash-v5");
    let c = of_suite(record_at(2), "comprehensive", "ash-v5");
    save_all(store, &[&a, &b, &c]).await;
    let all = RunFilter::default();
    let quick = RunFilter { suite: Some("quick".into()), ..all.clone() };
    assert_eq!(ids(store, &quick).await, [b.id.clone(), a.id.clone()]);
    let ash = RunFilter { target: Some("ash-v5".into()), ..all.clone() };
    assert_eq!(ids(store, &ash).await, [c.id.clone(), b.id.clone()]);
    let both = RunFilter { target: Some("ash-v5".into()), ..quick };
    assert_eq!(ids(store, &both).await, std::slice::from_ref(&b.id));
    assert_eq!(ids(store, &RunFilter { limit: Some(2), ..all.clone() }).await, [c.id, b.id.clone()]);
    assert_eq!(ids(store, &RunFilter { limit: Some(0), ..all.clone() }).await, []);
    assert_eq!(ids(store, &RunFilter { before: Some(b.started_at), ..all }).await, [a.id]);
}

async fn a_summary_says_what_the_record_says(store: &dyn Store) {
    let record = record_at(0);
    save_all(store, &[&record]).await;
    let run = store.summary(&record.id).await.unwrap();
    assert_eq!(store.list(&RunFilter::default()).await.unwrap(), std::slice::from_ref(&run));
    assert_eq!(run.id, record.id);
    assert_eq!(run.kind, Some(RunKind::Accuracy));
    assert_eq!((run.suite.as_str(), run.target.as_deref()), ("quick", Some("demo")));
    assert_eq!(run.started_at.timestamp_micros(), record.started_at.timestamp_micros());
    assert_eq!(run.duration_ms, Some(record.duration_ms));
    assert_eq!(run.status, Some(RunStatus::Completed));
    assert_eq!(run.conclusion, Some(Conclusion::GateFailed));
    assert_eq!(run.accuracy, Some(2.0 / 3.0));
    assert_eq!(run.false_positive_rate, Some(0.04));
    assert_eq!(run.p95_ms, Some(19.5));
    assert_eq!((run.phrases, run.keep, run.legacy), (3, false, false));
}

async fn a_deleted_run_is_gone(store: &dyn Store) {
    let (a, b) = (record_at(0), record_at(1));
    save_all(store, &[&a, &b]).await;
    store.delete(&a.id).await.unwrap();
    assert_eq!(kind_of_load(store, &a.id).await, StoreErrorKind::NotFound);
    assert_eq!(ids(store, &RunFilter::default()).await, [b.id]);
}

async fn pruning_by_age_keeps_kept_and_young_runs(store: &dyn Store) {
    let (kept, old, young) = (record_at(0), record_at(1), record_at(48));
    save_all(store, &[&kept, &old, &young]).await;
    store.set_keep(&kept.id, true).await.unwrap();
    let policy = PrunePolicy { older_than: Some(Duration::from_hours(24)), ..PrunePolicy::default() };
    let report = store.prune(&policy, hour(50)).await.unwrap();
    assert_eq!(report.pruned, [old.id]);
    assert_eq!((report.kept, report.remaining), (1, 2));
    assert_eq!(ids(store, &RunFilter::default()).await, [young.id.clone(), kept.id.clone()]);

    store.set_keep(&kept.id, false).await.unwrap();
    assert_eq!(store.prune(&policy, hour(50)).await.unwrap().pruned, [kept.id]);
    assert_eq!(ids(store, &RunFilter::default()).await, [young.id]);
}

async fn pruning_by_number_counts_each_suite_and_target(store: &dyn Store) {
    let nightly = of_suite(record_at(0), "comprehensive", "demo");
    let elsewhere = of_suite(record_at(1), "quick", "ash-v5");
    let (a, b, c) = (record_at(2), record_at(3), record_at(4));
    save_all(store, &[&nightly, &elsewhere, &a, &b, &c]).await;
    let policy = PrunePolicy { keep_last: Some(1), ..PrunePolicy::default() };
    let report = store.prune(&policy, hour(5)).await.unwrap();
    assert_eq!(report.pruned, [b.id, a.id]);
    assert_eq!(ids(store, &RunFilter::default()).await, [c.id, elsewhere.id, nightly.id]);
}

async fn pruning_by_both_takes_only_what_both_let_go(store: &dyn Store) {
    let (a, b, c) = (record_at(0), record_at(1), record_at(2));
    save_all(store, &[&a, &b, &c]).await;
    let policy = PrunePolicy {
        older_than: Some(Duration::from_hours(1)),
        keep_last: Some(2),
        ..PrunePolicy::default()
    };
    assert_eq!(store.prune(&policy, hour(100)).await.unwrap().pruned, [a.id]);
    let policy = PrunePolicy { keep_last: Some(0), ..policy };
    assert_eq!(store.prune(&policy, hour(1)).await.unwrap().pruned, []);
}

async fn a_dry_run_prunes_nothing(store: &dyn Store) {
    let record = record_at(0);
    save_all(store, &[&record]).await;
    let policy = PrunePolicy { keep_last: Some(0), dry_run: true, ..PrunePolicy::default() };
    let report = store.prune(&policy, hour(1)).await.unwrap();
    assert_eq!((report.pruned, report.dry_run), (vec![record.id.clone()], true));
    assert_eq!(store.load(&record.id).await.unwrap(), record);
}

async fn a_policy_without_limits_prunes_nothing(store: &dyn Store) {
    save_all(store, &[&record_at(0)]).await;
    let report = store.prune(&PrunePolicy::default(), hour(1_000_000)).await.unwrap();
    assert_eq!((report.pruned, report.remaining), (Vec::new(), 1));
}

async fn pruning_many_runs_takes_them_all(store: &dyn Store) {
    for n in 0..250 {
        save_all(store, &[&record_with_phrases(n, 1)]).await;
    }
    let policy = PrunePolicy { keep_last: Some(5), ..PrunePolicy::default() };
    let report = store.prune(&policy, hour(0)).await.unwrap();
    assert_eq!((report.pruned.len(), report.remaining), (245, 5));
    assert_eq!(store.list(&RunFilter::default()).await.unwrap().len(), 5);
}

async fn migrations_are_all_applied(store: &dyn Store) {
    let status = store.migrations().await.unwrap();
    assert_eq!(status.pending, []);
    assert_eq!(status.applied[0].name, "runs");
    assert_eq!(status.schema_version(), 1);
}

async fn a_store_answers(store: &dyn Store) {
    store.ping().await.unwrap();
    store.close().await;
    store.ping().await.unwrap_err();
}
