//! Runs that send phrases more than once.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Duration;

use serde_json::json;
use thrash::demo::{Behaviour, Demo, DemoOptions};
use thrash::domain::{
    CheckOutcome, Conclusion, Level, LevelSet, NoAnswerReason, Phrase, RunEvent, RunRecord, RunStatus,
    Tolerance,
};
use thrash::run::{AccuracyRun, RunControl, RunOptions};
use thrash::target::preset;
use tokio::sync::mpsc;

use super::scripted::{calm, connect, level, options, phrases, run, run_options, suite, target, target_with};
use crate::support::server::{Reply, Server};

/// A server that says of each phrase what the script says of its id and of how often it was asked before.
fn by_turn(script: impl Fn(&str, usize) -> Reply + Send + Sync + 'static) -> Server {
    let asked: Mutex<HashMap<String, usize>> = Mutex::default();
    Server::start(move |seen| {
        let id = seen.json()["id"].as_str().expect("an id").to_owned();
        let mut asked = asked.lock().expect("nobody has panicked in there");
        let turn = asked.entry(id.clone()).or_default();
        *turn += 1;
        script(&id, *turn - 1)
    })
}

fn repeated(phrases: usize, repeat: u32, repeat_doubtful: Option<u32>) -> RunOptions {
    RunOptions { repeat, repeat_doubtful, ..run_options(phrases) }
}

/// How often each phrase was sent, in the suite's order.
fn sendings(record: &RunRecord) -> Vec<usize> {
    record.results.iter().map(|result| result.observations.len()).collect()
}

#[tokio::test]
async fn a_phrase_that_was_sent_once_has_no_report() {
    let server = Server::start(|_| calm());
    let (record, _) = run(target(&server), phrases(5), repeated(5, 1, None)).await;
    assert_eq!(record.repeats, None);
    // Nor is there one where every answer was right and none was near an edge.
    let (record, told) = run(target(&server), phrases(5), repeated(5, 1, Some(4))).await;
    assert_eq!((record.repeats, record.status), (None, RunStatus::Completed));
    assert!(!told.iter().any(|event| matches!(event, RunEvent::Extended { .. })));
}

#[tokio::test]
async fn flips_are_counted_and_flaky_phrases_are_listed_with_their_answers() {
    let server = by_turn(|id, turn| match (id, turn) {
        ("p1", 2) | ("p3", 0) => level("high"),
        ("p4", _) => level("low"),
        ("p5", 1) => Reply::answer(500, &[], ""),
        _ => calm(),
    });
    let (record, _) = run(target(&server), phrases(10), repeated(10, 4, None)).await;
    let report = record.repeats.expect("a report");
    assert_eq!((report.phrases, report.extra), (10, 0));
    assert_eq!((report.flip_rate.count, report.flip_rate.of), (3, 40));
    assert!(report.flip_rate.wilson.is_some_and(|[low, high]| low < 0.075 && 0.075 < high));
    assert_eq!((report.flaky_rate.count, report.flaky_rate.of), (3, 10));
    assert_eq!((report.always_right.count, report.always_right.of), (6, 10), "p4 is steadily wrong");
    let flaky: Vec<(String, u64)> = report
        .flaky
        .iter()
        .map(|phrase| {
            let answers = phrase
                .answers
                .iter()
                .map(|seen| format!("{} {}", seen.level.map_or("nothing", Level::as_str), seen.count));
            (format!("{}: {}", phrase.id, answers.collect::<Vec<_>>().join(", ")), phrase.passing.count)
        })
        .collect();
    let expected = ["p1: none 3, high 1", "p3: none 3, high 1", "p5: none 3, nothing 1"];
    assert_eq!(flaky, expected.map(|phrase| (phrase.to_owned(), 3)));
    // No answer is not hidden by the three answers beside it.
    assert_eq!((record.metrics.unanswered_rate.count, record.metrics.unanswered_rate.of), (1, 40));
    assert_eq!(record.integrity.no_answer[&NoAnswerReason::ServerError], 1);
    assert_eq!(record.integrity.changed, ["p1", "p3"]);
}

