//! What is asked for and cannot be run: refused at once with its reason, and nothing else is held up by it.

use reqwest::Method;
use serde_json::{Value, json};

use super::process::{Serve, quick_place};
use crate::support::command::Place;

/// A suite that is well, and one whose file is not; a schedule of that one, which is off.
fn place() -> Place {
    let place = quick_place("schedules: {jobs: {nightly: {cron: '0 2 * * *', suite: bad}}}\n");
    place.file(
        "suites.yaml",
        "suites:\n  quick: {title: Well, files: [easy]}\n  bad: {title: Not well, files: [bad]}\n",
    );
    place.file(
        "bad/words.yaml",
        "category: bad\nexpected: [hihg]\nphrases:\n  - {id: b-1, text: nobody may read this, txt: nor this}\n",
    );
    place
}

/// Says nothing of what people wrote.
#[track_caller]
fn keeps_quiet(text: &str) {
    assert!(!text.contains("nobody may read") && !text.contains("nor this"), "{text}");
}

#[tokio::test]
async fn a_broken_suite_is_told_where_it_is_asked_for_and_listed_beside_the_others() {
    let place = place();
    let serve = Serve::start(&place, &[]);
    let listed = serve.get("/api/test/suites").await.is(200);
    keeps_quiet(&listed.text);
    let suites = listed.json();
    assert_eq!((&suites[1]["name"], &suites[1]["broken"]), (&json!("quick"), &Value::Null));
    let broken = suites[0]["broken"].as_str().expect("a reason");
    assert!(suites[0]["name"] == "bad" && broken.contains("words.yaml:2:12: "), "{suites}");

    let says_why = |text: &str| {
        assert!(text.contains("words.yaml:2:12: "), "{text}");
        keeps_quiet(text);
    };
    says_why(&serve.post("/api/schedules/nightly/enable", &json!({})).await.problem(409));
    // An older pass must not stand for what was asked for and could not be run.
    for (path, body) in
        [("/api/test/run", json!({"test_type": "bad"})), ("/api/schedules/nightly/run", json!({}))]
    {
        let asked = serve.post(path, &body).await.is(202).json();
        let over = serve.over(asked["id"].as_str().expect("an id")).await;
        assert_eq!(over["state"], "failed", "{over}");
        says_why(over["message"].as_str().expect("a reason"));
    }
    let latest = serve.get("/api/test/results/latest?test_type=bad").await.is(200).json();
    assert_eq!(latest["passed"], false, "{latest}");
    let schedules = serve.get("/api/schedules").await.is(200).json();
    let reason = |name: &str| {
        let all = schedules["schedules"].as_array().expect("a list");
        all.iter().find(|schedule| schedule["name"] == name).expect("it is listed")["broken"].clone()
    };
    assert!(
        reason("nightly").as_str().is_some_and(|reason| reason.contains("words.yaml:2:12: ")),
        "{schedules}"
    );
    assert_eq!(reason("quick"), Value::Null);
    let first = serve.send(serve.request(Method::GET, "/").header("accept", "text/html")).await.is(200);
    assert!(
        first.text.contains("cannot be run: ") && first.text.contains("words.yaml:2:12: "),
        "{}",
        first.text
    );
    keeps_quiet(&first.text);

    let page = serve.send(serve.request(Method::GET, "/start").header("accept", "text/html")).await.is(200);
    assert!(
        page.text.contains("words.yaml:2:12: ") && page.text.contains("value=\"suite:quick\" selected"),
        "{}",
        page.text
    );
    assert!(page.text.contains("value=\"suite:bad\" disabled"), "{}", page.text);
    keeps_quiet(&page.text);
    serve.over(&serve.ask().await).await;
    keeps_quiet(&serve.said());
}

