//! The open engine: what it sends, what it measures, how it judges.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use serde_json::json;
use thrash::domain::{LatencyReport, RunRecord};
use thrash::report::{Format, RenderOptions, render};
use thrash::stats::LatencyHistogram;

use super::{counts, ms, place, record, right, run};
use crate::cli::schemas::{accepts, schema};
use crate::support::command::Place;
use crate::support::server::{Reply, Server};

#[test]
fn the_smoke_scenario_passes_against_the_embedded_demo_with_nothing_configured() {
    let place = Place::new();
    let ended = place.thrash(["load", "scenarios/load/smoke.yaml", "--scale-time", "0.4"]).exits(0);
    for word in ["PASSED", "load smoke ×0.4 against demo", "DEMO", "Load", "Idle", "Machine", "response time"]
    {
        assert!(ended.stdout.contains(word), "no `{word}` in\n{}", ended.stdout);
    }
    assert!(ended.stdout.lines().all(|line| line.chars().count() <= 80), "{}", ended.stdout);
    let record = record(&place);
    accepts(&schema("record"), &record, "the record");
    assert_eq!(record["kind"], "load");
    // Those that the short load came to send.
    assert!(record["load"]["idle"]["accuracy"]["of"].as_u64().unwrap() >= 20);
    let runs = place.runs();
    assert_eq!((&runs[0]["suite"], &runs[0]["kind"]), (&json!("load smoke ×0.4"), &json!("load")));
}

#[test]
fn every_request_is_sent_by_the_schedule_counted_and_judged() {
    let server = Server::start(right);
    let place = place(
        "model: arrivals\nrate: 100/s\nduration: 1s\nwarm_up: 200ms\ngates: [error_rate <= 1%, accuracy >= 99%]\n",
    );
    run(&place, &server, &[]).exits(0);
    let record = record(&place);
    let counts = counts(&record);
    assert_eq!(record["load"]["warm_up"], 20);
    for (count, expected) in
        [("intended", 80), ("started", 80), ("answered", 80), ("right", 80), ("dropped", 0)]
    {
        assert_eq!(counts[count], expected, "{count}");
    }
    let seen = server.requests();
    assert_eq!(seen.len(), 100);
    // Each phrase as often as any other, no request like another, and all of them say what they are.
    let mut ids: BTreeMap<String, usize> = BTreeMap::new();
    let mut nonces = std::collections::BTreeSet::new();
    for request in &seen {
        *ids.entry(request.json()["id"].as_str().unwrap().to_owned()).or_default() += 1;
        assert!(nonces.insert(request.json()["nonce"].as_str().unwrap().to_owned()), "a nonce twice");
        assert_eq!(request.header("x-thrash-run"), record["id"].as_str());
        assert!(request.header("user-agent").is_some_and(|agent| agent.contains("synthetic test traffic")));
    }
    assert_eq!(ids.into_values().collect::<Vec<_>>(), [25; 4]);
    assert_eq!(record["metrics"]["phrases"], 80);
    assert!(record["metrics"]["accuracy"]["effective"].as_f64().unwrap() < 20.0, "answers to four phrases");
    let checks = record["verdict"]["checks"].as_array().unwrap();
    let accuracy = checks.iter().find(|check| check["metric"] == "accuracy").expect("the gate");
    let reason = accuracy["reason"].as_str().unwrap();
    assert!(reason.contains("; 80 requests worth ") && !reason.contains("families"), "{reason}");
    let answers: u64 = record["load"]["phrases"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|phrase| {
            phrase["answers"]
                .as_array()
                .unwrap()
                .iter()
                .map(|count| count.as_u64().unwrap())
                .collect::<Vec<_>>()
        })
        .sum();
    assert_eq!(answers, 80);
}

#[test]
fn the_rate_is_the_one_that_the_target_saw() {
    // One at a time, 50 ms each: twenty a second of the forty that are asked for.
    let server = Server::start(|seen| right(seen).after(ms(50)));
    let place =
        place("model: arrivals\nrate: 40/s\nduration: 1s\nmax_in_flight: 1\ngates: [error_rate <= 1%]\n");
    run(&place, &server, &[]);
    let seen = server.requests();
    assert_eq!(seen.len(), 40);
    let took =
        seen.iter().map(|seen| seen.at).max().unwrap() - seen.iter().map(|seen| seen.at).min().unwrap();
    let rate = record(&place)["load"]["steps"][0]["rate"].as_f64().unwrap();
    assert!((rate / (40.0 / took.as_secs_f64()) - 1.0).abs() < 0.1, "{rate}/s, and 40 in {took:?}");
}