#[tokio::test]
async fn what_is_in_doubt_is_asked_again_up_to_the_number() {
    let server = by_turn(|id, turn| match (id, turn) {
        // It flips in the passes, is wrong in all of them, and goes unanswered in all of them.
        ("p1", 1) => level("low"),
        ("p2", _) => level("critical"),
        ("p3", _) => Reply::answer(500, &[], ""),
        _ => calm(),
    });
    let (record, told) = run(target(&server), phrases(6), repeated(20, 2, Some(7))).await;
    assert_eq!(sendings(&record), [2, 7, 2, 2, 2, 2]);
    assert_eq!(
        record.results[1].observations.iter().map(|seen| seen.repeat).collect::<Vec<_>>(),
        [0, 1, 2, 3, 4, 5, 6]
    );
    assert_eq!(record.repeats.as_ref().map(|report| report.extra), Some(5));
    assert!(told.contains(&RunEvent::Extended { more: 5 }), "who watches learns of it");
    assert_eq!((record.status, record.integrity.not_sent), (RunStatus::Completed, 0));
    // With one pass a wrong answer is asked again, too: is it flaky, or steady?
    let server = by_turn(|id, turn| match (id, turn) {
        ("p1", 0) | ("p2", _) => level("critical"),
        ("p3", _) => Reply::answer(500, &[], ""),
        _ => calm(),
    });
    let (record, _) = run(target(&server), phrases(6), repeated(20, 1, Some(5))).await;
    assert_eq!(sendings(&record), [1, 5, 5, 1, 1, 1]);
    let report = record.repeats.expect("a report");
    assert_eq!((report.phrases, report.extra, report.flaky.len()), (2, 8, 1));
    let phrase = &report.flaky[0];
    assert_eq!((phrase.id.as_str(), phrase.passing.count, phrase.passing.of), ("p1", 4, 5));
    // And however often it was right afterwards: the answer that was asked for was wrong.
    assert_eq!(record.results[1].level, Some(Level::Critical));
    assert_eq!(record.metrics.accuracy.count, 3);
}

#[tokio::test]
async fn an_answer_at_the_edge_of_a_band_is_in_doubt_and_one_within_is_not() {
    let server = Server::start(|seen| {
        let score = match seen.json()["id"].as_str() {
            Some("p1") => 0.28,
            Some("p2") => 0.531,
            Some("p3") => 0.27,
            _ => 0.2,
        };
        Reply::json(200, &json!({"level": "none", "score": score}))
    });
    let bands = "bands: {low: 0.3, medium: 0.5, high: 0.7, critical: 0.85}";
    let (record, _) = run(target_with(&server, bands), phrases(5), repeated(5, 1, Some(3))).await;
    assert_eq!(sendings(&record), [1, 3, 1, 3, 1]);
    // Without bands the scores say nothing, and these answers are all right.
    let (record, _) = run(target(&server), phrases(5), repeated(5, 1, Some(3))).await;
    assert_eq!(sendings(&record), [1; 5]);
}

#[tokio::test]
async fn without_bands_the_last_level_that_passes_and_the_first_that_does_not_are_in_doubt() {
    let answers = ["low", "medium", "high", "critical", "none"];
    let server = Server::start(move |seen| {
        let number: usize = seen.json()["id"].as_str().unwrap()[1..].parse().unwrap();
        level(answers[number])
    });
    let some: Vec<Phrase> = phrases(5)
        .into_iter()
        .map(|phrase| Phrase {
            expected: LevelSet::only(Level::Low),
            escalation: Tolerance::levels(1).unwrap(),
            ..phrase
        })
        .collect();
    let (record, _) = run(target(&server), some, repeated(5, 2, Some(4))).await;
    // Exact, tolerated, one beyond, two beyond, one below.
    assert_eq!(sendings(&record), [2, 4, 4, 2, 4]);
}

/// What comes beyond the passes is of chosen phrases: it must not tilt what is said of all.
#[tokio::test]
async fn asking_again_changes_no_number_but_what_repeats_show() {
    let server = |share: &str| {
        let behaviour = Behaviour { flaky_rate: share.parse().unwrap(), ..Behaviour::default() };
        Demo::start(DemoOptions { behaviour, ..DemoOptions::default() }).unwrap()
    };
    let demo = server("40%");
    let target = || connect(preset("demo").unwrap().with_base_url(&demo.url()).unwrap(), options());
    let (record, _) = run(target(), phrases(30), repeated(30, 2, Some(9))).await;
    let report = record.repeats.as_ref().expect("a report");
    assert!(report.extra > 0 && report.extra.is_multiple_of(7), "{}", report.extra);
    assert_eq!(report.flip_rate.of, 60, "of the passes alone");
    assert_eq!(
        (record.metrics.phrases, record.metrics.unanswered_rate.of, record.latency.count),
        (30, 60, 60)
    );
    let mut stripped = record.results.clone();
    for result in &mut stripped {
        result.observations.truncate(2);
    }
    assert_eq!(record.metrics, thrash::judge::measure(&stripped, Level::Low));
}

