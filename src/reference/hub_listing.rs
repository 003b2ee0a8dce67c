//! What a repository on the hub is called, and which of its files make a model.

use std::fmt;
use std::str::FromStr;

use serde::Deserialize;
use sha1::{Digest as _, Sha1};
use sha2::Sha256;

use super::folder::{USUAL, hex};
use super::hub::PullError;

/// What stands beside the ONNX file; what a repository does not have is not needed by its model.
const BESIDE: [&str; 6] = [
    "config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "onnx/tokenizer.json",
    "thrash.yaml",
    "head.json",
];

/// A repository at a revision, as `OWNER/NAME@REVISION`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HubModel {
    /// Owner and name.
    pub repository: String,
    /// A commit, or a name that can come to mean another one.
    pub revision: String,
}

impl HubModel {
    /// Whether the revision is a commit: 40 hexadecimal digits.
    pub fn is_pinned(&self) -> bool {
        self.revision.len() == 40 && self.revision.bytes().all(|byte| byte.is_ascii_hexdigit())
    }

    /// The name of the folder that it is put into.
    pub fn folder(&self) -> String {
        let commit = self.revision.get(..12).unwrap_or(&self.revision);
        format!("{}@{}", self.repository.replace('/', "--"), commit.to_ascii_lowercase())
    }
}

impl FromStr for HubModel {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is not `OWNER/NAME@REVISION`");
        let (repository, revision) = text.split_once('@').ok_or_else(wrong)?;
        let is_word = |word: &str| {
            let plain = |c: char| c.is_ascii_alphanumeric() || "_.-".contains(c);
            !word.is_empty()
                && word.len() <= 96
                && !word.starts_with('.')
                && !word.contains("..")
                && word.chars().all(plain)
        };
        let names: Vec<&str> = repository.split('/').collect();
        if names.len() <= 2 && names.iter().all(|name| is_word(name)) && revision.split('/').all(is_word) {
            Ok(Self { repository: repository.to_owned(), revision: revision.to_owned() })
        } else {
            Err(wrong())
        }
    }
}

impl fmt::Display for HubModel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.repository, self.revision)
    }
}

/// An entry of the list that the hub gives.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Entry {
    #[serde(rename = "type")]
    kind: String,
    /// The hash that git gives the file, or the pointer to it.
    oid: String,
    size: u64,
    path: String,
    lfs: Option<Large>,
}

/// A file that git only points to.
#[derive(Debug, Clone, Deserialize)]
struct Large {
    oid: String,
    size: u64,
}

/// A file, and what it has to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wanted {
    /// Its name below the model's folder.
    pub(super) name: String,
    pub(super) bytes: u64,
    pub(super) hash: Expected,
}

/// The hash of a file's content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Expected {
    /// Of large files.
    Sha256(String),
    /// As git counts it: SHA-1 over a header with the length, then the content.
    GitBlob(String),
}

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sha256(hash) => write!(f, "SHA-256 {hash}"),
            Self::GitBlob(hash) => write!(f, "git's hash {hash}"),
        }
    }
}

/// The hash of a file in the making.
pub(super) enum Hashing {
    Sha256(Sha256),
    GitBlob(Sha1),
}

impl Expected {
    /// Begins to hash a file of this length.
    pub(super) fn begin(&self, bytes: u64) -> Hashing {
        match self {
            Self::Sha256(_) => Hashing::Sha256(Sha256::default()),
            Self::GitBlob(_) => {
                let mut hash = Sha1::default();
                hash.update(format!("blob {bytes}\0"));
                Hashing::GitBlob(hash)
            }
        }
    }
}

impl Hashing {
    pub(super) fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Sha256(hash) => hash.update(bytes),
            Self::GitBlob(hash) => hash.update(bytes),
        }
    }

    pub(super) fn end(self) -> Expected {
        match self {
            Self::Sha256(hash) => Expected::Sha256(hex(&hash.finalize())),
            Self::GitBlob(hash) => Expected::GitBlob(hex(&hash.finalize())),
        }
    }
}

/// The files that make a model, the ONNX file last: once it is there, so is everything that it needs.
///
/// # Errors
/// The list holds a name that leads out of a folder, or no such ONNX file, or an entry without a hash.
pub(super) fn wanted(entries: &[Entry], file: Option<&str>) -> Result<Vec<Wanted>, PullError> {
    if let Some(entry) = entries.iter().find(|entry| !is_plain(&entry.path)) {
        return Err(PullError::Name { name: entry.path.escape_debug().to_string() });
    }
    let files: Vec<&Entry> = entries.iter().filter(|entry| entry.kind == "file").collect();
    let has = |name: &str| files.iter().any(|entry| entry.path == name);
    let model = match file {
        Some(file) => Some(file).filter(|file| has(file)),
        None => USUAL.into_iter().find(|name| has(name)),
    };
    let Some(model) = model else {
        let onnx = files.iter().filter(|entry| entry.path.strip_suffix(".onnx").is_some());
        return Err(PullError::NoModel {
            wanted: file.unwrap_or("model.onnx").to_owned(),
            there: onnx.map(|entry| entry.path.clone()).collect(),
        });
    };
    // Weights beyond what one file may hold stand beside it, as `model.onnx_data` or `model.onnx.data`.
    let is_data = |name: &str| {
        name.strip_prefix(model).is_some_and(|rest| rest.starts_with(['_', '.']) && !rest.contains('/'))
    };
    let beside = files.iter().filter(|entry| BESIDE.contains(&entry.path.as_str()));
    let data = files.iter().filter(|entry| is_data(&entry.path));
    let itself = files.iter().filter(|entry| entry.path == model);
    beside.chain(data).chain(itself).map(|entry| of(entry)).collect()
}

fn of(entry: &Entry) -> Result<Wanted, PullError> {
    let (bytes, hash, digits) = match &entry.lfs {
        Some(large) => {
            let hash = large.oid.strip_prefix("sha256:").unwrap_or(&large.oid);
            (large.size, Expected::Sha256(hash.to_ascii_lowercase()), (hash, 64))
        }
        None => (entry.size, Expected::GitBlob(entry.oid.to_ascii_lowercase()), (entry.oid.as_str(), 40)),
    };
    let (text, length) = digits;
    if text.len() == length && text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        Ok(Wanted { name: entry.path.clone(), bytes, hash })
    } else {
        Err(PullError::NoHash { name: entry.path.clone() })
    }
}

/// Whether a name stays below the folder that it is put into, on every system.
fn is_plain(name: &str) -> bool {
    let part = |part: &str| !part.is_empty() && part != "." && part != ".." && !part.ends_with(['.', ' ']);
    name.len() <= 512
        && name.split('/').all(part)
        && !name.chars().any(|c| c.is_control() || "\\:*?\"<>|".contains(c))
}
