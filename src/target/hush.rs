//! What is wrong with a contract, without its secrets.

use serde_yaml::Value;

use crate::document::{Document, Path, Problems};

/// The problems of a contract that could not be decoded, without the lines and texts that may be secrets.
pub(super) fn hushed(problems: &Problems, document: &Document, path: &Path, value: &Value) -> Problems {
    let at = |keys: &[&str]| keys.iter().try_fold(value, |value, key| value.get(*key));
    let headers = at(&["request", "headers"]).and_then(Value::as_mapping);
    let names = headers.into_iter().flat_map(|headers| headers.keys()).filter_map(Value::as_str);
    let mut secret: Vec<Vec<&str>> = names.map(|name| vec!["request", "headers", name]).collect();
    secret.push(vec!["base_url"]);
    secret.push(vec!["connection", "proxy"]);
    let lines: Vec<usize> = secret
        .iter()
        .filter(|keys| at(keys).is_some())
        .map(|keys| document.position(&keys.iter().fold(path.clone(), |path, key| path.join(*key))).line)
        .collect();
    let mut hushed = Problems::default();
    for problem in problems.iter() {
        let mut problem = problem.clone();
        // A misspelt `base_url` is on no list.
        let may_hold_one = problem.line.contains("://") && problem.line.contains('@');
        if may_hold_one || lines.contains(&problem.position.line) {
            problem.line.clear();
        }
        let found = problem.message.strip_prefix("found ");
        if let Some((_, expected)) = found.and_then(|found| found.split_once(", expected ")) {
            problem.message = format!("expected {expected}");
        }
        hushed.push(problem);
    }
    hushed
}
