//! A contract's examples: real answers, and how they must be read.

use super::contract::ResponseMap;
use super::contract_file::ExampleFile;
use super::reading::Reading;
use crate::document::{Document, Path, Problem, nearest};
use crate::domain::{Answer, Level, NoAnswerReason};

/// What an example of a fail-open answer reads as.
const FAIL_OPEN: &str = "fail_open";
/// What to do where there is no example.
pub(super) const HINT: &str =
    "paste one real answer as `body` and say what level it `reads`: docs/targets.md";

/// Reads the examples that stand at `path`, and says which of them are read otherwise than they must be.
///
/// A mapping that cannot read the service's own answers would be found out at the first phrase, or never.
pub(super) fn problems(
    document: &Document,
    path: &Path,
    response: &ResponseMap,
    examples: &[ExampleFile],
) -> Vec<Problem> {
    if examples.is_empty() {
        let problem = document.problem(path, "there is no example");
        return vec![problem.with_hint(HINT)];
    }
    examples
        .iter()
        .enumerate()
        .flat_map(|(i, example)| example_problems(document, &path.join(i), response, example))
        .collect()
}

fn example_problems(
    document: &Document,
    path: &Path,
    response: &ResponseMap,
    example: &ExampleFile,
) -> Vec<Problem> {
    let mut words: Vec<&str> = Level::ALL.map(Level::as_str).to_vec();
    words.push(FAIL_OPEN);
    if !words.contains(&example.reads.as_str()) {
        let message = format!("`{}` is not one of {}", example.reads, words.join(", "));
        let problem = document.problem(&path.join("reads"), message);
        return vec![match nearest(&example.reads, &words) {
            Some(near) => problem.with_hint(format!("did you mean `{near}`?")),
            None => problem,
        }];
    }
    let reading = Reading::of_json(response, example.status, &[], example.body.clone());
    let found = match &reading.answer {
        Answer::Prediction(prediction) => prediction.level.to_string(),
        Answer::NoAnswer(none) if none.reason == NoAnswerReason::FailOpen => FAIL_OPEN.to_owned(),
        Answer::NoAnswer(none) => none.detail.clone(),
    };
    let mut problems = Vec::new();
    if found != example.reads {
        let message = format!("this example must read `{}`, and it reads: {found}", example.reads);
        problems.push(document.problem(path, message));
    }
    let (expected, broken) = (listed(&example.breaks), listed(&reading.violations));
    if expected != broken {
        let message = format!("this example must break these invariants: {expected}; it breaks: {broken}");
        problems.push(document.problem(path, message));
    }
    problems
}

/// The names in one order, so that two lists of the same names are the same text.
fn listed(names: &[String]) -> String {
    let mut names = names.to_vec();
    names.sort();
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}
