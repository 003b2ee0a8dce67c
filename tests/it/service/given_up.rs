//! What is to stop at once while it is being stored.

use std::process::Stdio;
use std::time::Duration;

use serde_json::json;
use sqlx::{Connection, Executor, SqliteConnection};

use super::process::{Serve, plain_place};
use crate::support::command::{DemoProcess, Place, send};

/// Holds the database so that nobody else writes to it.
async fn held(place: &Place) -> SqliteConnection {
    let file = place.data().join("thrash.db");
    let mut holder = SqliteConnection::connect(&format!("sqlite://{}", file.display())).await.unwrap();
    holder.execute("PRAGMA busy_timeout = 20000; BEGIN IMMEDIATE").await.unwrap();
    holder
}

#[tokio::test]
async fn a_run_that_is_given_up_while_it_is_stored_waits_in_the_spool() {
    let demo = DemoProcess::start(&["--latency", "500ms"]);
    let place = plain_place("run: {concurrency: 2}\n");
    place.thrash(["runs", "list"]).exits(0);
    let mut command = place.command(["quick", "--url", &demo.url]);
    let mut running = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    tokio::time::sleep(Duration::from_secs(2)).await;
    let holder = held(&place).await;
    for _ in 0..2 {
        send("INT", &running);
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    assert_eq!(running.wait().unwrap().code(), Some(130));
    holder.close().await.unwrap();
    let runs = place.runs();
    assert_eq!((runs.len(), &runs[0]["status"]), (1, &json!("interrupted")));
}

#[tokio::test]
async fn a_load_that_is_given_up_while_it_is_stored_keeps_what_it_found() {
    let demo = DemoProcess::start(&[]);
    let place = plain_place("service: {stop_within: 300ms, lease: 10s}\n");
    let environment = [("NLP_SERVER_URL", demo.url.as_str())];
    let mut serve = Serve::start(&place, &environment);
    let asked = serve.post("/api/test/run", &json!({"scenario": "spike"})).await.is(202).json();
    let id = asked["id"].as_str().unwrap().to_owned();
    serve.under_way(&id).await;
    let holder = held(&place).await;
    serve.signal("TERM");
    serve.ended();
    let waiting = std::fs::read_dir(place.data().join("spool")).expect("a spool").count();
    assert_eq!(waiting, 1, "{}", serve.said());

    holder.close().await.unwrap();
    let serve = Serve::start(&place, &environment);
    let run = serve.over(&id).await;
    assert_eq!((&run["state"], &run["attempt"]), (&json!("finished"), &json!(1)), "{run}");
    let found = serve.get(&format!("/api/test/results/{id}")).await.is(200).json();
    assert_eq!((&found["id"], &found["status"]), (&json!(id), &json!("interrupted")));
}

#[tokio::test]
async fn the_id_of_a_stored_run_shows_that_run_and_not_the_attempt_that_counts() {
    let place = plain_place("");
    let serve = Serve::start(&place, &[]);
    let (first, second) = (serve.ask().await, serve.ask().await);
    for id in [&first, &second] {
        serve.over(id).await;
    }
    // As if the first attempt had been stored late, and the job been run again meanwhile.
    let file = format!("sqlite://{}", place.data().join("thrash.db").display());
    let mut database = SqliteConnection::connect(&file).await.unwrap();
    let again = format!("UPDATE jobs SET run_id = '{second}' WHERE id = '{first}'");
    database.execute(sqlx::AssertSqlSafe(again)).await.unwrap();
    database.close().await.unwrap();
    let shown = async |path: &str| serve.get(path).await.is(200).json()["id"].clone();
    for path in [format!("/api/test/results/{first}"), format!("/api/test/runs/{first}/report.json")] {
        assert_eq!(shown(&path).await, json!(first), "{path}");
    }
    // Where it is not stored, what was asked for has the result of its last attempt.
    place.thrash(["runs", "delete", &first]).exits(0);
    assert_eq!(shown(&format!("/api/test/results/{first}")).await, json!(second));
}
