//! What every store does, run against each of them.

use std::time::Duration;

use chrono::TimeDelta;

use super::place::{Place, PostgresPlace, SqlitePlace};
use super::sample::{hour, record_at, record_with_phrases};
use thrash::domain::{Baseline, Conclusion, RunId, RunKind, RunRecord, RunStatus, Selection, Series};
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

pub(crate) use every_store;

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
    the_list_is_filtered_by_what_makes_runs_alike,
    the_list_is_filtered_by_what_runs_did_and_how_they_came_out,
    the_newest_run_of_each_suite_and_target_is_found,
    a_part_of_a_suite_is_told_from_the_whole,
    a_run_of_another_place_is_told_from_those_of_the_target,
    the_list_is_read_page_by_page,
    the_runs_that_were_stored_last_are_found,
    a_summary_says_what_the_record_says,
    a_deleted_run_is_gone,
    pruning_by_age_keeps_kept_and_young_runs,
    pruning_by_number_counts_each_suite_and_target,
    pruning_by_both_takes_only_what_both_let_go,
    a_dry_run_prunes_nothing,
    a_policy_without_limits_prunes_nothing,
    pruning_many_runs_takes_them_all,
    a_baseline_is_set_found_replaced_and_cleared,
    every_suite_target_and_kind_of_target_has_a_baseline_of_its_own,
    only_a_stored_run_becomes_a_baseline,
    a_baseline_is_neither_pruned_nor_deleted,
    clearing_a_baseline_lets_go_of_what_nothing_else_keeps,
    tasks_that_set_baselines_at_once_leave_one,
    a_baseline_that_is_set_while_runs_are_pruned_stays,
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
    assert_eq!(store.hold(&unknown, Some("kept")).await.unwrap_err().kind(), StoreErrorKind::NotFound);
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

async fn the_list_is_filtered_by_what_makes_runs_alike(store: &dyn Store) {
    let embedded = record_at(0);
    let real = real(record_at(1));
    let mut other_phrases = record_at(2);
    other_phrases.suite.selection_hash = "dddd".into();
    save_all(store, &[&embedded, &real, &other_phrases]).await;
    let all = RunFilter::default();
    assert_eq!(ids(store, &RunFilter { demo: Some(false), ..all.clone() }).await, [real.id]);
    let series = RunFilter::of_series(&Series::of(&embedded));
    assert_eq!(ids(store, &series).await, [other_phrases.id.clone(), embedded.id.clone()]);
    let alike = RunFilter { selection_hash: Some("bbbb".into()), ..series };
    assert_eq!(ids(store, &alike).await, [embedded.id]);
    let late = RunFilter { since: Some(other_phrases.started_at), ..all };
    assert_eq!(ids(store, &late).await, [other_phrases.id]);
}

async fn the_list_is_filtered_by_what_runs_did_and_how_they_came_out(store: &dyn Store) {
    let (mut load, mut passed, failed) = (record_at(0), record_at(1), record_at(2));
    load.kind = RunKind::Load;
    load.verdict.conclusion = Conclusion::Inconclusive;
    passed.verdict.conclusion = Conclusion::Passed;
    save_all(store, &[&load, &passed, &failed]).await;
    let all = RunFilter::default();
    let accuracy = RunFilter { kind: Some(RunKind::Accuracy), ..all.clone() };
    assert_eq!(ids(store, &accuracy).await, [failed.id.clone(), passed.id.clone()]);
    assert_eq!(ids(store, &RunFilter { kind: Some(RunKind::Load), ..all.clone() }).await, [load.id]);
    let conclusion = failed.verdict.conclusion;
    assert_eq!(ids(store, &RunFilter { conclusion: Some(conclusion), ..all.clone() }).await, [failed.id]);
    let both = RunFilter { conclusion: Some(Conclusion::Passed), ..accuracy };
    assert_eq!(ids(store, &both).await, [passed.id]);
    assert_eq!(ids(store, &RunFilter { conclusion: Some(Conclusion::Interrupted), ..all }).await, []);
}

async fn the_newest_run_of_each_suite_and_target_is_found(store: &dyn Store) {
    let old = record_at(0);
    let demo = record_at(1);
    let real = real(record_at(2));
    let other = of_suite(record_at(3), "comprehensive", "demo");
    save_all(store, &[&demo, &old, &other, &real]).await;
    let newest = RunFilter { newest: true, ..RunFilter::default() };
    assert_eq!(ids(store, &newest).await, [other.id, real.id.clone(), demo.id]);
    // The newest one is asked, not the newest that fits.
    let nothing = RunFilter { before: Some(old.started_at + TimeDelta::seconds(1)), ..newest.clone() };
    assert_eq!(ids(store, &nothing).await, []);
    let after = store.summary(&real.id).await.expect("it is there");
    let quick =
        RunFilter { suite: Some("quick".into()), after: Some((after.started_at, after.number)), ..newest };
    assert_eq!(ids(store, &quick).await.len(), 1);
}

