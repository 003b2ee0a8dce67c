//! The queue, as every store keeps it.

use std::time::Duration;

use super::conformance::every_store;
use super::place::{Place, PostgresPlace, SqlitePlace};
use super::sample::record_at;
use chrono::Utc;
use thrash::domain::{Conclusion, Job, JobState, NewJob, RunId, RunKind};
use thrash::store::{
    InstanceLock, JobCounts, JobEnd, JobFilter, Lease, Reap, Renewed, SPOOLED, Store, StoreErrorKind,
    StoreLocation, Submitted,
};

every_store! {
    a_job_waits_until_it_is_taken,
    a_key_makes_one_job_of_a_requester,
    tasks_that_submit_the_same_key_make_one_job,
    the_highest_priority_goes_first_and_the_oldest_of_those,
    one_run_at_a_time_against_a_target,
    one_load_at_a_time,
    tasks_that_claim_at_once_never_take_the_same_job,
    a_finished_job_says_what_came_out,
    only_the_holder_says_how_a_job_ended,
    a_waiting_job_is_cancelled_at_once,
    a_running_job_is_asked_to_stop,
    a_job_that_is_over_is_not_cancelled,
    a_job_that_is_handed_back_waits_again,
    a_lost_accuracy_run_is_queued_once,
    a_lost_load_is_not_queued_again,
    a_lost_job_that_was_cancelled_stays_cancelled,
    a_lost_job_whose_run_is_kept_has_finished,
    a_lease_that_is_renewed_is_not_lost,
    jobs_are_listed_newest_first_filtered_and_page_by_page,
    jobs_that_are_not_over_are_counted,
    a_full_queue_takes_no_more_and_knows_what_it_has,
    a_lost_job_whose_record_comes_late_has_finished,
    a_job_that_waits_again_is_not_run_again_once_its_record_is_there,
    a_record_that_waits_is_the_end_of_its_job,
    a_job_that_is_held_is_left_to_its_holder,
    jobs_that_were_over_long_ago_are_deleted,
    a_job_whose_waiting_record_is_damaged_has_failed,
    a_suite_that_is_typed_runs_at_once_beside_others,
    a_load_that_is_typed_waits_and_goes_first,
    loads_that_are_typed_have_their_turns_in_order,
    a_typed_job_that_is_lost_is_run_by_nobody,
    what_a_service_looks_after_is_left_to_it,
    a_load_that_no_service_looks_after_is_waited_for_no_longer_and_told_of,
    a_job_is_entered_once_by_its_lease,
    typed_jobs_that_were_over_long_ago_are_forgotten,
    what_is_typed_fills_no_queue,
}

const LONG: Duration = Duration::from_mins(5);
const SHORT: Duration = Duration::from_millis(1);
const MANY: u32 = 1000;

fn fresh() -> RunId {
    RunId::new(Utc::now(), rand::random())
}

fn job(name: &str, target: &str) -> NewJob {
    NewJob {
        id: fresh(),
        kind: RunKind::Accuracy,
        name: name.into(),
        target: target.into(),
        priority: 0,
        requester: "api:test".into(),
        idempotency_key: None,
    }
}

fn load(target: &str) -> NewJob {
    NewJob { kind: RunKind::Load, ..job("smoke", target) }
}

async fn submit(store: &dyn Store, job: &NewJob) -> RunId {
    match hand_in(store, job).await {
        Submitted::New(job) => job.id,
        Submitted::Known(job) => panic!("known already: {job:?}"),
    }
}

async fn hand_in(store: &dyn Store, job: &NewJob) -> Submitted {
    store.submit_job(job, MANY).await.expect("it is taken in").expect("there is room")
}

async fn claim(store: &dyn Store, lease: Duration) -> Option<(Job, Lease)> {
    store.claim_job("here", &fresh(), lease).await.expect("the queue answers")
}

async fn taken(store: &dyn Store) -> (Job, Lease) {
    claim(store, LONG).await.expect("a job waits")
}

async fn state(store: &dyn Store, id: &RunId) -> JobState {
    store.job(id).await.expect("the job is there").state
}

fn end(state: JobState) -> JobEnd {
    JobEnd { state, conclusion: None, message: None }
}

/// Lets the lease of a job that was taken for a moment run out, and takes it away.
async fn reaped(store: &dyn Store) -> Vec<Job> {
    tokio::time::sleep(Duration::from_millis(20)).await;
    store.reap_jobs(Reap::All).await.expect("the queue answers")
}

async fn a_job_waits_until_it_is_taken(store: &dyn Store) {
    assert_eq!(claim(store, LONG).await, None);
    let asked = NewJob { priority: 7, idempotency_key: Some("k".into()), ..job("quick", "demo") };
    let id = submit(store, &asked).await;
    let waiting = store.job(&id).await.unwrap();
    assert_eq!((waiting.state, waiting.attempt, waiting.run.clone()), (JobState::Queued, 0, None));
    assert_eq!((waiting.name.as_str(), waiting.target.as_str(), waiting.priority), ("quick", "demo", 7));
    assert_eq!((waiting.requester.as_str(), waiting.idempotency_key.as_deref()), ("api:test", Some("k")));
    assert!((Utc::now() - waiting.submitted_at).num_seconds().abs() < 60, "{}", waiting.submitted_at);

    let (running, lease) = taken(store).await;
    assert_eq!((running.state, running.attempt), (JobState::Running, 1));
    assert_eq!(
        (running.id.clone(), running.run.clone()),
        (id.clone(), Some(id.clone())),
        "one name for both"
    );
    assert_eq!((running.instance.as_deref(), lease.job.clone()), (Some("here"), id.clone()));
    assert_eq!(store.job(&id).await.unwrap(), running);
    assert_eq!(claim(store, LONG).await, None);
    let unknown = store.job(&RunId::from_stored("nope")).await.unwrap_err();
    assert_eq!(unknown.kind(), StoreErrorKind::NotFound);
}

