//! Where the ONNX Runtime library is looked for.

use std::path::{Path, PathBuf};

use super::EngineError;

/// The file's name on this system, as the Python wheels and ONNX Runtime's own archives have it.
pub(super) const FILE: &str = if cfg!(windows) {
    "onnxruntime.dll"
} else if cfg!(target_os = "macos") {
    "libonnxruntime.dylib"
} else {
    "libonnxruntime.so"
};

/// Where the library is looked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RuntimeOptions {
    /// The library, or the folder that holds it; then nothing else is tried.
    pub library: Option<PathBuf>,
    /// Folders that may hold it, in order; after them the system's own places.
    pub folders: Vec<PathBuf>,
}

/// A library that can be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuntimeFacts {
    /// Its file.
    pub path: PathBuf,
    /// Its version.
    pub version: String,
    /// Whether it was built for NVIDIA cards; one need not be there.
    pub cuda: bool,
    /// Whether it was built for `TensorRT`.
    pub tensorrt: bool,
}

impl RuntimeOptions {
    /// Opens the library, for good: a process has one.
    ///
    /// # Errors
    /// None can be used.
    pub fn open(&self) -> Result<RuntimeFacts, EngineError> {
        open(self)
    }

    /// The files that are tried, in order.
    pub fn candidates(&self) -> Vec<PathBuf> {
        if let Some(library) = &self.library {
            return if library.is_dir() { in_folder(library) } else { vec![library.clone()] };
        }
        let mut found: Vec<PathBuf> = self.folders.iter().flat_map(|folder| in_folder(folder)).collect();
        // By these names the system looks in its own places. Windows' own copy is an old one, and is refused by version.
        found.push(PathBuf::from(FILE));
        if cfg!(target_os = "linux") {
            found.push(PathBuf::from("libonnxruntime.so.1"));
        }
        found
    }
}

#[cfg(feature = "onnxruntime")]
fn open(options: &RuntimeOptions) -> Result<RuntimeFacts, EngineError> {
    super::onnxruntime::facts(options)
}

#[cfg(not(feature = "onnxruntime"))]
fn open(_: &RuntimeOptions) -> Result<RuntimeFacts, EngineError> {
    Err(EngineError::NotBuilt("ONNX Runtime (feature `onnxruntime`)"))
}

/// The libraries in a folder: the plain name, then those with a version, the newest first.
fn in_folder(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let stem = FILE.split('.').next().unwrap_or(FILE);
    let mut files: Vec<PathBuf> = entries
        .filter_map(Result::ok)
        .map(|entry| entry.path())
        .filter(|path| {
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            // Not `libonnxruntime_providers_cuda.so`.
            name.strip_prefix(stem).is_some_and(|rest| rest.starts_with('.'))
        })
        .collect();
    files.sort_by_key(|path| {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
        (name != FILE, std::cmp::Reverse(numbers(&name)))
    });
    files
}

/// The numbers between the dots of a file's name.
pub(super) fn numbers(name: &str) -> Vec<u32> {
    name.split('.').filter_map(|part| part.parse().ok()).collect()
}
