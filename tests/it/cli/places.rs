//! Where findings stand, as a CI server reads it.

use serde_json::Value;

use crate::support::command::{DemoProcess, Place};

/// A suite of which the demo gets every phrase wrong.
const WRONG: &str = "category: calm\nexpected: [none]\nphrases:\n  - {id: calm-1, text: Good morning everyone}\n  \
                     - id: calm-2\n    text: See you later\n";

/// A repository with phrases, a configuration, and a folder to work in.
fn repository() -> Place {
    let place = Place::new();
    place.file(".git/HEAD", "ref: refs/heads/main\n");
    place.file("suites/the calm/calm.yaml", WRONG);
    place.file("work/thrash.yaml", "gates: ['accuracy >= 99%']\n");
    place
}

/// The SARIF results of a run in the folder `work`.
fn results(place: &Place, suite: &str) -> Vec<Value> {
    let demo = DemoProcess::start(&["--constant", "critical"]);
    let mut command = place.command(["run", suite, "--url", &demo.url, "--sarif", "-", "-q"]);
    let output = command.current_dir(place.path().join("work")).output().expect("it starts");
    assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stderr));
    let sarif: Value = serde_json::from_slice(&output.stdout).expect("pure JSON");
    sarif["runs"][0]["results"].as_array().expect("results").clone()
}

/// Path, base and line.
fn place_of(result: &Value) -> (&str, &str, u64) {
    let place = &result["locations"][0]["physicalLocation"];
    let file = &place["artifactLocation"];
    let line = place["region"]["startLine"].as_u64().expect("a line");
    (file["uri"].as_str().expect("a path"), file["uriBaseId"].as_str().expect("a base"), line)
}

#[test]
fn phrases_and_gates_stand_where_the_repository_has_them() {
    let place = repository();
    let results = results(&place, "../suites/the calm");
    let of = |id: &str| {
        place_of(results.iter().find(|result| result["properties"]["phrase"] == id).expect("it is there"))
    };
    assert_eq!(of("calm-1"), ("suites/the%20calm/calm.yaml", "%SRCROOT%", 4));
    assert_eq!(of("calm-2"), ("suites/the%20calm/calm.yaml", "%SRCROOT%", 5));
    let gate = results.iter().find(|result| result["ruleId"] == "gate-failed").expect("a gate failed");
    assert_eq!(place_of(gate), ("work/thrash.yaml", "%SRCROOT%", 1));
}

#[test]
fn phrases_from_elsewhere_are_named_and_stand_nowhere_in_the_repository() {
    let place = repository();
    let other = Place::new();
    let folder = other.file("calm.yaml", WRONG);
    let results = results(&place, folder.to_str().expect("UTF-8"));
    let result =
        results.iter().find(|result| result["properties"]["phrase"] == "calm-1").expect("it is there");
    let (path, base, line) = place_of(result);
    assert_eq!((base, line), ("ELSEWHERE", 4));
    assert!(path.ends_with("/calm.yaml") && !path.starts_with('/'), "{path}");
}

#[test]
fn phrases_inside_the_program_have_their_own_place_too() {
    let place = repository();
    let results = results(&place, "quick");
    let result = results.iter().find(|result| result["properties"]["phrase"] == "definite_none-001");
    let (path, base, line) = place_of(result.expect("it is there"));
    assert_eq!((path, base), ("phrases/comprehensive/definite_none.yaml", "ELSEWHERE"));
    let file = std::fs::read_to_string(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/phrases/comprehensive/definite_none.yaml"
    ));
    let line = usize::try_from(line).expect("a line");
    assert!(
        file.expect("it is there").lines().nth(line - 1).expect("the line").contains("definite_none-001")
    );
}

#[test]
fn without_a_repository_paths_begin_where_the_command_runs() {
    let place = Place::new();
    place.file("work/mine/calm.yaml", WRONG);
    let results = results(&place, "mine");
    let result =
        results.iter().find(|result| result["properties"]["phrase"] == "calm-1").expect("it is there");
    assert_eq!(place_of(result), ("mine/calm.yaml", "%SRCROOT%", 4));
}

#[test]
fn a_stored_run_gives_the_same_findings_again() {
    let place = repository();
    let first = results(&place, "../suites/the calm");
    let mut command = place.command(["report", "latest", "--sarif", "-", "-q"]);
    let output = command.current_dir(place.path().join("work")).output().expect("it starts");
    let sarif: Value = serde_json::from_slice(&output.stdout).expect("pure JSON");
    assert_eq!(sarif["runs"][0]["results"], Value::Array(first));
}
