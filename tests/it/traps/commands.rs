//! The program itself: what a script sees when a target is broken.

use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;
use thrash::demo::{Behaviour, Demo, DemoOptions};

use super::scripted::ash_v5;
use crate::support::server::{Reply, Server};

/// The program with nothing in its environment but a data folder of its own.
struct Program {
    data: TempDir,
    variables: Vec<(String, String)>,
}

struct Ran {
    code: Option<i32>,
    said: String,
    record: Option<Value>,
    took: Duration,
}

impl Program {
    fn new() -> Self {
        Self { data: tempfile::tempdir().unwrap(), variables: Vec::new() }
    }

    fn with(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    fn run(&self, arguments: &[&str]) -> Ran {
        let json = self.data.path().join("record.json");
        let start = Instant::now();
        let output: Output = Command::new(env!("CARGO_BIN_EXE_thrash"))
            .args(arguments)
            .arg("--json")
            .arg(&json)
            .env_clear()
            .env("THRASH_DATA", self.data.path().join("data"))
            .envs(self.variables.iter().cloned())
            .current_dir(self.data.path())
            .output()
            .expect("the program starts");
        let took = start.elapsed();
        let said =
            format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        let record = std::fs::read(json).ok().map(|bytes| serde_json::from_slice(&bytes).unwrap());
        Ran { code: output.status.code(), said, record, took }
    }

    /// Whether there is no record in the store, the spool or the reports.
    fn keeps_nothing(&self) -> bool {
        let listed = Command::new(env!("CARGO_BIN_EXE_thrash"))
            .args(["runs", "list"])
            .env_clear()
            .env("THRASH_DATA", self.data.path().join("data"))
            .current_dir(self.data.path())
            .output()
            .expect("the program starts");
        let listed = String::from_utf8_lossy(&listed.stdout).into_owned();
        let no_file = files(self.data.path()).iter().all(|name| !name.contains(".json"));
        no_file && !listed.contains("quick") && !listed.contains("comprehensive")
    }
}

fn files(folder: &Path) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    entries
        .flatten()
        .flat_map(|entry| {
            let path = entry.path();
            if path.is_dir() { files(&path) } else { vec![path.display().to_string()] }
        })
        .collect()
}

fn healthy(seen: &crate::support::server::Seen, otherwise: impl Fn() -> Reply) -> Reply {
    if seen.path == "/health" {
        Reply::json(200, &json!({"status": "healthy", "ready": true}))
    } else {
        otherwise()
    }
}

#[test]
fn a_target_that_refuses_connections_ends_with_3_at_once_and_leaves_no_record() {
    let dead = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let program = Program::new();
    let ran = program.run(&["quick", "--url", &format!("http://{dead}")]);
    assert_eq!(ran.code, Some(3), "{}", ran.said);
    // Less than five on a machine with nothing else to do.
    assert!(ran.took < Duration::from_secs(8), "{:?}", ran.took);
    assert!(ran.record.is_none() && program.keeps_nothing());
    assert!(ran.said.contains("cannot be reached"), "{}", ran.said);
}

#[test]
fn a_target_that_accepts_and_never_answers_ends_with_3_within_five_seconds() {
    let hole = Server::start_with_health(|_| Reply::silence());
    let program = Program::new();
    let ran = program.run(&["quick", "--url", &hole.url()]);
    assert_eq!(ran.code, Some(3), "{}", ran.said);
    // Less than five on a machine with nothing else to do.
    assert!(ran.took < Duration::from_secs(8), "{:?}", ran.took);
    assert!(ran.record.is_none() && program.keeps_nothing());
}

#[test]
fn an_unwell_target_ends_with_3_before_a_phrase_is_sent() {
    let demo = Demo::start(DemoOptions {
        behaviour: Behaviour { unhealthy: true, ..Behaviour::default() },
        ..DemoOptions::default()
    })
    .unwrap();
    let program = Program::new();
    let ran = program.run(&["quick", "--url", &demo.url()]);
    assert_eq!(ran.code, Some(3), "{}", ran.said);
    assert!(ran.said.contains("not healthy"), "{}", ran.said);
    assert_eq!(demo.requests().analyze, 0);
    assert!(program.keeps_nothing());
}