/// A run of so many phrases of the suite's 350; all of them where it says none.
fn drawn(mut record: RunRecord, limit: Option<usize>) -> RunRecord {
    record.suite.selection = Selection { limit, ..Selection::default() };
    record.suite.selected = limit.unwrap_or(record.suite.available);
    record
}

async fn a_run_of_another_place_is_told_from_those_of_the_target(store: &dyn Store) {
    let at = |hours, url: &str| {
        let mut record = of_suite(record_at(hours), "quick", "ash-v5");
        (record.target.demo, record.target.url) = (false, url.to_owned());
        record
    };
    let (here, there, demo) = (at(0, "http://here/"), at(1, "http://there/"), record_at(2));
    save_all(store, &[&here, &there, &demo]).await;
    let places = [("ash-v5", "http://here/"), ("demo", "http://demo/")];
    let places = places.map(|(name, url)| (name.to_owned(), url.to_owned())).to_vec();
    for newest in [true, false] {
        let filter = RunFilter { newest, places: places.clone(), ..RunFilter::default() };
        assert_eq!(ids(store, &filter).await, [demo.id.clone(), here.id.clone()], "{newest}");
    }
    let any = RunFilter { newest: true, ..RunFilter::default() };
    assert_eq!(ids(store, &any).await, [demo.id, there.id]);
}

async fn a_part_of_a_suite_is_told_from_the_whole(store: &dyn Store) {
    let whole = drawn(record_at(0), None);
    let size = drawn(record_at(1), Some(25));
    let few = drawn(record_at(2), Some(5));
    let chosen = record_at(3);
    let mut load = drawn(of_suite(record_at(4), "load smoke", "demo"), Some(5));
    load.kind = RunKind::Load;
    let other = drawn(of_suite(record_at(5), "other", "demo"), Some(25));
    save_all(store, &[&whole, &size, &few, &chosen, &load, &other]).await;
    let parts: Vec<Option<u64>> =
        store.list(&RunFilter::default()).await.unwrap().into_iter().map(|run| run.part).collect();
    assert_eq!(parts, [Some(25), None, Some(0), Some(5), Some(25), None]);
    let no_size = RunFilter { whole: Some(Vec::new()), ..RunFilter::default() };
    assert_eq!(ids(store, &no_size).await, [load.id.clone(), whole.id.clone()]);
    let sized = RunFilter { whole: Some(vec![("quick".into(), 25)]), ..RunFilter::default() };
    assert_eq!(ids(store, &sized).await, [load.id.clone(), size.id.clone(), whole.id.clone()]);
    // A newer part does not hide the newest whole run, and what never ran whole is not there.
    let newest = RunFilter { newest: true, ..sized };
    assert_eq!(ids(store, &newest).await, [load.id.clone(), size.id]);
    assert_eq!(ids(store, &RunFilter { newest: true, ..no_size }).await, [load.id, whole.id]);
}

async fn the_list_is_read_page_by_page(store: &dyn Store) {
    // Three of them began at the same time.
    let mut records: Vec<RunRecord> = (0..7).map(|n| record_at(if n < 3 { 1 } else { n })).collect();
    records[6] = of_suite(records[6].clone(), "other", "demo");
    for record in &records {
        save_all(store, &[record]).await;
    }
    let all = ids(store, &RunFilter::default()).await;
    let mut page = RunFilter { limit: Some(2), ..RunFilter::default() };
    let mut seen = Vec::new();
    loop {
        let runs = store.list(&page).await.expect("a page");
        let Some(last) = runs.last() else { break };
        page.after = Some((last.started_at, last.number));
        seen.extend(runs.into_iter().map(|run| run.id));
        assert!(seen.len() <= all.len(), "it goes round in circles");
    }
    assert_eq!(seen, all);
    // One that was deleted since ends no list, and hides none of those that began when it did: the fifth is one of three.
    for at in [2, 4] {
        let last = store.summary(&all[at]).await.expect("it is there");
        store.delete(&last.id).await.expect("it is deleted");
        let rest = RunFilter { after: Some((last.started_at, last.number)), ..RunFilter::default() };
        assert_eq!(ids(store, &rest).await, all[at + 1..], "after {at}");
    }
}