#[test]
fn a_target_that_stalls_is_seen_to_stall() {
    // Half a second of silence in every second: of requests that arrive evenly, half wait, a quarter of a second in the
    // mean. Who measures from the actual start with few connections sees next to none of it.
    let began = Instant::now();
    let server = Server::start(move |seen| {
        let phase = seen.at.duration_since(began).as_millis() % 1000;
        let wait = 500_u128.saturating_sub(phase);
        right(seen).after(ms(u64::try_from(wait).unwrap()))
    });
    let place =
        place("model: arrivals\nrate: 100/s\nduration: 4s\nmax_in_flight: 5\ngates: [error_rate <= 1%]\n");
    run(&place, &server, &[]).exits(0);
    let record = record(&place);
    let p = |times: &str, q: &str| record[times][q].as_f64().unwrap();
    // Of the whole seconds half of the starts wait up to 500 ms; p90 of the waits is above 350 ms.
    assert!(p("latency", "p90_ms") > 330.0, "response p90 {}", p("latency", "p90_ms"));
    assert!(
        p("attempt_latency", "p90_ms") < 0.5 * p("latency", "p90_ms"),
        "service p90 {}",
        p("attempt_latency", "p90_ms")
    );
    assert!(counts(&record)["waited"].as_u64().unwrap() > 50);
}

#[test]
fn response_and_service_time_are_kept_by_category_and_shown_side_by_side() {
    let server = Server::start(|seen| right(seen).after(ms(50)));
    // Two at once are forty a second: who comes later waits longer and longer.
    let place =
        place("model: arrivals\nrate: 60/s\nduration: 1s\nmax_in_flight: 2\ngates: [error_rate <= 1%]\n");
    run(&place, &server, &["--html", "page.html"]).exits(0);
    let record = record(&place);
    let load = &record["load"];
    let report = |times: &str, name: &str| -> LatencyReport {
        serde_json::from_value(load[times][name].clone()).unwrap()
    };
    for name in ["calm", "desperate"] {
        let (response, service) = (report("categories", name), report("category_services", name));
        assert_eq!((response.count, service.count), (30, 30), "{name}");
        let read = LatencyHistogram::from_base64(&service.histogram.unwrap()).unwrap();
        assert_eq!(read.count(), 30, "the histogram itself is there");
        assert!(response.p95_ms > service.p95_ms.map(|p95| p95 * 2.0), "{response:?} {:?}", service.p95_ms);
        assert!(service.min_ms.unwrap() >= 50.0);
    }
    let caption = "Response and service time by category";
    let page = std::fs::read_to_string(place.path().join("page.html")).unwrap();
    assert!(page.contains(caption) && page.contains("Service p95"));

    // A record of an earlier version has no service times, and is shown all the same.
    let mut earlier = record.clone();
    earlier["load"].as_object_mut().unwrap().remove("category_services").unwrap();
    let earlier: RunRecord = serde_json::from_value(earlier).unwrap();
    let page = render(Format::Html, &earlier, &RenderOptions::default()).unwrap();
    assert!(String::from_utf8(page).unwrap().contains(caption));
}

#[test]
fn as_many_requests_as_may_be_sent_end_no_load_before_its_last_stage_does() {
    let server = Server::start(right);
    let lines = "model: arrivals\nrate: 20/s\nstages: [{duration: 1s, target: 20}, {duration: 0s, target: 0}, {duration: 2s, target: 0}]\nmax_requests: 20\ngates: [error_rate <= 1%]\n";
    let place = place(lines);
    run(&place, &server, &[]).exits(0);
    let record = record(&place);
    assert_eq!(server.requests().len(), 20);
    assert!(record["duration_ms"].as_f64().unwrap() >= 3000.0, "{}", record["duration_ms"]);
    assert_eq!(record["load"]["steps"].as_array().unwrap().len(), 2);
    assert_eq!(record["load"]["cut"], serde_json::Value::Null);
}

#[test]
fn what_is_beyond_the_pool_is_dropped_if_the_scenario_says_so_and_counted() {
    let server = Server::start(|seen| right(seen).after(ms(300)));
    let place = place(
        "model: arrivals\nrate: 50/s\nduration: 2s\nmax_in_flight: 3\nbeyond: drop\ngates: [achieved_rate >= 90%]\n",
    );
    let ended = run(&place, &server, &[]).exits(1);
    assert!(ended.stdout.contains("achieved_rate"), "{}", ended.stdout);
    let record = record(&place);
    let count = |name: &str| counts(&record)[name].as_u64().unwrap();
    assert_eq!(count("intended"), 100);
    assert_eq!(count("started") + count("dropped"), 100);
    assert!(count("dropped") > 60, "{} dropped", count("dropped"));
    assert_eq!(server.requests().len() as u64, count("started"));
    assert!(server.most_in_flight() <= 3);
}

