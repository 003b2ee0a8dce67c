//! The resources beside runs: lists, reports, baselines, what can be asked for.

use reqwest::Method;
use serde_json::{Value, json};
use thrash::domain::{RunId, RunRecord};

use super::process::{Serve, keep, plain_place, quick_place};
use crate::support::command::DemoProcess;
use crate::support::sample::record;

#[tokio::test]
async fn runs_are_listed_page_by_page_and_filtered() {
    let place = quick_place("");
    let serve = Serve::start(&place, &[]);
    let mut ids = Vec::new();
    for _ in 0..5 {
        let id = serve.ask().await;
        serve.over(&id).await;
        ids.insert(0, json!(id));
    }
    for (list, of) in [("runs", "runs"), ("results", "results")] {
        let (mut seen, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = serve.get(&format!("/api/test/{list}?limit=2{cursor}")).await.is(200).json();
            seen.extend(page[of].as_array().unwrap().iter().map(|run| run["id"].clone()));
            let Some(next) = page["next"].as_str() else { break };
            cursor = format!("&cursor={next}");
        }
        assert_eq!(seen, ids, "{list}");
    }
    let count = async |query: &str| {
        serve.get(&format!("/api/test/{query}")).await.is(200).json()["runs"].as_array().unwrap().len()
    };
    assert_eq!(
        count("runs?state=finished&name=quick&target=demo&requester=api:anonymous&kind=accuracy").await,
        5
    );
    for query in ["state=queued", "name=other", "target=other", "requester=api:ci", "kind=load"] {
        assert_eq!(count(&format!("runs?{query}")).await, 0, "{query}");
    }
    let found = async |query: &str| {
        let page = serve.get(&format!("/api/test/results?{query}")).await.is(200).json();
        page["results"].as_array().unwrap().len()
    };
    assert_eq!(found("test_type=quick&target=demo&kind=accuracy&outcome=passed").await, 5);
    for query in ["test_type=comprehensive", "target=other", "kind=load", "outcome=gate_failed"] {
        assert_eq!(found(query).await, 0, "{query}");
    }
    serve.get("/api/test/results?outcome=fine").await.problem(400);
}

#[tokio::test]
async fn a_run_has_a_report_in_every_format() {
    let place = quick_place("");
    let serve = Serve::start(&place, &[]);
    let id = serve.ask().await;
    serve.over(&id).await;
    let formats = [
        ("html", "text/html; charset=utf-8", "<!DOCTYPE html>"),
        ("json", "application/json", "{"),
        ("md", "text/markdown; charset=utf-8", "#"),
        ("csv", "text/csv; charset=utf-8", "run,"),
        ("xml", "application/xml", "<?xml"),
        ("sarif", "application/sarif+json", "{"),
    ];
    for (ending, media, begins) in formats {
        let reply = serve.get(&format!("/api/test/runs/{id}/report.{ending}")).await.is(200);
        assert_eq!(reply.header("content-type"), media);
        assert!(
            reply.text.trim_start_matches('\u{feff}').starts_with(begins),
            "{ending}: {:.60}",
            reply.text
        );
        assert!(reply.header("content-disposition").contains(&id));
        serve.get(&format!("/api/test/runs/nope/report.{ending}")).await.problem(404);
    }
    let record: Value = serve.get(&format!("/api/test/runs/{id}/report.json")).await.json();
    assert_eq!(record, place.latest());
    // One length of a run everywhere, and it lies within the run.
    let listed = serve.get("/api/test/results").await.is(200).json();
    let took = &listed["results"][0]["duration_ms"];
    assert_eq!(took, &record["duration_ms"]);
    let series = r#"{kind="accuracy",suite="quick",target="demo",demo="true"}"#;
    let seconds = took.as_f64().expect("a number") / 1e3;
    serve.metrics().until(&format!("thrash_run_duration_seconds{series}"), seconds).await;
    let run: RunRecord = serde_json::from_value(record).expect("a record");
    assert!((run.finished_at - run.started_at).as_seconds_f64() >= seconds, "{run:?}");
    let page = serve.get(&format!("/api/test/runs/{id}/report.html")).await;
    let policy = page.header("content-security-policy");
    assert!(policy.contains("frame-ancestors 'none'") && !policy.contains("default-src"), "{policy}");
    assert!(page.text.contains("default-src 'none'"), "the page's own policy says the rest");
}

#[tokio::test]
async fn a_load_has_the_same_csv_here_as_on_the_command_line() {
    let place = quick_place("");
    place.file("s.yaml", "title: x\nmodel: arrivals\nrate: 20/s\nduration: 1s\nphrases: {suite: quick}\n");
    place.thrash(["load", "s.yaml", "--quiet"]);
    let printed = place.thrash(["report", "latest", "--csv", "-"]).exits(0).stdout;
    let serve = Serve::start(&place, &[]);
    let id = place.latest()["id"].as_str().expect("an id").to_owned();
    let reply = serve.get(&format!("/api/test/runs/{id}/report.csv")).await.is(200);
    assert_eq!(reply.text, printed);
    assert!(printed.starts_with("run,suite,target,target_version,at_s,"), "{printed}");
}

