//! Two load runs held against each other: all answers count, however most of them are.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::{Value, json};

use super::baseline::{check, of_many};
use super::{ms, record, right, run};
use crate::support::command::Place;
use crate::support::server::{Reply, Server};

const LOAD: &str = "model: arrivals\nrate: 120/s\nduration: 2s\ngates: [error_rate <= 90%]\n";

/// A server of which every so-manieth answer is an error, if any, and that is slower then.
fn failing() -> (Server, Arc<AtomicU64>) {
    let every = Arc::new(AtomicU64::new(0));
    let (fails, asked) = (Arc::clone(&every), AtomicU64::new(0));
    let server = Server::start(move |seen| {
        let every = fails.load(Ordering::SeqCst);
        let asked = asked.fetch_add(1, Ordering::SeqCst);
        match every {
            0 => right(seen),
            every if asked % every == 0 => Reply::json(500, &json!({})).after(ms(60)),
            _ => right(seen).after(ms(60)),
        }
    });
    (server, every)
}

/// Whether the interval and the tests say the same, and the gate shows that interval.
fn assert_agree(found: &Value) {
    let test = &found["comparison"]["accuracy"];
    let number = |value: &Value| value.as_f64().unwrap();
    let fell = number(&test["difference"]["upper"]) < 0.0;
    assert_eq!(fell, number(&test["p_changed"]) < 0.05, "{test}");
    let gate = check(found, "accuracy no_regression");
    assert_eq!(gate["outcome"] == "fail", number(&test["p_worse"]) <= 0.05, "{gate}");
    for (end, shown) in [("lower", &gate["interval"][0]), ("upper", &gate["interval"][1])] {
        assert!((number(&test["difference"][end]) - number(shown)).abs() < 1e-12, "{test} {gate}");
    }
}

fn compared(place: &Place, runs: [&str; 2], code: i32) -> (Value, String) {
    let ended = place.thrash([
        "compare",
        runs[0],
        runs[1],
        "--json",
        "c.json",
        "--html",
        "c.html",
        "--markdown",
        "c.md",
    ]);
    let ended = ended.exits(code);
    let text = std::fs::read_to_string(place.path().join("c.json")).unwrap();
    (serde_json::from_str(&text).unwrap(), ended.stdout)
}

