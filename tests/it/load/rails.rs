//! The safety rails: a service must not go down because somebody tested it.

use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::json;

use super::{counts, ms, place, record, right, run};
use crate::support::command::{Ended, Place, send};
use crate::support::server::{Reply, Server};

#[test]
fn a_target_elsewhere_that_nobody_marked_is_refused() {
    let place = place("model: arrivals\nrate: 5/s\nduration: 1s\ngates: [error_rate <= 1%]\n");
    // A documentation address: nothing is ever sent there, least of all by this test.
    let url = "http://192.0.2.1:9";
    let start = Instant::now();
    place
        .thrash(["load", "s.yaml", "--target", "plain", "--url", url])
        .exits(2)
        .complains(&["not marked for load", "allow_load: true"]);
    assert!(start.elapsed() < Duration::from_secs(2), "it looked whether it is there");
    assert!(place.runs().is_empty());
}

#[test]
fn the_hint_of_a_refusal_works_as_it_is_written() {
    let place = place("model: arrivals\nrate: 5/s\nduration: 1s\ngates: [error_rate <= 1%]\n");
    let ended = place.thrash(["load", "s.yaml", "--url", "http://192.0.2.1:9"]).exits(2);
    // As one text, however it is broken into lines.
    let text = ended.stderr.split_whitespace().collect::<Vec<_>>().join(" ");
    let hint = text.split('`').find(|part| part.starts_with("targets: {")).expect("a hint");
    place.file("thrash.yaml", hint);
    let shown = place.thrash(["targets", "show", "loaded"]).exits(0).stdout;
    assert!(shown.contains("allow_load: true") && shown.contains("192.0.2.1"), "{shown}");

    // A mark that does not go with another address says so.
    place.file("thrash.yaml", super::TARGET.replace("health:", "allow_load: true\n    health:"));
    place
        .thrash(["load", "s.yaml", "--target", "plain", "--url", "http://192.0.2.1:9"])
        .exits(2)
        .complains(&["does not go with `--url`", "`targets.plain`"]);
}

#[test]
fn a_proxy_elsewhere_is_no_load_on_this_machine() {
    let server = Server::start(right);
    let place = place("model: arrivals\nrate: 5/s\nduration: 1s\ngates: [error_rate <= 1%]\n");
    for proxy in ["http://192.0.2.1:3128", "192.0.2.1:3128"] {
        let config = super::TARGET.replace("timeout: 5s", &format!("timeout: 5s, proxy: \"{proxy}\""));
        place.file("thrash.yaml", config);
        run(&place, &server, &[]).exits(2).complains(&["not marked for load"]);
    }
    assert!(server.all_requests().is_empty());
}

#[test]
fn a_load_beyond_what_the_target_bears_is_refused() {
    let server = Server::start(right);
    let place = place("model: arrivals\nrate: 50/s\nduration: 1s\ngates: [error_rate <= 1%]\n");
    let config = super::TARGET.replace("health:", "limits: {rate: 20}\n    health:");
    place.file("thrash.yaml", config);
    run(&place, &server, &[]).exits(2).complains(&["50/s", "bears 20/s"]);
    assert!(server.all_requests().is_empty());
}

#[test]
fn the_highest_rate_is_never_exceeded_not_even_to_catch_up() {
    // A second of silence builds up a queue; what is sent afterwards must not come in a rush.
    let began = Instant::now();
    let server = Server::start(move |seen| {
        let at = seen.at.duration_since(began);
        let wait = if at < ms(600) { Duration::ZERO } else { ms(1600).saturating_sub(at) };
        right(seen).after(wait)
    });
    let place = place(
        "model: arrivals\nrate: 80/s\nduration: 4s\nmax_in_flight: 4\nmax_rate: 100/s\nabort_when: {unhealthy: false}\ngates: [error_rate <= 1%]\n",
    );
    run(&place, &server, &[]).exits(0);
    let sent = server.requests().len();
    assert!(sent > 250, "{sent}");
    // Over any 200 ms: 20, and what the network and this machine push together.
    let most = server.most_within(ms(200));
    assert!(most <= 26, "{most} requests within 200 ms");
}

