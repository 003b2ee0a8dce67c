//! What this machine has too little of is never the target's fault.

use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::Value;

use super::{ms, place, record, right, wait_for_requests};
use crate::support::command::{Ended, Place, send};
use crate::support::server::{Reply, Server};

/// Has the program that it is loaded into find no port any more, once a file says so.
const NO_PORTS: &str = r#"
#define _GNU_SOURCE
#include <errno.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>
int connect(int socket, const struct sockaddr *to, socklen_t length) {
    if (to->sa_family == AF_INET && access("no-ports", F_OK) == 0) {
        errno = EADDRNOTAVAIL;
        return -1;
    }
    return syscall(SYS_connect, socket, to, length);
}
"#;

fn start(mut command: Command, server: &Server) -> Child {
    command.args(["load", "s.yaml", "--target", "plain", "--url", &server.url()]);
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program starts")
}

/// Starts it where ports may run out.
fn start_with_ports(place: &Place, server: &Server) -> Child {
    let mut command = place.command([""; 0]);
    command.env("LD_PRELOAD", place.library("ports", NO_PORTS));
    start(command, server)
}

/// The target is well, and closes the connection: the next request needs another.
fn healthy() -> Reply {
    Reply::answer(200, &[("connection", "close")], "{}").then_close()
}

/// Nothing is known of the target, and it is said why.
fn could_not_tell(place: &Place, child: Child, why: &str) -> Value {
    let ended = Ended::of(child.wait_with_output().expect("it ends")).exits(4);
    let record = record(place);
    assert_eq!(record["verdict"]["conclusion"], "inconclusive");
    for check in record["verdict"]["checks"].as_array().unwrap() {
        assert_ne!(check["outcome"], "fail", "{check}");
    }
    let limits = record["load"]["generator"]["limits"].to_string();
    assert!(limits.contains(why), "{limits}\n{}", ended.stdout);
    record
}

#[test]
fn requests_that_found_no_file_here_are_no_failure_of_the_target() {
    let server = Server::start(|seen| right(seen).after(ms(500)));
    let place = place(
        "model: arrivals\nrate: 150/s\nduration: 2s\nmax_in_flight: 200\nconnections: {keep_alive: false}\nabort_when: {error_rate: 100%, unhealthy: false}\ngates: [error_rate <= 1%, accuracy >= 90%, latency_p95 <= 20s]\n",
    );
    let url = server.url();
    let line = format!(
        "ulimit -n 48; \"$THRASH\" load s.yaml --target plain --url {url} --database-url none --json r.json --junit r.xml"
    );
    place.shell(&line).exits(4);
    let read = |name: &str| std::fs::read_to_string(place.path().join(name)).expect(name);
    let record: Value = serde_json::from_str(&read("r.json")).unwrap();
    assert!(
        record["load"]["generator"]["exhausted"].as_u64().unwrap() > 0,
        "{}",
        record["load"]["generator"]
    );
    for check in record["verdict"]["checks"].as_array().unwrap() {
        assert_ne!(check["outcome"], "fail", "{check}");
    }
    let gates = read("r.xml");
    assert!(!gates.contains("<failure"), "{gates}");
}

#[test]
fn a_load_for_which_there_is_no_file_here_is_no_failure_of_the_target() {
    let server = Server::start(right);
    let place = place("model: arrivals\nrate: 20/s\nduration: 100ms\ngates: [error_rate <= 1%]\n");
    let url = server.url();
    // What is open besides is not the same everywhere.
    let loads = (10..30).filter(|most| {
        let ended = place.shell(&format!(
            "ulimit -n {most}; \"$THRASH\" load s.yaml --target plain --url {url} --database-url none"
        ));
        let cannot = ended.stderr.contains("the load cannot be made on this machine");
        if cannot {
            ended.exits(4).complains(&["Too many open files", "`ulimit -n`"]);
        }
        cannot
    });
    assert!(loads.count() > 0, "every load could begin, or nothing at all");
}

#[test]
fn a_load_that_finds_no_port_any_more_ends_and_the_target_is_not_blamed() {
    let server = Server::start(right);
    let place = place(
        "model: arrivals\nrate: 50/s\nduration: 60s\nconnections: {keep_alive: false}\ngates: [error_rate <= 1%, accuracy >= 90%]\n",
    );
    let run = start_with_ports(&place, &server);
    wait_for_requests(&server, 20);
    place.file("no-ports", "");
    let record = could_not_tell(&place, run, "found no free port or file");
    assert_eq!(record["status"], "aborted");
    assert_eq!(record["load"]["ended_by"], "unknown");
    let sentence = record["verdict"]["sentence"].as_str().unwrap();
    assert!(sentence.ends_with("but this machine had no port or file left"), "{sentence}");
}

#[test]
fn a_health_request_that_finds_no_port_is_no_word_of_the_target() {
    // The load keeps its connection; each look needs a new one.
    let server = Server::start_with_health(|seen| match seen.path.as_str() {
        "/health" => healthy(),
        _ => right(seen),
    });
    let place =
        place("model: arrivals\nrate: 20/s\nduration: 60s\nmax_in_flight: 1\ngates: [error_rate <= 1%]\n");
    let run = start_with_ports(&place, &server);
    wait_for_requests(&server, 10);
    place.file("no-ports", "");
    let record = could_not_tell(&place, run, "found no free port or file");
    assert_eq!(record["load"]["abort"]["rule"], "unhealthy: true");
}

