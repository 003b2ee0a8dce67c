//! The ONNX Runtime library of this process.
//!
//! `ort` panics when it is called before a library is open, so nothing of it is touched until [`open`] has succeeded;
//! and a process has one library and one environment, which are kept here for good.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use super::engine::{EngineError, chain};
use super::runtime::{FILE, RuntimeOptions, numbers};

/// The library that is open.
#[derive(Clone)]
pub(super) struct Library {
    pub(super) path: PathBuf,
    pub(super) version: String,
    pub(super) environment: ort::environment::Environment,
}

static OPEN: Mutex<Option<Library>> = Mutex::new(None);

/// Opens the first library that can be used, or gives the one that this process has open.
pub(super) fn open(options: &RuntimeOptions) -> Result<Library, EngineError> {
    let mut open = OPEN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(library) = open.as_ref() {
        return match &options.library {
            // A second path would be taken without a word, and the first library used.
            Some(wanted) if !options.candidates().contains(&library.path) => Err(EngineError::NoRuntime {
                tried: vec![format!(
                    "`{}`: this process has already opened `{}`, and can open only one",
                    wanted.display(),
                    library.path.display()
                )],
                is_there: true,
            }),
            _ => Ok(library.clone()),
        };
    }
    let mut tried = Vec::new();
    let mut is_there = options.library.is_some();
    for path in options.candidates() {
        match load(&path) {
            Ok(library) => {
                *open = Some(library.clone());
                return Ok(library);
            }
            Err(Unusable { reason, is_there: this_one }) => {
                // A file of a folder was seen there; a bare name was only tried.
                is_there |= this_one || path.components().count() > 1;
                tried.push(format!("`{}`: {reason}", path.display()));
            }
        }
    }
    if tried.is_empty() {
        let place = options.library.as_deref().unwrap_or(Path::new(FILE));
        tried.push(format!("`{}`: no `{FILE}` in it", place.display()));
    }
    Err(EngineError::NoRuntime { tried, is_there })
}

/// Why a library cannot be used.
struct Unusable {
    reason: String,
    /// Whether something was opened, and was the wrong thing.
    is_there: bool,
}

fn load(path: &Path) -> Result<Library, Unusable> {
    let builder = ort::init_from(path).map_err(|error| Unusable {
        is_there: !matches!(&error, ort::LoadDynamicError::Dlopen { .. }),
        reason: why(error),
    })?;
    let environment = builder
        .with_name("thrash")
        .with_telemetry(false)
        .build()
        .map_err(|error| Unusable { reason: chain(&error), is_there: true })?;
    Ok(Library { path: path.to_owned(), version: version(path), environment })
}

fn why(error: ort::LoadDynamicError) -> String {
    match error {
        // Its own text leaves out why.
        ort::LoadDynamicError::Dlopen { error, .. } => chain(&error),
        ort::LoadDynamicError::MissingApi { .. } => "it is not ONNX Runtime".to_owned(),
        ort::LoadDynamicError::InvalidVersionString => "it does not tell its version".to_owned(),
        ort::LoadDynamicError::BadVersion { version_str, .. } => {
            format!("it is version {version_str}, and 1.{} or newer is needed", ort::MINOR_VERSION)
        }
    }
}

/// The version, from the file's name where it is whole, else as far as the library tells it.
fn version(path: &Path) -> String {
    let name = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let parts = numbers(name.file_name().and_then(|name| name.to_str()).unwrap_or_default());
    match parts.as_slice() {
        [_, _, ..] => parts.iter().map(u32::to_string).collect::<Vec<_>>().join("."),
        _ => ort::util::probe(path).map_or_else(|| "1".to_owned(), |minor| format!("1.{minor}")),
    }
}
