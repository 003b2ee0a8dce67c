//! What a scenario sends, and what it asks of answers besides the right level.

use serde_json::json;

use super::{counts, ms, place, record, right, run};
use crate::support::command::Place;
use crate::support::server::{Reply, Server};

/// A folder with the target and this scenario.
fn scenario(lines: &str) -> Place {
    let place = place("");
    place.file("s.yaml", format!("title: x\nmodel: arrivals\nrate: 50/s\nduration: 1s\n{lines}"));
    place
}

#[test]
fn every_answer_is_held_against_the_scenarios_checks_and_failures_are_counted_by_name() {
    let server = Server::start(|seen| {
        let level = if seen.json()["id"].as_str().unwrap().starts_with("high") { "high" } else { "none" };
        match seen.number % 10 {
            0 => Reply::json(200, &json!({"level": level})),
            1 => Reply::raw("HTTP/1.1 503 No\r\ncontent-length: 0\r\n\r\n"),
            _ => Reply::answer(
                200,
                &[("content-type", "application/json"), ("x-model", "v3")],
                json!({"level": level, "reasons": [1]}).to_string(),
            ),
        }
    });
    let place = scenario(
        "phrases: {suite: words}\nchecks:\n  has_reasons: has(body.reasons)\n  fine: status == 200\n  right_model: headers[\"x-model\"] == \"v3\"\nabort_when: {error_rate: 100%}\ngates: [error_rate <= 50%, \"check_failures[fine] <= 5%\", \"check_failures[has_reasons] <= 50%\"]\n",
    );
    let ended = run(&place, &server, &["--html", "page.html", "--gate", "check_failures <= 15%"]).exits(1);
    assert!(ended.stdout.contains("has_reasons: 10 of 50 answers failed"), "{}", ended.stdout);
    let record = record(&place);
    let checks = record["load"]["checks"].as_array().unwrap();
    let found: Vec<_> = checks
        .iter()
        .map(|check| (&check["name"], &check["failures"]["count"], &check["failures"]["of"]))
        .collect();
    assert_eq!(
        found,
        [
            (&json!("fine"), &json!(5), &json!(50)),
            (&json!("has_reasons"), &json!(10), &json!(50)),
            (&json!("right_model"), &json!(10), &json!(50))
        ]
    );
    let outcome = |name: &str| {
        let checks = record["verdict"]["checks"].as_array().unwrap();
        checks.iter().find(|check| check["name"].as_str().unwrap().starts_with(name)).unwrap()["outcome"]
            .clone()
    };
    // Without a name it is the worst of them.
    assert_eq!(outcome("check_failures[fine]"), "fail");
    assert_eq!(outcome("check_failures[has_reasons]"), "pass");
    assert_eq!(outcome("check_failures <="), "fail");
    let page = std::fs::read_to_string(place.path().join("page.html")).unwrap();
    assert!(page.contains("right_model") && page.contains("has(body.reasons)"));
}

#[test]
fn checks_that_cannot_be_are_refused_with_their_place() {
    let place = scenario(
        "phrases: {suite: words}\nchecks:\n  fine: status = 200\n  other: score > 3\ngates: [\"check_failures[fien] <= 1%\"]\n",
    );
    let ended = place.thrash(["scenarios", "check", "s.yaml"]).exits(2);
    ended.complains(&["s.yaml:7", "is not CEL", "s.yaml:8", "uses `score`", "no check `fien`"]);
    let server = Server::start(right);
    let place = scenario("phrases: {suite: words}\ngates: [error_rate <= 1%]\n");
    run(&place, &server, &["--gate", "check_failures <= 1%"]).exits(2).complains(&["has no checks"]);
    assert!(server.requests().is_empty());
}

