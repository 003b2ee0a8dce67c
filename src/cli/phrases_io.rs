//! `thrash phrases import` and `thrash phrases export`.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use tabled::builder::Builder;
use tabled::settings::object::Columns;
use tabled::settings::{Alignment, Padding, Style};

use super::exit::Exit;
use super::failure::{Failure, chain};
use super::output::Output;
use crate::dispatch::DispatchError;
use crate::suite::Catalog;
use crate::suite::export::{self, ExportFormat};
use crate::suite::import::{
    self, ColumnNames, ImportError, ImportFormat, ImportOptions, ImportReport, LabelMap, Row,
};

/// How many rows of a reason are named.
const MOST_ROWS: usize = 5;

/// What to import, and how.
#[derive(Debug, Args)]
pub(super) struct ImportArgs {
    /// Files, or folders of them: JSON of the existing suite, CSV, TSV, JSON lines, HateCheck cases
    #[arg(required = true, value_name = "FILE|DIR")]
    inputs: Vec<PathBuf>,
    /// The folder that the phrase files are written to
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// What the files are; `auto` looks at their content
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t)]
    from: FromChoice,
    /// What labels mean, such as `hateful=high,non-hateful=none`; several levels as `low|medium` (repeatable)
    #[arg(long, value_name = "LABEL=LEVEL,…")]
    map: Vec<LabelMap>,
    /// Refuse phrases that could never fail, instead of tolerating less
    #[arg(long)]
    keep_tolerance: bool,
    /// Replace phrase files that are there
    #[arg(long)]
    force: bool,
    /// Tell what was done as JSON
    #[arg(long)]
    json: bool,

    /// The column with the phrases
    #[arg(long, value_name = "NAME", help_heading = "Columns of tables")]
    text_column: Option<String>,
    /// The column with the labels
    #[arg(long, value_name = "NAME", help_heading = "Columns of tables")]
    label_column: Option<String>,
    /// The column with ids
    #[arg(long, value_name = "NAME", help_heading = "Columns of tables")]
    id_column: Option<String>,
    /// The column with categories; without one the label makes the category
    #[arg(long, value_name = "NAME", help_heading = "Columns of tables")]
    category_column: Option<String>,
    /// The column with what a phrase tests
    #[arg(long, value_name = "NAME", help_heading = "Columns of tables")]
    capability_column: Option<String>,
    /// The column with tags, separated by `|`, `,` or `;`
    #[arg(long, value_name = "NAME", help_heading = "Columns of tables")]
    tags_column: Option<String>,
    /// The column with languages
    #[arg(long, value_name = "NAME", help_heading = "Columns of tables")]
    language_column: Option<String>,
    /// A column with the labels of one annotator, for how far they agree (repeatable)
    #[arg(long, value_name = "NAME", help_heading = "Columns of tables")]
    annotator_column: Vec<String>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum FromChoice {
    /// Whatever the content says
    #[default]
    Auto,
    /// The existing suite's JSON, one file a category
    AshThrash,
    /// HateCheck's table of cases, in any language
    Hatecheck,
    /// A table separated by `,`, `;` or `|`
    Csv,
    /// A table separated by tabs
    Tsv,
    /// A JSON object a line
    Jsonl,
}

impl FromChoice {
    fn format(self) -> Option<ImportFormat> {
        match self {
            Self::Auto => None,
            Self::AshThrash => Some(ImportFormat::AshThrash),
            Self::Hatecheck => Some(ImportFormat::HateCheck),
            Self::Csv => Some(ImportFormat::Csv),
            Self::Tsv => Some(ImportFormat::Tsv),
            Self::Jsonl => Some(ImportFormat::Jsonl),
        }
    }
}