#[test]
fn the_highest_rate_holds_for_starts_and_for_asking_again_together() {
    for model in ["model: arrivals\nrate: 20/s\n", "model: users\nusers: 10\n"] {
        let began = Instant::now();
        let server = Server::start(move |seen| {
            if let Some(job) = seen.path.strip_prefix("/jobs/") {
                let is_done = began.elapsed() > ms(200 + job.parse::<u64>().unwrap());
                Reply::json(200, &json!({"done": is_done, "level": "none"}))
            } else {
                let at = began.elapsed().as_millis();
                Reply::json(202, &json!({"url": format!("/jobs/{at}")}))
            }
        });
        let place = place(&format!(
            "{model}duration: 4s\nmax_rate: 50/s\nabort_when: {{error_rate: 100%}}\ngates: [error_rate <= 1%]\n"
        ));
        let poll = "poll: {url: body.url, done: body.done, interval: 20ms, deadline: 5s}\n    examples:";
        place.file("thrash.yaml", super::TARGET.replace("examples:", poll));
        run(&place, &server, &[]).exits(0);
        let sent = server.requests().len();
        assert!(sent > 120, "{sent} requests");
        // Over any second, and what the network and this machine push together.
        let most = server.most_within(ms(1000));
        assert!(most <= 55, "{most} requests within a second: {model}");
    }
}

#[test]
fn a_load_that_leaves_no_room_for_asking_again_is_refused() {
    let server = Server::start(right);
    let place =
        place("model: arrivals\nrate: 30/s\nduration: 1s\nmax_rate: 50/s\ngates: [error_rate <= 1%]\n");
    let poll = "poll: {url: body.url, done: body.done}\n    examples:";
    place.file("thrash.yaml", super::TARGET.replace("examples:", poll));
    run(&place, &server, &[]).exits(2).complains(&["asked again", "60/s", "50/s"]);
    assert!(server.requests().is_empty());
}

#[test]
fn a_limit_of_the_target_that_makes_starts_wait_is_named() {
    let server = Server::start(|seen| right(seen).after(ms(100)));
    let place = place(
        "model: arrivals\nrate: 40/s\nduration: 2s\nmax_in_flight: 100\ngates: [latency_p95 <= 500ms, service_time_p95 <= 500ms]\n",
    );
    place.file("thrash.yaml", super::TARGET.replace("health:", "limits: {concurrency: 2}\n    health:"));
    let ended = run(&place, &server, &[]).exits(1);
    ended.complains(&["bears 2 requests at once", "not 100"]);
    let record = record(&place);
    assert_eq!(record["load"]["scenario"]["lowered_from"], 100);
    let checks = record["verdict"]["checks"].as_array().unwrap();
    let of = |metric: &str| checks.iter().find(|check| check["metric"] == metric).unwrap();
    assert_eq!(of("latency_p95")["outcome"], "fail");
    let reason = of("latency_p95")["reason"].as_str().unwrap();
    assert!(reason.contains("`limits.concurrency` allows 2 at once, not the 100"), "{reason}");
    assert_eq!(of("service_time_p95")["outcome"], "pass", "the target itself is fast");

    // Room enough, and nothing to say.
    place.file("thrash.yaml", super::TARGET.replace("health:", "limits: {concurrency: 100}\n    health:"));
    let ended = run(&place, &server, &[]).exits(0);
    assert!(!ended.stderr.contains("at once"), "{}", ended.stderr);
}

