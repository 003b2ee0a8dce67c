//! Runs whose answers were removed for their age: callers are told so.

use serde_json::{Value, json};

use super::process::{Serve, quick_place};

#[tokio::test]
async fn callers_are_told_that_the_answers_of_a_run_are_gone() {
    let place = quick_place("retention: {classes: {short: 1day}, answers: short, keep_last: 0}\n");
    let serve = Serve::start(&place, &[]);
    let id = serve.ask().await;
    serve.over(&id).await;
    let told = async || {
        let mut told = Vec::new();
        for (path, at) in [
            ("results".to_owned(), "/results/0"),
            (format!("results/{id}"), ""),
            ("results/latest".to_owned(), ""),
            ("runs".to_owned(), "/runs/0"),
            (format!("runs/{id}"), ""),
        ] {
            let found = serve.get(&format!("/api/test/{path}")).await.is(200).json();
            let at = format!("{at}/answers_removed_at");
            told.push(found.pointer(&at).unwrap_or_else(|| panic!("no {at} in {path}: {found}")).clone());
        }
        let events = serve.get(&format!("/api/test/runs/{id}/events")).await.is(200).text;
        let ended =
            events.lines().filter_map(|line| line.strip_prefix("data:")).next_back().expect("an event");
        told.push(serde_json::from_str::<Value>(ended).expect("JSON")["answers_removed_at"].clone());
        told
    };
    // What is kept ready from here on is not what is told later.
    assert_eq!(told().await, vec![Value::Null; 6]);

    std::thread::scope(|scope| {
        scope.spawn(|| place.age_runs());
    });
    place.thrash(["db", "prune"]).exits(0);
    let told = told().await;
    assert!(told[0].is_string() && told == vec![told[0].clone(); 6], "{told:?}");

    let gone = serve.get(&format!("/api/test/runs/{id}/report.csv")).await.problem(410);
    assert!(gone.contains("were removed for their age"), "{gone}");
    let page = serve.get(&format!("/api/test/runs/{id}/report.md")).await.is(200).text;
    assert!(page.contains("were removed for their age"), "{page}");
    let list = serve.get("/runs").await.is(200).text;
    assert!(list.contains("answers removed"), "{list}");
    let record = serve.get(&format!("/api/test/runs/{id}/report.json")).await.is(200).json();
    assert_eq!(record["results"][0]["observations"], json!([]));
}

#[tokio::test]
async fn a_run_that_was_deleted_is_none_that_could_not_be_kept() {
    let place = quick_place("");
    let serve = Serve::start(&place, &[]);
    let (first, second) = (serve.ask().await, serve.ask().await);
    for id in [&first, &second] {
        serve.over(id).await;
    }
    place.thrash(["runs", "delete", &second, "--force"]).exits(0);
    let latest = serve.get("/api/test/results/latest").await.is(200).json();
    assert_eq!((&latest["id"], latest["accuracy"].is_number()), (&json!(first), true), "{latest}");
    let page = serve.get("/").await.is(200).text;
    assert!(!page.contains("Not stored yet"), "{page}");
    let job = serve.get(&format!("/api/test/runs/{second}")).await.is(200).json();
    assert_eq!(job["message"], "its record was deleted", "{job}");
}
