//! Users, on goose in a process of its own: what they send, how it is counted, and how that process ends.

use std::collections::{BTreeMap, BTreeSet};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{counts, ms, place, record, right, run};
use crate::support::command::{Ended, Place, send};
use crate::support::server::{Reply, Server};

/// A run of the scenario that is under way: some requests have been answered.
pub(super) fn under_way(place: &Place, server: &Server, requests: usize) -> Child {
    let child = place
        .command(["load", "s.yaml", "--target", "plain", "--url", &server.url()])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let start = Instant::now();
    while server.requests().len() < requests {
        assert!(start.elapsed() < Duration::from_mins(1), "nothing is sent");
        std::thread::sleep(ms(20));
    }
    child
}

pub(super) fn ended(child: Child) -> Ended {
    Ended::of(child.wait_with_output().expect("it ends"))
}

/// The process that sends, as the system knows it.
pub(super) fn sender(child: &Child) -> u32 {
    find_sender(child).expect("a process that sends")
}

/// The same, if it has been started.
pub(super) fn find_sender(child: &Child) -> Option<u32> {
    let parent = format!("PPid:\t{}\n", child.id());
    let processes = std::fs::read_dir("/proc").expect("the processes").flatten();
    let mut found = processes.filter_map(|entry| {
        let number: u32 = entry.file_name().to_str()?.parse().ok()?;
        std::fs::read_to_string(entry.path().join("status")).ok()?.contains(&parent).then_some(number)
    });
    found.next()
}

pub(super) fn signal(name: &str, process: u32) {
    let status = Command::new("/bin/sh").args(["-c", &format!("kill -{name} {process}")]).status();
    assert!(status.expect("a shell").success());
}

/// Waits until the process is there no more.
pub(super) fn is_gone(process: u32, within: Duration) {
    let start = Instant::now();
    while std::fs::read_to_string(format!("/proc/{process}/stat")).is_ok_and(|stat| !stat.contains(") Z ")) {
        assert!(start.elapsed() < within, "the process that sends is still there");
        std::thread::sleep(ms(20));
    }
}

pub(super) fn count(record: &Value, name: &str) -> u64 {
    counts(record)[name].as_u64().expect("a count")
}

#[test]
fn users_wait_for_their_answers_and_every_answer_is_judged() {
    let server = Server::start(|seen| right(seen).after(ms(20)));
    let place = place(
        "model: users\nusers: 3\nduration: 1500ms\nwarm_up: 300ms\ngates: [error_rate <= 1%, accuracy >= 99%]\n",
    );
    let ended = run(&place, &server, &["--json", "-"]).exits(0);
    // Nothing of what goose says on its own.
    let record: Value = serde_json::from_str(&ended.stdout).expect("stdout is the record alone");
    assert_eq!(record["load"]["scenario"]["engine"], "goose");
    assert_eq!(record["load"]["scenario"]["model"], "users");
    let seen = server.requests();
    let warm_up = record["load"]["warm_up"].as_u64().unwrap();
    assert!(warm_up >= 3, "{warm_up} requests in the warm-up");
    assert!(count(&record, "answered") > 30, "{}", counts(&record));
    for name in ["intended", "started", "answered", "right"] {
        assert_eq!(count(&record, name) + warm_up, seen.len() as u64, "{name}");
    }
    assert_eq!(server.most_in_flight(), 3, "each user asks one thing at a time");
    // A user waits for nothing but the answer.
    assert_eq!(record["latency"], record["attempt_latency"]);
    assert!(record["latency"]["p50_ms"].as_f64().unwrap() >= 20.0, "{}", record["latency"]);
    let mut ids: BTreeMap<String, usize> = BTreeMap::new();
    let mut nonces = BTreeSet::new();
    for request in &seen {
        *ids.entry(request.json()["id"].as_str().unwrap().to_owned()).or_default() += 1;
        assert!(nonces.insert(request.json()["nonce"].as_str().unwrap().to_owned()), "a nonce twice");
        assert_eq!(request.header("x-thrash-run"), record["id"].as_str());
        assert!(request.header("user-agent").is_some_and(|agent| agent.contains("synthetic test traffic")));
    }
    let (least, most) = (ids.values().min().unwrap(), ids.values().max().unwrap());
    assert!(ids.len() == 4 && most - least <= 1, "{ids:?}");
}

