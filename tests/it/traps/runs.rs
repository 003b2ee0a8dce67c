//! Whole runs that do not go to plan.

use std::time::{Duration, Instant};

use thrash::demo::{Behaviour, Demo, DemoOptions};
use thrash::domain::{Conclusion, Level, LevelSet, NoAnswerReason, RunEvent, RunStatus};
use thrash::run::{AccuracyRun, RunControl};
use thrash::target::preset;
use tokio::sync::mpsc;

use super::scripted::{calm, connect, options, phrases, run, run_options, suite, target, target_with};
use crate::support::server::{Reply, Server};

#[tokio::test]
async fn a_target_that_dies_ends_the_run_early_and_keeps_what_was_seen() {
    let behaviour = Behaviour { die_after: Some(30), ..Behaviour::default() };
    let demo = Demo::start(DemoOptions { behaviour, ..DemoOptions::default() }).unwrap();
    let target = connect(preset("demo").unwrap().with_base_url(&demo.url()).unwrap(), options());
    let start = Instant::now();
    let (record, told) = run(target, phrases(200), run_options(8)).await;
    assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
    assert_eq!((record.status, record.verdict.conclusion), (RunStatus::Aborted, Conclusion::TargetFailed));
    let answered = record.results.iter().filter(|result| result.level.is_some()).count();
    assert!((20..=30).contains(&answered), "{answered}");
    assert!(record.integrity.not_sent > 100);
    assert_eq!(record.integrity.not_sent + record.metrics.phrases, 200);
    assert!(told.iter().any(|event| matches!(event, RunEvent::GivenUp { .. })));
}

#[tokio::test]
async fn a_target_that_falls_silent_ends_the_run() {
    let server = Server::start(|seen| if seen.number < 10 { calm() } else { Reply::silence() });
    let target = target_with(&server, "connection: {timeout: 100ms}");
    let (record, _) = run(target, phrases(100), run_options(8)).await;
    assert_eq!(record.status, RunStatus::Aborted);
    assert_eq!(record.integrity.no_answer.keys().copied().collect::<Vec<_>>(), [NoAnswerReason::Timeout]);
    assert!(server.requests().len() < 30);
}

#[tokio::test]
async fn failures_with_answers_between_them_do_not_end_the_run() {
    let server =
        Server::start(|seen| if seen.number % 5 == 0 { calm() } else { Reply::answer(500, &[], "") });
    let mut run_options = run_options(5);
    run_options.concurrency = 1;
    let (record, _) = run(target(&server), phrases(50), run_options).await;
    assert_eq!(record.status, RunStatus::Completed);
    assert_eq!(record.verdict.conclusion, Conclusion::TargetFailed, "40 of 50 are above the budget");
    assert_eq!((record.metrics.verdicts.unanswered, record.integrity.not_sent), (40, 0));
}

#[tokio::test]
async fn an_unanswered_phrase_is_wrong_whatever_was_expected_of_it() {
    let server = Server::start(|_| Reply::answer(500, &[], ""));
    let mut some = phrases(4);
    for (phrase, level) in some.iter_mut().zip(Level::ALL) {
        phrase.expected = LevelSet::only(level);
    }
    let (record, _) = run(target(&server), some, run_options(20)).await;
    assert_eq!((record.metrics.accuracy.count, record.metrics.accuracy.of), (0, 4));
}

