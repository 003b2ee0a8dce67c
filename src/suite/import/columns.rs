//! Which column holds what.

use super::error::ImportError;
use super::report::SourceReport;
use crate::document::nearest;
use crate::suite::export;

/// The columns of a table, where somebody names them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ColumnNames {
    /// The phrase itself.
    pub text: Option<String>,
    /// Its label.
    pub label: Option<String>,
    /// Its id.
    pub id: Option<String>,
    /// Its category.
    pub category: Option<String>,
    /// What it tests.
    pub capability: Option<String>,
    /// Its tags.
    pub tags: Option<String>,
    /// Its language.
    pub language: Option<String>,
    /// The labels of single annotators, a column each.
    pub annotators: Vec<String>,
}

/// What a column can hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Field {
    Text,
    Label,
    Id,
    Category,
    Capability,
    Tags,
    Language,
    Note,
    Pair,
    SeedOf,
    History,
    MustPass,
    Escalation,
    DeEscalation,
    CategoryTitle,
    TargetAccuracy,
    Critical,
    Split,
    Annotations,
    ReferenceTemplate,
    Template,
}

const FIELDS: usize = 21;

/// Names of columns that hold the phrases, the likeliest first.
pub const TEXT_COLUMNS: [&str; 11] = [
    "text",
    "message",
    "phrase",
    "test_case",
    "sentence",
    "utterance",
    "content",
    "post",
    "tweet",
    "body",
    "comment",
];