async fn the_runs_that_were_stored_last_are_found(store: &dyn Store) {
    assert_eq!(store.stored_last(5).await.unwrap(), []);
    let [new, old, middle] = [record_at(2), record_at(0), record_at(1)];
    save_all(store, &[&new, &old, &middle]).await;
    assert_eq!(store.save(&old).await.unwrap(), Saved::AlreadyStored);
    let last = store.stored_last(5).await.unwrap();
    assert!(last.is_sorted_by(|(one, _), (other, _)| one > other), "{last:?}");
    let ids = |last: Vec<(i64, RunId)>| last.into_iter().map(|(_, id)| id).collect::<Vec<RunId>>();
    assert_eq!(ids(last), [&middle, &old, &new].map(|run| run.id.clone()));
    assert_eq!(ids(store.stored_last(2).await.unwrap()), [middle.id, old.id]);
}

/// The same run against a target of that name that is not the embedded demo detector.
fn real(mut record: RunRecord) -> RunRecord {
    record.target.demo = false;
    record
}

async fn a_baseline_is_set_found_replaced_and_cleared(store: &dyn Store) {
    let (a, b) = (record_at(0), record_at(1));
    save_all(store, &[&a, &b]).await;
    let series = Series::of(&a);
    assert_eq!(store.baseline(&series).await.unwrap(), None);
    assert_eq!(store.baselines().await.unwrap(), []);

    let set = store.set_baseline(&a.id, Some("before the new model"), hour(5)).await.unwrap();
    let note = Some("before the new model".to_owned());
    assert_eq!(set, Baseline { run: a.id.clone(), series: series.clone(), set_at: hour(5), note });
    assert_eq!(store.baseline(&series).await.unwrap(), Some(set.clone()));
    assert_eq!(store.baselines().await.unwrap(), [set]);
    let run = store.summary(&a.id).await.unwrap();
    assert_eq!((run.baseline, run.keep), (true, true));

    let next = store.set_baseline(&b.id, None, hour(6)).await.unwrap();
    assert_eq!((&next.run, &next.note), (&b.id, &None));
    assert_eq!(store.baselines().await.unwrap(), std::slice::from_ref(&next));
    let run = store.summary(&a.id).await.unwrap();
    assert_eq!((run.baseline, run.keep), (false, false), "it is one no longer");

    assert!(!store.clear_baseline(&a.id).await.unwrap());
    assert_eq!(store.baseline(&series).await.unwrap(), Some(next));
    assert!(store.clear_baseline(&b.id).await.unwrap());
    assert!(!store.clear_baseline(&b.id).await.unwrap());
    assert_eq!(store.baseline(&series).await.unwrap(), None);
}

async fn every_suite_target_and_kind_of_target_has_a_baseline_of_its_own(store: &dyn Store) {
    let records = vec![
        of_suite(record_at(0), "quick", "demo"),
        of_suite(record_at(1), "comprehensive", "demo"),
        of_suite(record_at(2), "quick", "ash-v5"),
        real(of_suite(record_at(3), "quick", "demo")),
    ];
    for record in &records {
        save_all(store, &[record]).await;
        store.set_baseline(&record.id, None, hour(9)).await.unwrap();
    }
    for record in &records {
        let baseline = store.baseline(&Series::of(record)).await.unwrap().unwrap();
        assert_eq!((baseline.run, baseline.series), (record.id.clone(), Series::of(record)));
    }
    let listed: Vec<RunId> =
        store.baselines().await.unwrap().into_iter().map(|baseline| baseline.run).collect();
    assert_eq!(listed, [1, 2, 3, 0].map(|place| records[place].id.clone()));
}

async fn only_a_stored_run_becomes_a_baseline(store: &dyn Store) {
    for id in ["nope", "legacy-1", ""] {
        let error = store.set_baseline(&RunId::from_stored(id), None, hour(0)).await.unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::NotFound, "{id}");
    }
    assert_eq!(store.baselines().await.unwrap(), []);
}

