//! Where phrases and gates stand, as paths of the repository that a CI server knows.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Component, Path};

use crate::domain::{PhraseSource, RunRecord};

/// The files that a CI server can show, with `/` between their parts.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Places {
    /// Phrase files, by the name that the record has for them.
    files: BTreeMap<String, String>,
    /// The configuration, where gates are set.
    configuration: Option<String>,
}

impl Places {
    /// Looks which files lie in the repository around `folder`; names are taken from there. Without a repository the
    /// folder itself is the top. Phrases inside the program, or anywhere else, lie in no repository.
    pub fn look(record: &RunRecord, configuration: Option<&Path>, folder: &Path) -> Self {
        let Ok(folder) = fs::canonicalize(folder) else { return Self::default() };
        let top = folder.ancestors().find(|above| above.join(".git").exists()).unwrap_or(&folder);
        let find = |file: &Path| {
            let path = fs::canonicalize(folder.join(file)).ok().filter(|path| path.is_file())?;
            path.strip_prefix(top).ok().map(joined)
        };
        let mut files = BTreeMap::new();
        for PhraseSource { file, .. } in record.results.iter().map(|result| &result.source) {
            if !files.contains_key(file) {
                files.insert(file.clone(), find(Path::new(file)));
            }
        }
        Self {
            files: files.into_iter().filter_map(|(file, path)| Some((file, path?))).collect(),
            configuration: configuration.and_then(find),
        }
    }

    /// The phrase's file in the repository; none if it is not there.
    pub(super) fn of(&self, source: &PhraseSource) -> Option<&str> {
        self.files.get(&source.file).map(String::as_str)
    }

    /// The configuration in the repository; none if it is not there.
    pub(super) fn configuration(&self) -> Option<&str> {
        self.configuration.as_deref()
    }
}

/// The name of a file that is in no repository, as a relative path.
pub(super) fn elsewhere(source: &PhraseSource) -> String {
    joined(Path::new(&source.file))
}

/// The parts of a path that name something.
fn joined(path: &Path) -> String {
    let parts = path.components().filter_map(|part| match part {
        Component::Normal(name) => Some(name.to_string_lossy()),
        Component::Prefix(_) | Component::RootDir | Component::CurDir | Component::ParentDir => None,
    });
    parts.collect::<Vec<_>>().join("/")
}
