//! The connections that the load path drives by hand: every form that an HTTP/1.1 answer can have.

use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;

use super::{counts, ms, place, record, right, run};
use crate::support::server::{Reply, Server};

const SCENARIO: &str = "model: arrivals\nrate: 60/s\nduration: 500ms\nmax_in_flight: 4\nabort_when: {error_rate: 100%, unhealthy: false}\ngates: [error_rate <= 0%]\n";

#[test]
fn every_form_of_an_answer_is_read_and_the_connection_used_again_where_it_may() {
    type Form = (&'static str, fn() -> Reply, bool);
    let forms: [Form; 7] = [
        (
            "chunked",
            || {
                Reply::raw("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n3\r\n{\"l\r\n").then_wait(ms(5)).then("d;x=y\r\nevel\":\"none\"}\r\n0\r\nx-trailer: 1\r\n\r\n")
            },
            true,
        ),
        (
            "in pieces",
            || {
                Reply::raw("HTTP/1.1 200 OK\r\ncontent-le")
                    .then_wait(ms(3))
                    .then("ngth: 16\r\n\r\n{\"level\":")
                    .then_wait(ms(3))
                    .then("\"none\"}")
            },
            true,
        ),
        (
            "after interim answers",
            || {
                Reply::raw(
                    "HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 16\r\n\r\n{\"level\":\"none\"}",
                )
            },
            true,
        ),
        ("until closed", || Reply::raw("HTTP/1.1 200 OK\r\n\r\n{\"level\":\"none\"}").then_close(), false),
        (
            "HTTP/1.0",
            || Reply::raw("HTTP/1.0 200 OK\r\ncontent-length: 16\r\n\r\n{\"level\":\"none\"}").then_close(),
            false,
        ),
        (
            "connection: close",
            || {
                Reply::raw(
                    "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 16\r\n\r\n{\"level\":\"none\"}",
                )
                .then_close()
            },
            false,
        ),
        (
            "keeps without saying",
            || Reply::raw("HTTP/1.1 200 OK\r\nContent-Length:16\r\n\r\n{\"level\":\"none\"}"),
            true,
        ),
    ];
    for (form, reply, kept) in forms {
        let server = Server::start(move |_| reply());
        let place = place(SCENARIO);
        run(&place, &server, &[]).exits(0);
        let record = record(&place);
        assert_eq!(counts(&record)["answered"], 30, "{form}");
        let connections = counts(&record)["connections"].as_u64().unwrap();
        assert_eq!(connections < 10, kept, "{form}: {connections} connections");
    }
}

#[test]
fn what_is_no_answer_is_none_and_harms_nothing_that_follows() {
    let forms: [(&str, &str); 9] = [
        (
            "two lengths",
            "HTTP/1.1 200 OK\r\ncontent-length: 16\r\ntransfer-encoding: chunked\r\n\r\n{\"level\":\"none\"}",
        ),
        (
            "contradictory lengths",
            "HTTP/1.1 200 OK\r\ncontent-length: 16\r\ncontent-length: 5\r\n\r\n{\"level\":\"none\"}",
        ),
        ("a negative length", "HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n{\"level\":\"none\"}"),
        ("a length beyond reason", "HTTP/1.1 200 OK\r\ncontent-length: 18446744073709551615\r\n\r\nx"),
        (
            "an encoding nobody knows",
            "HTTP/1.1 200 OK\r\ntransfer-encoding: gzip\r\n\r\n{\"level\":\"none\"}",
        ),
        (
            "a chunk without its end",
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n10\r\n{\"level\":\"none\"}XX0\r\n\r\n",
        ),
        (
            "a chunk beyond reason",
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nffffffffffffffff\r\nx",
        ),
        ("no HTTP", "220 mail.example ESMTP\r\n\r\n"),
        ("nothing", ""),
    ];
    for (form, bytes) in forms {
        // Every second answer is right: a broken one must not spoil it.
        let server =
            Server::start(
                move |seen| {
                    if seen.number % 2 == 0 { Reply::raw(bytes).then_close() } else { right(seen) }
                },
            );
        let place = place(SCENARIO);
        run(&place, &server, &[]).exits(1);
        let record = record(&place);
        let answered = counts(&record)["answered"].as_u64().unwrap();
        // A connection that was used before and closes without a word is opened again, once.
        if form == "nothing" {
            assert!(answered >= 15, "{form}: {answered}");
        } else {
            assert_eq!(answered, 15, "{form}");
        }
        assert_eq!(counts(&record)["right"], answered, "{form}");
    }
}

#[test]
fn an_answer_with_more_bytes_than_it_announced_is_the_last_on_its_connection() {
    let server = Server::start(|_| {
        Reply::raw(
            "HTTP/1.1 200 OK\r\ncontent-length: 16\r\n\r\n{\"level\":\"none\"}HTTP/1.1 200 OK\r\ncontent-length: 16\r\n\r\n{\"level\":\"high\"}",
        )
    });
    let place = place(SCENARIO);
    run(&place, &server, &[]).exits(0);
    let record = record(&place);
    assert_eq!(counts(&record)["connections"], 30);
    let high: u64 = record["load"]["phrases"]
        .as_array()
        .unwrap()
        .iter()
        .map(|phrase| phrase["answers"][3].as_u64().unwrap())
        .sum();
    assert_eq!(high, 0, "a second answer that nobody asked for was believed");
}

#[test]
fn a_connection_that_the_target_closed_as_idle_costs_no_answer() {
    let server = Server::start(|seen| right(seen).then_wait(ms(150)).then_close());
    let place = place(
        "model: arrivals\nrate: 4/s\nduration: 3s\nmax_in_flight: 1\nabort_when: {unhealthy: false}\ngates: [error_rate <= 0%, accuracy >= 100%]\n",
    );
    run(&place, &server, &[]).exits(0);
    assert_eq!(counts(&record(&place))["answered"], 12);
}

#[test]
fn silence_is_a_timeout_and_counts_as_long_as_it_was_waited_for() {
    let asked = AtomicUsize::new(0);
    let server = Server::start(move |seen| {
        if asked.fetch_add(1, Ordering::SeqCst) % 10 == 9 { Reply::silence() } else { right(seen) }
    });
    let place = place(
        "model: arrivals\nrate: 40/s\nduration: 1s\ntimeout: 400ms\nabort_when: {unhealthy: false}\ngates: [error_rate <= 50%]\n",
    );
    run(&place, &server, &[]).exits(0);
    let record = record(&place);
    assert_eq!(counts(&record)["no_answer"], json!({"timeout": 4}));
    assert!(record["latency"]["max_ms"].as_f64().unwrap() >= 399.0);
}
