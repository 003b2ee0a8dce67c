//! Ctrl-C, SIGTERM and SIGKILL in the middle of a run.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use crate::support::command::{DemoProcess, Ended, Place, send};

/// The contract of ash-v5 without what makes a run begin with two requests of its own.
const NO_CACHE_LOOK: &str = "targets: {plain: {extends: ash-v5, cache: {answer_id: null}}}\n";

/// A run that is under way: the whole suite, 50 ms a phrase, two at once.
fn started(place: &Place, demo: &DemoProcess, more: &[&str]) -> Child {
    let args = ["comprehensive", "--url", &demo.url, "--concurrency", "2"];
    let child = place
        .command(args.iter().chain(more))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    listens(&child);
    // Time for some phrases.
    std::thread::sleep(Duration::from_millis(1200));
    child
}

/// Waits until the process catches SIGTERM, as the system sees it.
fn listens(child: &Child) {
    let path = format!("/proc/{}/status", child.id());
    let catches = || {
        let status = std::fs::read_to_string(&path).unwrap_or_default();
        let mask = status.lines().find_map(|line| line.strip_prefix("SigCgt:"));
        let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
        mask.is_some_and(|mask| mask & (1 << 14) != 0)
    };
    let start = Instant::now();
    while !catches() {
        assert!(start.elapsed() < Duration::from_secs(30), "it does not listen");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn ended(child: Child) -> Ended {
    Ended::of(child.wait_with_output().expect("it ends"))
}

#[test]
fn a_first_signal_drains_the_run_and_keeps_what_was_found() {
    for signal in ["TERM", "INT"] {
        let place = Place::new();
        let demo = DemoProcess::start(&["--latency", "50ms"]);
        let child = started(&place, &demo, &[]);
        send(signal, &child);
        let ended = ended(child).exits(130).complains(&["stopping", "once more"]);
        assert!(ended.stdout.starts_with("INTERRUPTED"), "{}", ended.stdout);
        let record = place.latest();
        assert_eq!(record["status"], "interrupted");
        assert_eq!(record["verdict"]["conclusion"], "interrupted");
        let sent = record["results"].as_array().unwrap().len();
        let selected = usize::try_from(record["suite"]["selected"].as_u64().unwrap()).unwrap();
        assert!((1..selected).contains(&sent), "{sent} phrases sent");
        assert_eq!(record["integrity"]["not_sent"], selected - sent);
        assert_eq!(record["metrics"]["verdicts"]["unanswered"], 0, "answers on their way are waited for");
    }
}

#[test]
fn a_second_signal_stops_at_once() {
    let place = Place::new();
    let demo = DemoProcess::start(&["--latency", "20s"]);
    place.file("thrash.yaml", NO_CACHE_LOOK);
    let child = started(&place, &demo, &["--target", "plain"]);
    let start = Instant::now();
    send("INT", &child);
    std::thread::sleep(Duration::from_millis(500));
    send("INT", &child);
    let ended = ended(child).exits(130).complains(&["stopping now"]);
    assert!(start.elapsed() < Duration::from_secs(10), "it took {:?}", start.elapsed());
    assert!(ended.stdout.starts_with("INTERRUPTED"), "{}", ended.stdout);
    assert_eq!(place.latest()["status"], "interrupted");
}

#[test]
fn a_quiet_run_that_is_interrupted_says_so() {
    let place = Place::new();
    let demo = DemoProcess::start(&["--latency", "50ms"]);
    let child = started(&place, &demo, &["--quiet"]);
    send("TERM", &child);
    let ended = ended(child).exits(130).complains(&["interrupted: comprehensive against ash-v5"]);
    assert_eq!(ended.stdout, "");
}

#[test]
fn a_killed_run_leaves_the_store_readable_and_the_next_run_fine() {
    let place = Place::new();
    let suite = place.easy_suite();
    place.thrash(["run", suite]).exits(0);
    let demo = DemoProcess::start(&["--latency", "50ms"]);
    let mut child = started(&place, &demo, &[]);
    child.kill().expect("it is killed");
    child.wait().expect("it is gone");
    assert_eq!(place.runs().len(), 1);
    place.thrash(["run", suite]).exits(0);
    assert_eq!(place.runs().len(), 2);
}

#[test]
fn the_demo_ends_on_a_signal_and_frees_its_port() {
    let place = Place::new();
    let mut child = place
        .command(["demo", "--listen", "127.0.0.1:0"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut url = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut url).unwrap();
    let address = url.trim().strip_prefix("http://").expect("an address").to_owned();
    assert!(std::net::TcpStream::connect(&address).is_ok());
    listens(&child);
    send("TERM", &child);
    assert!(child.wait().unwrap().success());
    let mut said = String::new();
    child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert!(said.contains("answered 0 requests"), "{said}");
    assert!(std::net::TcpStream::connect(&address).is_err());
}

#[test]
fn without_a_terminal_progress_is_a_line_now_and_then() {
    let place = Place::new();
    let demo = DemoProcess::start(&["--latency", "50ms"]);
    let args = ["quick", "--url", &demo.url, "--concurrency", "1", "--repeat", "3"];
    let loud = place.thrash(args);
    assert!(loud.stderr.contains("/75 sent, "), "{}", loud.stderr);
    assert!(loud.stderr.lines().count() < 5 && !loud.stderr.contains('\u{1b}'), "{}", loud.stderr);
    let quiet = place.thrash(args.iter().chain(&["--quiet"]));
    assert!(!quiet.stderr.contains(" sent, "), "{}", quiet.stderr);
}

#[test]
fn a_target_that_asks_for_more_patience_than_there_is_goes_unanswered() {
    let place = Place::new();
    let suite = place.easy_suite();
    place.file("thrash.yaml", format!("run: {{patience: 1s}}\n{NO_CACHE_LOOK}"));
    // It answers one phrase a minute.
    let demo = DemoProcess::start(&["--rate-limit", "1"]);
    let start = Instant::now();
    let args = ["run", suite, "--target", "plain", "--url", &demo.url, "--concurrency", "1"];
    let ended = place.thrash(args).exits(3);
    assert!(start.elapsed() < Duration::from_secs(20), "it took {:?}", start.elapsed());
    assert!(ended.stdout.contains("rate limited"), "{}", ended.stdout);
    assert_eq!(place.latest()["integrity"]["no_answer"]["rate_limited"], 1);
}