#[test]
fn a_run_whose_requests_fail_is_worse_though_each_phrase_is_mostly_answered() {
    let (server, every) = failing();
    let place = of_many(LOAD);
    // One that was slow itself is no baseline.
    let is_slow = || !record(&place)["load"]["generator"]["limits"].as_array().unwrap().is_empty();
    for _ in 0..5 {
        run(&place, &server, &["--json", "before.json"]).exits(0);
        if !is_slow() {
            break;
        }
    }
    run(&place, &server, &["--json", "again.json"]).exits(0);
    every.store(4, Ordering::SeqCst);
    run(&place, &server, &["--json", "broken.json"]).exits(0);
    every.store(25, Ordering::SeqCst);
    run(&place, &server, &["--json", "a_little.json"]).exits(0);
    every.store(240, Ordering::SeqCst);
    run(&place, &server, &["--json", "one.json"]).exits(0);

    let (same, _) = compared(&place, ["before.json", "again.json"], 0);
    assert_eq!(same["comparison"]["accuracy"]["answers"]["candidate"]["of"], 240);

    let (broken, shown) = compared(&place, ["before.json", "broken.json"], 1);
    for gate in ["accuracy no_regression", "unanswered_rate no_regression"] {
        assert_eq!(check(&broken, gate)["outcome"], "fail", "{}", check(&broken, gate));
    }
    assert_agree(&same);
    assert_agree(&broken);
    let difference = broken["comparison"]["accuracy"]["difference"]["value"].as_f64().unwrap();
    assert!((difference + 0.25).abs() < 0.01, "{difference}");
    let row = shown.lines().find(|line| line.trim_start().starts_with("unanswered ")).expect("a row of it");
    assert!(row.contains("0.0 %") && row.contains("25.0 %"), "{shown}");

    assert!(shown.contains("p95 of the response time is"), "{shown}");
    assert!(shown.lines().any(|line| line.contains("no answer  0 of 240  60 of 240")), "{shown}");
    let read = |name: &str| std::fs::read_to_string(place.path().join(name)).unwrap();
    for chart in ["loads-latency-chart", "loads-rate-chart", "loads-silent-chart", "load-percentiles-chart"] {
        assert!(read("c.html").contains(chart), "{chart}");
    }
    assert!(read("c.md").contains("60 of 240"), "{}", read("c.md"));

    // No phrase is worse beyond chance by itself, and all together are.
    let (little, _) = compared(&place, ["before.json", "a_little.json"], 1);
    assert_agree(&little);
    assert_eq!(check(&little, "accuracy no_regression")["outcome"], "fail");
    let gate = check(&little, "unanswered_rate no_regression");
    assert_eq!(gate["outcome"], "fail", "{gate}");
    assert!(gate["reason"].as_str().unwrap().starts_with("10 of 240, and 0 of 240 before"), "{gate}");

    // One loss among 30 phrases shows no more than none does that others like them would not be lost.
    let (one, _) = compared(&place, ["before.json", "one.json"], 4);
    assert_agree(&one);
    let gate = check(&one, "accuracy no_regression");
    assert_eq!(gate["outcome"], "inconclusive", "{gate}");
    assert!(gate["reason"].as_str().unwrap().contains("too few to tell from chance"), "{gate}");
    let width = |found: &Value| {
        let interval = check(found, "accuracy no_regression")["interval"].clone();
        interval[1].as_f64().unwrap() - interval[0].as_f64().unwrap()
    };
    assert!(width(&one) >= width(&same), "{} {}", width(&one), width(&same));

    // It is said of a baseline, too, and limits are of answers.
    let gates = ["accuracy no_regression", "accuracy drop <= 2 points", "unanswered_rate rise <= 30 points"];
    let args: Vec<&str> = gates.iter().flat_map(|gate| ["--gate", gate]).collect();
    every.store(4, Ordering::SeqCst);
    run(&place, &server, &[&["--baseline", "before.json", "--json", "held.json"], &args[..]].concat())
        .exits(1);
    let held: Value =
        serde_json::from_str(&std::fs::read_to_string(place.path().join("held.json")).unwrap()).unwrap();
    let outcomes = gates.map(|gate| check(&held, gate)["outcome"].as_str().unwrap().to_owned());
    assert_eq!(outcomes, ["fail", "fail", "pass"]);
}

#[test]
fn a_record_that_contradicts_itself_and_one_of_a_fixed_body_are_refused_in_their_own_words() {
    let (server, _) = failing();
    let place = of_many(LOAD);
    run(&place, &server, &["--json", "before.json"]).exits(0);
    let text = std::fs::read_to_string(place.path().join("before.json")).unwrap();
    for number in [0, u64::MAX] {
        let mut record: Value = serde_json::from_str(&text).unwrap();
        record["load"]["counts"]["answered"] = number.into();
        place.file("odd.json", record.to_string());
        place
            .thrash(["compare", "before.json", "odd.json"])
            .exits(2)
            .complains(&["it is damaged", "requests that ended"]);
    }
    let mut record: Value = serde_json::from_str(&text).unwrap();
    let ended = record["load"]["counts"]["answered"].as_u64().unwrap();
    record["load"]["counts"]["answered"] = 1.into();
    record["load"]["counts"]["no_answer"] = json!({"timeout": ended - 1});
    place.file("silent.json", record.to_string());
    place
        .thrash(["compare", "before.json", "silent.json"])
        .exits(2)
        .complains(&["it is damaged", "have no answer"]);
    let mut record: Value = serde_json::from_str(&text).unwrap();
    record["load"]["scenario"]["fixed_body"] = "abc".into();
    place.file("fixed.json", record.to_string());
    place.thrash(["compare", "before.json", "fixed.json"]).exits(2).complains(&["one fixed body"]);
}
