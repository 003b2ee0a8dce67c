//! What a run does under GitHub Actions.

use std::path::Path;

use serde_json::Value;

use crate::support::command::{DemoProcess, Ended, Place};

/// A word that stands where the text of a phrase stands.
const MARKER: &str = "MARKERWORD";

/// A suite of which a constant answer gets one phrase wrong, and the demo that gives it.
fn wrong() -> (Place, DemoProcess) {
    let place = Place::new();
    let text =
        format!("category: calm\nexpected: [none]\nphrases:\n  - {{id: calm-1, text: Good {MARKER}}}\n");
    place.file("mine/calm.yaml", text);
    (place, DemoProcess::start(&["--constant", "high"]))
}

fn under_actions(place: &Place, summary: &Path, args: &[&str]) -> Ended {
    let summary = summary.to_str().expect("UTF-8");
    place.thrash_with(&[("GITHUB_ACTIONS", "true"), ("GITHUB_STEP_SUMMARY", summary)], args)
}

fn commands(text: &str) -> Vec<&str> {
    text.lines().filter(|line| line.trim_start().starts_with("::") || line.contains("##[")).collect()
}

#[test]
fn findings_are_annotated_on_stderr_and_stdout_stays_data() {
    let (place, demo) = wrong();
    let summary = place.path().join("summary.md");
    for quiet in [&[][..], &["-q"]] {
        let args = [&["run", "mine", "--url", &demo.url, "--json", "-", "--text", "full"], quiet].concat();
        let ended = under_actions(&place, &summary, &args).exits(1);
        let record: Value = serde_json::from_str(&ended.stdout).expect("pure JSON");
        assert_eq!(record["suite"]["name"], "mine");
        let commands = commands(&ended.stderr);
        assert!(commands[0].starts_with("::error title=thrash::mine against ash-v5: "), "{commands:?}");
        let place = "::warning file=mine/calm.yaml,line=4,title=thrash%3A over::calm-1: expected none, got high (3 over)";
        assert!(commands.contains(&place), "{commands:?}");
        assert!(!ended.stderr.contains(MARKER), "{}", ended.stderr);
    }
}

#[test]
fn every_run_adds_to_the_steps_summary() {
    let (place, demo) = wrong();
    let summary = place.file("summary.md", "already there, without an end of line");
    let args = ["run", "mine", "--url", &demo.url, "--text", "full"];
    under_actions(&place, &summary, &args).exits(1);
    under_actions(&place, &summary, &args).exits(1);
    let text = std::fs::read_to_string(summary).expect("it is there");
    assert!(text.starts_with("already there, without an end of line\n## "), "{text}");
    assert_eq!(text.matches("\n## ❌ Failed: `mine` against `ash-v5`\n").count(), 2, "{text}");
    assert!(!text.contains(MARKER), "{text}");
}

#[test]
fn the_same_markdown_is_not_there_twice() {
    let (place, demo) = wrong();
    let summary = place.file("summary.md", "");
    let args = ["run", "mine", "--url", &demo.url, "--markdown", "./summary.md"];
    under_actions(&place, &summary, &args).exits(1);
    assert_eq!(std::fs::read_to_string(summary).expect("it is there").matches("## ❌").count(), 1);
}

#[test]
fn a_flag_switches_it_off_and_elsewhere_it_is_off() {
    let (place, demo) = wrong();
    let summary = place.path().join("summary.md");
    let args = ["run", "mine", "--url", &demo.url];
    let off = under_actions(&place, &summary, &[&args[..], &["--no-annotations"]].concat()).exits(1);
    let name = summary.to_str().expect("UTF-8");
    let elsewhere = place.thrash_with(&[("GITHUB_STEP_SUMMARY", name)], args).exits(1);
    let not_true =
        place.thrash_with(&[("GITHUB_STEP_SUMMARY", name), ("GITHUB_ACTIONS", "false")], args).exits(1);
    let again = under_actions(&place, &summary, &["report", "latest"]).exits(0);
    for ended in [off, elsewhere, not_true, again] {
        assert_eq!(commands(&ended.said()), [""; 0]);
    }
    assert!(!summary.exists());
}

#[test]
fn a_summary_that_cannot_be_written_is_told_and_the_exit_code_stays() {
    let place = Place::new();
    let suite = place.easy_suite();
    for summary in [place.path().join("missing/summary.md"), place.path().to_owned()] {
        let ended = under_actions(&place, &summary, &["run", suite]).exits(0);
        ended.complains(&["cannot add to the step's summary"]);
    }
    let full = place.file("full.md", vec![b'x'; (1 << 20) - 10]);
    under_actions(&place, &full, &["run", suite]).exits(0).complains(&["it is full"]);
    assert_eq!(full.metadata().expect("it is there").len(), (1 << 20) - 10);
}

#[test]
fn a_run_that_passes_annotates_nothing_and_still_adds_its_summary() {
    let place = Place::new();
    let suite = place.easy_suite();
    let summary = place.path().join("summary.md");
    let ended = under_actions(&place, &summary, &["run", suite]).exits(0);
    assert_eq!(commands(&ended.said()), [""; 0]);
    assert!(std::fs::read_to_string(summary).expect("it is there").starts_with("## ✅ Passed: `easy`"));
}

#[test]
fn phrases_inside_the_program_are_annotated_without_a_file() {
    let place = Place::new();
    let ended = under_actions(&place, &place.path().join("summary.md"), &["quick"]).exits(1);
    let commands = commands(&ended.stderr);
    assert!(commands.len() > 5);
    assert!(commands.iter().all(|command| !command.contains("file=")), "{commands:?}");
}