async fn a_key_makes_one_job_of_a_requester(store: &dyn Store) {
    let first = NewJob { idempotency_key: Some("k".into()), ..job("quick", "demo") };
    let id = submit(store, &first).await;
    let again = NewJob { id: fresh(), name: "other".into(), ..first.clone() };
    match hand_in(store, &again).await {
        Submitted::Known(known) => assert_eq!((known.id, known.name.as_str()), (id, "quick")),
        Submitted::New(job) => panic!("a second one: {job:?}"),
    }
    submit(store, &NewJob { id: fresh(), requester: "api:somebody-else".into(), ..first.clone() }).await;
    for _ in 0..2 {
        submit(store, &NewJob { id: fresh(), idempotency_key: None, ..first.clone() }).await;
    }
}

async fn tasks_that_submit_the_same_key_make_one_job(store: &dyn Store) {
    let asked = |_| NewJob { idempotency_key: Some("k".into()), ..job("quick", "demo") };
    let [a, b, c, d] = [0, 1, 2, 3].map(asked);
    let (a, b, c, d) =
        tokio::join!(hand_in(store, &a), hand_in(store, &b), hand_in(store, &c), hand_in(store, &d));
    let new = [a, b, c, d].into_iter().filter(|done| matches!(done, Submitted::New(_)));
    assert_eq!(new.count(), 1);
    assert_eq!(store.jobs(&JobFilter::default()).await.unwrap().len(), 1);
}

async fn the_highest_priority_goes_first_and_the_oldest_of_those(store: &dyn Store) {
    let mut ids = Vec::new();
    for (target, priority) in [("a", 0), ("b", 5), ("c", 5), ("d", -1)] {
        ids.push(submit(store, &NewJob { priority, ..job("quick", target) }).await);
        tokio::time::sleep(Duration::from_millis(3)).await;
    }
    let mut order = Vec::new();
    while let Some((job, _)) = claim(store, LONG).await {
        order.push(job.id);
    }
    assert_eq!(order, [1, 2, 0, 3].map(|place: usize| ids[place].clone()));
}

async fn one_run_at_a_time_against_a_target(store: &dyn Store) {
    submit(store, &job("quick", "a")).await;
    submit(store, &NewJob { priority: 9, ..job("comprehensive", "a") }).await;
    submit(store, &job("quick", "b")).await;
    let (first, lease) = taken(store).await;
    assert_eq!(first.name, "comprehensive");
    assert_eq!(taken(store).await.0.target, "b", "the other target is free");
    assert_eq!(claim(store, LONG).await, None);
    store.end_job(&lease, &end(JobState::Finished)).await.unwrap().expect("the lease holds");
    assert_eq!(taken(store).await.0.name, "quick");
}

async fn one_load_at_a_time(store: &dyn Store) {
    submit(store, &load("a")).await;
    submit(store, &load("b")).await;
    submit(store, &job("quick", "c")).await;
    let (first, lease) = taken(store).await;
    assert_eq!((first.kind, first.target.as_str()), (RunKind::Load, "a"));
    assert_eq!(taken(store).await.0.kind, RunKind::Accuracy);
    assert_eq!(claim(store, LONG).await, None, "one load is running");
    store.end_job(&lease, &end(JobState::Failed)).await.unwrap().expect("the lease holds");
    assert_eq!(taken(store).await.0.target, "b");
}

async fn tasks_that_claim_at_once_never_take_the_same_job(store: &dyn Store) {
    for n in 0..12 {
        let asked = if n % 3 == 0 { load(&format!("t{n}")) } else { job("quick", &format!("t{}", n / 2)) };
        submit(store, &asked).await;
    }
    let mut seen: Vec<Job> = Vec::new();
    for _ in 0..6 {
        let (a, b, c, d) =
            tokio::join!(claim(store, LONG), claim(store, LONG), claim(store, LONG), claim(store, LONG));
        seen.extend([a, b, c, d].into_iter().flatten().map(|(job, _)| job));
    }
    let loads = seen.iter().filter(|job| job.kind == RunKind::Load).count();
    assert_eq!(loads, 1);
    for pick in [|job: &Job| job.id.to_string(), |job: &Job| job.target.clone()] {
        let mut different: Vec<String> = seen.iter().map(pick).collect();
        different.sort();
        different.dedup();
        assert_eq!(different.len(), seen.len(), "{seen:?}");
    }
    let targets = 6;
    assert!(seen.len() >= targets - 1, "{} of {targets} targets are busy", seen.len());
}

