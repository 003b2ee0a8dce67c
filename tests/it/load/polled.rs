//! Asynchronous targets under load: what they are asked again for is their time, and the wait for our own `max_rate` is ours.

use serde_json::{Value, json};

use super::{ms, place, record, run};
use crate::support::server::{Reply, Server};

const POLL: &str = "poll: {url: body.url, done: body.done, interval: 10ms, deadline: 5s}\n    examples:";

/// A target that accepts everything, and says so late that it has decided.
fn deciding(after_ms: u64) -> Server {
    Server::start(move |seen| match seen.method.as_str() {
        "POST" => Reply::json(202, &json!({"url": "/job"})),
        _ => Reply::json(200, &json!({"done": true, "level": "none"})).after(ms(after_ms)),
    })
}

fn gate<'a>(record: &'a Value, metric: &str) -> &'a Value {
    let mut checks = record["verdict"]["checks"].as_array().unwrap().iter();
    checks.find(|check| check["metric"] == metric).expect("the gate")
}

#[test]
fn what_waited_for_our_own_rate_is_no_slowness_of_the_target() {
    for (rate, decides_after, code, outcome) in
        [("max_rate: 20/s\n", 0, 4, "inconclusive"), ("", 300, 1, "fail")]
    {
        let server = deciding(decides_after);
        let place = place(&format!(
            "model: users\nusers: 8\nduration: 3s\nthink_time: 20ms\n{rate}abort_when: {{unhealthy: false}}\ngates: [latency_p95 <= 150ms, service_time_p95 <= 150ms, error_rate <= 0%]\n"
        ));
        place.file("thrash.yaml", super::TARGET.replace("examples:", POLL));
        run(&place, &server, &[]).exits(code);
        let record = record(&place);
        for metric in ["latency_p95", "service_time_p95"] {
            let check = gate(&record, metric);
            assert_eq!(check["outcome"], outcome, "{check}");
            let names_it = check["reason"].as_str().unwrap().contains("for the highest rate");
            assert_eq!(names_it, code == 4, "{check}");
        }
        assert_eq!(gate(&record, "unanswered_rate")["outcome"], "pass");
        let held = record["load"]["generator"]["held"]["p99_ms"].as_f64().unwrap();
        assert_eq!(held > 100.0, code == 4, "{held} ms");
    }
}

#[test]
fn accepting_and_deciding_are_timed_apart() {
    for (model, load) in
        [("arrivals", "rate: 20/s\nduration: 1s\n"), ("users", "users: 3\nduration: 1s\nthink_time: 50ms\n")]
    {
        let server = deciding(250);
        let place = place(&format!(
            "model: {model}\n{load}abort_when: {{unhealthy: false}}\ngates: [error_rate <= 0%]\n"
        ));
        place.file("thrash.yaml", super::TARGET.replace("examples:", POLL));
        run(&place, &server, &[]).exits(0);
        let record = record(&place);
        let p50 = |of: &str| record[of]["p50_ms"].as_f64().unwrap();
        assert!(p50("latency") >= 250.0, "{model}: {}", record["latency"]);
        assert!(p50("accept_latency") < 200.0, "{model}: {}", record["accept_latency"]);
    }
}
