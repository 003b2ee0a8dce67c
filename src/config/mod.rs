//! Settings in layers: the embedded default < a file < the environment < flags.
//!
//! This is the only reader of the environment. Every value knows where it came from, so that `thrash doctor` can tell;
//! a value that cannot be used is refused with its place.

mod environment;
mod layers;
mod settings;

use std::path::{Path, PathBuf};

use crate::document::Problems;

pub use environment::{Environment, Variable, variables};
pub use layers::{Effective, Origin};
pub use settings::{DEFAULT, LogLevel, RunSettings, Settings, StoreSettings, SuiteSize, Suites, Thresholds, schema};

/// Settings that hold, with where each came from.
#[derive(Debug)]
pub struct Config {
    /// The values.
    pub settings: Settings,
    /// Each value by its path, with its origin.
    pub effective: Vec<Effective>,
    /// The file that was read, if there is one.
    pub file: Option<PathBuf>,
    document: crate::document::Document,
    environment: Environment,
}

/// Why there are no settings.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A file that was named cannot be read.
    #[error("cannot read the configuration `{path}`")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// A file says something that cannot be right.
    #[error("{0}")]
    Invalid(Problems),
    /// An environment variable says something that cannot be right.
    #[error("environment variable `{name}`: {message}")]
    Variable {
        /// Its name.
        name: String,
        /// What is wrong.
        message: String,
    },
    /// A setting's value, wherever it came from, cannot be used.
    #[error("`{key}` (from {origin}): {message}")]
    Setting {
        /// The setting.
        key: String,
        /// Where it came from.
        origin: Origin,
        /// What is wrong.
        message: String,
    },
}

impl Config {
    /// The folder for the database, the spool and reports.
    pub fn data_folder(&self) -> PathBuf {
        if let Some(folder) = &self.settings.data {
            return folder.clone();
        }
        directories::ProjectDirs::from("", "", "thrash")
            // Without a home there is no such place; beside the caller is better than nowhere.
            .map_or_else(|| PathBuf::from(".thrash"), |dirs| dirs.data_local_dir().to_owned())
    }

    /// The value of an environment variable, for contracts that keep a secret there.
    pub fn variable(&self, name: &str) -> Option<String> {
        self.environment.get(name)
    }

    /// Whether the value at the key comes from the defaults.
    pub fn is_default(&self, key: &str) -> bool {
        self.effective.iter().filter(|value| value.key == key).all(|value| value.origin == Origin::Default)
    }
}

/// Where a configuration file is looked for when none is named, first to last.
fn usual_places() -> Vec<PathBuf> {
    let mut places = vec![Path::new("thrash.yaml").to_owned()];
    places.extend(directories::ProjectDirs::from("", "", "thrash").map(|dirs| dirs.config_dir().join("config.yaml")));
    places
}
