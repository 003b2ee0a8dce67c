//! `thrash shadow`: unlabelled lines through target and reference.

use std::io::Write;
use std::process::Stdio;

use serde_json::{Value, json};

use super::support::{TEXTS, fixture, load};
use crate::support::command::{DemoProcess, Ended, Place, send};
use crate::support::server::{Reply, Server};

const CONTRACT: &str = "targets:
  plain:
    base_url: http://127.0.0.1:1
    alert_level: low
    health: {path: /health, healthy: status == 200}
    request: {path: /detect, body: {text: \"${text}\"}}
    response: {level: body.level, levels: {}, score: body.score}
    examples: [{reads: low, body: {level: low, score: 0.3}}]
";

/// A folder with the lines and a target that says what the script says of a text.
struct Bench {
    place: Place,
    server: Server,
}

impl Bench {
    fn new(lines: &str, says: impl Fn(&str) -> Reply + Send + Sync + 'static) -> Self {
        let place = Place::new();
        place.file("thrash.yaml", CONTRACT);
        place.file("lines.txt", lines);
        let server =
            Server::start(move |seen| says(seen.json()["text"].as_str().expect("the target is sent text")));
        Self { place, server }
    }

    fn shadow(&self, more: &[&str]) -> Ended {
        let model = fixture("classify").display().to_string();
        let url = self.server.url();
        let args = ["shadow", "lines.txt", "--target", "plain", "--url", &url, "--engine", "rten"];
        let reference = ["--reference", model.as_str()];
        let names_one = more.contains(&"--reference") || more.contains(&"--no-reference");
        let reference = if names_one { &[][..] } else { &reference };
        self.place.thrash(args.iter().chain(reference).chain(more))
    }

    fn report(&self, more: &[&str]) -> Value {
        let ended = self.shadow(&[&["--json", "-"], more].concat());
        serde_json::from_str(&ended.stdout).unwrap_or_else(|_| panic!("no JSON: {}", ended.said()))
    }
}

fn level(word: &str, score: f64) -> Reply {
    Reply::json(200, &json!({"level": word, "score": score}))
}

/// What the target says of a text: its length decides.
fn by_length(text: &str) -> (&'static str, f64) {
    if text.len() > 25 { ("critical", 0.95) } else { ("none", 0.05) }
}

/// So many lines, some of which begin with a word that the target fails on.
fn mornings(count: usize, fails: impl Fn(usize) -> bool) -> String {
    let line = |at| format!("{}good morning {at}", if fails(at) { "lost " } else { "" });
    (0..count).map(line).collect::<Vec<_>>().join("\n")
}

fn texts() -> String {
    TEXTS.join("\n")
}

#[test]
fn what_differs_is_counted_and_the_strongest_come_first() {
    let bench = Bench::new(&texts(), |text| {
        let (word, score) = by_length(text);
        level(word, score)
    });
    let report = bench.report(&[]);
    let said: Vec<(u64, &str)> = (1..).zip(TEXTS).filter(|(_, text)| !text.is_empty()).collect();
    let words: Vec<&str> = said.iter().map(|(_, text)| *text).collect();
    let opinions = load(&fixture("classify")).opinions(&words).expect("opinions");
    let levels = ["none", "low", "medium", "high", "critical"];
    let place = |word: &str| levels.iter().position(|known| *known == word).expect("a level");
    let mut apart: Vec<(u64, usize, f64)> = Vec::new();
    for ((line, text), opinion) in said.iter().zip(&opinions) {
        let (word, score) = by_length(text);
        let steps = place(word).abs_diff(opinion.level.index());
        if steps > 0 {
            apart.push((*line, steps, (score - opinion.score).abs()));
        }
    }
    assert!(apart.len() > 2 && apart.len() < said.len(), "the sample has both kinds: {apart:?}");
    let comparison = &report["comparison"];
    assert_eq!(comparison["disagreement"]["count"], apart.len());
    assert_eq!(comparison["disagreement"]["of"], said.len());
    assert!(comparison["disagreement"]["wilson"][0].is_number(), "{comparison}");
    assert_eq!(report["input"]["lines"], 11);
    assert_eq!(report["input"]["empty"], 1);
    assert_eq!(report["conclusion"], "passed");
    apart.sort_by(|one, other| other.1.cmp(&one.1).then(other.2.total_cmp(&one.2)));
    let strongest = comparison["strongest"].as_array().expect("disagreements");
    let lines: Vec<u64> = strongest.iter().filter_map(|seen| seen["line"].as_u64()).collect();
    assert_eq!(lines, apart.iter().map(|(line, ..)| *line).collect::<Vec<_>>());
    // The matrix holds the same.
    let rows = comparison["levels"].as_array().expect("rows");
    let cell = |row: usize, column: usize| rows[row][column].as_u64().expect("a count");
    let off: u64 = (0..5)
        .flat_map(|row| (0..5).map(move |column| (row, column)))
        .filter(|(row, column)| row != column)
        .map(|(row, column)| cell(row, column))
        .sum();
    assert_eq!(off, apart.len() as u64);
    let few = bench.report(&["--most", "2"]);
    assert_eq!(few["comparison"]["strongest"].as_array().map(Vec::len), Some(2));
    assert_eq!(few["comparison"]["disagreement"]["count"], apart.len());

    let ended = bench.shadow(&["--csv", "apart.csv"]).exits(0);
    for words in ["another level", "across the alert level", "reference's, columns", "Strongest", "line "] {
        assert!(ended.stdout.contains(words), "no `{words}` in\n{}", ended.stdout);
    }
    let table = std::fs::read_to_string(bench.place.path().join("apart.csv")).expect("the table");
    assert_eq!(table.lines().count(), 1 + apart.len());
    assert!(table.lines().nth(1).is_some_and(|row| row.starts_with(&format!("{},", apart[0].0))), "{table}");
}

#[test]
fn the_lines_stand_nowhere_unless_they_are_asked_for() {
    let bench = Bench::new("MARKER one two three four five six\nMARKER\n", |_| level("critical", 0.9));
    let flags = ["--json", "out.json", "--csv", "out.csv", "-v", "-v"];
    let kept = |name: &str| std::fs::read_to_string(bench.place.path().join(name)).expect("the file");
    let ended = bench.shadow(&flags).exits(0);
    for text in [ended.said(), kept("out.json"), kept("out.csv")] {
        assert!(!text.contains("MARKER"), "{text}");
    }
    let ended = bench.shadow(&[&flags[..], &["--text", "redacted"]].concat()).exits(0);
    for text in [ended.said(), kept("out.json"), kept("out.csv")] {
        assert!(!text.contains("MARKER"), "{text}");
    }
    assert!(kept("out.json").contains("••••••"), "{}", kept("out.json"));
    // Not in a log even then.
    let ended = bench.shadow(&[&flags[..], &["--text", "full"]].concat()).exits(0);
    assert!(!ended.said().contains("MARKER"), "{}", ended.said());
    assert!(kept("out.json").contains("MARKER one two") && kept("out.csv").contains("MARKER one two"));
    assert!(!bench.place.data().exists(), "nothing is stored");
}

#[test]
fn an_unanswered_line_is_neither_agreement_nor_disagreement() {
    let answers = |text: &str| match text.strip_prefix("lost") {
        Some(_) => Reply::answer(500, &[], ""),
        None => level("none", 0.02),
    };
    let lines = mornings(40, |at| at == 7);
    let bench = Bench::new(&lines, answers);
    let report = bench.report(&["--retries", "0"]);
    assert_eq!(report["conclusion"], "passed", "one of 40 is within the error budget: {report}");
    assert_eq!(report["unanswered"]["server_error"], 1);
    assert_eq!(report["comparison"]["disagreement"]["of"], 39);
    let missing = |row: &Value| row[5].as_u64().expect("a count");
    assert_eq!(report["comparison"]["levels"].as_array().expect("rows").iter().map(missing).sum::<u64>(), 1);

    let lines = mornings(20, |at| at % 2 == 0);
    let bench = Bench::new(&lines, answers);
    let ended = bench.shadow(&["--retries", "0"]).exits(3);
    assert!(
        ended.stdout.contains("TARGET FAILED") && ended.stdout.contains("10 of 20 lines unanswered"),
        "{}",
        ended.stdout
    );
    bench.shadow(&["--retries", "0", "--quiet"]).exits(3).complains(&["10 of 20 lines unanswered"]);
}

#[test]
fn what_cannot_be_compared_is_refused_before_anything_is_sent() {
    let bench = Bench::new("good morning\n", |_| level("none", 0.0));
    let file = |name: &str, bytes: &[u8]| drop(bench.place.file(name, bytes));
    bench.shadow(&["--reference", "none"]).exits(2).complains(&["there is no reference"]);
    bench.shadow(&["--no-reference"]).exits(2).complains(&["there is no reference"]);
    let ended = bench.shadow(&["--reference", "no-such-folder"]).exits(2);
    assert_eq!(ended.stdout, "");
    ended.complains(&["the reference cannot be used", "no-such-folder"]);
    let card = bench.shadow(&["--device", "cuda"]).exits(2);
    assert_eq!(card.said().matches("`--device cpu` always works").count(), 1, "{}", card.said());
    file("lines.txt", b"fine\nalso fine\nca\xe7a MARKER\n");
    let ended = bench.shadow(&[]).exits(2).complains(&["`lines.txt`: line 3 is not UTF-8", "hint: "]);
    assert!(!ended.stderr.contains("MARKER"), "{}", ended.stderr);
    file("lines.txt", b"\n  \n\t\n");
    bench.shadow(&[]).exits(2).complains(&["has no line with anything in it"]);
    file("lines.txt", "a\n".repeat(100_001).as_bytes());
    bench.shadow(&[]).exits(2).complains(&["more than 100000 lines"]);
    bench.shadow(&["--csv", "lines.txt"]).exits(2).complains(&["lines.txt"]);
    assert_eq!(bench.server.requests().len(), 0);
    std::fs::remove_file(bench.place.path().join("lines.txt")).expect("it was there");
    bench.shadow(&[]).exits(2).complains(&["cannot read `lines.txt`"]);
}

#[test]
fn lines_of_the_same_text_are_less_evidence() {
    let same = "good morning\n".repeat(30) + "crying and hopeless\n";
    let rate = |lines: &str| {
        Bench::new(lines, |_| level("none", 0.1)).report(&[])["comparison"]["disagreement"].clone()
    };
    let (once, often) = (rate(&texts()), rate(&same));
    assert!(once.get("effective").is_none_or(Value::is_null), "{once}");
    let effective = often["effective"].as_f64().expect("what they are worth");
    assert!(effective < 31.0, "{often}");
}

#[test]
fn standard_input_is_read_windows_lines_and_mark_too() {
    let bench = Bench::new("", |_| level("none", 0.1));
    let model = fixture("classify").display().to_string();
    let url = bench.server.url();
    let args = [
        "shadow",
        "-",
        "--target",
        "plain",
        "--url",
        &url,
        "--reference",
        &model,
        "--engine",
        "rten",
        "--json",
        "-",
    ];
    let mut child = bench
        .place
        .command(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut stdin = child.stdin.take().expect("a pipe");
    stdin.write_all("\u{feff}good morning\r\n\r\n  good night \r\n".as_bytes()).expect("it reads");
    drop(stdin);
    let ended = Ended::of(child.wait_with_output().expect("it ends")).exits(0);
    let report: Value = serde_json::from_str(&ended.stdout).expect("JSON");
    assert_eq!((&report["input"]["lines"], &report["input"]["empty"]), (&json!(2), &json!(1)));
    let mut sent: Vec<Value> =
        bench.server.requests().iter().map(|seen| seen.json()["text"].clone()).collect();
    sent.sort_by_key(Value::to_string);
    assert_eq!(sent, [json!("good morning"), json!("good night")]);
}

#[test]
fn a_stop_keeps_what_there_is_and_says_so() {
    let place = Place::new();
    place.file("lines.txt", "good morning\n".repeat(2000));
    let demo = DemoProcess::start(&["--latency", "50ms"]);
    let model = fixture("classify").display().to_string();
    let args = [
        "shadow",
        "lines.txt",
        "--url",
        &demo.url,
        "--concurrency",
        "2",
        "--reference",
        &model,
        "--engine",
        "rten",
        "--json",
        "out.json",
    ];
    let child = place.command(args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
    std::thread::sleep(std::time::Duration::from_millis(2500));
    send("TERM", &child);
    let ended = Ended::of(child.wait_with_output().expect("it ends")).exits(130);
    assert!(ended.stdout.starts_with("INTERRUPTED"), "{}", ended.stdout);
    let report: Value =
        serde_json::from_str(&std::fs::read_to_string(place.path().join("out.json")).expect("the report"))
            .expect("JSON");
    let not_sent = report["not_sent"].as_u64().expect("a count");
    assert!(not_sent > 0 && not_sent < 2000, "{not_sent}");
    assert!(
        report["comparison"]["disagreement"]["of"].as_u64().is_some_and(|of| of > 0 && of <= 2000 - not_sent)
    );
}
