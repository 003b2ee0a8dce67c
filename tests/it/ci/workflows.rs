//! The workflows and the pipeline that people copy from docs/ci.md.

use serde_json::{Value, json};

use super::{Runner, example, fits, root, step};
use crate::support::command::{Ended, Place};

const PULL_REQUEST: &str = ".github/workflows/thrash.yml";
const NIGHTLY: &str = ".github/workflows/nightly.yml";
const GITLAB: &str = ".gitlab-ci.yml";

fn steps(name: &str) -> Value {
    example(name)["jobs"]["thrash"]["steps"].clone()
}

#[test]
fn the_servers_take_the_examples() {
    fits(&example(PULL_REQUEST), "github-workflow.schema.json");
    fits(&example(NIGHTLY), "github-workflow.schema.json");
    fits(&example(GITLAB), "gitlab-ci.schema.json");
}

#[test]
fn the_schemas_refuse_what_is_wrong() {
    for (name, schema, path) in [
        (NIGHTLY, "github-workflow.schema.json", "/jobs/thrash/timeout-minutes"),
        (GITLAB, "gitlab-ci.schema.json", "/thrash/artifacts/when"),
    ] {
        let mut wrong = example(name);
        *wrong.pointer_mut(path).expect("it is there") = json!({"no": "such thing"});
        assert!(std::panic::catch_unwind(|| fits(&wrong, schema)).is_err(), "{name}");
    }
}

#[test]
fn the_nightly_run_is_at_nine_for_fifteen_minutes_and_kept_for_thirty_days() {
    let workflow = example(NIGHTLY);
    assert_eq!(workflow["on"]["schedule"], json!([{"cron": "0 21 * * *"}]));
    assert_eq!(workflow["jobs"]["thrash"]["timeout-minutes"], 15);
    let keep = step(&workflow["jobs"]["thrash"]["steps"], "Keep the reports").clone();
    assert_eq!(keep["with"]["path"], "reports/*.md\nreports/*.json\n");
    assert_eq!((&keep["with"]["retention-days"], &keep["if"]), (&json!(30), &json!("always()")));
}

#[test]
fn the_inputs_that_the_workflows_give_are_inputs_of_the_action() {
    let action = std::fs::read_to_string(root().join("docs/github/action.yml")).expect("the action");
    let action = super::yaml(&action);
    for name in [PULL_REQUEST, NIGHTLY] {
        let steps = steps(name);
        let used = step(&steps, "Run thrash");
        assert_eq!(used["uses"], "OWNER/thrash/docs/github@v0.1.0");
        for input in used["with"].as_object().expect("inputs").keys() {
            assert!(action["inputs"].get(input).is_some(), "{name}: `{input}` is no input");
        }
    }
}

/// A `gh` that knows of this issue, or of none.
fn gh(issue: &str) -> String {
    format!("if [ \"$1 $2\" = 'issue list' ]; then echo '{issue}'; fi")
}

/// Runs the step that opens or updates the issue.
fn tell(place: &Place, issue: &str, code: &str) -> (Ended, Vec<String>, String) {
    let runner = Runner::new(place)
        .with_program("gh", &gh(issue))
        .with("CODE", code)
        .with("RUN", "https://github.example/o/r/actions/runs/7");
    let ended = runner.run(step(&steps(NIGHTLY), "Open or update the issue"));
    let calls = runner.told("gh.calls").lines().map(str::to_owned).collect();
    (ended, calls, runner.told("issue.md"))
}

#[test]
fn a_red_night_opens_an_issue_with_the_report() {
    let place = Place::new();
    place.file("reports/thrash.md", "## ❌ Failed\n");
    let (ended, calls, body) = tell(&place, "", "1");
    ended.exits(0);
    assert_eq!(
        calls.last().expect("a call"),
        "issue create --label thrash-nightly --title thrash: the nightly run is red --body-file issue.md"
    );
    assert_eq!(
        body,
        "The [nightly run](https://github.example/o/r/actions/runs/7) is red: exit code 1.\n\n## ❌ Failed\n"
    );
}

#[test]
fn a_second_red_night_adds_to_the_open_issue_also_without_a_report() {
    let place = Place::new();
    let (ended, calls, body) = tell(&place, "42", "");
    ended.exits(0);
    assert_eq!(calls.last().expect("a call"), "issue comment 42 --body-file issue.md");
    assert!(body.contains("exit code unknown") && body.contains("There is no report"), "{body}");
}

#[test]
fn the_longest_report_still_fits_into_an_issue() {
    // GitHub takes 65,536 characters; a report has at most 65,100.
    let place = Place::new();
    let (ended, _, body) = tell(&place, "", "130");
    ended.exits(0);
    assert!(body.chars().count() < 300);
}

#[test]
fn the_baseline_is_fetched_from_the_base_branch_and_may_be_missing() {
    let workflow = steps(PULL_REQUEST);
    let fetch = step(&workflow, "Fetch the baseline");
    for (script, told) in [
        ("if [ \"$1 $2\" = 'run list' ]; then echo 7; fi", "file=baseline/thrash.json\n"),
        ("if [ \"$1 $2\" = 'run list' ]; then echo 7; else exit 1; fi", ""),
        ("true", ""),
    ] {
        let place = Place::new();
        let runner = Runner::new(&place).with_program("gh", script);
        let ended = runner.run(fetch).exits(0);
        assert_eq!(runner.told("GITHUB_OUTPUT"), told, "{script}");
        assert_eq!(ended.stdout.contains("::notice title=thrash::no run of main"), told.is_empty());
        let calls = runner.told("gh.calls");
        assert!(calls.contains("--branch main --event push --status success"), "{calls}");
    }
}

#[test]
fn a_pull_request_gets_one_comment_if_there_is_a_report() {
    let workflow = steps(PULL_REQUEST);
    let comment = step(&workflow, "Comment");
    let place = Place::new();
    let runner = Runner::new(&place).with_program("gh", "true").with("PULL_REQUEST", "12");
    runner.run(comment).exits(0);
    assert_eq!(runner.told("gh.calls"), "");
    place.file("reports/thrash.md", "x");
    runner.run(comment).exits(0);
    assert_eq!(
        runner.told("gh.calls"),
        "pr comment 12 --body-file reports/thrash.md --edit-last --create-if-none\n"
    );
}

#[test]
fn the_gitlab_job_runs_and_leaves_what_it_keeps() {
    let job = example(GITLAB)["thrash"].clone();
    let script = job["script"].as_array().expect("lines");
    let lines: Vec<&str> = script.iter().map(|line| line.as_str().expect("a line")).collect();
    let place = Place::new();
    let demo = crate::support::command::DemoProcess::start(&[]);
    let bin = place.path().join(".thrash-bin/bin");
    std::fs::create_dir_all(&bin).expect("it is made");
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_thrash"), bin.join("thrash")).expect("it is made");
    // GitLab stops at the first line that fails, as `set -e` does.
    let shell = format!("set -e; export NLP_SERVER_URL={}\n{}", demo.url, lines.join("\n"));
    place.shell(&shell).exits(1);
    let junit = job["artifacts"]["reports"]["junit"].as_str().expect("a path");
    for file in [junit, "reports/thrash.md", "reports/thrash.json"] {
        assert!(place.path().join(file).metadata().is_ok_and(|found| found.len() > 100), "no {file}");
    }
}