#[test]
fn wrong_answers_under_load_fail_the_gate_and_are_told_from_idle_ones() {
    // Right as long as nobody else asks.
    let server = Server::start(|seen| {
        let idle = seen.number < 4;
        if idle { right(seen) } else { Reply::json(200, &json!({"level": "none"})).after(ms(10)) }
    });
    let place = place("model: users\nusers: 4\nduration: 1s\nidle_pass: true\ngates: [accuracy >= 90%]\n");
    run(&place, &server, &[]).exits(1);
    let record = record(&place);
    assert_eq!(record["load"]["idle"]["lost"], json!(["high-1", "high-2"]));
    let answered = count(&record, "answered");
    assert!(answered > 20 && count(&record, "right").abs_diff(answered / 2) <= 4, "{}", counts(&record));
    let lost = &record["load"]["steps"][0]["lost"];
    assert_eq!(lost["of"], answered, "every phrase is right when idle: {lost}");
}

#[test]
fn a_shipped_scenario_of_users_runs_against_the_embedded_demo() {
    let place = Place::new();
    let ended = place.thrash(["load", "quick-parallel", "--scale-time", "0.06"]).exits(0);
    for word in ["PASSED", "load quick-parallel ×0.06 against demo", "DEMO"] {
        assert!(ended.stdout.contains(word), "no `{word}` in\n{}", ended.stdout);
    }
    assert!(record(&place)["load"]["idle"]["accuracy"]["of"].as_u64().unwrap() >= 20);
}

#[test]
fn the_stages_say_how_many_users_ask_and_requests_belong_to_the_step_they_start_in() {
    let server = Server::start(|seen| right(seen).after(ms(50)));
    let place = place(
        "model: users\nstages:\n  - {duration: 2s, target: 4}\n  - {duration: 1s, target: 4}\n  - {duration: 0s, target: 1}\n  - {duration: 1s, target: 1}\ngates: [error_rate <= 1%]\n",
    );
    run(&place, &server, &[]).exits(0);
    assert_eq!(server.most_in_flight(), 4);
    let record = record(&place);
    let steps = record["load"]["steps"].as_array().unwrap();
    let started: Vec<u64> = steps.iter().map(|step| step["counts"]["started"].as_u64().unwrap()).collect();
    // Half seconds with one to four users, a second with four, a second with one; 20 requests a second each at most.
    let most = [10, 20, 30, 40, 80, 20];
    assert_eq!(started.len(), most.len(), "{started:?}");
    for (started, most) in started.iter().zip(most) {
        assert!(*started <= most + 4 && *started >= most / 3, "{started} requests of {most} at most");
    }
    assert_eq!(started.iter().sum::<u64>(), server.requests().len() as u64);
    let first = server.requests().iter().map(|seen| seen.at).min().unwrap();
    let last = server.requests().iter().map(|seen| seen.at - first).max().unwrap();
    assert!(last < ms(4300), "a request {last:?} after the first");
}

#[test]
fn users_ask_as_often_as_the_scenario_says_and_then_the_run_is_over() {
    let server = Server::start(|seen| right(seen).after(ms(5)));
    let place = place(
        "model: users\nusers: 5\nhatch_rate: 20/s\nduration: 60s\niterations: 7\ngates: [error_rate <= 1%]\n",
    );
    let start = Instant::now();
    run(&place, &server, &[]).exits(0);
    assert!(start.elapsed() < Duration::from_secs(30), "{:?}", start.elapsed());
    assert_eq!(server.requests().len(), 35);
    assert_eq!(count(&record(&place), "answered"), 35);
}

