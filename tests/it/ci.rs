//! What docs/ci.md tells people to copy: it is what CI servers take, and its shell does what it says.

mod action;
mod workflows;

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::support::command::{Ended, Place};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn yaml(text: &str) -> Value {
    let value: serde_yaml::Value = serde_yaml::from_str(text).expect("YAML");
    serde_json::to_value(value).expect("JSON")
}

/// The example in docs/ci.md that begins with this comment.
fn example(name: &str) -> Value {
    let text = std::fs::read_to_string(root().join("docs/ci.md")).expect("the page");
    let start = format!("```yaml\n# {name}\n");
    let (_, rest) = text.split_once(&start).unwrap_or_else(|| panic!("docs/ci.md has no `{name}`"));
    yaml(rest.split_once("\n```").expect("the example ends").0)
}

#[track_caller]
fn fits(document: &Value, schema: &str) {
    let file = root().join("tests/fixtures/formats").join(schema);
    let schema: Value =
        serde_json::from_str(&std::fs::read_to_string(file).expect("a schema")).expect("JSON");
    let validator = jsonschema::validator_for(&schema).expect("a schema");
    let problems: Vec<String> =
        validator.iter_errors(document).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

/// The step of this name.
fn step<'a>(steps: &'a Value, name: &str) -> &'a Value {
    let steps = steps.as_array().expect("steps");
    steps.iter().find(|step| step["name"] == name).unwrap_or_else(|| panic!("there is no step `{name}`"))
}

/// A step's shell, run as GitHub runs it: `bash -eo pipefail`, with what the step names in its environment and no more.
struct Runner<'a> {
    place: &'a Place,
    /// Where programs are found, before the system's.
    programs: Vec<PathBuf>,
    /// What the expressions in a step's `env` come to, by the variable's name.
    values: BTreeMap<&'static str, String>,
}

impl<'a> Runner<'a> {
    fn new(place: &'a Place) -> Self {
        Self { place, programs: Vec::new(), values: BTreeMap::new() }
    }

    fn with_thrash(mut self) -> Self {
        let program = Path::new(env!("CARGO_BIN_EXE_thrash"));
        self.programs.push(program.parent().expect("a folder").to_owned());
        self
    }

    /// A program that writes down its arguments, one call a line, and then does this.
    fn with_program(mut self, name: &str, script: &str) -> Self {
        let calls = self.place.path().join(format!("{name}.calls"));
        let text = format!("#!/bin/bash\necho \"$*\" >>'{}'\n{script}\n", calls.display());
        let file = self.place.file(&format!("programs/{name}"), text);
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).expect("it is ours");
        self.programs.push(file.parent().expect("a folder").to_owned());
        self
    }

    fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.values.insert(name, value.into());
        self
    }

    fn run(&self, step: &Value) -> Ended {
        let script = step["run"].as_str().expect("a script");
        assert!(!script.contains("${{"), "an expression in a script could be a command:\n{script}");
        let mut command = Command::new("/bin/bash");
        command.args(["--noprofile", "--norc", "-eo", "pipefail", "-c", script]).env_clear();
        let system = [PathBuf::from("/usr/bin"), PathBuf::from("/bin")];
        let path = std::env::join_paths(self.programs.iter().chain(&system)).expect("a path");
        command.env("PATH", path).env("THRASH_DATA", self.place.data()).current_dir(self.place.path());
        for name in ["GITHUB_OUTPUT", "GITHUB_PATH", "GITHUB_STEP_SUMMARY"] {
            command.env(name, self.place.path().join(name));
        }
        command.env("RUNNER_TEMP", self.place.path()).env("RUNNER_OS", "Linux").env("RUNNER_ARCH", "X64");
        command.env("GITHUB_ACTIONS", "true").env("GITHUB_BASE_REF", "main");
        for (name, written) in step["env"].as_object().into_iter().flatten() {
            let written = written.as_str().expect("text");
            let value = self.values.get(name.as_str()).map(String::as_str);
            command.env(name, value.unwrap_or(if written.contains("${{") { "" } else { written }));
        }
        Ended::of(command.stdin(Stdio::null()).output().expect("bash starts"))
    }

    /// What the steps told the runner in this file.
    fn told(&self, file: &str) -> String {
        std::fs::read_to_string(self.place.path().join(file)).unwrap_or_default()
    }

    fn exists(&self, file: &str) -> bool {
        self.place.path().join(file).exists()
    }
}