async fn a_finished_job_says_what_came_out(store: &dyn Store) {
    let id = submit(store, &job("quick", "demo")).await;
    let (_, lease) = taken(store).await;
    let how = JobEnd {
        state: JobState::Finished,
        conclusion: Some(Conclusion::Inconclusive),
        message: Some("said".into()),
    };
    let ended = store.end_job(&lease, &how).await.unwrap().expect("the lease holds");
    assert_eq!((ended.state, ended.conclusion), (JobState::Finished, Some(Conclusion::Inconclusive)));
    assert_eq!((ended.message.as_deref(), ended.ended_at.is_some()), (Some("said"), true));
    assert_eq!(store.job(&id).await.unwrap(), ended);
}

async fn only_the_holder_says_how_a_job_ended(store: &dyn Store) {
    let id = submit(store, &job("quick", "demo")).await;
    let (_, lease) = taken(store).await;
    let forged = Lease { word: "guessed".into(), ..lease.clone() };
    assert_eq!(store.end_job(&forged, &end(JobState::Finished)).await.unwrap(), None);
    assert_eq!(store.renew_job(&forged, LONG).await.unwrap(), Renewed::Over);
    assert!(!store.hand_back_job(&forged).await.unwrap());
    assert_eq!(state(store, &id).await, JobState::Running);
    store.end_job(&lease, &end(JobState::Finished)).await.unwrap().expect("the lease holds");
    assert_eq!(store.end_job(&lease, &end(JobState::Failed)).await.unwrap(), None, "it is over");
    assert_eq!(store.renew_job(&lease, LONG).await.unwrap(), Renewed::Over);
    assert_eq!(state(store, &id).await, JobState::Finished);
}

async fn a_waiting_job_is_cancelled_at_once(store: &dyn Store) {
    let id = submit(store, &job("quick", "demo")).await;
    let cancelled = store.cancel_job(&id, "api:me").await.unwrap();
    assert_eq!((cancelled.state, cancelled.cancelled_by.as_deref()), (JobState::Cancelled, Some("api:me")));
    assert!(cancelled.ended_at.is_some());
    assert_eq!(claim(store, LONG).await, None);
    let unknown = store.cancel_job(&RunId::from_stored("nope"), "me").await.unwrap_err();
    assert_eq!(unknown.kind(), StoreErrorKind::NotFound);
}

async fn a_running_job_is_asked_to_stop(store: &dyn Store) {
    let id = submit(store, &job("quick", "demo")).await;
    let (_, lease) = taken(store).await;
    assert_eq!(store.renew_job(&lease, LONG).await.unwrap(), Renewed::Held);
    assert_eq!(store.cancel_job(&id, "first").await.unwrap().state, JobState::Running);
    let twice = store.cancel_job(&id, "second").await.unwrap();
    assert_eq!(twice.cancelled_by.as_deref(), Some("first"));
    assert_eq!(store.renew_job(&lease, LONG).await.unwrap(), Renewed::Cancelled);
    store.end_job(&lease, &end(JobState::Cancelled)).await.unwrap().expect("the lease holds");
    assert_eq!(state(store, &id).await, JobState::Cancelled);
}

async fn a_job_that_is_over_is_not_cancelled(store: &dyn Store) {
    let id = submit(store, &job("quick", "demo")).await;
    let (_, lease) = taken(store).await;
    store.end_job(&lease, &end(JobState::Finished)).await.unwrap();
    let after = store.cancel_job(&id, "late").await.unwrap();
    assert_eq!((after.state, after.cancelled_by), (JobState::Finished, None));
}

async fn a_job_that_is_handed_back_waits_again(store: &dyn Store) {
    let id = submit(store, &job("quick", "demo")).await;
    let (_, lease) = taken(store).await;
    assert!(store.hand_back_job(&lease).await.unwrap());
    assert_eq!(store.job(&id).await.unwrap().times_lost, 0);
    let (again, lease) = taken(store).await;
    assert_eq!((again.id.clone(), again.attempt), (id.clone(), 2));
    assert_ne!(again.run, Some(id.clone()), "a run that was begun before keeps its name");
    store.cancel_job(&id, "me").await.unwrap();
    assert!(store.hand_back_job(&lease).await.unwrap());
    assert_eq!(state(store, &id).await, JobState::Cancelled, "nobody wants it any more");
}

async fn a_lost_accuracy_run_is_queued_once(store: &dyn Store) {
    let id = submit(store, &job("quick", "demo")).await;
    let (_, first) = claim(store, SHORT).await.expect("a job waits");
    let lost = reaped(store).await;
    assert_eq!(lost.len(), 1);
    assert_eq!((lost[0].state, lost[0].times_lost), (JobState::Queued, 1));
    assert_eq!(lost[0].message.as_deref(), Some("the instance that ran it was lost"));
    let (again, _) = claim(store, SHORT).await.expect("it waits again");
    assert_eq!((again.id.clone(), again.attempt), (id.clone(), 2));
    // The first holder comes back: what it says changes nothing.
    assert_eq!(store.renew_job(&first, LONG).await.unwrap(), Renewed::Over);
    assert_eq!(store.end_job(&first, &end(JobState::Finished)).await.unwrap(), None);
    assert_eq!(state(store, &id).await, JobState::Running);

    let lost = reaped(store).await;
    assert_eq!((lost[0].state, lost[0].times_lost), (JobState::Lost, 2));
    assert!(lost[0].ended_at.is_some());
    assert_eq!(claim(store, LONG).await, None);
    assert_eq!(reaped(store).await, []);
}

