//! Importing and exporting phrases, through real files.

mod cases;
mod round_trip;
mod sources;

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;
use thrash::domain::Phrase;
use thrash::suite::import::{ImportError, ImportOptions, ImportReport, import};
use thrash::suite::{Catalog, Suite};

/// A folder for one test, with what is imported in it and where it goes.
struct Bench {
    folder: TempDir,
}

impl Bench {
    fn new() -> Self {
        Self { folder: TempDir::new().unwrap() }
    }

    fn out(&self) -> PathBuf {
        self.folder.path().join("suite")
    }

    fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.folder.path().join(name);
        fs::write(&path, content).unwrap();
        path
    }

    fn options(&self, input: PathBuf) -> ImportOptions {
        ImportOptions { inputs: vec![input], out: self.out(), ..ImportOptions::default() }
    }

    fn import(&self, name: &str, content: impl AsRef<[u8]>) -> Result<ImportReport, ImportError> {
        import(&self.options(self.file(name, content)))
    }

    /// What the loader makes of the folder.
    fn load(&self) -> Suite {
        load(&self.out())
    }

    /// The imported phrase with this text.
    fn phrase(&self, text: &str) -> Phrase {
        self.load().phrases.into_iter().find(|phrase| phrase.text == text).expect("the phrase is there")
    }
}

fn load(path: &Path) -> Suite {
    Catalog::shipped().load(&[path.display().to_string()], None).unwrap()
}

fn fixture(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/import").join(name)
}

/// An error with its causes and its advice, as the command line says it.
fn said(error: &ImportError) -> String {
    let cause = std::error::Error::source(error).map_or_else(String::new, ToString::to_string);
    format!("{error}: {cause}\n{}", error.hint())
}

/// Every file of a folder with its content.
fn contents(folder: &Path) -> Vec<(String, String)> {
    let mut files: Vec<(String, String)> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| {
            (path.file_name().unwrap().to_string_lossy().into_owned(), fs::read_to_string(&path).unwrap())
        })
        .collect();
    files.sort();
    files
}
