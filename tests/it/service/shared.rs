//! Two processes on one PostgreSQL.

use serde_json::json;

use super::process::{Serve, plain_place};
use crate::store::place::{Place as _, PostgresPlace};
use crate::support::command::DemoProcess;

#[tokio::test]
async fn two_processes_share_the_work_and_a_killed_ones_run_is_run_again_once() {
    let slow = DemoProcess::start(&["--latency", "700ms"]);
    let database = PostgresPlace::fresh().await;
    let config = format!(
        "run: {{concurrency: 2}}\nservice: {{lease: 4s}}\ntargets:\n  a: {{extends: ash-v5, base_url: '{0}'}}\n  \
         b: {{extends: ash-v5, base_url: '{0}'}}\ntarget: a\n",
        slow.url
    );
    let place = plain_place(&config);
    let url = database.url();
    let environment = [("DATABASE_URL", url.as_str())];
    let mut one = Serve::start(&place, &environment);
    let two = Serve::start(&place, &environment);

    let ask = async |serve: &Serve, target: &str| {
        let body = json!({"test_type": "quick", "target": target});
        serve.post("/api/test/run", &body).await.is(202).json()["id"].as_str().unwrap().to_owned()
    };
    let (first, second) = (ask(&one, "a").await, ask(&one, "b").await);
    let running = |run: &serde_json::Value| run["state"] == "running";
    let (a, b) = (two.until(&first, running).await, two.until(&second, running).await);
    assert_ne!(a["instance"], b["instance"], "each has one of them");

    let name = format!("-{}", one.id());
    let lost = if a["instance"].as_str().unwrap().ends_with(&name) { &first } else { &second };
    let kept = if lost == &first { &second } else { &first };
    one.signal("KILL");
    one.ended();
    let waits = two.until(lost, |run| run["times_lost"] == 1).await;
    assert_eq!(waits["message"], "the instance that ran it was lost", "{waits}");
    let again = two.over(lost).await;
    assert_eq!((&again["state"], &again["attempt"]), (&json!("finished"), &json!(2)), "{again}");
    assert_ne!(again["run"], json!(lost));
    let other = two.over(kept).await;
    assert_eq!(
        (&other["state"], &other["attempt"], &other["times_lost"]),
        (&json!("finished"), &json!(1), &json!(0))
    );
    assert!(two.said().contains("a run was lost"), "{}", two.said());
    let results = two.get("/api/test/results").await.is(200).json();
    assert_eq!(results["results"].as_array().unwrap().len(), 2, "each once");
    let result = two.get(&format!("/api/test/results/{lost}")).await.is(200).json();
    assert_eq!((&result["id"], &result["status"]), (&again["run"], &json!("completed")));
}

#[tokio::test]
async fn one_that_is_lost_twice_stays_lost_and_is_no_pass() {
    let slow = DemoProcess::start(&["--latency", "5s"]);
    let database = PostgresPlace::fresh().await;
    let place = plain_place("service: {lease: 4s}\n");
    let url = database.url();
    let environment = [("DATABASE_URL", url.as_str()), ("NLP_SERVER_URL", slow.url.as_str())];
    let mut id = String::new();
    for attempt in 1..=2 {
        let mut serve = Serve::start(&place, &environment);
        if id.is_empty() {
            id = serve.ask().await;
        }
        serve.until(&id, |run| run["state"] == "running" && run["attempt"] == attempt).await;
        serve.signal("KILL");
        serve.ended();
    }
    let serve = Serve::start(&place, &environment);
    let run = serve.over(&id).await;
    assert_eq!((&run["state"], &run["times_lost"]), (&json!("lost"), &json!(2)), "{run}");
    let latest = serve.get("/api/test/results/latest").await.is(200).json();
    assert_eq!(
        (&latest["id"], &latest["outcome"], &latest["passed"]),
        (&json!(id), &json!("not_run"), &json!(false))
    );
}

#[tokio::test]
async fn one_that_stood_still_tells_nothing_old_of_a_run_that_another_one_took() {
    let slow = DemoProcess::start(&["--latency", "700ms"]);
    let database = PostgresPlace::fresh().await;
    let place = plain_place("run: {concurrency: 2}\nservice: {lease: 4s}\n");
    let url = database.url();
    let environment = [("DATABASE_URL", url.as_str()), ("NLP_SERVER_URL", slow.url.as_str())];
    let one = Serve::start(&place, &environment);
    let id = one.ask().await;
    one.under_way(&id).await;
    one.signal("STOP");
    let two = Serve::start(&place, &environment);
    two.until(&id, |run| run["attempt"] == 2 && run["progress"]["done"].as_u64() > Some(0)).await;
    one.signal("CONT");
    let mut looks = 0;
    loop {
        // The page first: while it is not over afterwards, it was not when the page was made.
        let page = one.get(&format!("/runs/{id}")).await;
        let run = one.run(&id).await;
        if run["over"] == true {
            break;
        }
        assert_eq!((&run["state"], &run["attempt"]), (&json!("running"), &json!(2)), "{run}");
        assert_eq!(run["progress"], json!(null), "that is how far its own attempt came: {run}");
        assert!(!page.text.contains(" of 25 phrases"), "{}", page.text);
        looks += 1;
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    assert!(looks > 3, "the other one was too quick to see anything: {looks}");
    assert_eq!(two.run(&id).await["attempt"], 2);
}

#[tokio::test]
async fn a_stop_that_is_asked_of_another_process_arrives() {
    let slow = DemoProcess::start(&["--latency", "500ms"]);
    let database = PostgresPlace::fresh().await;
    let place = plain_place("run: {concurrency: 1}\n");
    let url = database.url();
    let environment = [("DATABASE_URL", url.as_str()), ("NLP_SERVER_URL", slow.url.as_str())];
    let one = Serve::start(&place, &environment);
    let id = one.ask().await;
    one.under_way(&id).await;
    let two = Serve::start(&place, &environment);
    two.post(&format!("/api/test/runs/{id}/cancel"), &json!({})).await.is(202);
    assert_eq!(two.over(&id).await["state"], "cancelled");
}