async fn a_lost_load_is_not_queued_again(store: &dyn Store) {
    submit(store, &load("demo")).await;
    claim(store, SHORT).await.expect("a job waits");
    assert_eq!(reaped(store).await[0].state, JobState::Lost);
    assert_eq!(claim(store, LONG).await, None);
}

async fn a_lost_job_that_was_cancelled_stays_cancelled(store: &dyn Store) {
    let id = submit(store, &job("quick", "demo")).await;
    claim(store, SHORT).await.expect("a job waits");
    store.cancel_job(&id, "me").await.unwrap();
    assert_eq!(reaped(store).await[0].state, JobState::Cancelled);
    assert_eq!(claim(store, LONG).await, None);
}

async fn a_lost_job_whose_run_is_kept_has_finished(store: &dyn Store) {
    let record = record_at(0);
    submit(store, &NewJob { id: record.id.clone(), ..job("quick", "demo") }).await;
    claim(store, SHORT).await.expect("a job waits");
    store.save(&record).await.unwrap();
    let ended = reaped(store).await;
    assert_eq!((ended.len(), ended[0].state, ended[0].times_lost), (1, JobState::Finished, 0));
    assert_eq!(ended[0].conclusion, Some(record.verdict.conclusion));
    assert_eq!(store.job(&record.id).await.unwrap(), ended[0]);
}

async fn a_lease_that_is_renewed_is_not_lost(store: &dyn Store) {
    submit(store, &job("quick", "demo")).await;
    let (_, lease) = claim(store, SHORT).await.expect("a job waits");
    assert_eq!(store.renew_job(&lease, LONG).await.unwrap(), Renewed::Held);
    assert_eq!(reaped(store).await, []);
    // A lease that ran out and that nobody took holds on.
    assert_eq!(store.renew_job(&lease, SHORT).await.unwrap(), Renewed::Held);
    tokio::time::sleep(Duration::from_millis(20)).await;
    assert_eq!(store.renew_job(&lease, LONG).await.unwrap(), Renewed::Held);
    assert_eq!(reaped(store).await, []);
}

async fn jobs_are_listed_newest_first_filtered_and_page_by_page(store: &dyn Store) {
    let mut ids = Vec::new();
    for n in 0..7 {
        let asked = NewJob {
            requester: format!("api:{}", n % 2),
            ..job(if n < 3 { "quick" } else { "comprehensive" }, &format!("t{}", n % 3))
        };
        ids.insert(0, submit(store, &asked).await);
        tokio::time::sleep(Duration::from_millis(3)).await;
    }
    store.cancel_job(&ids[0], "me").await.unwrap();
    let names = |jobs: Vec<Job>| jobs.into_iter().map(|job| job.id).collect::<Vec<_>>();
    let all = JobFilter::default();
    assert_eq!(names(store.jobs(&all).await.unwrap()), ids);
    let quick = JobFilter { name: Some("quick".into()), ..all.clone() };
    assert_eq!(names(store.jobs(&quick).await.unwrap()), ids[4..]);
    let loads = JobFilter { kind: Some(RunKind::Load), ..all.clone() };
    assert_eq!(names(store.jobs(&loads).await.unwrap()), []);
    let suites = JobFilter { kind: Some(RunKind::Accuracy), ..quick.clone() };
    assert_eq!(names(store.jobs(&suites).await.unwrap()), ids[4..]);
    let target = JobFilter { target: Some("t0".into()), ..all.clone() };
    assert_eq!(names(store.jobs(&target).await.unwrap()), [0, 3, 6].map(|n: usize| ids[n].clone()));
    let requester = JobFilter { requester: Some("api:1".into()), ..all.clone() };
    assert_eq!(names(store.jobs(&requester).await.unwrap()), [1, 3, 5].map(|n: usize| ids[n].clone()));
    let states = JobFilter { states: vec![JobState::Cancelled, JobState::Lost], ..all.clone() };
    assert_eq!(names(store.jobs(&states).await.unwrap()), ids[..1]);

    let mut seen = Vec::new();
    let mut page = JobFilter { limit: Some(3), ..all };
    loop {
        let jobs = store.jobs(&page).await.unwrap();
        let Some(last) = jobs.last() else { break };
        page.after = Some((last.submitted_at, last.id.clone()));
        seen.extend(names(jobs));
    }
    assert_eq!(seen, ids);
}

async fn jobs_that_are_not_over_are_counted(store: &dyn Store) {
    assert_eq!(store.count_jobs().await.unwrap(), JobCounts::default());
    for target in ["a", "b", "c", "d"] {
        submit(store, &job("quick", target)).await;
    }
    taken(store).await;
    let (_, lease) = taken(store).await;
    store.end_job(&lease, &end(JobState::Finished)).await.unwrap().expect("the lease holds");
    assert_eq!(store.count_jobs().await.unwrap(), JobCounts { queued: 2, running: 1 });
}

