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
            }),
            _ => Ok(library.clone()),
        };
    }
    let mut tried = Vec::new();
    for path in options.candidates() {
        match load(&path) {
            Ok(library) => {
                *open = Some(library.clone());
                return Ok(library);
            }
            Err(reason) => tried.push(format!("`{}`: {reason}", path.display())),
        }
    }
    if tried.is_empty() {
        let place = options.library.as_deref().unwrap_or(Path::new(FILE));
        tried.push(format!("`{}`: no `{FILE}` in it", place.display()));
    }
    Err(EngineError::NoRuntime { tried })
}

fn load(path: &Path) -> Result<Library, String> {
    let builder = ort::init_from(path).map_err(|error| match error {
        // Its own text leaves out why.
        ort::LoadDynamicError::Dlopen { error, .. } => chain(&error),
        ort::LoadDynamicError::MissingApi { .. } => "it is not ONNX Runtime".to_owned(),
        ort::LoadDynamicError::InvalidVersionString => "it does not tell its version".to_owned(),
        ort::LoadDynamicError::BadVersion { version_str, .. } => {
            format!("it is version {version_str}, and 1.{} or newer is needed", ort::MINOR_VERSION)
        }
    })?;
    let environment =
        builder.with_name("thrash").with_telemetry(false).build().map_err(|error| chain(&error))?;
    Ok(Library { path: path.to_owned(), version: version(path), environment })
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
