//! Observations as CSV, read back by two readers, one of another make.

use std::collections::BTreeMap;
use std::io::Write;
use std::process::{Command, Stdio};

use thrash::domain::{RunRecord, TextPolicy};
use thrash::report::{Format, RenderOptions, render};

use super::extras::{rich, with_words};
use crate::support::sample::Sample;

fn table(record: &RunRecord, text: Option<TextPolicy>) -> String {
    let options = RenderOptions { text, ..RenderOptions::default() };
    String::from_utf8(render(Format::Csv, record, &options).expect("it renders")).expect("UTF-8")
}

/// Rows by column.
fn rows(text: &str) -> Vec<BTreeMap<String, String>> {
    // A row of another length is an error.
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    reader.deserialize().map(|row| row.expect("a row")).collect()
}

#[test]
fn every_observation_is_a_row() {
    let record = rich();
    let observations: usize = record.results.iter().map(|result| result.observations.len()).sum();
    assert_eq!(observations, 27);
    let all = rows(&table(&record, None));
    assert_eq!(all.len(), observations);
    let of = |id: &str| all.iter().filter(|row| row["phrase"] == id).collect::<Vec<_>>();
    let flaky = of("everyday_benign-001");
    let column = |name: &str| flaky.iter().map(|row| row[name].as_str()).collect::<Vec<_>>();
    assert_eq!(column("repeat"), ["0", "1", "2"]);
    assert_eq!(column("level"), ["none", "critical", ""]);
    assert_eq!(column("passes"), ["true", "false", "false"]);
    assert_eq!(column("no_answer"), ["", "", "timed out"]);
    assert_eq!(column("judged_level"), ["none"; 3]);
    let under = of("explicit_ideation-003")[0];
    assert_eq!((under["expected"].as_str(), under["verdict"].as_str()), ("high|critical", "under"));
    assert_eq!((under["score"].as_str(), under["must_pass"].as_str()), ("0.31", "true"));
    assert_eq!(of("everyday_benign-002")[0]["violations"], "score_matches_label");
    let opinion =
        ["reference_level", "reference_label", "reference_score", "reference_verdict", "disagreement"];
    assert_eq!(
        opinion.map(|name| under[name].as_str()),
        ["high", "LABEL_3", "0.72", "exact", "only_target_wrong"]
    );
    assert!(flaky.iter().all(|row| row["disagreement"] == "both_right"));
    let alone = rows(&table(&Sample::quick().record(), None));
    assert!(opinion.iter().all(|name| alone.iter().all(|row| row[*name].is_empty())));
}

#[test]
fn lines_end_as_rfc_4180_says_and_a_run_of_nothing_is_a_header() {
    let text = table(&Sample::quick().record(), None);
    assert_eq!(text.matches("\r\n").count(), 26);
    assert_eq!(text.matches('\n').count(), 26);
    assert_eq!(table(&Sample::empty().record(), None).lines().count(), 1);
}

#[test]
fn no_cell_is_a_formula_and_every_cell_reads_back() {
    for nasty in
        ["=cmd|' /C calc'!A0", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", " =1", "＝1", "a\"b,c\nd;e"]
    {
        let record = with_words(rich(), nasty);
        for row in rows(&table(&record, Some(TextPolicy::Full))) {
            for (column, cell) in &row {
                assert!(!cell.trim_start().starts_with(['=', '+', '-', '@', '＝']), "{column}: {cell:?}");
            }
            let safe = if nasty.starts_with('a') { nasty.to_owned() } else { format!("'{nasty}") };
            assert_eq!(row["text"], safe);
            assert_eq!(row["category"], safe);
        }
    }
}

/// A reader of another make reads the same, where there is one.
#[test]
fn python_reads_the_same_rows() {
    let program = "import csv, io, json, sys
table = io.TextIOWrapper(sys.stdin.buffer, encoding='utf-8', newline='')
print(json.dumps(list(csv.DictReader(table, strict=True))))";
    for word in ["a\"b,c\r\nd;e'", "é\u{202e}\u{1b}[31m😀\t|`", "=1\n\n\"\""] {
        let table = table(&with_words(rich(), word), Some(TextPolicy::Full));
        let child = Command::new("python3")
            .args(["-c", program])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn();
        let Ok(mut child) = child else { return };
        child.stdin.take().expect("a pipe").write_all(table.as_bytes()).expect("it reads");
        let output = child.wait_with_output().expect("it ends");
        assert!(output.status.success(), "{table}");
        let theirs: Vec<BTreeMap<String, String>> = serde_json::from_slice(&output.stdout).expect("JSON");
        assert_eq!(theirs, rows(&table));
    }
}

#[test]
fn the_text_of_a_phrase_is_there_only_when_asked_for() {
    let record = Sample::quick().record();
    for text in [None, Some(TextPolicy::None), Some(TextPolicy::Redacted)] {
        assert!(!table(&record, text).contains("The text"));
    }
    let rows = rows(&table(&record, Some(TextPolicy::Full)));
    assert!(rows.iter().all(|row| row["text"] == format!("The text of {}.", row["phrase"])));
}

#[test]
fn every_column_is_documented() {
    let documented = include_str!("../../../docs/ci.md");
    let header = table(&Sample::empty().record(), None);
    for column in header.trim_end().split(',') {
        assert!(documented.contains(&format!("`{column}`")), "docs/ci.md does not describe `{column}`");
    }
}
