//! Why there is no reference.

use std::path::PathBuf;

use super::engine::{EngineError, chain};
use crate::document::Problems;

/// Why a model cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ReferenceError {
    /// There is none.
    #[error("no reference model is inside this program")]
    NoBuiltin,
    /// Nothing has this name.
    #[error("there is no model `{name}`: neither a folder or file of that name here, nor `{}`", kept.display())]
    Absent {
        /// The name.
        name: String,
        /// Where a model that was got would be.
        kept: PathBuf,
    },
    /// The folder is not what it should be.
    #[error("model `{model}`: {message}")]
    Folder {
        /// The folder or file.
        model: String,
        /// What was found.
        message: String,
        /// How to mend it.
        hint: Option<String>,
    },
    /// A file cannot be read.
    #[error("cannot read `{path}`")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// The side file says something that cannot be right.
    #[error("{0}")]
    SideFile(Problems),
    /// What the model takes or gives is not what is needed.
    #[error("model `{model}` does not fit: expected {expected}; found {found}")]
    Misfit {
        /// The model.
        model: String,
        /// What was expected.
        expected: String,
        /// What was found.
        found: String,
        /// How to mend it.
        hint: Option<String>,
    },
    /// No engine can run it.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// An engine runs it and computes something else.
    #[error(
        "model `{model}` in {engine}: golden phrase {phrase} should score {expected} and scores {found} \
         (tolerance {tolerance}): this engine computes it wrongly, or the file is not the one that was checked"
    )]
    Golden {
        /// The model.
        model: String,
        /// The engine.
        engine: String,
        /// Which phrase, from 1.
        phrase: usize,
        /// The scores that are written down.
        expected: String,
        /// The scores that came out.
        found: String,
        /// How far they may be apart.
        tolerance: f64,
    },
    /// An engine computes it rightly, and another level comes of it.
    #[error(
        "model `{model}` in {engine}: golden phrase {phrase} scores what it should, and that makes it `{found}` \
         instead of `{expected}`: `labels`, `levels`, `weights` or `decide` of `thrash.yaml` are not those that it was \
         written with"
    )]
    GoldenLevel {
        /// The model.
        model: String,
        /// The engine.
        engine: String,
        /// Which phrase, from 1.
        phrase: usize,
        /// The level that is written down.
        expected: crate::domain::Level,
        /// The level that came out.
        found: crate::domain::Level,
    },
    /// Nothing that was tried can run it.
    #[error("model `{model}` runs in no engine: {}", tried.join("; "))]
    NoEngine {
        /// The model.
        model: String,
        /// What was tried, and what came of it.
        tried: Vec<String>,
        /// How to mend it.
        hint: Option<String>,
    },
}

impl ReferenceError {
    /// The error, its causes and how to mend it, in one text.
    pub fn explained(&self) -> String {
        match self.hint() {
            Some(hint) => format!("{} ({hint})", chain(self)),
            None => chain(self),
        }
    }

    /// How to mend it, where there is something to say.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NoBuiltin => Some(
                "`--reference DIR` names a model folder; docs/reference.md says what it holds".to_owned(),
            ),
            Self::Folder { hint, .. } | Self::Misfit { hint, .. } | Self::NoEngine { hint, .. } => {
                hint.clone()
            }
            Self::Absent { name, .. } if name == "standard" => Some(
                "`python src/reference/training/build_standard.py` puts it together: docs/reference-models.md"
                    .to_owned(),
            ),
            Self::Absent { .. } => Some(
                "name a model folder, or one that `thrash model pull` got; docs/reference.md says what it holds"
                    .to_owned(),
            ),
            Self::SideFile(_) => Some("docs/reference.md describes the file".to_owned()),
            Self::Engine(error) => error.hint().map(str::to_owned),
            Self::Read { .. } | Self::Golden { .. } | Self::GoldenLevel { .. } => None,
        }
    }
}