#[test]
fn a_fixed_body_is_sent_as_it_is_and_no_answer_to_it_is_judged() {
    let server = Server::start(|seen| {
        let level = if seen.number % 2 == 0 { "low" } else { "high" };
        if seen.number == 7 {
            Reply::json(500, &json!({}))
        } else {
            Reply::json(200, &json!({"level": level}))
        }
    });
    let body = "body: {ping: true, list: [1, 2.5, text]}\n";
    let place = scenario(&format!(
        "{body}warm_up: 100ms\ngates: [error_rate <= 5%, latency_p95 <= 5s, achieved_rate >= 90%]\n"
    ));
    let ended = run(&place, &server, &["--html", "page.html"]).exits(0);
    assert!(ended.stdout.contains("45 requests with one fixed body, not judged"), "{}", ended.stdout);
    assert!(!ended.stdout.contains("right"), "{}", ended.stdout);
    assert!(!ended.stderr.contains("% right"), "{}", ended.stderr);
    let seen = server.requests();
    assert_eq!(seen.len(), 50);
    assert!(seen.iter().all(|seen| seen.json() == json!({"ping": true, "list": [1, 2.5, "text"]})));
    assert!(seen.iter().all(|seen| seen.header("x-thrash-run").is_some()));
    let record = record(&place);
    assert_eq!(counts(&record)["answered"], 44);
    assert!(record["load"]["scenario"]["fixed_body"].is_string());
    // Nothing of it looks like accuracy.
    assert_eq!(record["metrics"]["accuracy"]["value"], json!(null));
    assert_eq!(record["metrics"]["unanswered_rate"]["count"], 1);
    assert_eq!((&record["results"], &record["slices"]), (&json!([]), &json!([])));
    assert_eq!(record["load"]["steps"][0]["accuracy"]["of"], 0);
    let page = std::fs::read_to_string(place.path().join("page.html")).unwrap();
    assert!(page.contains("no answer is right or wrong"));
    let command = format!("thrash load s --target plain --url {} --seed 0", server.url());
    assert!(page.contains(&command), "no `{command}`");
    // Nothing can be held against it.
    place.thrash(["baseline", "set", "latest"]).exits(2).complains(&["one fixed body"]);

    // Users send it, too.
    let server = Server::start(right_to_anything);
    place.file(
        "s.yaml",
        format!("title: x\nmodel: users\nusers: 2\nduration: 1s\n{body}gates: [error_rate <= 5%]\n"),
    );
    run(&place, &server, &[]).exits(0);
    assert!(server.requests().iter().all(|seen| seen.json()["ping"] == true));
}

fn right_to_anything(_: &crate::support::server::Seen) -> Reply {
    Reply::json(200, &json!({"level": "none"})).after(ms(10))
}

#[test]
fn what_a_fixed_body_cannot_tell_is_refused() {
    let place = scenario("body: {a: 1}\nidle_pass: true\ngates: [accuracy >= 90%, accuracy_drop <= 1%]\n");
    let ended = place.thrash(["scenarios", "check", "s.yaml"]).exits(2);
    ended.complains(&["`idle_pass` has no meaning", "`accuracy` is nothing", "`accuracy_drop` is nothing"]);
    let place = scenario("body: {a: 1}\nphrases: {suite: words}\ngates: [error_rate <= 1%]\n");
    place.thrash(["scenarios", "check", "s.yaml"]).exits(2).complains(&["there are phrases, too"]);
    let place = scenario("gates: [error_rate <= 1%]\n");
    place.thrash(["scenarios", "check", "s.yaml"]).exits(2).complains(&["nothing says what is sent"]);
    let server = Server::start(right_to_anything);
    let place = scenario("body: {a: 1}\ngates: [error_rate <= 1%]\n");
    run(&place, &server, &["--gate", "fpr <= 1%"]).exits(2).complains(&["fixed body"]);
    run(&place, &server, &["--baseline", "latest"]).exits(2).complains(&["fixed body has no baseline"]);
    let place = scenario("body: {a: 1}\ngates: [latency_p95 rise <= 10%]\n");
    place.thrash(["scenarios", "check", "s.yaml"]).exits(2).complains(&["s.yaml:6:9", "needs a baseline"]);
    assert!(server.requests().is_empty());
}

#[test]
fn a_target_is_never_sent_more_at_once_than_it_bears() {
    let limits = super::TARGET.replace("health:", "limits: {concurrency: 3}\n    health:");
    let server = Server::start(|seen| right(seen).after(ms(70)));
    let place = scenario("phrases: {suite: words}\nmax_in_flight: 50\ngates: [error_rate <= 1%]\n");
    place.file("thrash.yaml", &limits);
    run(&place, &server, &[]).exits(0);
    assert_eq!(server.most_in_flight(), 3);
    assert_eq!(record(&place)["load"]["scenario"]["max_in_flight"], 3);
    assert!(counts(&record(&place))["waited"].as_u64().unwrap() > 5);

    let server = Server::start(right);
    place.file(
        "s.yaml",
        "title: x\nphrases: {suite: words}\nmodel: users\nusers: 4\nduration: 1s\ngates: [error_rate <= 1%]\n",
    );
    run(&place, &server, &[]).exits(2).complains(&["up to 4 users", "bears 3 requests at once"]);
    assert!(server.all_requests().is_empty());
}