#[test]
fn users_are_bounded_in_requests_and_time() {
    let server = Server::start(right);
    let lines = "model: users\nusers: 5\nduration: 60s\nmax_requests: 33\ngates: [error_rate <= 1%]\n";
    run(&place(lines), &server, &[]).exits(4);
    assert_eq!(server.requests().len(), 33);

    let server = Server::start(|seen| right(seen).after(ms(10)));
    let lines = "model: users\nusers: 2\nduration: 60s\nmax_duration: 700ms\ngates: [error_rate <= 1%]\n";
    run(&place(lines), &server, &[]).exits(4);
    let times: Vec<Instant> = server.requests().iter().map(|seen| seen.at).collect();
    assert!(*times.iter().max().unwrap() - *times.iter().min().unwrap() < ms(1000));
}

#[test]
fn users_never_exceed_the_highest_rate() {
    let server = Server::start(right);
    let place = place("model: users\nusers: 20\nduration: 2s\nmax_rate: 100/s\ngates: [error_rate <= 1%]\n");
    run(&place, &server, &[]).exits(0);
    let sent = server.requests().len();
    assert!((100..=201).contains(&sent), "{sent} requests in 2 s");
    // Over any 200 ms: 20, and what the network and this machine push together.
    let most = server.most_within(ms(200));
    assert!(most <= 26, "{most} requests within 200 ms");
}

#[test]
fn users_think_between_an_answer_and_the_next_request() {
    let server = Server::start(|seen| right(seen).after(ms(20)));
    let place =
        place("model: users\nusers: 1\nduration: 2s\nthink_time: 60ms..120ms\ngates: [error_rate <= 1%]\n");
    run(&place, &server, &[]).exits(0);
    let times: Vec<Instant> = server.requests().iter().map(|seen| seen.at).collect();
    let gaps: Vec<Duration> = times.windows(2).map(|two| two[1] - two[0]).collect();
    assert!(gaps.len() > 5 && gaps.iter().all(|gap| *gap >= ms(79)), "{gaps:?}");
    let (least, most) = (gaps.iter().min().unwrap(), gaps.iter().max().unwrap());
    assert!(most.saturating_sub(*least) > ms(10), "all pauses are alike: {gaps:?}");
}

#[test]
fn users_of_a_target_that_says_what_it_bears_need_a_highest_rate() {
    let server = Server::start(right);
    let place = place("model: users\nusers: 2\nduration: 1s\ngates: [error_rate <= 1%]\n");
    place.file("thrash.yaml", super::TARGET.replace("health:", "limits: {rate: 20}\n    health:"));
    run(&place, &server, &[]).exits(2).complains(&["bears 20/s", "max_rate: 20/s"]);
    assert!(server.all_requests().is_empty());
}

#[test]
fn errors_end_the_users_at_once() {
    let server = Server::start(|seen| {
        let reply = if seen.number < 60 { right(seen) } else { Reply::json(500, &json!({})) };
        reply.after(ms(20))
    });
    let place = place("model: users\nusers: 3\nduration: 60s\ngates: [error_rate <= 1%]\n");
    run(&place, &server, &[]).exits(3);
    let record = record(&place);
    assert_eq!(record["status"], "aborted");
    assert_eq!(record["load"]["abort"]["rule"], "error_rate: 50%");
    assert!(record["load"]["abort"]["at_ms"].as_f64().unwrap() < 6000.0, "{}", record["load"]["abort"]);
    // To the last one: it was not killed before it could say what it found.
    assert_eq!(count(&record, "started"), server.requests().len() as u64);
}

#[test]
fn a_signal_drains_the_users_and_leaves_no_process_behind() {
    let server = Server::start(|seen| right(seen).after(ms(100)));
    let place = place("model: users\nusers: 4\nduration: 60s\ngates: [error_rate <= 1%]\n");
    let child = under_way(&place, &server, 12);
    let sender = sender(&child);
    // Ctrl-C reaches both processes; the one that sends leaves it to the other.
    signal("INT", sender);
    signal("TERM", sender);
    let before = server.requests().len();
    let start = Instant::now();
    while server.requests().len() < before + 8 {
        assert!(start.elapsed() < Duration::from_secs(30), "it has stopped sending");
        std::thread::sleep(ms(20));
    }
    send("INT", &child);
    let ended = ended(child).exits(130);
    assert!(ended.stdout.starts_with("INTERRUPTED"), "{}", ended.stdout);
    let record = record(&place);
    assert_eq!(record["status"], "interrupted");
    assert_eq!(count(&record, "started"), count(&record, "answered"), "answers on their way are waited for");
    assert_eq!(count(&record, "started"), server.requests().len() as u64);
    is_gone(sender, Duration::from_secs(2));
}

