//! Where scenarios come from: the shipped ones inside the program, or a file.

use std::path::{Component, Path, PathBuf};

use include_dir::{Dir, include_dir};

use super::overrides::Overrides;
use super::scenario::Scenario;
use super::scenario_file::ScenarioFile;
use crate::document::{Problems, nearest};
use crate::suite::{SuiteError, read_file};

static SHIPPED: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/scenarios/load");

/// Why there is no scenario.
#[derive(Debug, thiserror::Error)]
pub enum ScenarioError {
    /// No shipped scenario and no file has that name.
    #[error("there is no scenario or file `{name}`")]
    Unknown {
        /// What was asked for.
        name: String,
        /// Advice.
        hint: String,
    },
    /// The file cannot be read.
    #[error(transparent)]
    Read(SuiteError),
    /// It says something that cannot be right.
    #[error("{problems}")]
    Invalid {
        /// All of it.
        problems: Problems,
    },
}

impl ScenarioError {
    /// What is wrong on one line, for those who cannot open the file.
    pub fn in_a_line(&self) -> String {
        match self {
            Self::Invalid { problems } => problems.in_a_line(),
            Self::Read(error) => error.in_a_line(),
            Self::Unknown { .. } => self.to_string(),
        }
    }

    /// How to mend it, where there is something to say.
    pub fn hint(&self) -> Option<&str> {
        match self {
            Self::Unknown { hint, .. } => Some(hint),
            Self::Read(_) | Self::Invalid { .. } => None,
        }
    }
}

/// The names of the shipped scenarios.
pub fn scenario_names() -> Vec<&'static str> {
    let mut names: Vec<&str> =
        SHIPPED.files().filter_map(|file| file.path().file_name()?.to_str()?.strip_suffix(".yaml")).collect();
    names.sort_unstable();
    names
}

/// The text of a scenario, by the name of a shipped one, or by its file.
///
/// # Errors
/// There is none, or it cannot be read.
pub fn scenario_text(name: &str) -> Result<String, ScenarioError> {
    found(name).map(|(_, _, text)| text)
}

/// The scenario, by the name of a shipped one, or by its file; its lengths of time are multiplied by `time_scale`, and
/// `overrides` hold in place of what it says.
///
/// # Errors
/// There is none, or everything that is wrong with it.
pub fn load_scenario(name: &str, time_scale: f64, overrides: Overrides) -> Result<Scenario, ScenarioError> {
    let (name, file, text) = found(name)?;
    Scenario::parse(&name, &file, &text, time_scale, overrides)
        .map_err(|problems| ScenarioError::Invalid { problems })
}

/// The shipped scenario of this name, whatever files lie about.
///
/// # Errors
/// There is none.
pub fn shipped_scenario(name: &str) -> Result<Scenario, ScenarioError> {
    let (name, file, text) = shipped(name)?;
    Scenario::parse(&name, &file, &text, 1.0, Overrides::default())
        .map_err(|problems| ScenarioError::Invalid { problems })
}

/// Name, file and text.
fn found(name: &str) -> Result<(String, String, String), ScenarioError> {
    let path = PathBuf::from(name);
    if path.is_file() {
        let (file, text) = read_file(&path).map_err(ScenarioError::Read)?;
        return Ok((stem(&path), file, text));
    }
    // `scenarios/load/smoke.yaml` means the shipped one where there is no such file.
    shipped(name)
}

fn shipped(name: &str) -> Result<(String, String, String), ScenarioError> {
    let short = name.strip_prefix("scenarios/load/").unwrap_or(name);
    let short = short.strip_suffix(".yaml").unwrap_or(short);
    if let Some(text) = SHIPPED.get_file(format!("{short}.yaml")).and_then(|file| file.contents_utf8()) {
        return Ok((short.to_owned(), format!("scenarios/load/{short}.yaml"), text.to_owned()));
    }
    let names = scenario_names();
    let hint = match nearest(short, &names) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("shipped are {}; or name a file", names.join(", ")),
    };
    Err(ScenarioError::Unknown { name: name.to_owned(), hint })
}

/// The name of a file's scenario: its path, so that two files are two scenarios, and one file is one however its path is
/// written. A shipped scenario keeps its name to itself.
fn stem(path: &Path) -> String {
    let mut clean = PathBuf::new();
    for part in path.with_extension("").components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir if matches!(clean.components().next_back(), Some(Component::Normal(_))) => {
                clean.pop();
            }
            other => clean.push(other),
        }
    }
    let name = clean.display().to_string();
    if SHIPPED.get_file(format!("{name}.yaml")).is_some() { format!("./{name}") } else { name }
}

/// The JSON Schema of a scenario file, for editors.
pub fn scenario_schema() -> serde_json::Value {
    schemars::schema_for!(ScenarioFile).to_value()
}