#[test]
fn nothing_but_429_ends_with_3_and_says_nothing_of_a_hundred_percent() {
    let server = Server::start_with_health(|seen| {
        healthy(seen, || Reply::answer(429, &[("retry-after", "600")], r#"{"severity": "safe"}"#))
    });
    let ran = Program::new().run(&["quick", "--url", &server.url()]);
    assert_eq!(ran.code, Some(3), "{}", ran.said);
    // After twenty in a row no more are sent; some of the others may be on their way by then.
    let none_right = |tried| ran.said.contains(&format!("0 of {tried} right"));
    assert!((20..=25).any(none_right), "{}", ran.said);
    assert!(ran.said.contains("TARGET FAILED"), "{}", ran.said);
    let record = ran.record.expect("what was seen is kept");
    assert_eq!(record["metrics"]["accuracy"]["count"], 0);
    assert_eq!(record["verdict"]["conclusion"], "target_failed");
}

#[test]
fn a_target_that_dies_in_the_middle_ends_with_3_and_a_record_that_says_aborted() {
    let behaviour = Behaviour { die_after: Some(40), ..Behaviour::default() };
    let demo = Demo::start(DemoOptions { behaviour, ..DemoOptions::default() }).unwrap();
    let program = Program::new();
    let ran = program.run(&["comprehensive", "--url", &demo.url(), "--retries", "0"]);
    assert_eq!(ran.code, Some(3), "{}", ran.said);
    let record = ran.record.expect("what was seen is kept");
    assert_eq!(record["status"], "aborted");
    assert!(record["integrity"]["not_sent"].as_u64().unwrap() > 100);
    assert!(ran.said.contains("stopped answering"), "{}", ran.said);
    assert!(!program.keeps_nothing());
}

#[test]
fn a_page_of_html_for_every_phrase_ends_with_3() {
    let server = Server::start_with_health(|seen| {
        healthy(seen, || Reply::answer(200, &[("content-type", "text/html")], "<h1>safe none</h1>"))
    });
    let ran = Program::new().run(&["quick", "--url", &server.url(), "--database-url", "none"]);
    assert_eq!(ran.code, Some(3), "{}", ran.said);
    assert_eq!(ran.record.unwrap()["metrics"]["accuracy"]["count"], 0);
}

#[test]
fn a_target_that_calls_everything_safe_ends_with_1() {
    let server = Server::start_with_health(|seen| {
        healthy(seen, || Reply::json(200, &ash_v5("safe", 0.0, &format!("req_{:?}", Instant::now()))))
    });
    let ran = Program::new().run(&["quick", "--url", &server.url(), "--database-url", "none"]);
    assert_eq!(ran.code, Some(1), "{}", ran.said);
}

#[test]
fn an_honest_target_passes_and_its_record_says_so() {
    let ran = Program::new().run(&["quick", "--database-url", "none", "--seed", "1"]);
    let record = ran.record.expect("a record");
    assert_eq!(
        (record["status"].as_str(), record["target"]["demo"].as_bool()),
        (Some("completed"), Some(true))
    );
    assert_eq!(record["integrity"]["not_sent"], 0);
    assert_eq!(record["integrity"]["no_answer"], json!({}));
    assert!(matches!(ran.code, Some(0 | 1)), "{}", ran.said);
}

#[test]
fn the_environments_proxy_is_not_ours() {
    let proxy = Server::start_with_health(|_| Reply::answer(500, &[], ""));
    let demo = Demo::start(DemoOptions::default()).unwrap();
    let program = ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY", "all_proxy"]
        .into_iter()
        .fold(Program::new(), |program, name| program.with(name, &proxy.url()));
    let ran = program.run(&["quick", "--url", &demo.url(), "--database-url", "none"]);
    assert_eq!(ran.record.expect("a record")["integrity"]["no_answer"], json!({}));
    assert_eq!(proxy.connections(), 0);
}

#[test]
fn a_password_in_the_url_and_a_key_in_the_environment_are_nowhere_to_be_seen() {
    let demo = Demo::start(DemoOptions::default()).unwrap();
    let url = demo.url().replace("http://", "http://tester:hunter2@");
    let program = Program::new().with("ASH_INTERNAL_KEY", "sesame");
    let ran = program.run(&["quick", "--url", &url, "-v", "-v"]);
    let record = ran.record.expect("a record").to_string();
    for secret in ["hunter2", "sesame"] {
        assert!(!ran.said.contains(secret), "{}", ran.said);
        assert!(!record.contains(secret));
    }
    let dead = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let ran = program.run(&["quick", "--url", &format!("http://tester:hunter2@{dead}"), "-v", "-v"]);
    assert_eq!(ran.code, Some(3));
    assert!(!ran.said.contains("hunter2"), "{}", ran.said);
}