/// A field, its name in messages, and the names that its column may have, the likeliest first.
type Guess = (Field, &'static str, &'static [&'static str]);

const TABLE: [Guess; 19] = [
    (Field::Text, "text", &TEXT_COLUMNS),
    (
        Field::Label,
        "label",
        &[
            "expected",
            "expected_level",
            "expected_priority",
            "label",
            "level",
            "severity",
            "label_gold",
            "gold_label",
            "gold",
            "crisis_level",
            "risk_level",
            "priority",
            "risk",
            "class",
        ],
    ),
    (Field::Id, "id", &["id", "phrase_id", "case_id", "message_id", "uid", "uuid"]),
    (Field::Category, "category", &["category"]),
    (Field::Capability, "capability", &["capability", "functionality", "subcategory"]),
    (Field::Tags, "tags", &["tags", "tag"]),
    (Field::Language, "language", &["language", "lang", "locale"]),
    (Field::Note, "note", &["note", "notes", "description", "rationale"]),
    (Field::Pair, "pair", &["pair", "pair_id"]),
    (Field::SeedOf, "seed_of", &["seed_of", "seed_id"]),
    (Field::History, "history", &["history"]),
    (Field::MustPass, "must_pass", &["must_pass"]),
    (Field::Escalation, "escalation", &["escalation", "allow_escalation"]),
    (Field::DeEscalation, "de_escalation", &["de_escalation", "allow_de_escalation", "allow_deescalation"]),
    (Field::CategoryTitle, "category_title", &["category_title"]),
    (Field::TargetAccuracy, "target_accuracy", &["target_accuracy", "target_pass_rate"]),
    (Field::Critical, "critical", &["critical"]),
    (Field::Split, "split", &["split"]),
    (Field::Annotations, "annotations", &["annotations"]),
];

const HATECHECK: [Guess; 8] = [
    (Field::Text, "text", &["test_case"]),
    (Field::Label, "label", &["label_gold"]),
    (Field::Id, "id", &["mhc_case_id", "case_id"]),
    (Field::Capability, "capability", &["functionality"]),
    (Field::Tags, "tags", &["target_ident"]),
    (Field::Pair, "pair", &["ref_case_id"]),
    (Field::ReferenceTemplate, "reference template", &["ref_templ_id"]),
    (Field::Template, "template", &["templ_id"]),
];

/// Which column holds what, in one file.
#[derive(Debug)]
pub(super) struct Columns {
    at: [Option<usize>; FIELDS],
    /// The annotators that were named, each with the column of their labels.
    pub(super) annotators: Vec<(String, usize)>,
    /// Whether the file is one that `thrash phrases export` wrote.
    pub(super) is_export: bool,
    /// Whether it is a `HateCheck` table.
    pub(super) is_hatecheck: bool,
}

impl Columns {
    /// The column that holds the field.
    pub(super) fn at(&self, field: Field) -> Option<usize> {
        self.at[field as usize]
    }

    /// Finds the columns and notes them in the report.
    pub(super) fn find(
        headers: &[String],
        asked: &ColumnNames,
        hatecheck: bool,
        report: &mut SourceReport,
    ) -> Result<Self, ImportError> {
        let names: Vec<String> = headers.iter().map(|header| plain(header)).collect();
        let has = |name: &str| names.iter().any(|known| known == name);
        let is_hatecheck = hatecheck || (has("functionality") && has("test_case") && has("label_gold"));
        let guesses: &[Guess] = if is_hatecheck { &HATECHECK } else { &TABLE };
        let annotator = |name: &String| Ok((name.trim().to_owned(), find(name, headers, &report.file)?));
        let annotators = asked.annotators.iter().map(annotator).collect::<Result<Vec<_>, ImportError>>()?;
        let is_export = export::is_export(&names);
        let mut columns = Self { at: [None; FIELDS], annotators, is_export, is_hatecheck };
        for (field, name, known) in guesses {
            let at = match named(asked, *field) {
                Some(column) => Some(find(column, headers, &report.file)?),
                None => known.iter().find_map(|known| names.iter().position(|name| name == known)),
            };
            // A column that was named for something else is not guessed for this.
            let is_free = |at: &usize| named(asked, *field).is_some() || !taken(asked, &headers[*at]);
            columns.at[*field as usize] = at.filter(is_free);
            if let Some(at) = columns.at(*field) {
                report.columns.insert(name, shown(headers, at));
            }
        }
        let is_annotator = |at: usize| columns.annotators.iter().any(|(_, column)| *column == at);
        let unread = (0..headers.len()).filter(|at| !columns.at.contains(&Some(*at)) && !is_annotator(*at));
        report.columns_not_read = unread.map(|at| shown(headers, at)).collect();
        for (field, flag) in [(Field::Text, "--text-column"), (Field::Label, "--label-column")] {
            if columns.at(field).is_none() {
                return Err(missing(field, flag, headers, &report.file));
            }
        }
        if is_hatecheck {
            report.read_as = format!("HateCheck cases, {}", report.read_as);
        } else if columns.is_export {
            report.read_as = format!("an export of thrash, {}", report.read_as);
        }
        Ok(columns)
    }
}

/// The name without case and punctuation, so that `Label Gold` is `label_gold`.
fn plain(header: &str) -> String {
    header.trim().to_lowercase().replace([' ', '-', '.'], "_")
}

fn named(asked: &ColumnNames, field: Field) -> Option<&str> {
    let name = match field {
        Field::Text => &asked.text,
        Field::Label => &asked.label,
        Field::Id => &asked.id,
        Field::Category => &asked.category,
        Field::Capability => &asked.capability,
        Field::Tags => &asked.tags,
        Field::Language => &asked.language,
        _ => &None,
    };
    name.as_deref()
}

fn taken(asked: &ColumnNames, header: &str) -> bool {
    [&asked.text, &asked.label, &asked.id, &asked.category, &asked.capability, &asked.tags, &asked.language]
        .into_iter()
        .flatten()
        .chain(&asked.annotators)
        .any(|name| plain(name) == plain(header))
}

fn find(column: &str, headers: &[String], file: &str) -> Result<usize, ImportError> {
    let exact = headers.iter().position(|header| header.trim() == column.trim());
    exact.or_else(|| headers.iter().position(|header| plain(header) == plain(column))).ok_or_else(|| {
        let known: Vec<&str> = headers.iter().map(|header| header.trim()).collect();
        let near = nearest(column, &known).and_then(|near| known.iter().position(|name| *name == near));
        let hint = match near {
            Some(at) => format!("did you mean `{}`?", shown(headers, at)),
            None => list(headers),
        };
        ImportError::Column { message: format!("`{file}` has no column `{column}`"), hint }
    })
}

fn missing(field: Field, flag: &str, headers: &[String], file: &str) -> ImportError {
    let what = if field == Field::Text { "phrases" } else { "labels" };
    ImportError::Column {
        message: format!("cannot tell which column of `{file}` holds the {what}"),
        hint: format!("name it with `{flag}`; {}", list(headers)),
    }
}

fn list(headers: &[String]) -> String {
    let mut names: Vec<String> = (0..headers.len().min(20)).map(|at| shown(headers, at)).collect();
    if headers.len() > names.len() {
        names.push("…".to_owned());
    }
    format!("its columns: {}", names.join(", "))
}

/// A column as it may be shown. Where a table has no header its first phrase stands there, so only what looks like a
/// name is told by its name.
fn shown(headers: &[String], at: usize) -> String {
    let header = headers[at].trim();
    let is_name = !header.is_empty() && header.chars().count() <= 30 && !header.contains(char::is_whitespace);
    if is_name { header.to_owned() } else { format!("column {}", at + 1) }
}