/// What to export, and how.
#[derive(Debug, Args)]
pub(super) struct ExportArgs {
    /// Suites, phrase files or folders of them
    #[arg(required = true, value_name = "SUITE|FILE|DIR")]
    suites: Vec<String>,
    /// The format
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t)]
    format: TableChoice,
    /// Where to; `-` is stdout
    #[arg(long, value_name = "FILE|-", default_value = "-")]
    out: PathBuf,
    /// Put `'` before cells that a spreadsheet would run as formulas; such a table does not import as it was
    #[arg(long)]
    spreadsheet_safe: bool,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum TableChoice {
    /// A JSON object a line
    #[default]
    Jsonl,
    /// Values separated by commas
    Csv,
}

/// Imports phrases and tells what became of every row.
pub(super) fn import(args: ImportArgs, output: Output) -> Result<Exit, Failure> {
    let mut labels = LabelMap::default();
    args.map.into_iter().for_each(|map| labels.extend(map));
    let options = ImportOptions {
        inputs: args.inputs,
        out: args.out,
        format: args.from.format(),
        columns: ColumnNames {
            text: args.text_column,
            label: args.label_column,
            id: args.id_column,
            category: args.category_column,
            capability: args.capability_column,
            tags: args.tags_column,
            language: args.language_column,
            annotators: args.annotator_column,
        },
        labels,
        keep_tolerance: args.keep_tolerance,
        force: args.force,
    };
    match import::import(&options) {
        Ok(report) => {
            tell(&report, args.json, output)?;
            Ok(Exit::Passed)
        }
        Err(error) => {
            if let ImportError::Nothing { report } = &error {
                tell(report, args.json, output)?;
            }
            Err(failure(&error))
        }
    }
}

fn failure(error: &ImportError) -> Failure {
    let mut failure = Failure::usage(chain(error), error.hint());
    if error.is_storage() {
        failure.exit = Exit::Storage;
    }
    failure
}

fn tell(report: &ImportReport, json: bool, output: Output) -> Result<(), Failure> {
    if json {
        output.data(&format!("{:#}\n", serde_json::to_value(report).unwrap_or_default()))?;
    } else {
        output.show(&page(report))?;
    }
    Ok(())
}

fn page(report: &ImportReport) -> String {
    let mut page = String::new();
    for source in &report.sources {
        let _ =
            writeln!(page, "{}: {}, {}, {} rows", source.file, source.read_as, source.encoding, source.rows);
        if !source.columns.is_empty() {
            let named = |(field, column): (&&str, &String)| {
                if field == column { format!("`{field}`") } else { format!("{field} from `{column}`") }
            };
            let columns: Vec<String> = source.columns.iter().map(named).collect();
            let _ = writeln!(page, "  read: {}", columns.join(", "));
        }
        if !source.columns_not_read.is_empty() {
            let _ = writeln!(page, "  not read: {}", source.columns_not_read.join(", "));
        }
    }
    if !report.dropped.is_empty() {
        let _ = writeln!(page, "\nleft out: {} of {} rows", report.dropped.len(), report.rows());
        let mut table = Builder::new();
        table.push_record(["reason", "rows", "which"]);
        for (reason, rows) in report.dropped.iter() {
            table.push_record([reason.as_str().to_owned(), rows.len().to_string(), places(report, rows)]);
        }
        push_table(&mut page, table);
    }
    if !report.unknown_labels.is_empty() {
        let _ = writeln!(page, "labels without a level: {}", report.unknown_labels.join(", "));
    }
    if !report.tightened.is_empty() {
        let _ =
            writeln!(page, "\nevery level would have passed, so these tolerate one level up and none down:");
        let mut table = Builder::new();
        for (category, phrases) in &report.tightened {
            table.push_record([category.clone(), phrases.to_string()]);
        }
        push_table(&mut page, table);
    }
    if report.links_dropped > 0 {
        let _ =
            writeln!(page, "links let go, because the other phrase is not there: {}", report.links_dropped);
    }
    if !report.ids_replaced.is_empty() {
        let rows = places(report, &report.ids_replaced);
        let _ = writeln!(page, "ids made anew, because the source's is no id or stands twice: {rows}");
    }
    for note in &report.notes {
        let _ = writeln!(page, "note: {note}");
    }
    if report.imported > 0 {
        let _ = writeln!(
            page,
            "\nimported: {} phrases in {} categories",
            report.imported,
            report.categories.len()
        );
        let mut table = Builder::new();
        for category in &report.categories {
            table.push_record([category.name.clone(), category.phrases.to_string(), category.file.clone()]);
        }
        push_table(&mut page, table);
    }
    if let Some(folder) = report.written.first().and_then(|file| file.parent()) {
        let _ = writeln!(page, "written to {}; run them with `thrash run {0}`", folder.display());
    }
    page
}

