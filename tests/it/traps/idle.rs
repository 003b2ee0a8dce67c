//! The idle pass of a load run against a target that is too slow for it.

use std::collections::BTreeMap;
use std::sync::OnceLock;
use std::time::Duration;

use chrono::Utc;
use thrash::domain::{CheckOutcome, RunEvent, RunId, RunStatus, TextPolicy};
use thrash::gate::GateOptions;
use thrash::load::{Deck, LoadEngine, OpenEngine, Overrides, Scenario};
use thrash::run::{LoadRun, RunControl, RunFacts};
use thrash::target::{LoadOptions, LoadTarget};
use tokio::sync::mpsc;

use super::scripted::{calm, level, phrases, suite, target_with};
use crate::support::server::Server;

const SCENARIO: &str = "title: x
phrases: {suite: words}
model: arrivals
rate: 80/s
duration: 1s
gates: [accuracy_drop <= 10%]
";

#[tokio::test]
async fn an_idle_pass_that_takes_too_long_ends_and_its_phrases_stand_for_all() {
    let first = OnceLock::new();
    // Right when idle, and wrong soon after.
    let server = Server::start(move |seen| {
        let after = seen.at - *first.get_or_init(|| seen.at);
        if after < Duration::from_millis(700) {
            calm().after(Duration::from_millis(40))
        } else {
            level("high")
        }
    });
    let scenario = Scenario::parse("s", "s.yaml", SCENARIO, 1.0, Overrides::default()).expect("a scenario");
    let all = phrases(80);
    let options = LoadOptions {
        headers: Vec::new(),
        close: false,
        timeout: None,
        checks: Vec::new(),
        body: None,
        batch: 1,
        connections: 1,
    };
    let target = LoadTarget::new(target_with(&server, ""), all.clone(), &options).await.expect("a target");
    let run = LoadRun {
        deck: Deck::new(&all, &[], 1, scenario.seed).expect("a deck"),
        suite: suite(all),
        target,
        engine: LoadEngine::Open(OpenEngine { threads: 1 }),
        facts: RunFacts {
            id: RunId::new(Utc::now(), 1),
            started_at: Utc::now(),
            environment: None,
            text: TextPolicy::Full,
            demo: false,
            configuration: BTreeMap::new(),
            version: None,
        },
        gates: GateOptions { gates: scenario.gates.clone(), error_budget: 0.05, needs_baseline: false },
        scenario,
        idle_pass: Some(Duration::from_millis(600)),
    };
    let (events, mut told) = mpsc::channel(10_000);
    let record = run.execute(RunControl::default(), events).await.expect("it can send").conclude(None);
    let (mut idle, mut notes) = (0, Vec::new());
    while let Ok(event) = told.try_recv() {
        match event {
            RunEvent::IdleStarted { planned, longest } => {
                assert_eq!((planned, longest), (80, Duration::from_millis(600)));
            }
            RunEvent::IdleObserved { answered } => idle += usize::from(answered),
            RunEvent::Noted { text } => notes.push(text),
            _ => {}
        }
    }
    assert!((1..=16).contains(&idle), "{idle} phrases of 40 ms each");
    let said = format!("after 600ms without load {idle} of 80 phrases were asked: they stand for all");
    assert_eq!(notes, [said]);
    // It came to some of all phrases, and not to the first.
    let asked: Vec<String> =
        server.requests()[..idle].iter().map(|seen| seen.json()["id"].as_str().unwrap().to_owned()).collect();
    assert_ne!(asked, (0..idle).map(|number| format!("p{number}")).collect::<Vec<_>>());

    // The load was made, and what it did to those phrases decides.
    assert_eq!(record.status, RunStatus::Completed);
    let load = record.load.as_deref().expect("a load run");
    assert_eq!(load.counts.started, 80);
    let compared = load.idle.as_ref().expect("it is held against the idle pass");
    assert_eq!(compared.accuracy.of, idle as u64);
    let check = record.verdict.checks.iter().find(|check| check.metric == "accuracy_drop").expect("the gate");
    assert_eq!(check.outcome, CheckOutcome::Fail, "{}", check.reason);
}