#[test]
fn answers_that_are_right_when_idle_and_wrong_under_load_are_found() {
    // Whoever asks while three others do gets "none".
    let in_flight = AtomicUsize::new(0);
    let server = Server::start(move |seen| {
        let _ = &in_flight;
        in_flight.fetch_add(1, Ordering::SeqCst);
        let busy = seen.number >= 4;
        if busy { Reply::json(200, &json!({"level": "none"})).after(ms(20)) } else { right(seen) }
    });
    let place = place("model: arrivals\nrate: 50/s\nduration: 1s\ngates: [accuracy_drop <= 10%]\n");
    let ended = run(&place, &server, &[]).exits(1);
    assert!(ended.stdout.contains("4 of 4 phrases right when idle"), "{}", ended.stdout);
    let record = record(&place);
    assert_eq!(record["load"]["idle"]["lost"], json!(["high-1", "high-2"]));
    assert_eq!(record["load"]["idle"]["test"]["regressed"], 2);
    let drop = &record["load"]["idle"]["drop"];
    assert!((drop["value"].as_f64().unwrap() - 0.5).abs() < 1e-9, "{drop}");
    let interval = ["lower", "upper"].map(|side| drop[side].as_f64().unwrap());
    assert!(interval[0] < 0.5 && interval[1] > 0.5 && interval[1] - interval[0] > 0.1, "{drop}");
    let lost = &record["load"]["steps"][0]["lost"];
    assert_eq!((&lost["count"], &lost["of"]), (&json!(25), &json!(50)));
}

#[test]
fn what_gets_better_under_load_makes_up_for_nothing_that_is_lost() {
    // Everybody is in danger when it is idle, and nobody when it is not.
    let server = Server::start(|seen| {
        Reply::json(200, &json!({"level": if seen.number < 4 { "high" } else { "none" }}))
    });
    let place =
        place("model: arrivals\nrate: 50/s\nduration: 1s\ngates: [accuracy_drop <= 10%, lost_rate <= 10%]\n");
    run(&place, &server, &[]).exits(1);
    let record = record(&place);
    let value = |metric: &str| {
        let checks = record["verdict"]["checks"].as_array().unwrap();
        let check = checks.iter().find(|check| check["metric"] == metric).expect("the gate");
        (check["outcome"].clone(), check["value"].as_f64().unwrap())
    };
    assert_eq!(value("accuracy_drop"), (json!("pass"), 0.0));
    assert_eq!(value("lost_rate"), (json!("fail"), 1.0));
    // It is not asked where nothing was right without the load, and then nobody could tell.
    let silent = Server::start(|_| Reply::json(500, &json!({})));
    let ended = run(&place, &silent, &["--gate", "lost_rate <= 10%"]);
    assert!(ended.code == Some(3) || ended.code == Some(4), "{:?}: {}", ended.code, ended.stdout);
}

#[test]
fn no_answer_is_counted_by_reason_and_never_as_right() {
    let server = Server::start(|seen| match seen.number % 10 {
        0 => Reply::json(500, &json!({})),
        1 => Reply::raw("no HTTP at all\r\n\r\n").then_close(),
        2 => Reply::json(200, &json!({"level": "terrible"})),
        3 => Reply::json(429, &json!({})),
        _ => right(seen),
    });
    let place = place(
        "model: arrivals\nrate: 100/s\nduration: 1s\nabort_when: {error_rate: 100%}\ngates: [error_rate <= 1%]\n",
    );
    run(&place, &server, &[]).exits(1);
    let record = record(&place);
    let reasons = &counts(&record)["no_answer"];
    assert_eq!(reasons, &json!({"rate_limited": 10, "server_error": 10, "malformed": 20}));
    assert_eq!(counts(&record)["answered"], 60);
    assert_eq!(record["metrics"]["verdicts"]["unanswered"], 40);
    assert_eq!(record["metrics"]["unanswered_rate"]["count"], 40);
}

#[test]
fn weights_send_a_category_more_often_and_none_of_weight_zero() {
    let server = Server::start(right);
    let place = place("");
    place.file(
        "s.yaml",
        "title: x\nphrases: {suite: words, weights: {calm: 0}}\nmodel: arrivals\nrate: 100/s\nduration: 500ms\ngates: [error_rate <= 1%]\n",
    );
    run(&place, &server, &[]).exits(0);
    assert!(server.requests().iter().all(|seen| seen.json()["id"].as_str().unwrap().starts_with("high")));
    assert_eq!(server.requests().len(), 50);
}