/// The first rows, by number; with several files also which file.
fn places(report: &ImportReport, rows: &[Row]) -> String {
    let mut text = String::new();
    let mut file = None;
    for row in rows.iter().take(MOST_ROWS) {
        if !text.is_empty() {
            text.push_str(", ");
        }
        if report.sources.len() > 1 && file != Some(row.file) {
            file = Some(row.file);
            let name = report.sources.get(row.file).map_or("", |source| &source.name);
            let _ = write!(text, "{name} ");
        }
        let _ = write!(text, "{}", row.row);
    }
    if rows.len() > MOST_ROWS {
        text.push_str(", …");
    }
    text
}

fn push_table(page: &mut String, table: Builder) {
    let mut table = table.build();
    table.with(Style::blank()).with(Padding::new(0, 1, 0, 0));
    table.modify(Columns::one(1), Alignment::right());
    for line in table.to_string().lines() {
        let _ = writeln!(page, "  {}", line.trim_end());
    }
}

/// Exports a suite as a table. Its text goes where it was sent, and nowhere else.
pub(super) fn export(catalog: &Catalog, args: &ExportArgs, output: Output) -> Result<Exit, Failure> {
    let format = match args.format {
        TableChoice::Jsonl if args.spreadsheet_safe => {
            return Err(Failure::usage(
                "JSON lines are no spreadsheet",
                "`--spreadsheet-safe` goes with `--format csv`",
            ));
        }
        TableChoice::Jsonl => ExportFormat::Jsonl,
        TableChoice::Csv => ExportFormat::Csv { spreadsheet_safe: args.spreadsheet_safe },
    };
    let suite = catalog.load(&args.suites, None).map_err(DispatchError::from)?;
    let bytes = export::export(&suite, format).map_err(Failure::bug)?;
    if format == (ExportFormat::Csv { spreadsheet_safe: false }) {
        let safe =
            export::export(&suite, ExportFormat::Csv { spreadsheet_safe: true }).map_err(Failure::bug)?;
        if safe != bytes {
            output.note(
                "a spreadsheet may run some of these cells as formulas: for one, add `--spreadsheet-safe`",
            );
        }
    }
    if args.out == Path::new("-") {
        output.data(&String::from_utf8_lossy(&bytes))?;
        return Ok(Exit::Passed);
    }
    save(&args.out, &bytes).map_err(|error| {
        Failure::usage(
            format!("cannot write `{}`: {error}", args.out.display()),
            "--out names a file, or `-` for stdout",
        )
    })?;
    output.note(format!(
        "{} phrases of `{}` written to {}",
        suite.phrases.len(),
        suite.name,
        args.out.display()
    ));
    Ok(Exit::Passed)
}

/// Writes the file whole or not at all.
fn save(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    if path.exists() && !path.is_file() {
        // A pipe or a device: there is nothing to replace.
        return std::fs::OpenOptions::new().write(true).open(path)?.write_all(bytes);
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut builder = tempfile::Builder::new();
    builder.prefix(".thrash-").suffix(".tmp");
    #[cfg(unix)]
    // Drafts are private by default; an export is as readable as any new file.
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let mut draft = builder.tempfile_in(folder)?;
    draft.write_all(bytes)?;
    draft.as_file().sync_all()?;
    draft.persist(path).map_err(|failed| failed.error)?;
    Ok(())
}