#[test]
fn an_idle_pass_that_finds_no_port_is_no_failure_of_the_target() {
    let server = Server::start_with_health(|seen| match seen.path.as_str() {
        "/health" => healthy(),
        _ => right(seen).after(ms(500)).then_close(),
    });
    let place =
        place("model: arrivals\nrate: 20/s\nduration: 1s\nidle_pass: true\ngates: [error_rate <= 1%]\n");
    let run = start_with_ports(&place, &server);
    // Two looks at its health, and the first phrase.
    wait_for_requests(&server, 3);
    place.file("no-ports", "");
    let record = could_not_tell(&place, run, "found no free port or file");
    let seen = record["load"]["abort"]["seen"].as_str().unwrap();
    assert!(seen.starts_with("before the load: "), "{seen}");
}

#[test]
fn a_search_that_finds_no_port_has_not_found_the_targets_limit() {
    let server = Server::start(right);
    let place = place(
        "model: arrivals\nsearch: {from: 20/s, to: 80/s, factor: 2, hold: 2s}\nconnections: {keep_alive: false}\ngates: [error_rate <= 1%]\n",
    );
    let run = start_with_ports(&place, &server);
    // In the second of its loads.
    wait_for_requests(&server, 60);
    place.file("no-ports", "");
    let record = could_not_tell(&place, run, "found no free port or file");
    let search = &record["load"]["search"];
    assert_eq!((&search["sustained"], &search["broken"]), (&20.0.into(), &Value::Null), "{search}");
    assert!(search["reason"].as_str().unwrap().contains("no port or file left"), "{search}");
}

/// Somebody else's work, until the value is dropped.
struct Busy(Child);

impl Busy {
    fn on(core: &str) -> Self {
        let mut command = Command::new("taskset");
        command.args(["-c", core, "sh", "-c", "while :; do :; done"]);
        Self(command.spawn().expect("taskset"))
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_core_that_others_keep_busy_makes_no_slow_target() {
    let status = std::fs::read_to_string("/proc/self/status").expect("this process");
    let cores = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:")).expect("its cores");
    let core = cores.trim().split(['-', ',']).next().expect("a core");
    let server = Server::start(right);
    let place = place(
        "model: arrivals\nrate: 10000/s\nduration: 5s\nabort_when: {latency_p95: 500ms}\ngates: [latency_p95 <= 100ms, achieved_rate >= 99%, error_rate <= 1%]\n",
    );
    let _busy = [(); 3].map(|()| Busy::on(core));
    let program = place.command([""; 0]);
    let mut command = Command::new("taskset");
    command.args(["-c", core]).arg(program.get_program()).env_clear().current_dir(place.path());
    command.env("THRASH_DATA", place.data());
    could_not_tell(&place, start(command, &server), "for this program");
}

#[test]
fn a_program_that_stood_still_for_two_seconds_does_not_call_the_target_slow() {
    let server = Server::start(right);
    let place = place(
        "model: arrivals\nrate: 50/s\nduration: 3s\ngates: [latency_p95 <= 500ms, achieved_rate >= 99%, error_rate <= 1%]\n",
    );
    let run = start(place.command([""; 0]), &server);
    wait_for_requests(&server, 20);
    send("STOP", &run);
    std::thread::sleep(ms(2000));
    send("CONT", &run);
    let record = could_not_tell(&place, run, "because this program was busy");
    assert!(record["latency"]["p95_ms"].as_f64().unwrap() > 500.0, "{}", record["latency"]);
}

#[test]
fn nor_does_it_hold_looks_at_the_health_that_timed_out_against_it() {
    let is_silent = Arc::new(AtomicBool::new(false));
    let silent = Arc::clone(&is_silent);
    let server = Server::start_with_health(move |seen| match seen.method.as_str() {
        "GET" if silent.load(Ordering::SeqCst) => Reply::silence(),
        "GET" => healthy(),
        _ => right(seen),
    });
    let place = place("model: arrivals\nrate: 50/s\nduration: 60s\ngates: [error_rate <= 1%]\n");
    let run = start(place.command([""; 0]), &server);
    wait_for_requests(&server, 20);
    send("STOP", &run);
    is_silent.store(true, Ordering::SeqCst);
    std::thread::sleep(ms(2000));
    send("CONT", &run);
    Ended::of(run.wait_with_output().expect("it ends")).exits(4);
    let load = &record(&place)["load"];
    assert_eq!((&load["abort"]["rule"], &load["ended_by"]), (&"unhealthy: true".into(), &"unknown".into()));
    assert!(load["abort"]["seen"].as_str().unwrap().contains("timed out"), "{}", load["abort"]);
}

#[test]
fn a_search_in_which_the_target_dies_is_its_failure_however_late_this_program_was() {
    let dead = Arc::new(AtomicBool::new(false));
    let is_dead = Arc::clone(&dead);
    let server = Server::start_with_health(move |seen| match seen.method.as_str() {
        _ if is_dead.load(Ordering::SeqCst) => Reply::silence(),
        "GET" => healthy(),
        _ => right(seen),
    });
    let place = place(
        "model: arrivals\nsearch: {from: 20/s, to: 80/s, factor: 2, hold: 3s}\nabort_when: {silent: 1s, unhealthy: false}\ngates: [latency_p95 <= 500ms]\n",
    );
    let run = start(place.command([""; 0]), &server);
    // In the second of its loads.
    wait_for_requests(&server, 80);
    send("STOP", &run);
    dead.store(true, Ordering::SeqCst);
    std::thread::sleep(ms(700));
    send("CONT", &run);
    let ended = Ended::of(run.wait_with_output().expect("it ends")).exits(3);
    let record = record(&place);
    let search = &record["load"]["search"];
    assert_eq!((&search["sustained"], &search["broken"]), (&20.0.into(), &Value::Null), "{search}");
    let abort = &record["load"]["abort"];
    assert_eq!(abort["rule"], "unhealthy: true", "{abort}\n{}", ended.stdout);
}
