//! The pages: who may see and press what, and in a real browser whether they work. What is checked there stands in
//! `tests/browser/dashboard.mjs`.

use std::path::Path;
use std::process::Command;

use reqwest::header::{ACCEPT, CONTENT_SECURITY_POLICY, COOKIE, LOCATION, ORIGIN, SET_COOKIE};
use reqwest::redirect::Policy;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use thrash::domain::{Conclusion, RunId, RunRecord, Secret};
use thrash::service::hash_key;

use super::process::{Reply, Serve, keep, plain_place, quick_place};
use crate::support::command::DemoProcess;
use crate::support::html::Html;
use crate::support::sample::{Sample, record};

const KEY: &str = "0123456789abcdef0123456789abcdef";
const READER: &str = "fedcba9876543210fedcba9876543210";
const HOSTILE: &str = "</script><script>alert(1)</script>\"'><img src=x onerror=alert(1)>\u{202e}";

/// A browser without a screen: it asks for pages, follows nothing, and holds the cookie that it is told to hold.
struct Browser<'a> {
    serve: &'a Serve,
    client: reqwest::Client,
    cookie: String,
}

impl<'a> Browser<'a> {
    fn at(serve: &'a Serve) -> Self {
        let client = reqwest::Client::builder().redirect(Policy::none()).pool_max_idle_per_host(0).build();
        Self { serve, client: client.expect("a client"), cookie: String::new() }
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.client.request(method, format!("{}{path}", self.serve.url));
        request.header(ACCEPT, "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8").header(COOKIE, &self.cookie)
    }

    async fn get(&self, path: &str) -> Reply {
        self.serve.send(self.request(Method::GET, path)).await
    }

    /// Sends a form with these fields, as the page at `from` has it.
    async fn send(&self, from: &str, to: &str, fields: &[(&str, &str)]) -> Reply {
        let page = page(self.get(from).await);
        let mut all = vec![("token", token(&page))];
        all.extend(fields);
        self.serve.send(self.request(Method::POST, to).form(&all)).await
    }
}

#[track_caller]
fn page(reply: Reply) -> Html {
    let html = Html::parse(reply.is(200).text.as_bytes());
    assert_eq!(html.errors, [""; 0]);
    html
}

fn token(page: &Html) -> &str {
    let fields = page.all("input").find(|input| input.attribute("name") == Some("token"));
    fields.and_then(|field| field.attribute("value")).expect("a form with a token")
}

/// A run of a series, so many hours after the sample's.
fn later(mut record: RunRecord, hours: i64, suite: &str) -> RunRecord {
    record.started_at += chrono::TimeDelta::hours(hours);
    record.finished_at += chrono::TimeDelta::hours(hours);
    record.id = RunId::new(record.started_at, rand::random());
    suite.clone_into(&mut record.suite.name);
    record
}