#[test]
fn a_load_run_is_a_table_of_its_seconds() {
    let server = Server::start(right);
    let place = place(
        "model: arrivals\nstages: [{duration: 0s, target: 40}, {duration: 1500ms, target: 40}, {duration: 0s, target: 20}, {duration: 1500ms, target: 20}]\ngates: [error_rate <= 1%]\n",
    );
    let printed = run(&place, &server, &["--csv", "-", "--out", "reports"]).exits(0).stdout;
    let mut table = csv::Reader::from_reader(printed.as_bytes());
    let head = table.headers().unwrap().clone();
    let rows: Vec<_> = table.records().map(|row| row.unwrap()).collect();
    // The last answers may come a moment after the end.
    assert!((3..=4).contains(&rows.len()), "{printed}");
    let column = |name: &str| -> Vec<String> {
        let at = head.iter().position(|column| column == name).unwrap();
        rows.iter().map(|row| row[at].to_owned()).collect()
    };
    let sum = |name: &str| column(name).iter().map(|cell| cell.parse::<u64>().unwrap()).sum::<u64>();
    assert_eq!((sum("started"), sum("answered"), sum("right")), (90, 90, 90));
    assert_eq!(column("at_s")[..3], ["0", "1", "2"]);
    assert_eq!(column("stage")[0], "1");
    assert_eq!((column("load_to")[0].as_str(), column("load_to")[2].as_str()), ("40", "20"));
    assert!(column("p95_ms")[..3].iter().all(|cell| cell.parse::<f64>().unwrap() > 0.0));
    // The same from the store, and among all formats.
    assert_eq!(place.thrash(["report", "latest", "--csv", "-"]).exits(0).stdout, printed);
    let files = std::fs::read_dir(place.path().join("reports")).unwrap().flatten();
    let csv =
        files.map(|file| file.path()).find(|path| path.extension().is_some_and(|ending| ending == "csv"));
    assert_eq!(std::fs::read_to_string(csv.unwrap()).unwrap(), printed);
}

#[test]
fn what_ci_reads_of_a_load_run_is_its_gates_and_its_steps() {
    // Wrong half of the time, which no gate asks.
    let server = Server::start(|_| Reply::json(200, &json!({"level": "none"})));
    let place = place("model: arrivals\nrate: 40/s\nduration: 1s\ngates: [error_rate <= 1%]\n");
    run(&place, &server, &["--junit", "j.xml", "--markdown", "m.md"]).exits(0);
    let junit = std::fs::read_to_string(place.path().join("j.xml")).unwrap();
    assert!(junit.contains(r#"failures="0" errors="0""#) && !junit.contains("high-1"), "{junit}");
    let markdown = std::fs::read_to_string(place.path().join("m.md")).unwrap();
    assert!(markdown.contains("### Load") && markdown.contains("| `40/s` | 40.0/s |"), "{markdown}");
}

#[test]
fn the_page_of_a_load_run_says_what_was_looked_at_under_load() {
    let server = Server::start(|seen| match seen.number % 3 {
        0 => Reply::json(200, &json!({"level": "high", "score": 0.1})),
        _ => right(seen),
    });
    let place = place("model: arrivals\nrate: 30/s\nduration: 1s\ngates: [error_rate <= 1%]\n");
    place.file(
        "thrash.yaml",
        super::TARGET.replace(
            "    response: {level: body.level}\n",
            "    response: {level: body.level}\n    invariants: [{name: score_fits, rule: '!has(body.score) || body.score > 0.5'}]\n",
        ),
    );
    run(&place, &server, &["--html", "page.html"]).exits(0);
    let page = std::fs::read_to_string(place.path().join("page.html")).unwrap();
    assert!(page.contains("10 answers broke an invariant of the contract"));
    assert!(page.contains("different answers under the load"));
    for untrue in ["contradicted itself", "each phrase was sent once", "Every first attempt"] {
        assert!(!page.contains(untrue), "{untrue}");
    }
}