#[tokio::test]
async fn runs_that_began_at_the_same_time_are_each_on_one_page() {
    let place = quick_place("");
    let runs: Vec<RunRecord> = (0..5)
        .map(|number| {
            let mut run = record();
            run.id = RunId::from_stored(format!("20260301-101500-00000{number}"));
            run
        })
        .collect();
    keep(&place, &runs).await;
    let serve = Serve::start(&place, &[]);
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = serve.get(&format!("/api/test/results?limit=2{cursor}")).await.is(200).json();
        seen.extend(page["results"].as_array().unwrap().iter().map(|run| run["id"].clone()));
        let Some(next) = page["next"].as_str() else { break };
        assert!(seen.len() < 10, "it goes round in circles");
        cursor = format!("&cursor={next}");
        // Where a page ended the next one goes on, also if that run is deleted meanwhile.
        place.thrash(["runs", "delete", seen.last().and_then(Value::as_str).expect("a run")]).exits(0);
    }
    let all: Vec<Value> = runs.iter().rev().map(|run| json!(run.id)).collect();
    assert_eq!(seen, all);
}

#[tokio::test]
async fn a_baseline_is_set_and_taken_back() {
    let place = quick_place("");
    let serve = Serve::start(&place, &[]);
    let id = serve.ask().await;
    serve.over(&id).await;
    let path = format!("/api/test/baselines/{id}");
    assert_eq!(serve.get("/api/test/baselines").await.is(200).json(), json!([]));
    let set =
        serve.send(serve.request(Method::PUT, &path).json(&json!({"note": "before"}))).await.is(200).json();
    assert_eq!((&set["run"], &set["suite"], &set["note"]), (&json!(id), &json!("quick"), &json!("before")));
    assert_eq!(serve.get("/api/test/baselines").await.is(200).json(), json!([set]));
    let next = serve.ask().await;
    serve.over(&next).await;
    let record = serve.get(&format!("/api/test/runs/{next}/report.json")).await.is(200).json();
    assert_eq!(record["baseline"]["compared"]["baseline"]["id"], json!(id), "{}", record["baseline"]);
    serve.send(serve.request(Method::DELETE, &path)).await.is(204);
    serve.send(serve.request(Method::DELETE, &path)).await.problem(404);
    let long = json!({"note": "x".repeat(1001)});
    serve.send(serve.request(Method::PUT, &path).json(&long)).await.problem(422);
    let unknown = serve.request(Method::PUT, "/api/test/baselines/nope").json(&json!({}));
    serve.send(unknown).await.problem(404);
}

#[tokio::test]
async fn what_can_be_asked_for_is_listed_without_secrets() {
    let place = plain_place(
        "targets:\n  staging: {extends: ash-v5, base_url: 'https://ash:hunter2hunter2@nlp.example/x?token=abc'}\n",
    );
    let serve = Serve::start(&place, &[]);
    let suites = serve.get("/api/test/suites").await.is(200).json();
    let names: Vec<&str> =
        suites.as_array().unwrap().iter().map(|suite| suite["name"].as_str().unwrap()).collect();
    assert!(names.contains(&"quick") && names.contains(&"comprehensive"), "{names:?}");
    let targets = serve.get("/api/test/targets").await.is(200);
    assert!(!targets.text.contains("hunter2") && !targets.text.contains("abc"), "{}", targets.text);
    let targets = targets.json();
    assert_eq!(
        (&targets[0]["name"], &targets[0]["default"], &targets[0]["url"]),
        (&json!("demo"), &json!(true), &json!(null))
    );
    assert!(targets[1]["url"].as_str().unwrap().starts_with("https://nlp.example"), "{targets}");
    let scenarios = serve.get("/api/test/scenarios").await.is(200).json();
    let smoke = scenarios.as_array().unwrap().iter().find(|scenario| scenario["name"] == "smoke").unwrap();
    assert!(smoke["seconds"].as_u64().unwrap() > 0 && smoke["title"].is_string(), "{smoke}");
}

#[tokio::test]
async fn a_number_in_a_query_that_is_none_is_named() {
    let place = quick_place("");
    let serve = Serve::start(&place, &[]);
    for path in ["/api/test/runs?limit=-1", "/api/test/results?limit=-1"] {
        let detail = serve.get(path).await.problem(400);
        assert_eq!(
            detail, "the query cannot be used: limit: `-1` is no whole number from 1 to 500",
            "{path}"
        );
    }
    serve.get("/api/test/runs?limit=0").await.problem(400);
    serve.get("/api/test/runs?limit=2").await.is(200);
}

#[tokio::test]
async fn a_run_against_another_address_does_not_stand_for_the_target() {
    let (own, other) = (DemoProcess::start(&[]), DemoProcess::start(&[]));
    let place = quick_place("");
    let environment = [("NLP_SERVER_URL", own.url.as_str())];
    place.thrash_with(&environment, ["quick"]).exits(0);
    let serve = Serve::start(&place, &environment);
    let latest = serve.get("/api/test/results/latest").await.is(200).json();
    assert_eq!((&latest["target"], &latest["elsewhere"]), (&json!("ash-v5"), &json!(false)));
    place.thrash(["quick", "--target", "ash-v5", "--url", &other.url]).exits(0);
    let runs = place.runs();
    let newest = runs[0]["id"].as_str().unwrap();
    assert_ne!(&latest["id"], newest);
    let elsewhere = serve.get(&format!("/api/test/results/{newest}")).await.is(200).json();
    assert_eq!((&elsewhere["target"], &elsewhere["elsewhere"]), (&json!("ash-v5"), &json!(true)));
    assert_eq!(serve.get("/api/test/results/latest").await.is(200).json()["id"], latest["id"]);
}