/// Starts a run, stops it when the server has seen enough, and waits for it.
async fn stopped(
    server: &Server,
    more: &str,
    stop: impl Fn(&RunControl),
    when: usize,
) -> thrash::domain::RunRecord {
    let (events, _received) = mpsc::channel(1000);
    let control = RunControl::default();
    let target = target_with(server, more);
    let run = AccuracyRun {
        suite: suite(phrases(100)),
        variants: Vec::new(),
        target,
        options: run_options(20),
        reference: None,
        version: None,
    };
    let running = run.execute(control.clone(), events);
    let stopping = async {
        while server.requests().len() < when {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        stop(&control);
    };
    tokio::join!(running, stopping).0.conclude(None)
}

#[tokio::test]
async fn a_drained_run_keeps_every_answer_that_was_on_its_way() {
    let server = Server::start(|_| calm().after(Duration::from_millis(50)));
    let record = stopped(&server, "", RunControl::drain, 10).await;
    assert_eq!((record.status, record.verdict.conclusion), (RunStatus::Interrupted, Conclusion::Interrupted));
    assert_eq!(record.results.len(), server.requests().len());
    assert_eq!(record.metrics.verdicts.unanswered, 0);
    assert!(record.results.len() < 60);
}

#[tokio::test]
async fn an_aborted_run_waits_for_nothing() {
    let server =
        Server::start(|seen| if seen.number < 8 { calm() } else { calm().after(Duration::from_mins(1)) });
    let start = Instant::now();
    let record = stopped(&server, "connection: {timeout: 60s}", RunControl::abort, 12).await;
    assert!(start.elapsed() < Duration::from_secs(20));
    assert_eq!((record.status, record.results.len()), (RunStatus::Interrupted, 8));
}

#[tokio::test]
async fn a_drained_run_does_not_call_a_phrase_unanswered_that_still_had_attempts() {
    let server =
        Server::start(
            |seen| if seen.number < 4 { calm() } else { Reply::answer(503, &[("retry-after", "5")], "") },
        );
    let record = stopped(&server, "", RunControl::drain, 8).await;
    assert_eq!(record.status, RunStatus::Interrupted);
    assert_eq!((record.results.len(), record.metrics.verdicts.unanswered), (4, 0));
    assert_eq!(record.integrity.not_sent, 96);
}

#[tokio::test]
async fn the_look_at_the_cache_holds_no_stopped_run_up() {
    let server =
        Server::start(
            |seen| {
                if is_look(seen) { Reply::silence() } else { calm().after(Duration::from_millis(20)) }
            },
        );
    let start = Instant::now();
    let more = "cache: {answer_id: body.id}\nconnection: {timeout: 60s}";
    let record = stopped(&server, more, RunControl::drain, 20).await;
    assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
    assert_eq!((record.status, record.integrity.target_caches), (RunStatus::Interrupted, None));
    assert!((10..100).contains(&record.results.len()), "answers on their way are waited for");
}

fn is_look(seen: &crate::support::server::Seen) -> bool {
    seen.json()["id"] == "thrash-look"
}

/// The look takes two answers' time; a run of one phrase after another would be as much longer if it came first.
#[tokio::test]
async fn the_look_at_the_cache_goes_on_beside_the_run_and_within_its_limits() {
    let server = Server::start(|seen| {
        let reply = Reply::json(200, &serde_json::json!({"level": "none", "id": seen.number}));
        reply.after(Duration::from_millis(if is_look(seen) { 300 } else { 50 }))
    });
    let target = target_with(&server, "cache: {answer_id: body.id}\nlimits: {concurrency: 2}");
    let (record, _) = run(target, phrases(12), run_options(12)).await;
    assert_eq!((record.integrity.target_caches, record.results.len()), (Some(false), 12));
    assert!(server.most_in_flight() <= 2);
    let requests = server.requests();
    let second = requests.iter().rposition(is_look).expect("the second look");
    assert!(requests[..second].iter().filter(|seen| !is_look(seen)).count() >= 3, "the run had to wait");
}

/// A refusal in the rush of a run is not the last word: the look waits it out, as every phrase does.
#[tokio::test]
async fn the_look_at_the_cache_is_patient_and_sees_its_own_answers_alone() {
    let looks = std::sync::atomic::AtomicUsize::new(0);
    let server = Server::start(move |seen| {
        let look = is_look(seen).then(|| looks.fetch_add(1, std::sync::atomic::Ordering::SeqCst));
        match look {
            Some(0 | 2) => Reply::answer(429, &[("retry-after", "0")], ""),
            // Each look has the id of some phrase, and never that of the other look.
            Some(number) => Reply::json(200, &serde_json::json!({"level": "none", "id": number})),
            None => Reply::json(200, &serde_json::json!({"level": "none", "id": seen.number})),
        }
    });
    let target = target_with(&server, "cache: {answer_id: body.id}");
    let (record, _) = run(target, phrases(12), run_options(12)).await;
    assert_eq!((record.integrity.target_caches, record.integrity.cached), (Some(false), 0));
    assert_eq!(server.requests().iter().filter(|seen| is_look(seen)).count(), 4);
}

#[tokio::test]
async fn nobody_who_listens_slowly_costs_an_observation() {
    let server = Server::start(|_| calm());
    let (events, received) = mpsc::channel(1);
    let run = AccuracyRun {
        variants: Vec::new(),
        suite: suite(phrases(50)),
        target: target(&server),
        options: run_options(20),
        reference: None,
        version: None,
    };
    let record = run.execute(RunControl::default(), events).await.conclude(None);
    drop(received);
    assert_eq!((record.status, record.results.len()), (RunStatus::Completed, 50));
}

#[tokio::test]
async fn a_repeat_sends_every_phrase_again_in_another_order() {
    let server = Server::start(|_| calm());
    let mut run_options = run_options(20);
    (run_options.repeat, run_options.concurrency) = (3, 1);
    let (record, _) = run(target(&server), phrases(20), run_options).await;
    let ids: Vec<String> = server.requests().iter().map(|seen| seen.json()["id"].to_string()).collect();
    assert_eq!(ids.len(), 60);
    assert_ne!(ids[..20], ids[20..40]);
    for pass in ids.chunks(20) {
        let mut pass = pass.to_vec();
        pass.sort();
        pass.dedup();
        assert_eq!(pass.len(), 20);
    }
    for result in &record.results {
        assert_eq!(result.observations.iter().map(|seen| seen.repeat).collect::<Vec<_>>(), [0, 1, 2]);
    }
}