#[tokio::test]
async fn a_target_that_caches_is_not_asked_again_and_nothing_is_claimed() {
    let behaviour =
        Behaviour { flaky_rate: "50%".parse().unwrap(), cache_seconds: Some(300), ..Behaviour::default() };
    let demo = Demo::start(DemoOptions { behaviour, ..DemoOptions::default() }).unwrap();
    let target = || connect(preset("demo").unwrap().with_base_url(&demo.url()).unwrap(), options());
    let mut options = repeated(20, 2, Some(9));
    options.gates.gates = ["flip_rate <= 100%", "flaky_phrases <= 0", "changed_answers <= 0"]
        .map(|gate| gate.parse().unwrap())
        .to_vec();
    let (record, _) = run(target(), phrases(20), options).await;
    assert_eq!(sendings(&record), [2; 20]);
    let gated = record.verdict.checks.iter().filter(|check| check.metric != "both_sides");
    let outcomes: Vec<CheckOutcome> = gated.map(|check| check.outcome).collect();
    assert_eq!(outcomes, [CheckOutcome::Inconclusive; 3]);
}

#[tokio::test]
async fn phrases_that_are_asked_again_keep_to_batches_rate_and_slots() {
    let server = Server::start(|seen| {
        let answers: Vec<_> = seen.json()["phrases"]
            .as_array()
            .expect("a batch")
            .iter()
            .map(|_| json!({"level": "high"}))
            .collect();
        Reply::json(200, &json!({"answers": answers})).after(Duration::from_millis(5))
    });
    let more = "limits: {concurrency: 2}\n\
                batch: {path: /many, max: 10, body: {phrases: '${items}'}, answers: body.answers}";
    let options = RunOptions { batch: 4, ..repeated(20, 1, Some(3)) };
    let (record, _) = run(target_with(&server, more), phrases(12), options).await;
    assert_eq!(sendings(&record), [3; 12]);
    assert_eq!(server.requests().len(), 9);
    assert!(server.most_in_flight() <= 2);
}

#[tokio::test]
async fn a_run_that_is_stopped_while_it_asks_again_is_interrupted_and_keeps_both() {
    let server = Server::start(|_| level("high").after(Duration::from_millis(20)));
    let (events, mut received) = mpsc::channel(1000);
    let control = RunControl::default();
    let run = AccuracyRun {
        suite: suite(phrases(10)),
        variants: Vec::new(),
        target: target(&server),
        options: repeated(10, 1, Some(50)),
        reference: None,
        version: None,
    };
    let stopping = async {
        while !matches!(received.recv().await, Some(RunEvent::Extended { .. })) {}
        tokio::time::sleep(Duration::from_millis(100)).await;
        control.drain();
    };
    let (measured, ()) = tokio::join!(run.execute(control.clone(), events), stopping);
    let record = measured.conclude(None);
    assert_eq!((record.status, record.verdict.conclusion), (RunStatus::Interrupted, Conclusion::Interrupted));
    let seen = server.requests().len();
    assert!((11..200).contains(&seen), "{seen}");
    assert_eq!(sendings(&record).iter().sum::<usize>(), seen);
    assert_eq!(record.integrity.not_sent, 500 - seen as u64);
    assert_eq!(record.metrics.phrases, 10);
}

#[tokio::test]
async fn a_target_that_dies_while_it_is_asked_again_has_failed() {
    let server = by_turn(|_, turn| if turn == 0 { level("high") } else { Reply::answer(500, &[], "") });
    let (record, _) = run(target(&server), phrases(30), repeated(10, 1, Some(50))).await;
    assert_eq!((record.status, record.verdict.conclusion), (RunStatus::Aborted, Conclusion::TargetFailed));
    assert!(server.requests().len() < 60);
    assert_eq!(record.metrics.verdicts.unanswered, 0, "each had its answer");
}