async fn a_full_queue_takes_no_more_and_knows_what_it_has(store: &dyn Store) {
    let keyed = NewJob { idempotency_key: Some("k".into()), ..job("quick", "a") };
    let first = submit(store, &keyed).await;
    submit(store, &job("quick", "b")).await;
    assert_eq!(store.submit_job(&job("quick", "c"), 2).await.unwrap(), None);
    let keyed_anew = NewJob { idempotency_key: Some("new".into()), ..job("quick", "c") };
    assert_eq!(store.submit_job(&keyed_anew, 2).await.unwrap(), None);
    match store.submit_job(&NewJob { id: fresh(), ..keyed }, 2).await.unwrap() {
        Some(Submitted::Known(known)) => assert_eq!(known.id, first),
        other => panic!("{other:?}"),
    }
    assert_eq!(store.jobs(&JobFilter::default()).await.unwrap().len(), 2);
    // One that runs does not wait.
    taken(store).await;
    assert!(matches!(store.submit_job(&job("quick", "c"), 2).await.unwrap(), Some(Submitted::New(_))));
}

async fn settled(store: &dyn Store, run: &RunId) -> Vec<Job> {
    store.settle_jobs(std::slice::from_ref(run)).await.expect("the queue answers")
}

async fn a_lost_job_whose_record_comes_late_has_finished(store: &dyn Store) {
    let record = record_at(0);
    submit(store, &NewJob { id: record.id.clone(), ..load("demo") }).await;
    claim(store, SHORT).await.expect("a job waits");
    let lost = reaped(store).await;
    assert_eq!(lost[0].state, JobState::Lost);
    tokio::time::sleep(Duration::from_millis(5)).await;
    store.save(&record).await.unwrap();
    let ended = store.settle_jobs(&[fresh(), record.id.clone()]).await.unwrap();
    assert_eq!((ended.len(), ended[0].state), (1, JobState::Finished));
    assert_eq!((ended[0].conclusion, &ended[0].message), (Some(record.verdict.conclusion), &None));
    assert!(ended[0].ended_at > lost[0].ended_at, "what is said of it now is news");
    assert_eq!(store.job(&record.id).await.unwrap(), ended[0]);
    assert_eq!(settled(store, &record.id).await, [], "it is over");
}

async fn a_job_that_waits_again_is_not_run_again_once_its_record_is_there(store: &dyn Store) {
    let record = record_at(0);
    submit(store, &NewJob { id: record.id.clone(), ..job("quick", "demo") }).await;
    claim(store, SHORT).await.expect("a job waits");
    assert_eq!(reaped(store).await[0].state, JobState::Queued);
    store.save(&record).await.unwrap();
    assert_eq!(settled(store, &record.id).await[0].state, JobState::Finished);
    assert_eq!(claim(store, LONG).await, None);
}

async fn a_record_that_waits_is_the_end_of_its_job(store: &dyn Store) {
    let record = record_at(0);
    let id = submit(store, &NewJob { id: record.id.clone(), ..job("quick", "demo") }).await;
    claim(store, SHORT).await.expect("a job waits");
    tokio::time::sleep(Duration::from_millis(20)).await;
    let ended = settled(store, &id).await;
    assert_eq!((ended.len(), ended[0].state, ended[0].conclusion), (1, JobState::Finished, None));
    assert_eq!(ended[0].message.as_deref(), Some(SPOOLED));
    assert_eq!(settled(store, &id).await, [], "nothing is new");
    assert_eq!(reaped(store).await, []);
    store.save(&record).await.unwrap();
    let ended = settled(store, &id).await;
    assert_eq!((ended[0].conclusion, &ended[0].message), (Some(record.verdict.conclusion), &None));
}

async fn a_job_that_is_held_is_left_to_its_holder(store: &dyn Store) {
    let record = record_at(0);
    let id = submit(store, &NewJob { id: record.id.clone(), ..job("quick", "demo") }).await;
    let (_, lease) = taken(store).await;
    store.save(&record).await.unwrap();
    assert_eq!(settled(store, &id).await, []);
    // So is one whose lost run comes late while it is run again.
    store.hand_back_job(&lease).await.unwrap();
    let (again, _) = taken(store).await;
    assert_ne!(again.run, Some(id.clone()));
    assert_eq!(settled(store, &id).await, []);
}

async fn jobs_that_were_over_long_ago_are_deleted(store: &dyn Store) {
    let keyed = NewJob { idempotency_key: Some("k".into()), ..job("quick", "a") };
    let over = submit(store, &keyed).await;
    let (_, lease) = taken(store).await;
    store.end_job(&lease, &end(JobState::Finished)).await.unwrap().expect("the lease holds");
    let running = submit(store, &job("quick", "a")).await;
    taken(store).await;
    let waiting = submit(store, &job("quick", "a")).await;
    let (before, after) = (Utc::now() - Duration::from_hours(1), Utc::now() + Duration::from_hours(1));
    for (until, count) in [(before, 0), (after, 1)] {
        assert_eq!(store.prune_jobs(until, true).await.unwrap(), count);
        assert_eq!(store.job(&over).await.unwrap().state, JobState::Finished, "a dry run deletes nothing");
        assert_eq!(store.prune_jobs(until, false).await.unwrap(), count);
    }
    assert_eq!(store.job(&over).await.unwrap_err().kind(), StoreErrorKind::NotFound);
    assert_eq!(state(store, &running).await, JobState::Running);
    assert_eq!(state(store, &waiting).await, JobState::Queued);
    submit(store, &NewJob { id: fresh(), ..keyed }).await;
}

