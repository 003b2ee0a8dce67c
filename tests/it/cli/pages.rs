//! Pages for a browser: where they go, who may read them, how large they are, and what services put into them.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use serde_json::{Value, json};
use thrash::domain::RunRecord;
use thrash::report::{Format, RenderOptions, render};

use crate::support::command::Place;
use crate::support::html::Html;
use crate::support::server::{Reply, Server};

fn read(path: &Path) -> Html {
    let html = Html::parse(&std::fs::read(path).expect("a page"));
    assert_eq!(html.errors, [""; 0], "{}", path.display());
    html
}

/// Every word of a page, the rows that its script builds included.
fn words(html: &Html) -> String {
    format!("{}{}", html.all("html").next().expect("a root").text, html.data())
}

#[test]
fn a_page_goes_where_it_is_asked_to() {
    let place = Place::new();
    let suite = place.easy_suite();
    let ended = place.thrash(["run", suite, "--html", "-"]).exits(0);
    assert!(ended.stdout.starts_with("<!DOCTYPE html>") && ended.stdout.ends_with("</html>"), "pure HTML");
    assert!(ended.stderr.contains("PASSED"), "{}", ended.stderr);
    let html = Html::parse(ended.stdout.as_bytes());
    assert!(html.all("h1").all(|heading| heading.text.contains("Passed")));
    place.thrash(["run", suite, "--html", "page.html", "-q", "--target", "demo"]).exits(0);
    read(&place.path().join("page.html"));
    // A later look has the trend of both runs.
    place.thrash(["report", "latest", "--html", "again.html"]).exits(0);
    let again = read(&place.path().join("again.html"));
    assert!(again.id("trend").text.contains("the last 2 runs"), "{}", again.id("trend").text);
    place.thrash(["run", suite, "--html", "-", "--json", "-"]).exits(2);
}

#[test]
fn reports_that_nobody_asked_for_are_private() {
    let place = Place::new();
    let suite = place.easy_suite();
    place.thrash(["run", suite, "--html", "asked.html"]).exits(0);
    let mode = |path: &Path| path.metadata().expect("it is there").permissions().mode() & 0o777;
    let reports = place.data().join("reports");
    assert_eq!(mode(&reports), 0o700);
    for name in ["latest-easy.html", "latest-easy.json"] {
        assert_eq!(mode(&reports.join(name)), 0o600, "{name}");
    }
    let plain = place.file("plain", "");
    assert_eq!(mode(&place.path().join("asked.html")), mode(&plain), "one that was asked for is as any file");
}

#[test]
fn without_text_no_page_holds_a_phrase() {
    let place = Place::new();
    let suite = place.easy_suite();
    let phrases = ["Good morning everyone", "I want to kill myself tonight"];
    place.thrash(["run", suite, "--html", "full.html"]).exits(0);
    let full = words(&read(&place.path().join("full.html")));
    assert!(phrases.iter().all(|phrase| full.contains(phrase)), "{full}");
    for policy in ["none", "redacted"] {
        // Whether the run kept them or not.
        place.thrash(["report", "latest", "--html", "later.html", "--text", policy]).exits(0);
        place.thrash(["run", suite, "--html", "run.html", "--text", policy, "--out", "out"]).exits(0);
        for name in ["later.html", "run.html"] {
            let shown = words(&read(&place.path().join(name)));
            assert!(!phrases.iter().any(|phrase| shown.contains(phrase)), "--text {policy}: {name}");
        }
    }
}

#[test]
fn a_page_is_small_enough_to_be_sent_around() {
    let place = Place::new();
    place.thrash(["comprehensive", "--limit", "350", "-q", "--html", "p.html", "--json", "r.json"]);
    let size = place.path().join("p.html").metadata().expect("a page").len();
    assert!(size < 150_000, "350 phrases take {size} bytes");
    let json = std::fs::read(place.path().join("r.json")).expect("a record");
    let mut record: RunRecord = serde_json::from_slice(&json).expect("it parses");
    let few = record.results.clone();
    assert_eq!(few.len(), 350);
    // As many as a large suite has, without copies that lie close enough to be packed away.
    record.results = (0_u16..4000)
        .map(|number| {
            let at = usize::from(number);
            let mut result = few[at % few.len()].clone();
            result.id = format!("{}-{at}", result.id);
            result.text = result.text.map(|text| {
                let words: Vec<&str> = text.split(' ').collect();
                let (start, end) = words.split_at(at % words.len());
                format!("{} {}", end.join(" "), start.join(" "))
            });
            for seen in &mut result.observations {
                seen.latency_ms += f64::from(number) / 7.0;
            }
            result
        })
        .collect();
    let page = render(Format::Html, &record, &RenderOptions::default()).expect("it renders");
    assert!(page.len() < 1_500_000, "4,000 phrases take {} bytes", page.len());
    assert!(page.len() > 150_000, "they are in it");
}

#[test]
fn what_a_service_answers_stays_text() {
    const LABEL: &str = "</script><script>alert(1)</script>\u{202e}";
    let place = Place::new();
    let server = Server::start(|seen| {
        let level = if String::from_utf8_lossy(&seen.body).contains("morning") {
            LABEL
        } else {
            "\"><img src=x onerror=alert(1)>"
        };
        Reply::json(200, &json!({"level": level, "padding": "<".repeat(900_000)}))
    });
    let contract = json!({"targets": {"odd": {
        "base_url": server.url(),
        "request": {"path": "/a", "body": {"text": "${text}"}},
        "response": {"level": "body.level", "levels": {LABEL: "none"}},
        "examples": [{"reads": "none", "body": {"level": "none"}}],
    }}});
    place.file("thrash.yaml", contract.to_string());
    let suite = place.easy_suite();
    place.file(
        "easy/odd.yaml",
        json!({"category": "odd", "expected": ["none"], "phrases": [
            {"id": "odd-1", "text": "<script>alert(2)</script>\u{202e}morning\u{7}"},
            {"id": "odd-2", "text": format!("morning {}", "</script>".repeat(11_000))},
        ]})
        .to_string(),
    );
    // One phrase of four is answered with a level that nobody knows.
    let ended = place.thrash(["run", suite, "--target", "odd", "--html", "p.html"]).exits(3);
    let html = read(&place.path().join("p.html"));
    assert_eq!(html.all("script").count(), 2, "{}", ended.said());
    assert_eq!(html.all("img").count(), 0);
    let words = words(&html);
    assert!(
        words.contains("</script><script>alert(1)</script>") && words.contains("<script>alert(2)</script>")
    );
    assert!(!words.contains('\u{202e}') && !words.contains('\u{7}'));
    let size = place.path().join("p.html").metadata().expect("a page").len();
    assert!(size < 200_000, "{size} bytes");
    let kept: Value = place.latest();
    assert_eq!(kept["results"].as_array().map(Vec::len), Some(4));
}
