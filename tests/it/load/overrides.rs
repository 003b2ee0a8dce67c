//! What the command line says in place of a scenario: a rehearsal without a file of its own.

use serde_json::json;

use super::workers::{Field, ended};
use super::{counts, ms, place, record, right, run};
use crate::support::server::Server;

const ARRIVALS: &str = "model: arrivals\nrate: 5/s\nduration: 1m\nmax_rate: 60/s\nabort_when: {unhealthy: false}\ngates: [error_rate <= 0%]\n";
const USERS: &str =
    "model: users\nusers: 20\nduration: 1m\nabort_when: {unhealthy: false}\ngates: [error_rate <= 0%]\n";

#[test]
fn the_load_is_the_one_that_was_said_and_no_other_ones_baseline() {
    // So slowly that what this machine adds is nothing beside it.
    let server = Server::start(|seen| right(seen).after(ms(150)));
    let place = place(ARRIVALS);
    let rehearsal = [
        "--rate",
        "40/s",
        "--duration",
        "500ms",
        "--html",
        "page.html",
        "--markdown",
        "page.md",
        "--junit",
        "page.xml",
    ];
    let shown = run(&place, &server, &rehearsal).exits(0).stdout;
    assert!(shown.contains("rate: 40/s in place of the scenario's"), "{shown}");
    assert_eq!(server.requests().len(), 20);
    let known = record(&place);
    assert_eq!(known["load"]["scenario"]["overrides"], json!({"rate": "40/s", "duration": "500ms"}));
    assert_eq!(known["load"]["scenario"]["planned_ms"], 500.0);
    let page = std::fs::read_to_string(place.path().join("page.html")).unwrap();
    assert!(page.contains("--duration 500ms --rate 40/s"), "the command that repeats it");

    let read = |name: &str| std::fs::read_to_string(place.path().join(name)).unwrap();
    let markdown = read("page.md");
    let said = "In place of what the scenario says: `duration: 500ms`, `rate: 40/s`.";
    assert!(markdown.contains(said), "{markdown}");
    let junit = read("page.xml");
    for property in ["name=\"override.rate\" value=\"40/s\"", "name=\"override.duration\" value=\"500ms\""] {
        assert!(junit.contains(property), "{junit}");
    }

    // A file that says so is the same load, and anything else is another one, of the same series.
    let id = known["id"].as_str().unwrap();
    let said = ARRIVALS.replace("5/s", "40/s").replace("1m", "500ms");
    let baseline = ["--baseline", id, "--gate", "latency_p95 rise <= 900%"];
    run(&place, &server, &[&rehearsal[..4], &baseline].concat()).exits(0);
    let other = [&["--rate", "39/s", "--duration", "500ms"][..], &baseline].concat();
    let ended = run(&place, &server, &other).exits(4);
    assert!(ended.stdout.contains("made another load"), "{}", ended.stdout);
    place.file("s.yaml", format!("title: A test\nphrases: {{suite: words}}\n{said}"));
    run(&place, &server, &baseline).exits(0);
    let suites: Vec<_> = place.runs().iter().map(|run| run["suite"].clone()).collect();
    assert_eq!(suites, ["load s"; 4]);
}

#[test]
fn users_hear_of_it_in_their_own_process() {
    let server = Server::start(|seen| right(seen).after(ms(5)));
    let place = place(USERS);
    run(&place, &server, &["--users", "3", "--duration", "1s", "--max-rate", "20/s"]).exits(0);
    let record = record(&place);
    assert_eq!(record["options"]["concurrency"], 3);
    assert_eq!(record["load"]["scenario"]["max_rate"], 20.0);
    let sent = server.requests().len();
    assert!((15..=21).contains(&sent), "{sent} requests in a second");
    assert!(server.most_in_flight() <= 3);
}

#[tokio::test]
async fn workers_hear_of_it_where_they_hear_of_the_scenario() {
    let server = Server::start(right);
    let field = Field::new(ARRIVALS, &server).await;
    let begun = field.begin(2, &["--rate", "40/s", "--duration", "500ms"]);
    let workers = field.workers(2);
    ended(begun).exits(0);
    for worker in workers {
        ended(worker).exits(0);
    }
    assert_eq!(server.requests().len(), 20);
    assert_eq!(counts(&field.record())["answered"], 20);
}

#[test]
fn what_it_cannot_be_said_of_is_refused_before_anything_is_sent() {
    let server = Server::start(right);
    let stages = "model: arrivals\nstages: [{duration: 1s, target: 5}]\nmax_rate: 60/s\n";
    let search =
        "model: arrivals\nsearch: {from: 5/s, to: 9/s, factor: 2, hold: 1s}\ngates: [error_rate <= 1%]\n";
    for (scenario, flags, words) in [
        (
            stages,
            &["--rate", "9/s"][..],
            &["`--rate` has no meaning beside `stages`", "--scale-time", "s.yaml:4:9"][..],
        ),
        (stages, &["--duration", "9s"], &["`--duration` has no meaning beside `stages`"]),
        (search, &["--duration", "9s"], &["`--duration` has no meaning beside `search`", "--scale-time"]),
        (ARRIVALS, &["--users", "9"], &["`--users` has no meaning with `model: arrivals`", "s.yaml:3:8"]),
        (USERS, &["--rate", "9/s"], &["`--rate` has no meaning with `model: users`"]),
        (
            ARRIVALS,
            &["--max-rate", "61/s"],
            &["`--max-rate 61/s` is more than the scenario allows: 60/s", "s.yaml:6:11"],
        ),
        (ARRIVALS, &["--rate", "61/s"], &["more than `max_rate`: 60/s"]),
        (ARRIVALS, &["--rate", "5"], &["`50/s`"]),
        (ARRIVALS, &["--duration", "5s", "--scale-time", "2"], &["--scale-time"]),
        (ARRIVALS, &["--duration", "0s"], &["no time at all"]),
    ] {
        run(&place(scenario), &server, flags).exits(2).complains(words);
    }
    // The limits of the target's contract stand above all of it.
    let place = place(ARRIVALS);
    place.file("thrash.yaml", super::TARGET.replace("health:", "limits: {rate: 20}\n    health:"));
    run(&place, &server, &["--rate", "30/s", "--max-rate", "50/s"]).exits(2).complains(&["bears 20/s"]);
    assert!(server.all_requests().is_empty());
}