#[tokio::test]
async fn a_change_that_no_page_from_here_asks_for_is_refused() {
    let place = quick_place("");
    let serve = Serve::start(&place, &[]);
    let browser = Browser::at(&serve);
    let start = page(browser.get("/start").await);
    let fields = |token: &str| {
        vec![
            ("token", token.to_owned()),
            ("what", "suite:quick".into()),
            ("target", String::new()),
            ("once", "1".into()),
        ]
    };
    let post = |token: &str| browser.request(Method::POST, "/start").form(&fields(token));
    let good = token(&start);
    assert!(serve.send(post("")).await.is(403).text.contains("not made here for you"));
    serve.send(post(&good.replace(|_: char| true, "0"))).await.is(403);
    serve.send(post(good).header(ORIGIN, "https://evil.example")).await.is(403);
    serve.send(post(good).header("sec-fetch-site", "cross-site")).await.is(403);
    let without = browser.request(Method::POST, "/start").form(&fields(good)[1..]);
    serve.send(without).await.is(422);
    assert_eq!(serve.get("/api/test/runs").await.json()["runs"], json!([]), "nothing began");
    let started = serve.send(post(good)).await.is(303);
    assert!(started.header("location").starts_with("/runs/"), "{started:?}", started = started.headers);
    // The same form once more is the same run.
    assert_eq!(serve.send(post(good)).await.is(303).header("location"), started.header("location"));
    // Nothing but what is known here: no address from a form is ever asked.
    for (what, target) in [("suite:nope", ""), ("quick", ""), ("suite:quick", "http://127.0.0.1:1/")] {
        let sent =
            browser.send("/start", "/start", &[("what", what), ("target", target), ("once", "2")]).await;
        sent.is(422);
    }
    assert_eq!(serve.get("/api/test/runs").await.json()["runs"].as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn schedules_are_switched_and_begun_from_the_first_page() {
    let place = quick_place("");
    let serve = Serve::start(&place, &[]);
    let browser = Browser::at(&serve);
    let shown = async || page(browser.get("/").await).id("schedules").text.clone();
    assert!(shown().await.contains("off") && !shown().await.contains("next"), "{}", shown().await);
    browser.request(Method::POST, "/schedules/quick/enable").send().await.expect("an answer");
    assert!(!shown().await.contains("next"), "nothing without a token");
    browser.send("/", "/schedules/quick/enable", &[]).await.is(303);
    assert!(shown().await.contains("next") && shown().await.contains("Switch off"), "{}", shown().await);
    browser.send("/", "/schedules/quick/disable", &[]).await.is(303);
    assert!(!shown().await.contains("next"), "{}", shown().await);
    let begun = browser.send("/", "/schedules/quick/run", &[]).await.is(303);
    assert!(begun.header("location").starts_with("/runs/"));
    browser.send("/", "/schedules/nope/run", &[]).await.is(404);
}

#[tokio::test]
async fn signing_in_takes_a_key_and_leaves_a_word_that_is_none() {
    let place = quick_place("");
    let serve = Serve::start(&place, &[("INTERNAL_API_KEY", KEY)]);
    let mut browser = Browser::at(&serve);
    let led = browser.get("/runs?kind=load").await.is(303);
    assert_eq!(led.header("location"), "/sign-in?to=%2Fruns%3Fkind%3Dload");
    let wrong = browser.send("/sign-in", "/sign-in", &[("key", READER), ("to", "/runs")]).await.is(422);
    assert!(wrong.text.contains("opens nothing here") && !wrong.text.contains(READER));
    assert_eq!(wrong.header(SET_COOKIE.as_str()), "");
    // Nobody signs somebody else in from another page, though every form for this has the same token.
    let form = page(browser.get("/sign-in").await);
    let fields = [("token", token(&form)), ("key", KEY), ("to", "/")];
    for (name, value) in [
        (ORIGIN.as_str(), "https://evil.example"),
        (ORIGIN.as_str(), "null"),
        ("sec-fetch-site", "cross-site"),
    ] {
        let request = browser.request(Method::POST, "/sign-in").header(name, value).form(&fields);
        assert_eq!(serve.send(request).await.is(403).header(SET_COOKIE.as_str()), "", "{name}: {value}");
    }

    let right = browser.send("/sign-in", "/sign-in", &[("key", KEY), ("to", "//evil.example")]).await.is(303);
    assert_eq!(right.header(LOCATION.as_str()), "/", "nobody is led elsewhere");
    let cookie = right.header(SET_COOKIE.as_str()).to_owned();
    for part in ["HttpOnly", "SameSite=Strict", "Path=/", "Max-Age="] {
        assert!(cookie.contains(part), "{cookie}");
    }
    assert!(!cookie.contains(KEY) && !cookie.contains("Secure"), "{cookie}");
    browser.cookie = cookie.split(';').next().expect("a cookie").to_owned();
    let start = page(browser.get("/start").await);
    assert!(start.all("button").any(|button| button.text == "Sign out"));
    assert!(!String::from_utf8_lossy(serve.said().as_bytes()).contains(KEY));

    // The API hears the cookie of who looks, and of nobody who changes something.
    serve.send(browser.request(Method::GET, "/api/test/runs")).await.is(200);
    let body = json!({"test_type": "quick"});
    serve.send(browser.request(Method::POST, "/api/test/run").json(&body)).await.problem(401);
    // A form from before belongs to nobody any more.
    let anonymous = Browser::at(&serve);
    let old = token(&page(anonymous.get("/sign-in").await)).to_owned();
    let fields = [("token", old.as_str()), ("what", "suite:quick"), ("target", ""), ("once", "1")];
    serve.send(browser.request(Method::POST, "/start").form(&fields)).await.is(403);

    let out = browser.send("/", "/sign-out", &[]).await.is(303);
    assert!(out.header(SET_COOKIE.as_str()).contains("Max-Age=0"));
    browser.get("/").await.is(303);
    serve.send(browser.request(Method::GET, "/api/test/runs")).await.problem(401);

    let page = page(anonymous.get("/sign-in").await);
    let fields = [("token", token(&page)), ("key", KEY), ("to", "/")];
    let behind =
        anonymous.request(Method::POST, "/sign-in").header("x-forwarded-proto", "https").form(&fields);
    assert!(serve.send(behind).await.is(303).header(SET_COOKIE.as_str()).contains("; Secure"));
}

#[tokio::test]
async fn who_may_only_look_sees_no_button_and_can_press_none() {
    let hash = hash_key(&Secret::new(READER));
    let place =
        quick_place(&format!("service: {{keys: [{{name: eyes, hash: '{hash}', scopes: [read]}}]}}\n"));
    let slow = DemoProcess::start(&["--latency", "2s"]);
    let serve =
        Serve::start(&place, &[("INTERNAL_API_KEY", KEY), ("NLP_SERVER_URL", &slow.url)]).with_key(KEY);
    let id = serve.ask().await;
    let mut browser = Browser::at(&serve);
    let signed = browser.send("/sign-in", "/sign-in", &[("key", READER), ("to", "/")]).await.is(303);
    browser.cookie = signed.header(SET_COOKIE.as_str()).split(';').next().expect("a cookie").to_owned();
    for path in ["/".to_owned(), format!("/runs/{id}"), "/runs".to_owned()] {
        let page = page(browser.get(&path).await);
        let buttons = page.all("button").map(|button| button.text.clone()).filter(|words| words != "Filter");
        assert_eq!(buttons.collect::<Vec<_>>(), ["Sign out"], "{path}");
        assert!(page.all("a").all(|link| link.attribute("href") != Some("/start")), "{path}");
    }
    assert!(browser.get("/start").await.is(403).text.contains("has `read`"));
    browser.send("/", &format!("/runs/{id}/cancel"), &[]).await.is(403);
    assert_eq!(serve.run(&id).await["cancelled_by"], Value::Null);
}

#[tokio::test]
async fn what_goes_wrong_is_a_page_for_people_and_a_problem_for_programs() {
    let place = quick_place("service: {base_path: /thrash}\n");
    let serve = Serve::start(&place, &[]);
    let browser = Browser::at(&serve);
    for (path, status, heading) in [
        ("/nothing", 404, "Not here"),
        ("/runs/nobody", 404, "Not here"),
        ("/compare?a=x", 422, "That did not work"),
        ("/runs?outcome=fine", 400, "That did not work"),
        ("/runs?after=nonsense", 400, "That did not work"),
        ("/runs/x/cancel", 405, "That did not work"),
    ] {
        let reply = browser.get(path).await.is(status);
        assert_eq!(reply.header("content-type"), "text/html; charset=utf-8", "{path}");
        let policy = reply.header(CONTENT_SECURITY_POLICY.as_str());
        assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"), "{path}: {policy}");
        assert!(policy.ends_with("frame-ancestors 'none'"), "{path}: {policy}");
        let html = Html::parse(reply.text.as_bytes());
        assert_eq!(html.errors, [""; 0], "{path}");
        assert!(html.all("h1").any(|h1| h1.text.contains(heading)), "{path}");
        assert!(html.all("a").any(|link| link.attribute("href") == Some("/thrash/runs")), "{path}");
        serve.get(path).await.problem(status);
    }
    serve.send(browser.request(Method::GET, "/api/test/runs/nobody")).await.problem(404);
    assert_eq!(page(browser.get("").await).all("h1").count(), 1);
    browser.get("/").await.is(308);
}

#[tokio::test]
async fn every_run_is_listed_once_and_a_job_that_failed_is_no_pass() {
    let place = quick_place("");
    let mut passed = Sample::all_right().record();
    passed.target.name = "demo".to_owned();
    assert_eq!(passed.verdict.conclusion, Conclusion::Passed);
    let runs: Vec<RunRecord> = (0..120).map(|hours| later(passed.clone(), hours, "quick")).collect();
    keep(&place, &runs).await;
    let serve = Serve::start(&place, &[]);
    let browser = Browser::at(&serve);
    let (mut path, mut seen) = ("/runs?suite=quick".to_owned(), Vec::new());
    loop {
        let page = page(browser.get(&path).await);
        let of_runs = page.all("a").filter_map(|link| link.attribute("href")?.strip_prefix("/runs/"));
        seen.extend(of_runs.map(str::to_owned));
        let next = page.all("a").find(|link| link.attribute("rel") == Some("next"));
        let Some(next) = next.and_then(|link| link.attribute("href")) else { break };
        next.clone_into(&mut path);
    }
    let all: Vec<String> = runs.iter().rev().map(|run| run.id.to_string()).collect();
    assert_eq!(seen, all);
    let now = page(browser.get("/").await);
    assert!(now.all("h1").any(|h1| h1.text.contains("Passed")), "they all passed");
    drop(serve);

    // The suite has gone: the next run cannot begin.
    std::fs::remove_dir_all(place.path().join("easy")).expect("it goes");
    let serve = Serve::start(&place, &[]);
    let id = serve.ask().await;
    assert_eq!(serve.over(&id).await["state"], "failed");
    let browser = Browser::at(&serve);
    let now = page(browser.get("/").await);
    assert!(now.all("h1").all(|h1| h1.text.contains("Not run") && !h1.text.contains("Passed")));
    assert!(now.all("body").any(|body| body.attribute("class") == Some("unsure")), "and looks like that");
    let run = page(browser.get(&format!("/runs/{id}")).await);
    assert!(run.all("h1").any(|h1| h1.text.contains("Not run")));
    let listed = page(browser.get("/runs?outcome=not-run").await);
    let entries = listed.all("a").filter(|link| link.attribute("href") == Some(&format!("/runs/{id}")));
    assert_eq!(entries.count(), 1);
}

#[tokio::test]
async fn a_part_of_a_suite_stands_for_no_whole_one() {
    let place = quick_place("");
    let (mut whole, mut part) = (record(), later(Sample::all_right().record(), 1, "quick"));
    for run in [&mut whole, &mut part] {
        run.target.name = "demo".to_owned();
    }
    part.suite.available = 100;
    part.suite.selection.limit = Some(part.suite.selected);
    assert_eq!(
        (whole.verdict.conclusion, part.verdict.conclusion),
        (Conclusion::GateFailed, Conclusion::Passed)
    );
    keep(&place, &[whole.clone(), part.clone()]).await;
    let serve = Serve::start(&place, &[]);
    let browser = Browser::at(&serve);
    let now = page(browser.get("/").await);
    assert!(now.all("body").any(|body| body.attribute("class") == Some("bad")), "the whole run failed");
    let link = |id: &RunId| format!("/runs/{id}");
    let results = |page: &Html, id: &RunId| page.all("a").any(|to| to.attribute("href") == Some(&link(id)));
    assert!(results(&now, &whole.id) && !results(&now, &part.id));
    let listed = page(browser.get("/runs").await);
    assert!(results(&listed, &whole.id) && results(&listed, &part.id), "they are all listed");
    let listed = serve.get("/api/test/results").await.is(200).json();
    assert_eq!(
        (&listed["results"][0]["partial"], &listed["results"][1]["partial"]),
        (&json!(true), &json!(false))
    );
    // So many are the whole where the configuration says so.
    drop(serve);
    let serve = Serve::start(&place, &[("QUICK_TEST_PHRASES", &part.suite.selected.to_string())]);
    let now = page(Browser::at(&serve).get("/").await);
    assert!(results(&now, &part.id) && !results(&now, &whole.id));
}

#[tokio::test]
async fn what_passed_says_nothing_of_a_target_that_is_down_nor_for_long() {
    let demo = DemoProcess::start(&[]);
    let place = quick_place("");
    let target = [("NLP_SERVER_URL", demo.url.as_str()), ("THRASH_TARGET", "demo")];
    place.thrash_with(&target, ["quick", "-q"]).exits(0);
    // One that is not served here counts for nothing, whatever came of it.
    let elsewhere = Serve::start(&place, &[("NLP_SERVER_URL", demo.url.as_str())]);
    let first = page(Browser::at(&elsewhere).get("/").await);
    assert!(first.all("h1").all(|h1| !h1.text.contains("Passed")), "that was another target");
    drop(elsewhere);
    place.thrash(["quick", "-q", "--target", "ash-v5", "--url", &demo.url, "--min-accuracy", "100%"]);
    let serve = Serve::start(&place, &target);
    let browser = Browser::at(&serve);
    let says = async |words: &str, tone: &str| {
        let start = std::time::Instant::now();
        loop {
            let now = page(browser.get("/").await);
            let headline = now.all("h1").next().map(|h1| h1.text.clone()).unwrap_or_default();
            if headline.contains(words) {
                assert!(now.all("body").any(|body| body.attribute("class") == Some(tone)), "{headline}");
                return;
            }
            assert!(start.elapsed().as_secs() < 60, "{headline}, not {words}");
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
    };
    says("Passed", "good").await;
    place.age_runs();
    says("Passed 2 days ago", "unsure").await;
    drop(demo);
    says("The target is not well", "bad").await;
    let metrics = serve.metrics().page().await;
    assert!(metrics.contains(r#"target="demo""#) && !metrics.contains(r#"target="ash-v5""#), "{metrics}");
}

#[tokio::test]
async fn while_the_database_is_away_the_pages_say_so_and_nothing_looks_good() {
    let place = quick_place("");
    let mut fresh = RunRecord { started_at: chrono::Utc::now(), ..Sample::all_right().record() };
    fresh.target.name = "demo".to_owned();
    keep(&place, &[fresh]).await;
    let serve = Serve::start(&place, &[]);
    let browser = Browser::at(&serve);
    // The target is asked first.
    serve.get("/ready").await.is(200);
    let now = page(browser.get("/").await);
    assert!(now.all("body").any(|body| body.attribute("class") == Some("good")), "it passed");
    for name in ["thrash.db", "thrash.db-wal", "thrash.db-shm"] {
        let _ = std::fs::remove_file(place.data().join(name));
    }
    for path in ["/", "/runs", "/history", "/runs/20260301-101500-k7m2pq", "/compare?a=2026&b=2027"] {
        let reply = browser.get(path).await.is(503);
        let away = Html::parse(reply.text.as_bytes());
        assert_eq!(away.errors, [""; 0], "{path}");
        assert!(away.all("h1").all(|h1| h1.text.contains("Not now")), "{path}");
        assert!(away.all("body").any(|body| body.attribute("class") == Some("unsure")), "{path}");
        assert!(
            reply.text.contains("database cannot be used now") && !reply.text.contains("Passed"),
            "{path}"
        );
        // What needs no database is still there.
        let health = &away.id("health").text;
        assert!(health.contains("Target") && !health.contains("Database"), "{path}: {health}");
        serve.get(path).await.problem(503);
    }
    page(browser.get("/start").await);
    serve.get("/health").await.is(200);
}

#[tokio::test]
async fn pages_work_in_a_browser() {
    let chromium = std::env::var("THRASH_TEST_BROWSER").expect(
        "THRASH_TEST_BROWSER is not set: run `./.ci/test`, or `.ci/browser cargo test`, \
         which install what is missing and set it",
    );
    let slow = DemoProcess::start(&["--latency", "150ms"]);
    let place = plain_place("run: {concurrency: 1}\n");
    let mut hostile = later(record(), 5, HOSTILE);
    HOSTILE.clone_into(&mut hostile.target.name);
    keep(&place, &[later(record(), 0, "kept"), later(Sample::all_right().record(), 1, "kept"), hostile])
        .await;
    let serve = Serve::start(&place, &[("NLP_SERVER_URL", &slow.url)]);
    let closed = quick_place("");
    let closed = Serve::start(&closed, &[("INTERNAL_API_KEY", KEY)]);

    let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/browser");
    let mut command = Command::new("node");
    command.arg("dashboard.mjs").arg(chromium).args([&serve.url, &closed.url, KEY]).current_dir(scripts);
    let output = command.output().expect("Node.js starts");
    let said =
        [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
    assert!(output.status.success(), "{said}\n{}", serve.said());
}
