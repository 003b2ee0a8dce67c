//! The composite action.

use serde_json::Value;

use super::{Runner, fits, root, step, yaml};
use crate::support::command::Place;

const FILES: [&str; 5] = ["thrash.json", "thrash.md", "thrash.sarif", "thrash.junit.xml", "thrash.csv"];

fn action() -> Value {
    yaml(&std::fs::read_to_string(root().join("docs/github/action.yml")).expect("the action"))
}

fn steps() -> Value {
    action()["runs"]["steps"].clone()
}

/// A runner with the action's inputs as they are when nothing is said.
fn runner(place: &Place) -> Runner<'_> {
    let action = action();
    let input = |name: &str| action["inputs"][name]["default"].as_str().expect("a default").to_owned();
    Runner::new(place).with("SUITE", input("suite")).with("REPORTS", input("reports"))
}

#[test]
fn github_takes_the_action() {
    fits(&action(), "github-action.schema.json");
}

#[test]
fn every_input_reaches_the_script_and_nothing_else_does() {
    let action = action();
    let run = step(&action["runs"]["steps"], "Run")["env"].clone();
    let mut reached: Vec<String> = run
        .as_object()
        .expect("an environment")
        .values()
        .map(|value| value.as_str().expect("text").replace("${{ inputs.", "").replace(" }}", ""))
        .collect();
    let mut inputs: Vec<String> = action["inputs"].as_object().expect("inputs").keys().cloned().collect();
    reached.sort();
    inputs.sort();
    assert_eq!(reached, inputs);
}

#[test]
fn a_program_on_the_path_is_used_as_it_is() {
    let place = Place::new();
    let runner = runner(&place).with_thrash();
    runner.run(step(&steps(), "Look for thrash")).exits(0);
    assert_eq!(runner.told("GITHUB_OUTPUT"), "found=true\n");
    assert_eq!(runner.told("GITHUB_PATH"), "");
}

#[test]
fn otherwise_it_is_built_from_the_source_beside_the_action_once_for_each_state_of_it() {
    let place = Place::new();
    let source = root().join("docs/github/../..").display().to_string();
    let runner = runner(&place).with("SOURCE", &source).with_program("cargo", "exit 0");
    let look = step(&steps(), "Look for thrash").clone();
    runner.run(&look).exits(0);
    let told = runner.told("GITHUB_OUTPUT");
    let key = told.strip_prefix("found=false\nkey=thrash-Linux-X64-").expect("a key").trim().to_owned();
    assert!(key.len() == 16 && key.chars().all(|c| c.is_ascii_hexdigit()), "{told}");
    let folder = runner.told("GITHUB_PATH").trim().to_owned();
    assert_eq!(folder, place.path().join("thrash/bin").display().to_string());
    runner.run(&look).exits(0);
    assert_eq!(
        runner.told("GITHUB_OUTPUT").matches(&key).count(),
        2,
        "the key is the same for the same source"
    );

    runner.run(step(&steps(), "Build thrash")).exits(0);
    let root = place.path().join("thrash");
    let call = format!("install --locked --quiet --path {source} --root {}\n", root.display());
    assert_eq!(runner.told("cargo.calls"), call);
}

#[test]
fn a_red_run_fails_the_step_with_its_code_and_leaves_every_report() {
    let place = Place::new();
    let runner = runner(&place).with_thrash();
    let ended = runner.run(step(&steps(), "Run")).exits(1);
    assert!(ended.stderr.starts_with("::error title=thrash::quick against demo"), "{}", ended.stderr);
    assert_eq!(runner.told("GITHUB_OUTPUT"), "exit-code=1\n");
    for file in FILES {
        assert!(runner.exists(&format!("reports/{file}")), "no {file}");
    }
    assert_eq!(runner.told("GITHUB_STEP_SUMMARY"), runner.told("reports/thrash.md"));
}

#[test]
fn a_green_run_passes_the_step() {
    let place = Place::new();
    let suite = place.easy_suite();
    let runner =
        runner(&place).with_thrash().with("SUITE", suite).with("TARGET", "demo").with("REPORTS", "a b");
    runner.run(step(&steps(), "Run")).exits(0);
    assert_eq!(runner.told("GITHUB_OUTPUT"), "exit-code=0\n");
    assert!(runner.exists("a b/thrash.json"));
}

#[test]
fn the_configuration_decides_where_one_is_named() {
    let place = Place::new();
    let suite = place.easy_suite();
    place.file("strict one.yaml", "gates: ['latency_max <= 0ms']\n");
    let runner = runner(&place).with_thrash().with("SUITE", suite).with("CONFIG", "strict one.yaml");
    runner.run(step(&steps(), "Run")).exits(1).complains(&["latency_max <= 0ms"]);
}

#[test]
fn a_record_of_an_earlier_run_is_its_baseline() {
    let place = Place::new();
    let runner = runner(&place).with_thrash().with("SUITE", place.easy_suite()).with("REPORTS", "before");
    runner.run(step(&steps(), "Run")).exits(0);
    let runner = runner.with("REPORTS", "reports").with("BASELINE", "before/thrash.json");
    runner.run(step(&steps(), "Run")).exits(0);
    let page = runner.told("reports/thrash.md");
    assert!(page.contains("### Against the baseline") && page.contains("**0 regressed**"), "{page}");
}

#[test]
fn arguments_are_one_a_line_and_never_commands() {
    let place = Place::new();
    let suite = place.easy_suite();
    let runner = runner(&place)
        .with_thrash()
        .with("SUITE", suite)
        .with("MORE", "--gate\nlatency_max <= 0ms\n\n--environment-is-no-flag-but-$(touch pwned)\n");
    runner.run(step(&steps(), "Run")).exits(2).complains(&["--environment-is-no-flag-but-$(touch pwned)"]);
    let runner = runner.with("MORE", "--gate\nlatency_max <= 0ms\n");
    runner.run(step(&steps(), "Run")).exits(1).complains(&["latency_max <= 0ms"]);
    let runner = runner.with("SUITE", "$(touch pwned); touch pwned").with("MORE", "");
    runner.run(step(&steps(), "Run")).exits(2);
    assert!(!runner.exists("pwned"));
}

#[test]
fn what_an_earlier_step_left_does_not_pass_for_this_runs_report() {
    let place = Place::new();
    for file in FILES {
        place.file(&format!("reports/{file}"), "old");
    }
    place.file("reports/other.json", "kept");
    let runner = runner(&place).with_thrash().with("URL", "http://127.0.0.1:1");
    runner.run(step(&steps(), "Run")).exits(3);
    assert_eq!(runner.told("GITHUB_OUTPUT"), "exit-code=3\n");
    for file in FILES {
        assert!(!runner.exists(&format!("reports/{file}")), "{file} is still there");
    }
    assert!(runner.exists("reports/other.json"));
}