#[test]
fn errors_end_the_run_within_two_seconds() {
    let server =
        Server::start(|seen| if seen.number < 50 { right(seen) } else { Reply::json(500, &json!({})) });
    let place = place("model: arrivals\nrate: 50/s\nduration: 30s\ngates: [error_rate <= 1%]\n");
    let ended = run(&place, &server, &[]).exits(3);
    assert!(ended.stdout.contains("ended after"), "{}", ended.stdout);
    let record = record(&place);
    assert_eq!(record["status"], "aborted");
    assert_eq!(record["load"]["abort"]["rule"], "error_rate: 50%");
    assert_eq!(record["load"]["ended_by"], "target");
    let formats = ["--html", "p.html", "--markdown", "p.md", "--junit", "p.xml"];
    let shown = place.thrash(["report", "latest"].iter().chain(&formats)).exits(0).stdout;
    let read = |name: &str| std::fs::read_to_string(place.path().join(name)).unwrap();
    for report in [shown, read("p.html"), read("p.md")] {
        assert!(report.contains("the target's doing"), "{report}");
    }
    assert!(read("p.xml").contains("name=\"ended_by\" value=\"target\""), "{}", read("p.xml"));
    let at = record["load"]["abort"]["at_ms"].as_f64().unwrap();
    assert!((1000.0..3000.0).contains(&at), "ended after {at} ms; the errors began after 1000");
    let requests = server.requests().len();
    assert!(requests < 160, "{requests} requests");
}

#[test]
fn a_target_that_falls_silent_ends_the_run_before_any_deadline_passes() {
    let server = Server::start(|seen| if seen.number < 50 { right(seen) } else { Reply::silence() });
    let place = place(
        "model: arrivals\nrate: 50/s\nduration: 30s\nabort_when: {latency_p95: 500ms}\ngates: [error_rate <= 1%]\n",
    );
    let start = Instant::now();
    run(&place, &server, &[]).exits(3);
    assert!(start.elapsed() < Duration::from_secs(8), "{:?}", start.elapsed());
    let record = record(&place);
    assert_eq!(record["load"]["abort"]["rule"], "latency_p95: 500ms");
    assert!(record["load"]["abort"]["at_ms"].as_f64().unwrap() < 3500.0, "{}", record["load"]["abort"]);
}

#[test]
fn a_request_that_timed_out_was_not_answered() {
    let server = Server::start(|seen| if seen.number < 20 { right(seen) } else { Reply::silence() });
    let place = place(
        "model: arrivals\nrate: 20/s\nduration: 30s\ntimeout: 500ms\nabort_when: {silent: 2s, error_rate: 100%, unhealthy: false}\ngates: [error_rate <= 1%]\n",
    );
    run(&place, &server, &[]).exits(3);
    let record = record(&place);
    assert_eq!(record["load"]["abort"]["rule"], "silent: 2s");
    assert_ended_within(&record, 1000.0, 4000.0);
}

#[test]
fn a_target_that_says_it_is_not_well_ends_the_run() {
    let began = Instant::now();
    let server = Server::start_with_health(move |seen| match seen.path.as_str() {
        "/health" if began.elapsed() > ms(1500) => Reply::json(503, &json!({"status": "unhealthy"})),
        "/health" => Reply::json(200, &json!({"status": "ok"})),
        _ => right(seen),
    });
    let place = place("model: arrivals\nrate: 20/s\nduration: 30s\ngates: [error_rate <= 1%]\n");
    run(&place, &server, &[]).exits(3);
    let record = record(&place);
    assert_eq!(record["load"]["abort"]["rule"], "unhealthy: true");
    let seen = record["load"]["abort"]["seen"].as_str().unwrap();
    assert!(seen.starts_with("the target's health request failed twice in a row: "), "{seen}");
    assert_ended_within(&record, 1500.0, 2000.0);
}

#[test]
fn a_health_request_that_hangs_ends_the_run_within_two_seconds() {
    let asked = std::sync::atomic::AtomicUsize::new(0);
    let server = Server::start_with_health(move |seen| match seen.path.as_str() {
        // One look before the run, one at its start.
        "/health" if asked.fetch_add(1, std::sync::atomic::Ordering::Relaxed) > 1 => Reply::silence(),
        "/health" => Reply::json(200, &json!({"status": "ok"})),
        _ => right(seen),
    });
    let place = place("model: arrivals\nrate: 20/s\nduration: 30s\ngates: [error_rate <= 1%]\n");
    run(&place, &server, &[]).exits(3);
    let record = record(&place);
    assert_eq!(record["load"]["abort"]["rule"], "unhealthy: true");
    assert_ended_within(&record, 0.0, 2000.0);
}