async fn a_baseline_is_neither_pruned_nor_deleted(store: &dyn Store) {
    let (old, young) = (record_at(0), record_at(1));
    save_all(store, &[&old, &young]).await;
    store.set_baseline(&old.id, None, hour(2)).await.unwrap();
    // Nobody can lift it by the way.
    store.hold(&old.id, None).await.unwrap();
    let policy = PrunePolicy { keep_last: Some(0), ..PrunePolicy::default() };
    let dry = store.prune(&PrunePolicy { dry_run: true, ..policy.clone() }, hour(3)).await.unwrap();
    assert_eq!((dry.pruned, dry.kept), (vec![young.id.clone()], 1));
    let report = store.prune(&policy, hour(3)).await.unwrap();
    assert_eq!((report.pruned, report.kept, report.remaining), (vec![young.id], 1, 1));

    let error = store.delete(&old.id).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::InUse);
    assert_eq!(
        error.to_string(),
        format!("run `{}` is the baseline of `quick` against `demo` (the built-in demo)", old.id)
    );
    assert_eq!(store.load(&old.id).await.unwrap(), old);
    store.clear_baseline(&old.id).await.unwrap();
    store.delete(&old.id).await.unwrap();
}

async fn clearing_a_baseline_lets_go_of_what_nothing_else_keeps(store: &dyn Store) {
    let (kept, loose) = (record_at(0), of_suite(record_at(1), "comprehensive", "demo"));
    save_all(store, &[&kept, &loose]).await;
    store.hold(&kept.id, Some("kept")).await.unwrap();
    for record in [&kept, &loose] {
        store.set_baseline(&record.id, None, hour(2)).await.unwrap();
        store.clear_baseline(&record.id).await.unwrap();
    }
    let policy = PrunePolicy { keep_last: Some(0), ..PrunePolicy::default() };
    assert_eq!(store.prune(&policy, hour(3)).await.unwrap().pruned, [loose.id]);
    assert_eq!(ids(store, &RunFilter::default()).await, [kept.id]);
}

async fn tasks_that_set_baselines_at_once_leave_one(store: &dyn Store) {
    let records: Vec<RunRecord> = (0..8).map(record_at).collect();
    save_all(store, &records.iter().collect::<Vec<_>>()).await;
    let set = |n: usize| store.set_baseline(&records[n].id, None, hour(9));
    let (a, b, c, d) = tokio::join!(set(0), set(1), set(2), set(3));
    for baseline in [a, b, c, d] {
        baseline.unwrap();
    }
    let baselines = store.baselines().await.unwrap();
    assert_eq!(baselines.len(), 1);
    let marked: Vec<RunId> = store
        .list(&RunFilter::default())
        .await
        .unwrap()
        .into_iter()
        .filter(|run| run.baseline && run.keep)
        .map(|run| run.id)
        .collect();
    assert_eq!(marked, [baselines[0].run.clone()]);
}

async fn a_baseline_that_is_set_while_runs_are_pruned_stays(store: &dyn Store) {
    let policy = PrunePolicy { keep_last: Some(0), ..PrunePolicy::default() };
    for round in 0..10 {
        let record = record_at(round);
        save_all(store, &[&record]).await;
        let (set, pruned) =
            tokio::join!(store.set_baseline(&record.id, None, hour(99)), store.prune(&policy, hour(99)));
        let gone = pruned.unwrap().pruned.contains(&record.id);
        assert_eq!(set.is_ok(), !gone, "either one came first");
        assert_eq!(store.load(&record.id).await.is_ok(), !gone);
    }
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
    assert_eq!((run.phrases, run.keep, run.baseline, run.legacy), (3, false, false, false));
    assert_eq!((run.selection_hash.as_deref(), run.contract_hash.as_deref()), (Some("bbbb"), Some("cccc")));
    assert_eq!((run.target_version.as_deref(), run.demo), (Some("v5.1"), true));
    assert_eq!((run.false_negative_rate, run.severe_miss_rate), (Some(0.125), None));
    assert_eq!((run.unanswered_rate, run.p50_ms), (Some(1.0 / 3.0), Some(10.0)));
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
    store.hold(&kept.id, Some("kept")).await.unwrap();
    let policy = PrunePolicy { older_than: Some(Duration::from_hours(24)), ..PrunePolicy::default() };
    let report = store.prune(&policy, hour(50)).await.unwrap();
    assert_eq!(report.pruned, [old.id]);
    assert_eq!((report.kept, report.remaining), (1, 2));
    assert_eq!(ids(store, &RunFilter::default()).await, [young.id.clone(), kept.id.clone()]);

    store.hold(&kept.id, None).await.unwrap();
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
    assert_eq!(status.schema_version(), 12);
}

async fn a_store_answers(store: &dyn Store) {
    store.ping().await.unwrap();
    store.beat().await.unwrap();
    store.beat().await.unwrap();
    store.close().await;
    store.ping().await.unwrap_err();
    store.beat().await.unwrap_err();
}