async fn a_job_whose_waiting_record_is_damaged_has_failed(store: &dyn Store) {
    let why = "the record is damaged";
    let ended = async |state: JobState, message: Option<String>| {
        let id = submit(store, &job("quick", "a")).await;
        let (_, lease) = taken(store).await;
        let end = JobEnd { state, conclusion: Some(Conclusion::Passed), message };
        store.end_job(&lease, &end).await.unwrap().expect("the lease holds");
        id
    };
    let waits = || Some(format!("{SPOOLED}: the database is away"));
    let spooled = ended(JobState::Finished, waits()).await;
    let failed = store.fail_job(&spooled, why).await.unwrap().expect("its record waited");
    assert_eq!(
        (failed.state, failed.conclusion, failed.message.as_deref()),
        (JobState::Failed, None, Some(why))
    );
    assert_eq!(store.job(&spooled).await.unwrap(), failed);
    assert_eq!(store.fail_job(&spooled, why).await.unwrap(), None, "that is said once");
    // What somebody stopped stays stopped, and no longer says that a record waits.
    let stopped = ended(JobState::Cancelled, waits()).await;
    let told = store.fail_job(&stopped, why).await.unwrap().expect("its record waited");
    assert_eq!((told.state, told.message.as_deref()), (JobState::Cancelled, Some(why)));
    // Nothing is wrong with one whose record never waited, or is kept by now.
    let kept = ended(JobState::Finished, None).await;
    assert_eq!(store.fail_job(&kept, why).await.unwrap(), None);
    let late = ended(JobState::Finished, waits()).await;
    store.save(&thrash::domain::RunRecord { id: late.clone(), ..record_at(0) }).await.unwrap();
    assert_eq!(store.fail_job(&late, why).await.unwrap(), None);
    let running = submit(store, &job("quick", "a")).await;
    taken(store).await;
    assert_eq!(store.fail_job(&running, why).await.unwrap(), None);
    assert_eq!(state(store, &running).await, JobState::Running);
}

async fn entered(store: &dyn Store, job: &NewJob, lease: Duration) -> Lease {
    let own = Lease::new(&job.id);
    store.enter_job(job, "there", &own, lease).await.expect("it is taken in");
    own
}

async fn begun(store: &dyn Store, lease: &Lease) -> bool {
    store.begin_load(lease, LONG).await.expect("the queue answers").is_some()
}

async fn a_suite_that_is_typed_runs_at_once_beside_others(store: &dyn Store) {
    submit(store, &job("quick", "demo")).await;
    taken(store).await;
    let asked = NewJob { requester: "cli:ada".into(), ..job("quick", "demo") };
    let lease = entered(store, &asked, LONG).await;
    let other = entered(store, &NewJob { id: fresh(), ..asked.clone() }, LONG).await;
    let runs = store.job(&asked.id).await.unwrap();
    assert_eq!((runs.state, runs.attempt, runs.typed), (JobState::Running, 1, true));
    assert_eq!((runs.run, runs.instance.as_deref()), (Some(asked.id.clone()), Some("there")));
    assert!(runs.started_at.is_some());
    assert_eq!(store.renew_job(&lease, LONG).await.unwrap(), Renewed::Held);
    // Nor do those of services wait for it.
    let next = submit(store, &job("quick", "b")).await;
    entered(store, &job("quick", "b"), LONG).await;
    assert_eq!(taken(store).await.0.id, next);
    assert_eq!(store.cancel_job(&asked.id, "api:me").await.unwrap().state, JobState::Running);
    assert_eq!(store.renew_job(&lease, LONG).await.unwrap(), Renewed::Cancelled);
    store.end_job(&lease, &end(JobState::Cancelled)).await.unwrap().expect("the lease holds");
    store.end_job(&other, &end(JobState::Finished)).await.unwrap().expect("the lease holds");
    let typed = JobFilter { typed: Some(true), ..JobFilter::default() };
    assert_eq!(store.jobs(&typed).await.unwrap().len(), 3);
    assert_eq!(store.jobs(&JobFilter { typed: Some(false), ..typed }).await.unwrap().len(), 2);
}

async fn a_load_that_is_typed_waits_and_goes_first(store: &dyn Store) {
    submit(store, &load("a")).await;
    let (_, running) = taken(store).await;
    submit(store, &NewJob { priority: 100, ..load("b") }).await;
    let asked = load("c");
    let lease = entered(store, &asked, LONG).await;
    assert_eq!(state(store, &asked.id).await, JobState::Queued);
    assert!(!begun(store, &lease).await, "another one runs");
    assert_eq!(store.renew_job(&lease, LONG).await.unwrap(), Renewed::Held);
    store.end_job(&running, &end(JobState::Finished)).await.unwrap().expect("the lease holds");
    assert_eq!(claim(store, LONG).await, None, "somebody waits for this one");
    assert!(begun(store, &lease).await);
    let runs = store.job(&asked.id).await.unwrap();
    assert!(begun(store, &lease).await, "it has: the answer may have been lost");
    assert_eq!(store.job(&asked.id).await.unwrap(), runs);
    assert!(!begun(store, &Lease::new(&asked.id)).await, "by another lease");
    assert_eq!((runs.state, runs.attempt, runs.run), (JobState::Running, 1, Some(asked.id.clone())));
    assert_eq!(claim(store, LONG).await, None, "one load at a time");
    store.end_job(&lease, &end(JobState::Finished)).await.unwrap().expect("the lease holds");
    assert_eq!(taken(store).await.0.target, "b");
    // One that is told to stop while it waits is gone.
    let gone = load("d");
    let lease = entered(store, &gone, LONG).await;
    assert_eq!(store.cancel_job(&gone.id, "me").await.unwrap().state, JobState::Cancelled);
    assert!(!begun(store, &lease).await);
    assert_eq!(store.renew_job(&lease, LONG).await.unwrap(), Renewed::Over);
}