#[test]
fn a_few_users_who_all_wait_for_nothing_are_enough_to_end_it() {
    let server = Server::start(|_| Reply::silence());
    let place = place(
        "model: users\nusers: 4\nduration: 30s\nabort_when: {latency_p95: 500ms}\ngates: [error_rate <= 1%]\n",
    );
    run(&place, &server, &[]).exits(3);
    let record = record(&place);
    assert_eq!(record["load"]["abort"]["rule"], "latency_p95: 500ms");
    assert_ended_within(&record, 0.0, 2000.0);
    assert!(server.requests().len() <= 4, "{}", server.requests().len());
}

#[test]
fn a_target_that_answers_nothing_at_all_ends_the_run_whatever_its_deadline() {
    let server = Server::start(|_| Reply::silence());
    let place = place("model: arrivals\nrate: 5/s\nduration: 60s\ntimeout: 1m\ngates: [error_rate <= 1%]\n");
    run(&place, &server, &[]).exits(3);
    let known = record(&place);
    assert_eq!(known["load"]["abort"]["rule"], "silent: 5s");
    assert_ended_within(&known, 5000.0, 1000.0);

    // Who allows answers six seconds is not told after five that there are none.
    let server = Server::start(|seen| right(seen).after(ms(6000)));
    let place = super::place("model: arrivals\nrate: 5/s\nduration: 1s\ngates: [latency_p95 <= 8s]\n");
    let config = super::TARGET.replace("timeout: 5s", "timeout: 10s");
    place.file("thrash.yaml", config);
    run(&place, &server, &[]).exits(0);
}

#[test]
fn the_idle_pass_is_under_the_rails_of_the_load() {
    for (trouble, rule, within) in
        [(Reply::silence(), "silent: 5s", 5000.0), (Reply::json(500, &json!({})), "error_rate: 50%", 2000.0)]
    {
        let server = Server::start(move |_| trouble.clone());
        let place =
            place("model: arrivals\nrate: 50/s\nduration: 30s\ntimeout: 30s\ngates: [error_rate <= 1%]\n");
        place.file("thrash.yaml", super::TARGET.replace("timeout: 5s", "timeout: 30s"));
        let ended = run(&place, &server, &["--idle-pass"]).exits(3);
        ended.complains(&["4 phrases without load, one at a time", "giving up"]);
        let record = record(&place);
        assert_eq!((&record["status"], &record["load"]["abort"]["rule"]), (&json!("aborted"), &json!(rule)));
        assert_ended_within(&record, 0.0, within);
        let seen = record["load"]["abort"]["seen"].as_str().unwrap();
        assert!(seen.starts_with("before the load: "), "{seen}");
        assert!(server.requests().len() <= 4, "the load began: {} requests", server.requests().len());
    }

    // Its own word that it is not well, in the middle of it.
    let began = Instant::now();
    let server = Server::start_with_health(move |seen| match seen.path.as_str() {
        "/health" if began.elapsed() > ms(800) => Reply::json(503, &json!({})),
        "/health" => Reply::json(200, &json!({})),
        _ => right(seen).after(ms(1500)),
    });
    let place = place("model: arrivals\nrate: 50/s\nduration: 30s\ngates: [error_rate <= 1%]\n");
    run(&place, &server, &["--idle-pass"]).exits(3);
    assert_eq!(record(&place)["load"]["abort"]["rule"], "unhealthy: true");
    let asked = server.requests().iter().filter(|seen| seen.path == "/analyze").count();
    assert!(asked <= 4, "the load began: {asked} requests");
}

