//! What a run tells while it goes on.

use serde_json::{Value, json};

use super::process::{Reply, Serve, plain_place, quick_place};
use crate::support::command::DemoProcess;

/// An event as a browser reads it.
#[derive(Debug, Clone, PartialEq)]
struct Event {
    id: String,
    name: String,
    data: Value,
}

/// Reads a whole stream (<https://html.spec.whatwg.org/multipage/server-sent-events.html>).
fn read(reply: &Reply) -> Vec<Event> {
    assert!(reply.header("content-type").starts_with("text/event-stream"), "{:?}", reply.headers);
    let blocks = reply.text.split("\n\n").filter(|block| !block.trim().is_empty() && !block.starts_with(':'));
    let field = |block: &str, name: &str| {
        let lines = block.lines().filter_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        lines.map(|value| value.trim_start_matches(' ').to_owned()).collect::<Vec<_>>().join("\n")
    };
    blocks
        .map(|block| Event {
            id: field(block, "id"),
            name: field(block, "event"),
            data: serde_json::from_str(&field(block, "data")).expect("JSON"),
        })
        .collect()
}

async fn events(serve: &Serve, id: &str, last: Option<&str>) -> Reply {
    let request = serve.request(reqwest::Method::GET, &format!("/api/test/runs/{id}/events"));
    serve
        .send(match last {
            Some(last) => request.header("Last-Event-ID", last),
            None => request,
        })
        .await
}

fn count(events: &[Event], name: &str) -> usize {
    events.iter().filter(|event| event.name == name).count()
}

#[tokio::test]
async fn a_reader_is_told_everything_and_reads_on_from_where_it_was() {
    let demo = DemoProcess::start(&["--latency", "100ms"]);
    let place = plain_place("");
    let serve = Serve::start(&place, &[("NLP_SERVER_URL", &demo.url)]);
    let id = serve.ask().await;
    // While it runs, and until it is over.
    let all = read(&events(&serve, &id, None).await.is(200));
    assert_eq!((count(&all, "observed"), count(&all, "ended")), (25, 1), "{all:?}");
    let last = all.last().unwrap();
    assert_eq!((last.name.as_str(), &last.data["state"]), ("ended", &json!("finished")));
    let observed = all.iter().find(|event| event.name == "observed").unwrap();
    assert!(observed.data["phrase"].is_string() && observed.data["latency_ms"].is_number(), "{observed:?}");

    // Late: the same from the ring.
    let late = read(&events(&serve, &id, None).await.is(200));
    assert_eq!((count(&late, "began"), count(&late, "observed"), count(&late, "ended")), (1, 25, 1));
    let middle = late.iter().position(|event| event.name == "observed").unwrap() + 10;
    let rest = read(&events(&serve, &id, Some(&late[middle].id)).await.is(200));
    assert_eq!(rest, late[middle + 1..]);
    // After the end a browser is told to come no more.
    events(&serve, &id, Some(&late.last().unwrap().id)).await.is(204);
    events(&serve, &id, Some("nonsense")).await.problem(400);
    events(&serve, "20260101-000000-aaaaaa", None).await.problem(404);
}

#[tokio::test]
async fn events_name_phrases_and_never_show_them() {
    let place = quick_place("");
    let serve = Serve::start(&place, &[]);
    let id = serve.ask().await;
    let text = events(&serve, &id, None).await.is(200).text;
    assert!(text.contains("desperate-1") && !text.contains("kill myself"), "{text}");
}

#[tokio::test]
async fn a_run_that_only_waits_tells_that_and_then_goes_on() {
    let demo = DemoProcess::start(&["--latency", "500ms"]);
    let place = quick_place("");
    let serve = Serve::start(&place, &[("NLP_SERVER_URL", &demo.url)]);
    let (_first, second) = (serve.ask().await, serve.ask().await);
    let all = read(&events(&serve, &second, None).await.is(200));
    assert_eq!(all[0].name, "state");
    assert_eq!(all[0].data["state"], "queued");
    assert_eq!((count(&all, "began"), count(&all, "observed"), count(&all, "ended")), (1, 2, 1), "{all:?}");
}

#[tokio::test]
async fn a_run_of_which_nothing_is_remembered_tells_how_it_ended() {
    let place = quick_place("");
    let serve = Serve::start(&place, &[]);
    let id = serve.ask().await;
    serve.over(&id).await;
    drop(serve);
    let serve = Serve::start(&place, &[]);
    let all = read(&events(&serve, &id, None).await.is(200));
    assert_eq!(all.len(), 1);
    assert_eq!(
        (all[0].name.as_str(), all[0].id.as_str(), &all[0].data["conclusion"]),
        ("ended", "1.end", &json!("passed"))
    );
}