#[tokio::test]
async fn a_list_of_suites_that_cannot_be_read_is_told_with_its_place() {
    let place = place();
    let serve = Serve::start(&place, &[]);
    place.file("suites.yaml", "suites:\n  quick: {title: Well, fils: [easy]}\n");
    let detail = serve.get("/api/test/suites").await.problem(503);
    assert!(detail.contains("suites.yaml:2:24: unknown key `fils` (did you mean `files`?)"), "{detail}");
    let detail = serve.post("/api/test/run", &json!({"test_type": "quick"})).await.problem(409);
    assert!(detail.contains("suites.yaml:2:24: "), "{detail}");
    let page = serve.send(serve.request(Method::GET, "/start").header("accept", "text/html")).await.is(200);
    assert!(
        page.text.contains("The suites cannot be read: ") && page.text.contains("scenario:smoke"),
        "{}",
        page.text
    );
}

#[tokio::test]
async fn a_broken_target_is_listed_beside_the_others() {
    let place =
        quick_place("targets:\n  bad: {extends: ash-v5, request: {bdy: {}}}\n  good: {extends: ash-v5}\n");
    let serve = Serve::start(&place, &[]);
    let targets = serve.get("/api/test/targets").await.is(200).json();
    let of = |name: &str| {
        let mut all = targets.as_array().expect("a list").iter();
        all.find(|target| target["name"] == name).expect("it is listed").clone()
    };
    let (bad, good) = (of("bad"), of("good"));
    assert!(bad["broken"].as_str().is_some_and(|reason| reason.contains("thrash.yaml:4:36: ")), "{bad}");
    assert_eq!((&bad["url"], &bad["allow_load"]), (&Value::Null, &json!(false)));
    assert_eq!(good["broken"], Value::Null);
    // What is asked of it fails where everybody sees it, and the others are none the worse for it.
    let asked =
        serve.post("/api/test/run", &json!({"test_type": "quick", "target": "bad"})).await.is(202).json();
    let over = serve.over(asked["id"].as_str().expect("an id")).await;
    assert_eq!(over["state"], "failed", "{over}");
    serve.over(&serve.ask().await).await;
}

#[tokio::test]
async fn a_body_that_is_no_object_is_told_so() {
    let place = quick_place("");
    let serve = Serve::start(&place, &[]);
    for (body, status) in
        [("null", 422), ("[]", 422), ("[\"quick\"]", 422), ("1", 422), ("nul", 400), ("", 400)]
    {
        let request = serve.request(Method::POST, "/api/test/run").header("content-type", "application/json");
        let detail = serve.send(request.body(body)).await.problem(status);
        assert!(status == 400 || detail == "the body must be a JSON object, `{…}`", "{body}: {detail}");
    }
}

#[tokio::test]
async fn what_the_target_does_not_take_is_refused_when_it_is_asked_for() {
    let targets =
        "targets:\n  plain: {extends: ash-v3}\n  far: {extends: ash-v5, base_url: 'http://far.example'}\n";
    let place = quick_place(&format!("run: {{batch: 4}}\n{targets}"));
    let serve = Serve::start(&place, &[]);
    for (body, words, hint) in [
        (
            json!({"scenario": "batches", "target": "plain"}),
            "`batches` sends 16 phrases in a request, and target `plain` has no batch endpoint",
            "these targets take it: demo",
        ),
        (
            json!({"test_type": "quick", "target": "plain"}),
            "target `plain` has no batch endpoint",
            "demo, far",
        ),
        (json!({"scenario": "smoke", "target": "far"}), "not marked for load", "these targets take it: demo"),
    ] {
        let reply = serve.post("/api/test/run", &body).await;
        let problem = reply.json();
        let detail = reply.problem(422);
        assert!(detail.contains(words), "{body}: {detail}");
        assert!(problem["hint"].as_str().is_some_and(|said| said.contains(hint)), "{problem}");
        // A program need not read the words to know that another target would do.
        assert_eq!(problem["type"], "urn:problem-type:thrash:unfit-target");
    }
    let unknown =
        serve.post("/api/test/run", &json!({"test_type": "quick", "target": "none"})).await.is(422).json();
    assert_eq!(unknown["type"], "about:blank");
    assert_eq!(serve.get("/api/test/runs").await.is(200).json()["runs"], json!([]));
}