#[test]
fn the_idle_pass_sends_one_request_at_a_time() {
    let server = Server::start(|seen| right(seen).after(ms(60)));
    let place = place(
        "model: arrivals\nrate: 2/s\nduration: 1s\nidle_pass: true\nmax_in_flight: 1\nabort_when: {unhealthy: false}\ngates: [error_rate <= 1%]\n",
    );
    run(&place, &server, &[]).exits(0);
    assert_eq!(server.most_in_flight(), 1);
}

/// Whether a run was ended so soon after a moment, with some room for a busy machine.
fn assert_ended_within(record: &serde_json::Value, from_ms: f64, within_ms: f64) {
    let at = record["load"]["abort"]["at_ms"].as_f64().unwrap();
    assert!(at <= from_ms + within_ms + 1000.0, "ended after {at} ms; the trouble began after {from_ms} ms");
}

#[test]
fn requests_are_bounded_in_number_and_time() {
    let server = Server::start(right);
    let place =
        place("model: arrivals\nrate: 50/s\nduration: 10s\nmax_requests: 30\ngates: [error_rate <= 1%]\n");
    run(&place, &server, &[]).exits(4);
    assert_eq!(server.requests().len(), 30);

    let place = super::place(
        "model: arrivals\nrate: 50/s\nduration: 10s\nmax_duration: 600ms\ngates: [error_rate <= 1%]\n",
    );
    let start = Instant::now();
    run(&place, &server, &[]).exits(4);
    assert!(start.elapsed() < Duration::from_secs(6));
    assert_eq!(server.requests().len(), 60);
}

#[test]
fn without_a_gate_nothing_was_shown() {
    let server = Server::start(right);
    let place = place("model: arrivals\nrate: 20/s\nduration: 500ms\n");
    run(&place, &server, &[]).exits(4);
}

#[test]
fn a_dead_target_is_known_as_dead_before_the_load() {
    let place = place("model: arrivals\nrate: 20/s\nduration: 5s\ngates: [error_rate <= 1%]\n");
    place
        .thrash(["load", "s.yaml", "--target", "plain", "--url", "http://127.0.0.1:9"])
        .exits(3)
        .complains(&["cannot be reached"]);
}

#[test]
fn a_signal_drains_the_load_and_keeps_the_record() {
    let server = Server::start(|seen| right(seen).after(ms(100)));
    let place = place("model: arrivals\nrate: 40/s\nduration: 60s\ngates: [error_rate <= 1%]\n");
    let url = server.url();
    let child = started(&place, &url);
    let start = Instant::now();
    while server.requests().len() < 20 {
        assert!(start.elapsed() < Duration::from_secs(30), "nothing is sent");
        std::thread::sleep(ms(20));
    }
    send("INT", &child);
    let ended = Ended::of(child.wait_with_output().expect("it ends")).exits(130);
    assert!(ended.stdout.starts_with("INTERRUPTED"), "{}", ended.stdout);
    let record = record(&place);
    assert_eq!(record["status"], "interrupted");
    let count = |name: &str| counts(&record)[name].as_u64().unwrap();
    assert_eq!(count("started"), count("answered"), "answers on their way are waited for");
    assert_eq!(server.requests().len() as u64, count("started"));
}

fn started(place: &Place, url: &str) -> std::process::Child {
    place
        .command(["load", "s.yaml", "--target", "plain", "--url", url])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts")
}

#[test]
fn a_limit_that_is_just_reached_has_cut_nothing() {
    for (limit, code) in [(40, 0), (39, 4)] {
        let server = Server::start(right);
        let place = place(&format!(
            "model: arrivals\nspacing: even\nrate: 20/s\nduration: 2s\nmax_requests: {limit}\ngates: [error_rate <= 1%]\n"
        ));
        let ended = run(&place, &server, &[]).exits(code);
        assert_eq!(server.requests().len(), limit);
        let cut = &record(&place)["load"]["cut"];
        assert_eq!(cut.is_string(), code == 4, "{cut}\n{}", ended.stdout);
    }
}