#[test]
fn the_same_seed_sends_the_same_phrases_in_the_same_order() {
    let ids = |seed: &str| -> Vec<String> {
        let server = Server::start(right);
        let place = place(
            "model: arrivals\nrate: 40/s\nduration: 500ms\nspacing: poisson\nmax_in_flight: 1\ngates: [error_rate <= 1%]\n",
        );
        run(&place, &server, &["--seed", seed]).exits(0);
        server.requests().iter().map(|seen| seen.json()["id"].as_str().unwrap().to_owned()).collect()
    };
    let first = ids("7");
    assert_eq!(first, ids("7"));
    assert_ne!(first, ids("8"));
}

#[test]
fn who_watches_is_told_the_stage() {
    let server = Server::start(right);
    let place = place(
        "model: arrivals\nstages: [{duration: 0s, target: 20}, {duration: 1s, target: 20}, {duration: 4s, target: 30}]\ngates: [error_rate <= 1%]\n",
    );
    run(&place, &server, &[]).exits(0).complains(&["stage 3 of 3, 2"]);
    let place = super::place(
        "model: arrivals\nsearch: {from: 10/s, to: 20/s, factor: 2, hold: 3s}\ngates: [error_rate <= 1%]\n",
    );
    run(&place, &server, &[]).exits(0).complains(&["trying 10/s, "]);
}

#[test]
fn each_second_holds_what_was_seen_in_it() {
    let server =
        Server::start(
            |seen| {
                if seen.json()["id"] == "high-1" { Reply::json(500, &json!({})) } else { right(seen) }
            },
        );
    let place = place(
        "model: arrivals\nrate: 80/s\nduration: 3s\nabort_when: {error_rate: 100%}\ngates: [error_rate <= 50%]\n",
    );
    run(&place, &server, &["--csv", "seconds.csv"]).exits(0);
    let record = record(&place);
    let seconds = record["load"]["seconds"].as_array().unwrap();
    for second in &seconds[..3] {
        let intended = second["intended"].as_i64().unwrap();
        assert!((intended - 80).abs() <= 4, "{second}");
        assert_eq!(second["no_answer"]["server_error"], second["unanswered"], "{second}");
    }
    let text = std::fs::read_to_string(place.path().join("seconds.csv")).unwrap();
    let rows: Vec<Vec<&str>> = text.lines().map(|line| line.split(',').collect()).collect();
    let column = |name: &str| rows[0].iter().position(|head| *head == name).expect(name);
    let failed: u64 = rows[1..].iter().map(|row| row[column("server_error")].parse::<u64>().unwrap()).sum();
    assert_eq!(failed, 60);
    assert!(rows[1..].iter().any(|row| row[column("cpu")].parse::<f64>().unwrap() > 0.0), "{text}");
}

#[test]
fn what_was_sent_and_came_to_nothing_is_said() {
    let broken = Server::start(|_| Reply::json(500, &json!({})));
    let lines = "model: arrivals\nrate: 40/s\nduration: 4s\nwarm_up: 2s\ngates: [error_rate <= 1%]\n";
    let ended = run(&place(lines), &broken, &[]).exits(3);
    assert!(ended.stdout.contains("it ended in the warm-up, after"), "{}", ended.stdout);
    assert!(!ended.stdout.contains("nothing was sent"), "{}", ended.stdout);

    let hanging = Server::start(|seen| right(seen).after(ms(4000)));
    let lines = "model: arrivals\nrate: 40/s\nduration: 4s\nabort_when: {latency_p95: 500ms, unhealthy: false}\ngates: [error_rate <= 1%]\n";
    let ended = run(&place(lines), &hanging, &["--markdown", "run.md"]);
    assert!(ended.stdout.contains("still on their way at the end"), "{}", ended.stdout);
}

#[test]
fn what_a_load_has_to_hold_is_drawn_into_its_charts() {
    let server = Server::start(right);
    let place = place(
        "model: arrivals\nrate: 40/s\nduration: 2s\nabort_when: {latency_p95: 5s}\ngates: [error_rate <= 2%, latency_p50 <= 700ms, latency_p99 <= 900ms]\n",
    );
    run(&place, &server, &["--html", "page.html"]).exits(0);
    let page = std::fs::read_to_string(place.path().join("page.html")).unwrap();
    for limit in
        ["gate p50 700 ms", "gate p99 900 ms", "ended at p95 5.00 s", "gate 2.0 %", "ended at 50.0 %"]
    {
        assert!(page.contains(limit), "no `{limit}`");
    }
    // What lies far above the chart is named, and does not flatten it.
    assert_eq!(page.matches("<title>gate p").count(), 2);
    assert_eq!(page.matches("<title>ended at").count(), 0);
}
