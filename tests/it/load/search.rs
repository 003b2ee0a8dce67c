//! The search for the highest load that holds.

use std::sync::Mutex;
use std::time::Instant;

use serde_json::json;

use super::{ms, place, record, right, run};
use crate::support::server::{Reply, Server};

#[test]
fn it_finds_what_a_target_of_known_capacity_bears() {
    // One at a time, 20 ms each: fifty a second and not one more.
    let free = Mutex::new(Instant::now());
    let server = Server::start(move |seen| {
        let mut free = free.lock().expect("nobody panicked");
        let start = (*free).max(seen.at);
        *free = start + ms(20);
        right(seen).after(*free - seen.at)
    });
    let place = place(
        "model: arrivals\nsearch: {from: 20/s, to: 200/s, factor: 1.6, hold: 2s}\nmax_in_flight: 100\ngates: [latency_p95 <= 400ms, error_rate <= 1%]\n",
    );
    let ended = run(&place, &server, &[]).exits(0);
    let said = ended.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(said.contains("requests a second hold, "), "{said}");
    assert!(said.contains(" do not (latency_p95 <= "), "{said}");
    let search = &record(&place)["load"]["search"];
    // 20, 32, 51.2, 81.9: 51.2 may still hold for two seconds.
    let sustained = search["sustained"].as_f64().unwrap();
    assert!((31.0..52.0).contains(&sustained), "{search}");
    assert!(search["broken"].as_f64().unwrap() < 90.0, "{search}");
    assert!(search["reason"].as_str().unwrap().contains("latency_p95"), "{search}");
    // What was asked for on top is held against what was found.
    run(&place, &server, &["--gate", "sustained_rate >= 150"]).exits(1);
}

#[test]
fn a_target_that_bears_nothing_fails() {
    let server = Server::start(|seen| right(seen).after(ms(200)));
    let place = place(
        "model: arrivals\nsearch: {from: 20/s, to: 40/s, factor: 2, hold: 1s}\nabort_when: {unhealthy: false}\ngates: [latency_p95 <= 100ms]\n",
    );
    let ended = run(&place, &server, &[]).exits(1);
    assert!(ended.stdout.contains("not even 20.0/s"), "{}", ended.stdout);
    assert_eq!(server.requests().len(), 20, "the second load is not tried");
}

#[test]
fn a_load_under_which_answers_are_wrong_does_not_hold() {
    // Of more than 25 in the last second it calls every phrase harmless.
    let lately = Mutex::new(Vec::<Instant>::new());
    let server = Server::start(move |seen| {
        let mut lately = lately.lock().expect("nobody panicked");
        lately.retain(|at| seen.at.saturating_duration_since(*at) < ms(1000));
        lately.push(seen.at);
        if lately.len() > 25 { Reply::json(200, &json!({"level": "none"})) } else { right(seen) }
    });
    let place = place(
        "model: arrivals\nsearch: {from: 10/s, to: 80/s, factor: 2, hold: 1s}\ngates: [accuracy_drop <= 5%]\n",
    );
    run(&place, &server, &[]).exits(0);
    let search = &record(&place)["load"]["search"];
    assert_eq!((&search["sustained"], &search["broken"]), (&json!(20.0), &json!(40.0)), "{search}");
    assert!(search["reason"].as_str().unwrap().contains("accuracy_drop"), "{search}");
    // The shipped one asks for it.
    let shipped = place.thrash(["scenarios", "show", "breakpoint"]).exits(0).stdout;
    assert!(shipped.contains("accuracy_drop"), "{shipped}");
}