#[test]
fn a_second_signal_stops_the_users_at_once() {
    let server = Server::start(|seen| if seen.number < 4 { right(seen) } else { Reply::silence() });
    let place = place(
        "model: users\nusers: 2\nduration: 60s\nabort_when: {unhealthy: false}\ngates: [error_rate <= 1%]\n",
    );
    place.file("thrash.yaml", super::TARGET.replace("timeout: 5s", "timeout: 60s"));
    let child = under_way(&place, &server, 6);
    let sender = sender(&child);
    send("INT", &child);
    std::thread::sleep(ms(500));
    let start = Instant::now();
    send("INT", &child);
    ended(child).exits(130);
    assert!(start.elapsed() < Duration::from_secs(5), "it took {:?}", start.elapsed());
    let record = record(&place);
    assert_eq!(count(&record, "abandoned"), 2);
    // What nobody waited for any more counts in its category as it does in its step.
    let load = &record["load"];
    let categories = load["categories"].as_object().unwrap().values();
    let waits: u64 = categories.map(|times| times["count"].as_u64().unwrap()).sum();
    assert_eq!(waits, count(&record, "answered") + 2, "{}", load["categories"]);
    is_gone(sender, Duration::from_secs(2));
}

#[test]
fn a_process_that_is_killed_leaves_a_record_that_passes_nothing() {
    let server = Server::start(|seen| right(seen).after(ms(10)));
    let place = place("model: users\nusers: 2\nduration: 60s\ngates: [error_rate <= 1%]\n");
    let child = under_way(&place, &server, 600);
    signal("KILL", sender(&child));
    let ended = ended(child).exits(4).complains(&["SIGKILL"]);
    assert!(ended.stdout.contains("the process that sends ended before its time"), "{}", ended.stdout);
    let record = record(&place);
    assert_eq!(
        (&record["status"], &record["verdict"]["conclusion"]),
        (&json!("aborted"), &json!("inconclusive"))
    );
    assert!(count(&record, "answered") > 20, "what was seen until then: {}", counts(&record));
    assert_eq!(record["load"]["generator"]["starved"], true);
    assert_eq!(record["load"]["ended_by"], "this_program");
    assert!(ended.stdout.contains("doing of this program"), "{}", ended.stdout);
}

#[test]
fn whoever_loses_their_parent_ends() {
    let server = Server::start(|seen| right(seen).after(ms(10)));
    let place = place("model: users\nusers: 2\nduration: 60s\ngates: [error_rate <= 1%]\n");
    let mut child = under_way(&place, &server, 10);
    let sender = sender(&child);
    send("KILL", &child);
    child.wait().expect("it is dead");
    is_gone(sender, Duration::from_secs(5));
    let sent = server.requests().len();
    std::thread::sleep(ms(300));
    assert_eq!(server.requests().len(), sent, "nobody sends any more");
}

