//! A file as it was found: its name, its hash, its text.

use std::path::{Path, PathBuf};

use serde_json::Value;
use sha2::{Digest, Sha256};

use super::error::ImportError;
use crate::document::{Position, Problem};

/// Bytes that are read in one import, all files together. Phrases are held in memory, and once more to see that they
/// load: together some twenty times as much.
pub(super) const MOST_BYTES: u64 = 64 << 20;
/// How deep folders are searched: deep enough for every suite, and no loop of links goes on for ever.
const DEEPEST: usize = 8;
const EXTENSIONS: [&str; 5] = ["json", "jsonl", "ndjson", "csv", "tsv"];

/// One input file.
#[derive(Debug)]
pub(super) struct Source {
    /// The file as it was named to the program.
    pub(super) shown: String,
    /// The file's name without its folders, for files that others will read.
    pub(super) name: String,
    /// SHA-256 of its bytes.
    pub(super) sha256: String,
    /// How its characters were written.
    pub(super) encoding: &'static str,
    /// Its content.
    pub(super) text: String,
}

impl Source {
    /// Reads a file, if it is not larger than what is left of the bytes that may be read.
    pub(super) fn read(path: &Path, left: &mut u64) -> Result<Self, ImportError> {
        let failed = |source| ImportError::Read { path: path.to_owned(), source };
        let about = std::fs::metadata(path).map_err(failed)?;
        if about.len() > *left {
            let size = format!("an import reads at most {} MiB: split it", MOST_BYTES >> 20);
            return Err(failed(std::io::Error::other(size)));
        }
        *left -= about.len();
        let bytes = std::fs::read(path).map_err(failed)?;
        let shown = path.display().to_string();
        let sha256 = Sha256::digest(&bytes).iter().fold(String::with_capacity(64), |mut hex, byte| {
            use std::fmt::Write;
            let _ = write!(hex, "{byte:02x}");
            hex
        });
        let (encoding, text) = decode(&shown, bytes)?;
        if text.trim().is_empty() {
            return Err(ImportError::Empty { file: shown });
        }
        let name = path.file_name().map_or_else(|| shown.clone(), |name| name.to_string_lossy().into_owned());
        Ok(Self { shown, name, sha256, encoding, text })
    }

    /// The text as one JSON value.
    pub(super) fn json(&self, text: &str) -> Result<Value, ImportError> {
        serde_json::from_str(text).map_err(|error| {
            // Text in front of it was blank, so only lines have to be added.
            let before = self.text[..self.text.len() - text.len()].matches('\n').count();
            self.not_json(&error, before)
        })
    }

    /// The problem behind a JSON syntax error, `before` lines further down.
    pub(super) fn not_json(&self, error: &serde_json::Error, before: usize) -> ImportError {
        let text = error.to_string();
        let message = text.split(" at line ").next().unwrap_or(&text);
        ImportError::Invalid(Box::new(Problem {
            file: self.shown.clone(),
            position: Position { line: error.line() + before, column: error.column().max(1) },
            message: format!("this is not JSON: {message}"),
            hint: None,
            line: String::new(),
        }))
    }

    /// A problem with the file at a line; 0 means the whole file.
    pub(super) fn problem(
        &self,
        line: usize,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) -> ImportError {
        let mut problem = Problem::with_file(&self.shown, message).with_hint(hint);
        problem.position = Position { line, column: 1 };
        ImportError::Invalid(Box::new(problem))
    }
}

/// The files that are named, and those in the folders that are named.
pub(super) fn find(inputs: &[PathBuf]) -> Result<Vec<PathBuf>, ImportError> {
    let mut files = Vec::new();
    for input in inputs {
        if input.is_dir() {
            let before = files.len();
            search(input, DEEPEST, &mut files)?;
            if files.len() == before {
                return Err(ImportError::NoFiles { folder: input.clone() });
            }
        } else {
            files.push(input.clone());
        }
    }
    Ok(files)
}

fn search(folder: &Path, depth: usize, files: &mut Vec<PathBuf>) -> Result<(), ImportError> {
    let failed = |source| ImportError::Read { path: folder.to_owned(), source };
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        found.push(entry.map_err(failed)?.path());
    }
    found.sort();
    for path in found {
        if path.is_dir() {
            if depth > 0 {
                search(&path, depth - 1, files)?;
            }
        } else if path
            .extension()
            .is_some_and(|found| EXTENSIONS.iter().any(|known| found.eq_ignore_ascii_case(known)))
        {
            files.push(path);
        }
    }
    Ok(())
}

/// UTF-8 with or without a mark, or UTF-16 with one, as spreadsheets save it.
fn decode(shown: &str, bytes: Vec<u8>) -> Result<(&'static str, String), ImportError> {
    let wide = |name: &'static str, read: fn([u8; 2]) -> u16| {
        let body = &bytes[2..];
        let units = body.chunks_exact(2).map(|pair| read([pair[0], pair[1]]));
        let text: Result<String, _> = char::decode_utf16(units).collect();
        match text {
            Ok(text) if body.len().is_multiple_of(2) => Ok((name, text)),
            _ => Err(refused(shown, format!("its mark says {name}, and it is not"))),
        }
    };
    match bytes.as_slice() {
        [0xff, 0xfe, 0, 0, ..] => Err(refused(shown, "it is UTF-32".to_owned())),
        [0xff, 0xfe, ..] => wide("UTF-16 (little endian)", u16::from_le_bytes),
        [0xfe, 0xff, ..] => wide("UTF-16 (big endian)", u16::from_be_bytes),
        _ => match String::from_utf8(bytes) {
            Ok(text) => Ok(("UTF-8", text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text))),
            Err(bad) => {
                let good = bad.utf8_error().valid_up_to();
                let line = String::from_utf8_lossy(&bad.as_bytes()[..good]).matches('\n').count() + 1;
                Err(refused(shown, format!("line {line} is not UTF-8")))
            }
        },
    }
}

fn refused(shown: &str, message: String) -> ImportError {
    let problem = Problem::with_file(shown, message)
        .with_hint("save the file as UTF-8, in a spreadsheet as `CSV UTF-8`");
    ImportError::Invalid(Box::new(problem))
}