async fn loads_that_are_typed_have_their_turns_in_order(store: &dyn Store) {
    let mut leases = Vec::new();
    for _ in 0..3 {
        leases.push(entered(store, &load("a"), LONG).await);
        tokio::time::sleep(Duration::from_millis(3)).await;
    }
    let (a, b, c) =
        tokio::join!(begun(store, &leases[2]), begun(store, &leases[1]), begun(store, &leases[0]));
    assert_eq!((a, b, c), (false, false, true));
    store.end_job(&leases[0], &end(JobState::Finished)).await.unwrap().expect("the lease holds");
    assert!(!begun(store, &leases[2]).await);
    // Of one that is dead nobody waits for the turn.
    assert_eq!(store.renew_job(&leases[1], SHORT).await.unwrap(), Renewed::Held);
    tokio::time::sleep(Duration::from_millis(20)).await;
    assert!(begun(store, &leases[2]).await);
}

async fn a_typed_job_that_is_lost_is_run_by_nobody(store: &dyn Store) {
    let (runs, waits) = (job("quick", "a"), load("b"));
    let lease = entered(store, &runs, SHORT).await;
    entered(store, &waits, SHORT).await;
    let lost = reaped(store).await;
    assert_eq!(lost.len(), 2);
    for job in &lost {
        assert_eq!((job.state, job.typed, job.ended_at.is_some()), (JobState::Lost, true, true), "{job:?}");
    }
    assert_eq!(claim(store, LONG).await, None);
    assert_eq!(store.renew_job(&lease, LONG).await.unwrap(), Renewed::Over);
    assert_eq!(store.end_job(&lease, &end(JobState::Finished)).await.unwrap(), None);
    // It went on all the same, and its record comes.
    let record = record_at(0);
    entered(store, &NewJob { id: record.id.clone(), ..job("quick", "a") }, SHORT).await;
    assert_eq!(reaped(store).await[0].state, JobState::Lost);
    store.save(&record).await.unwrap();
    assert_eq!(settled(store, &record.id).await[0].state, JobState::Finished);
}

async fn what_a_service_looks_after_is_left_to_it(store: &dyn Store) {
    let (suite, load_of_it) = (submit(store, &job("quick", "a")).await, submit(store, &load("b")).await);
    claim(store, SHORT).await.expect("a job waits");
    claim(store, SHORT).await.expect("a job waits");
    let own = job("quick", "c");
    entered(store, &own, SHORT).await;
    tokio::time::sleep(Duration::from_millis(20)).await;
    let lost = store.reap_jobs(Reap::Typed).await.unwrap();
    assert_eq!(lost.into_iter().map(|job| job.id).collect::<Vec<_>>(), [own.id]);
    assert_eq!(store.reap_jobs(Reap::Abandoned(LONG)).await.unwrap(), [], "a service may come back");
    assert_eq!(state(store, &suite).await, JobState::Running);
    assert_eq!(state(store, &load_of_it).await, JobState::Running);
    assert_eq!(reaped(store).await.len(), 2, "a service takes them");
    assert_eq!(reaped(store).await, [], "once");
}

async fn a_load_that_no_service_looks_after_is_waited_for_no_longer_and_told_of(store: &dyn Store) {
    let id = submit(store, &load("b")).await;
    claim(store, SHORT).await.expect("a job waits");
    let own = entered(store, &load("c"), LONG).await;
    assert!(!begun(store, &own).await);
    tokio::time::sleep(Duration::from_millis(20)).await;
    let lost = store.reap_jobs(Reap::Abandoned(SHORT)).await.unwrap();
    assert_eq!(lost.iter().map(|job| (&job.id, job.state)).collect::<Vec<_>>(), [(&id, JobState::Lost)]);
    assert!(begun(store, &own).await);
    assert_eq!(reaped(store).await, lost, "a service tells of it");
    assert_eq!(reaped(store).await, [], "once");
}

async fn a_job_is_entered_once_by_its_lease(store: &dyn Store) {
    let (asked, own) = (load("a"), Lease::new(&fresh()));
    let own = Lease { job: asked.id.clone(), ..own };
    for _ in 0..2 {
        store.enter_job(&asked, "there", &own, LONG).await.unwrap();
        assert_eq!(store.renew_job(&own, LONG).await.unwrap(), Renewed::Held);
    }
    let other = Lease::new(&asked.id);
    store.enter_job(&asked, "there", &other, LONG).await.unwrap();
    assert_eq!(store.renew_job(&other, LONG).await.unwrap(), Renewed::Over, "it is the first one's");
    assert_eq!(store.jobs(&JobFilter::default()).await.unwrap().len(), 1);
}