#[test]
fn the_process_that_sends_listens_nowhere_and_shows_no_secret() {
    let server = Server::start(|seen| right(seen).after(ms(10)));
    let place = place("model: users\nusers: 2\nduration: 60s\ngates: [error_rate <= 1%]\n");
    let url = server.url().replace("http://", "http://somebody:hunter2@");
    let mut child = place
        .command(["load", "s.yaml", "--target", "plain"])
        .env("NLP_SERVER_URL", url)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the program starts");
    let start = Instant::now();
    while server.requests().len() < 10 {
        assert!(start.elapsed() < Duration::from_mins(1), "nothing is sent");
        std::thread::sleep(ms(20));
    }
    let sender = sender(&child);
    let arguments = std::fs::read_to_string(format!("/proc/{sender}/cmdline")).expect("its arguments");
    assert!(arguments.contains("send-users") && !arguments.contains("hunter2"), "{arguments}");
    // Of all sockets that listen (state 0A), none is one of its own: goose would open 5116.
    let sockets: BTreeSet<String> = std::fs::read_dir(format!("/proc/{sender}/fd"))
        .expect("its files")
        .flatten()
        .filter_map(|file| std::fs::read_link(file.path()).ok()?.to_str().map(str::to_owned))
        .filter_map(|link| Some(link.strip_prefix("socket:[")?.trim_end_matches(']').to_owned()))
        .collect();
    assert!(sockets.len() >= 2, "its connections: {sockets:?}");
    for table in ["tcp", "tcp6"] {
        let table = std::fs::read_to_string(format!("/proc/net/{table}")).unwrap_or_default();
        for line in table.lines().skip(1) {
            let fields: Vec<&str> = line.split_whitespace().collect();
            assert!(!(fields[3] == "0A" && sockets.contains(fields[9])), "it listens: {line}");
        }
    }
    send("TERM", &child);
    assert_eq!(child.wait().expect("it ends").code(), Some(130));
    assert!(server.requests().iter().all(|seen| seen.header("authorization").is_some()));
}

#[test]
fn no_request_is_like_one_of_the_idle_pass_even_through_the_client_library() {
    let server = Server::start(|seen| right(seen).after(ms(10)));
    let place =
        place("model: users\nusers: 2\nduration: 500ms\nidle_pass: true\ngates: [error_rate <= 1%]\n");
    // A request with the time in it cannot be made ready before.
    place.file("thrash.yaml", super::TARGET.replace("message:", "at: \"${timestamp}\", message:"));
    run(&place, &server, &[]).exits(0);
    let seen = server.requests();
    let nonces: BTreeSet<String> =
        seen.iter().map(|seen| seen.json()["nonce"].as_str().unwrap().to_owned()).collect();
    assert_eq!(nonces.len(), seen.len());
    // goose's features must not change what is asked for.
    assert!(seen.iter().all(|seen| seen.header("accept-encoding").is_none()));
}

#[test]
fn users_whom_the_highest_rate_holds_back_are_not_the_load_and_that_is_said() {
    let server = Server::start(|seen| right(seen).after(ms(5)));
    let place = place(
        "model: users\nusers: 20\nduration: 3s\nmax_rate: 20/s\ngates: [error_rate <= 1%, latency_p95 <= 2s]\n",
    );
    let ended = run(&place, &server, &[]).exits(0);
    assert!(ended.stdout.contains("1 warning"), "{}", ended.stdout);
    let held = record(&place);
    let share = held["load"]["held_back"].as_f64().unwrap();
    assert!((0.8..=1.0).contains(&share), "{share}");
    let warning =
        held["verdict"]["checks"].as_array().unwrap().iter().find(|check| check["metric"] == "held_back");
    let reason = warning.unwrap()["reason"].as_str().unwrap();
    assert!(reason.contains("20/s, not of 20 users"), "{reason}");

    // Users who think longer than the rate asks are not held back by it.
    let place = super::place(
        "model: users\nusers: 4\nduration: 2s\nthink_time: 200ms..300ms\nmax_rate: 400/s\ngates: [error_rate <= 1%]\n",
    );
    run(&place, &server, &[]).exits(0);
    let free = record(&place);
    assert!(free["load"]["held_back"].as_f64().unwrap() < 0.05, "{}", free["load"]["held_back"]);
    assert!(free["verdict"]["checks"].as_array().unwrap().iter().all(|check| check["metric"] != "held_back"));
}

#[test]
fn a_gate_that_users_can_never_fail_is_refused() {
    let server = Server::start(right);
    let scenario = "model: users\nusers: 2\nduration: 1s\n";
    let place = place(&format!("{scenario}gates: [achieved_rate >= 99%]\n"));
    run(&place, &server, &[]).exits(2).complains(&["`achieved_rate >= 99%`", "never late", "s.yaml:"]);
    let place = super::place(&format!("{scenario}gates: [error_rate <= 1%]\n"));
    run(&place, &server, &["--gate", "achieved_rate >= 99%"])
        .exits(2)
        .complains(&["cannot be asked", "never late"]);
    assert!(server.requests().is_empty());
}
