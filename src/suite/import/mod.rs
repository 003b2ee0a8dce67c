//! Phrases from elsewhere become phrase files of ours.
//!
//! [`import`] reads what people already have (the existing suite's JSON, tables, HateCheck), leaves out what could only
//! mislead (empty, unlabelled, twice, contradicting itself) and says so, gives every phrase an id that survives the
//! next import, and writes files that [`Catalog`](super::Catalog) loads: all of them, or none.
//!
//! The text of a phrase is in no message: phrases are named by file and row, or by id.

mod categories;
mod columns;
mod entry;
mod error;
mod format;
mod hatecheck;
mod labels;
mod legacy;
mod name;
mod report;
mod sift;
mod source;
mod table;
mod write;

use std::path::PathBuf;

use categories::Categories;
use entry::Harvest;
use format::Shape;
use source::Source;

pub use columns::{ColumnNames, TEXT_COLUMNS};
pub use error::ImportError;
pub use format::ImportFormat;
pub use labels::LabelMap;
pub use report::{CategoryReport, Dropped, ImportReport, Reason, Row, SourceReport};

/// What to import, and how.
#[derive(Debug, Clone, Default)]
pub struct ImportOptions {
    /// Files, and folders that are searched for files.
    pub inputs: Vec<PathBuf>,
    /// The folder that the phrase files are written to.
    pub out: PathBuf,
    /// What the files are; told by their content if there is none.
    pub format: Option<ImportFormat>,
    /// The columns of tables, where their names do not say it.
    pub columns: ColumnNames,
    /// What labels mean.
    pub labels: LabelMap,
    /// Refuse phrases that could never fail, instead of tolerating less.
    pub keep_tolerance: bool,
    /// Replace phrase files that are there.
    pub force: bool,
}

/// Reads the inputs and writes phrase files.
///
/// # Errors
/// A file that cannot be read for what it is, nothing that could be imported, or a folder that cannot be written to.
/// Then nothing has been written.
pub fn import(options: &ImportOptions) -> Result<ImportReport, ImportError> {
    let mut harvest = Harvest::default();
    let mut left = source::MOST_BYTES;
    for path in source::find(&options.inputs)? {
        let source = Source::read(&path, &mut left)?;
        let shape = format::tell(&source, options.format)?;
        harvest.begin(&source, &shape);
        match shape {
            Shape::AshThrash => legacy::read(&source, options, &mut harvest)?,
            Shape::Separated(delimiter) => table::read_separated(&source, delimiter, options, &mut harvest)?,
            Shape::JsonLines => table::read_json_lines(&source, options, &mut harvest)?,
            Shape::JsonList => table::read_json_list(&source, options, &mut harvest)?,
        }
    }
    let (entries, mut report) = sift::sift(&mut harvest, options.keep_tolerance)?;
    if entries.is_empty() {
        return Err(ImportError::Nothing { report: Box::new(report) });
    }
    let phrases = name::name(entries, &mut report);
    let categories = Categories::group(phrases, &harvest);
    report.categories = categories.report();
    report.imported = report.categories.iter().map(|category| category.phrases).sum();
    let files = categories.into_files(&report);
    write::write(&options.out, &files, options.force, &mut report)?;
    Ok(report)
}
