//! A database that does not take what is written.

use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::json;
use sqlx::{Connection, Executor, SqliteConnection};

use super::process::{Serve, quick_place};

/// How large a file may become that the process writes; its log stays below this, and its database is above it already.
fn file_limit(serve: &Serve, limit: &str) {
    let mut command = Command::new("prlimit");
    command.args(["--pid", &serve.id().to_string(), &format!("--fsize={limit}:")]);
    assert!(command.status().expect("util-linux").success());
}

async fn ready(serve: &Serve, status: u16) -> serde_json::Value {
    let start = Instant::now();
    loop {
        let reply = serve.get("/ready").await;
        if reply.status == status {
            return reply.json();
        }
        assert!(start.elapsed() < Duration::from_mins(1), "{}\n{}", reply.text, serve.said());
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
}

#[tokio::test]
async fn a_full_disk_is_not_ready_and_one_with_room_again_is_used_as_before() {
    let place = quick_place("");
    let serve = Serve::start_deaf_to(&place, "XFSZ");
    ready(&serve, 200).await;
    let first = serve.ask().await;
    serve.over(&first).await;

    file_limit(&serve, "65536");
    // On every connection that there is.
    for _ in 0..8 {
        let refused = serve.post("/api/test/run", &json!({"test_type": "quick"})).await;
        assert!(refused.status.is_server_error(), "{}", refused.text);
    }
    let looks = ready(&serve, 503).await;
    assert_eq!(looks["database"]["state"], "failed", "{looks}");
    assert!(looks["database"]["detail"].as_str().unwrap().contains("write to the database"), "{looks}");

    file_limit(&serve, "unlimited");
    ready(&serve, 200).await;
    let second = serve.ask().await;
    let run = serve.over(&second).await;
    assert_eq!((&run["state"], &run["attempt"]), (&json!("finished"), &json!(1)), "{run}\n{}", serve.said());
    serve.get(&format!("/api/test/results/{second}")).await.is(200);
}

#[tokio::test]
async fn a_queue_that_cannot_be_used_is_not_ready() {
    let place = quick_place("");
    let serve = Serve::start(&place, &[]);
    ready(&serve, 200).await;
    let file = format!("sqlite://{}", place.data().join("thrash.db").display());
    let mut by_hand = SqliteConnection::connect(&file).await.unwrap();
    by_hand.execute("ALTER TABLE jobs RENAME TO gone").await.unwrap();
    let looks = ready(&serve, 503).await;
    assert!(looks["database"]["detail"].as_str().unwrap().contains("queue"), "{looks}");
    by_hand.execute("ALTER TABLE gone RENAME TO jobs").await.unwrap();
    ready(&serve, 200).await;
    let id = serve.ask().await;
    assert_eq!(serve.over(&id).await["state"], "finished");
}
