//! The service by itself: it begins runs, and tells what came of them.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::process::{Serve, quick_place};
use crate::support::command::{DemoProcess, Place};
use crate::support::server::{Reply, Server};

const EVERY_SECOND: &str = "* * * * * *";

pub(super) fn chat() -> Server {
    Server::start(|_| Reply::answer(204, &[], ""))
}

/// Waits until the chat has so many messages, and gives their titles.
pub(super) async fn titles(chat: &Server, count: usize) -> Vec<String> {
    let start = Instant::now();
    while chat.requests().len() < count {
        assert!(start.elapsed() < Duration::from_mins(1), "{} of {count} messages", chat.requests().len());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let title = |body: Value| body["embeds"][0]["title"].as_str().expect("a title").to_owned();
    chat.requests().iter().map(|seen| title(seen.json())).collect()
}

/// Waits until so many runs are over.
async fn over(serve: &Serve, count: usize) {
    let start = Instant::now();
    loop {
        let page = serve.get("/api/test/runs").await.is(200).json();
        let over = page["runs"].as_array().unwrap().iter().filter(|run| run["over"] == true).count();
        if over >= count {
            return;
        }
        assert!(start.elapsed() < Duration::from_mins(1), "{page}\n{}", serve.said());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

fn place() -> Place {
    quick_place("environment: staging\n")
}

#[tokio::test]
async fn it_tells_once_that_the_target_is_down_and_once_that_it_is_well_again() {
    let (place, chat, demo) = (place(), chat(), DemoProcess::start(&[]));
    let hook = format!("{}/secret-word", chat.url());
    let environment =
        |url: &'static str| [("QUICK_TEST_SCHEDULE", EVERY_SECOND), ("QUICK_TEST_ENABLED", url)];
    let usual = environment("true");
    let down = [usual[0], usual[1], ("DISCORD_WEBHOOK_URL", &hook), ("NLP_SERVER_URL", "http://127.0.0.1:1")];
    let mut serve = Serve::start(&place, &down);
    let title = "Critical\\: quick against ash-v5 in staging is broken";
    assert_eq!(titles(&chat, 1).await, [title]);
    over(&serve, 3).await;
    serve.signal("KILL");
    serve.ended();
    let mut serve = Serve::start(&place, &down);
    over(&serve, 5).await;
    serve.signal("TERM");
    serve.ended();
    assert_eq!(chat.requests().len(), 1, "it is told once, and a restart changes nothing");

    let up = [usual[0], usual[1], ("DISCORD_WEBHOOK_URL", &hook), ("NLP_SERVER_URL", demo.url.as_str())];
    let serve = Serve::start(&place, &up);
    let titles = titles(&chat, 2).await;
    assert_eq!(titles[1], "Well again\\: quick against ash-v5 in staging");
    assert!(!serve.said().contains("secret-word"), "{}", serve.said());
    let runs = place.runs();
    assert!(!runs.is_empty() && runs.iter().all(|run| !run.to_string().contains("secret-word")));
}

#[test]
fn what_is_too_old_goes_by_itself_unless_it_is_told_not_to() {
    let place = quick_place("retention: {classes: {short: 1day}, runs: short, keep_last: 1}\n");
    let suite = place.easy_suite();
    for _ in 0..2 {
        place.thrash(["run", suite]).exits(0);
    }
    place.age_runs();
    let off = place
        .file("off.yaml", "retention: {enabled: false, classes: {short: 1day}, runs: short, keep_last: 1}");
    let mut serve = Serve::start(&place, &[("THRASH_CONFIG", off.to_str().unwrap())]);
    // As long as it takes below, where they go.
    std::thread::sleep(Duration::from_secs(1));
    serve.signal("TERM");
    serve.ended();
    assert_eq!(place.runs().len(), 2);

    let serve = Serve::start(&place, &[]);
    let start = Instant::now();
    while place.runs().len() > 1 {
        assert!(start.elapsed() < Duration::from_mins(1), "{}", serve.said());
        std::thread::sleep(Duration::from_millis(50));
    }
    assert!(serve.said().contains("deleted 1 run,"), "{}", serve.said());
}

#[tokio::test]
async fn schedules_are_seen_switched_and_run_over_http() {
    let place = quick_place("");
    let serve = Serve::start(&place, &[]);
    let listed = serve.get("/api/schedules").await.is(200).json();
    let names: Vec<&str> =
        listed["schedules"].as_array().unwrap().iter().filter_map(|one| one["name"].as_str()).collect();
    assert_eq!(names, ["comprehensive", "quick"]);
    assert!(listed["schedules"].as_array().unwrap().iter().all(|one| one["enabled"] == false));
    let on = serve.post("/api/schedules/quick/enable", &json!({})).await.is(200).json();
    assert_eq!((&on["enabled"], &on["switched"]), (&json!(true), &json!(true)));
    assert!(on["next"].is_string());
    let off = serve.post("/api/schedules/quick/disable", &json!({})).await.is(200).json();
    assert_eq!((&off["enabled"], &off["next"]), (&json!(false), &Value::Null));
    let run = serve.post("/api/schedules/quick/run", &json!({})).await.is(202);
    let id = run.json()["id"].as_str().unwrap().to_owned();
    assert_eq!(run.header("location"), format!("/api/test/runs/{id}"));
    let over = serve.over(&id).await;
    assert_eq!((&over["state"], &over["requester"]), (&json!("finished"), &json!("schedule:quick")));
    serve.post("/api/schedules/nightly/run", &json!({})).await.problem(404);
    // Its suite is not among these phrases.
    serve.post("/api/schedules/comprehensive/run", &json!({})).await.problem(422);
}

#[tokio::test]
async fn a_suite_that_breaks_while_the_service_runs_is_told_counted_and_shown() {
    let place = quick_place("notify: {warning_after: 0s}\n");
    let (chat, demo) = (chat(), DemoProcess::start(&[]));
    let hook = format!("{}/secret-word", chat.url());
    let environment = [
        ("QUICK_TEST_SCHEDULE", EVERY_SECOND),
        ("QUICK_TEST_ENABLED", "true"),
        ("DISCORD_WEBHOOK_URL", &hook),
        ("NLP_SERVER_URL", demo.url.as_str()),
    ];
    let serve = Serve::start(&place, &environment);
    over(&serve, 1).await;
    place.file("suites.yaml", "suites: {easy: {title: Two phrases, files: [easy]}}\n");
    assert_eq!(titles(&chat, 1).await, ["Warning\\: quick against ash-v5 came to nothing"]);
    let schedules = serve.get("/api/schedules").await.is(200).json();
    assert_eq!(schedules["schedules"][1]["last_outcome"], "not_run", "{schedules}");
    let page =
        serve.send(serve.request(reqwest::Method::GET, "/").header("accept", "text/html")).await.is(200);
    assert!(page.text.contains("not run</a>"), "{}", page.text);
    let counted = "thrash_runs_total{kind=\"accuracy\",suite=\"quick\",target=\"ash-v5\",demo=\"false\",outcome=\"not_run\"} ";
    let (start, metrics) = (Instant::now(), serve.metrics());
    loop {
        let page = metrics.page().await;
        let count = page.lines().find_map(|line| line.strip_prefix(counted)).map(str::parse::<f64>);
        if count.is_some_and(|count| count.expect("a number") >= 1.0) {
            break;
        }
        assert!(start.elapsed() < Duration::from_mins(1), "{page}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    place.file("suites.yaml", "suites: {quick: {title: Two phrases, files: [easy]}}\n");
    assert_eq!(titles(&chat, 2).await[1], "Well again\\: quick against ash-v5");
}