async fn typed_jobs_that_were_over_long_ago_are_forgotten(store: &dyn Store) {
    let (asked, other) = (job("quick", "a"), submit(store, &job("quick", "a")).await);
    let own = entered(store, &asked, LONG).await;
    store.cancel_job(&other, "me").await.unwrap();
    let later = || Utc::now() + chrono::TimeDelta::hours(1);
    assert_eq!(store.forget_typed_jobs(later()).await.unwrap(), 0, "it runs");
    store.end_job(&own, &end(JobState::Finished)).await.unwrap().expect("the lease holds");
    assert_eq!(store.forget_typed_jobs(Utc::now() - chrono::TimeDelta::hours(1)).await.unwrap(), 0);
    assert_eq!(store.forget_typed_jobs(later()).await.unwrap(), 1);
    assert_eq!(store.jobs(&JobFilter::default()).await.unwrap()[0].id, other, "a service's stays");
}

async fn what_is_typed_fills_no_queue(store: &dyn Store) {
    for _ in 0..3 {
        entered(store, &load("a"), LONG).await;
    }
    assert!(matches!(store.submit_job(&job("quick", "b"), 1).await.unwrap(), Some(Submitted::New(_))));
    assert_eq!(store.submit_job(&job("quick", "b"), 1).await.unwrap(), None);
}

/// How programs that knew nothing of typed jobs took the next job, and queued a lost one again, in short.
fn old_statements(jobs: &str) -> String {
    format!(
        "UPDATE {jobs} SET state = 'running', attempt = attempt + 1, instance = 'old', lease = 'old', run_id = id
            WHERE id = (SELECT id FROM {jobs} WHERE state = 'queued' ORDER BY submitted_at LIMIT 1);
         UPDATE {jobs} SET lease = NULL, lease_until = NULL, times_lost = 1, state = 'queued'
            WHERE state = 'running' AND instance = 'there'"
    )
}

async fn neither_is_done_to_typed_jobs(store: &dyn Store, old: impl AsyncFnOnce()) {
    let (waits, runs) = (load("a"), job("quick", "a"));
    let (first, second) = (entered(store, &waits, LONG).await, entered(store, &runs, LONG).await);
    old().await;
    for (job, state, attempt) in [(&waits.id, JobState::Queued, 0), (&runs.id, JobState::Running, 1)] {
        let found = store.job(job).await.unwrap();
        assert_eq!((found.state, found.attempt, found.instance.as_deref()), (state, attempt, Some("there")));
    }
    assert_eq!(store.renew_job(&second, LONG).await.unwrap(), Renewed::Held);
    assert!(begun(store, &first).await);
    store.end_job(&first, &end(JobState::Finished)).await.unwrap().expect("the lease holds");
}

#[tokio::test]
async fn a_program_that_knows_no_typed_jobs_does_not_take_them_from_sqlite() {
    use sqlx::{ConnectOptions, Executor};
    let place = SqlitePlace::fresh().await;
    let store = place.open().await;
    let mut connection =
        sqlx::sqlite::SqliteConnectOptions::new().filename(place.file()).connect().await.unwrap();
    let old = async || {
        connection.execute(sqlx::raw_sql(sqlx::AssertSqlSafe(old_statements("jobs")))).await.unwrap();
    };
    neither_is_done_to_typed_jobs(&*store, old).await;
    let id = submit(&*store, &job("quick", "b")).await;
    connection.execute(sqlx::raw_sql(sqlx::AssertSqlSafe(old_statements("jobs")))).await.unwrap();
    assert_eq!(store.job(&id).await.unwrap().instance.as_deref(), Some("old"));
}

#[tokio::test]
async fn a_program_that_knows_no_typed_jobs_does_not_take_them_from_postgres() {
    let place = PostgresPlace::fresh().await;
    let store = place.open().await;
    neither_is_done_to_typed_jobs(&*store, async || place.run(old_statements("ash_thrash.jobs")).await).await;
    let id = submit(&*store, &job("quick", "b")).await;
    place.run(old_statements("ash_thrash.jobs")).await;
    assert_eq!(store.job(&id).await.unwrap().instance.as_deref(), Some("old"));
}

#[test]
fn a_second_service_on_a_sqlite_file_is_told_who_holds_it() {
    let folder = tempfile::tempdir().unwrap();
    let location = StoreLocation::Sqlite(folder.path().join("new").join("runs.db"));
    let first = InstanceLock::take(&location, "process 1 on a").unwrap();
    let error = InstanceLock::take(&location, "process 2 on b").unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Busy);
    assert!(error.to_string().ends_with("runs.db`: process 1 on a"), "{error}");
    drop(first);
    InstanceLock::take(&location, "p2").unwrap();
    let held = InstanceLock::take(&location, "process 3").unwrap();
    assert!(InstanceLock::take(&location, "x").unwrap_err().to_string().ends_with(": process 3"), "no rests");
    drop(held);
    let postgres = StoreLocation::parse("postgres://a@localhost/b").unwrap();
    let _several = [InstanceLock::take(&postgres, "a").unwrap(), InstanceLock::take(&postgres, "b").unwrap()];
}
