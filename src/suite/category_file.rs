//! One file of phrases: a category and its phrases.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_yaml::Value;

use super::Category;
use crate::document::{Document, Path, Problem, Problems};
use crate::domain::{Level, LevelSet, Phrase, PhraseSource, Share, Tolerance};

/// A phrase file, as it is written.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "thrash phrase file")]
struct CategoryFile {
    /// The category's name, in `snake_case`.
    category: String,
    /// One line about the category.
    #[serde(default)]
    title: String,
    /// The levels that are right, where a phrase says nothing else.
    expected: LevelSet,
    /// Whether answers above the set pass: `true`, `false`, or by how many levels.
    #[serde(default)]
    escalation: Tolerance,
    /// Whether answers below the set pass: `true`, `false`, or by how many levels.
    #[serde(default)]
    de_escalation: Tolerance,
    /// The accuracy that is asked of the category, such as `95%`.
    #[serde(default)]
    target_accuracy: Option<Share>,
    /// Whether a miss here is among the costliest.
    #[serde(default)]
    critical: bool,
    /// Whether every phrase must pass, or the run fails.
    #[serde(default)]
    must_pass: bool,
    /// The phrases.
    #[schemars(with = "Vec<PhraseEntry>")]
    phrases: Vec<Value>,
}

/// A phrase, as it is written.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct PhraseEntry {
    /// Stable, and unique in the suite.
    id: String,
    /// What somebody wrote.
    text: String,
    /// The levels that are right, if others than the category's.
    #[serde(default)]
    expected: Option<LevelSet>,
    /// Tolerance above, if another than the category's.
    #[serde(default)]
    escalation: Option<Tolerance>,
    /// Tolerance below, if another than the category's.
    #[serde(default)]
    de_escalation: Option<Tolerance>,
    /// Whether this phrase must pass, or the run fails.
    #[serde(default)]
    must_pass: Option<bool>,
    /// Free labels to slice by.
    #[serde(default)]
    tags: Vec<String>,
    /// What the phrase tests.
    #[serde(default)]
    capability: Option<String>,
    /// The id of the phrase it is a contrast to.
    #[serde(default)]
    pair: Option<String>,
    /// The id of the phrase it is a variant of.
    #[serde(default)]
    seed_of: Option<String>,
    /// Earlier messages, oldest first.
    #[serde(default)]
    history: Vec<String>,
    /// BCP 47 language tag; English if there is none.
    #[serde(default)]
    language: Option<String>,
    /// Why the label is what it is.
    #[serde(default)]
    note: Option<String>,
}

/// The JSON Schema of a phrase file, for editors.
pub fn schema() -> serde_json::Value {
    schemars::schema_for!(CategoryFile).to_value()
}

/// Longest message that a target can be asked about, in characters.
const LONGEST_TEXT: usize = 100_000;

/// Reads a phrase file.
///
/// # Errors
/// Everything that is wrong in it, with its place.
pub(super) fn parse(name: &str, text: &str) -> Result<(Category, Vec<Phrase>), Problems> {
    let document = Document::parse_private(name, text)?;
    if document.value().is_null() {
        return Err(Problem::with_file(name, "the file is empty")
            .with_hint("a phrase file has `category`, `expected` and `phrases`")
            .into());
    }
    let mut problems = Problems::default();
    let file: Result<CategoryFile, Problems> = document.decode();
    // Phrases are looked at also when the head of the file is wrong: one look should find everything.
    let list = document.value().get("phrases").and_then(Value::as_sequence).cloned().unwrap_or_default();
    let mut entries = Vec::with_capacity(list.len());
    for (i, value) in list.iter().enumerate() {
        let path = Path::root().join("phrases").join(i);
        match document.decode_part::<PhraseEntry>(value, &path) {
            Ok(entry) => {
                check_entry(&document, &path, &entry, &mut problems);
                entries.push((path, entry));
            }
            Err(more) => problems.extend(more),
        }
    }
    let file = match file {
        Ok(file) => file,
        Err(more) => {
            problems.extend(more);
            problems.sort();
            return Err(problems);
        }
    };
    check_head(&document, &file, &mut problems);
    let phrases = entries.into_iter().map(|(path, entry)| {
        let line = document.position(&path).line;
        phrase(&file, entry, PhraseSource { file: name.to_owned(), line: u32::try_from(line).unwrap_or(0) })
    });
    let phrases: Vec<Phrase> = phrases.collect();
    for (i, phrase) in phrases.iter().enumerate() {
        if phrase.lowest_passing() == Level::None && phrase.highest_passing() == Level::Critical {
            problems.push(
                document
                    .problem(&Path::root().join("phrases").join(i), format!("phrase `{}` cannot fail", phrase.id))
                    .with_hint("its expected levels and tolerances let every level pass: tolerate less"),
            );
        }
    }
    if !problems.is_empty() {
        problems.sort();
        return Err(problems);
    }
    let category = Category {
        name: file.category,
        title: file.title,
        target_accuracy: file.target_accuracy.map(Share::value),
        critical: file.critical,
    };
    Ok((category, phrases))
}

fn check_head(document: &Document, file: &CategoryFile, problems: &mut Problems) {
    let at = |key: &str| Path::root().join(key);
    if !is_name(&file.category) {
        problems.push(
            document
                .problem(&at("category"), format!("`{}` is no category name", file.category))
                .with_hint("letters, digits, `_` and `-`, such as `definite_high`"),
        );
    }
    if file.phrases.is_empty() {
        problems.push(document.problem(&at("phrases"), "there are no phrases"));
    }
}

fn check_entry(document: &Document, path: &Path, entry: &PhraseEntry, problems: &mut Problems) {
    let at = |key: &str| path.join(key);
    if !is_name(&entry.id) {
        problems.push(
            document
                .problem(&at("id"), "this is no phrase id")
                .with_hint("letters, digits, `_`, `-`, `.` and `:`, at most 100, such as `definite_high-001`"),
        );
    }
    if entry.text.trim().is_empty() {
        problems.push(document.problem(&at("text"), format!("phrase `{}` has no text", entry.id)));
    }
    if entry.text.chars().count() > LONGEST_TEXT {
        problems.push(document.problem(
            &at("text"),
            format!("the text of phrase `{}` is longer than {LONGEST_TEXT} characters", entry.id),
        ));
    }
}

fn is_name(name: &str) -> bool {
    (1..=100).contains(&name.len()) && name.chars().all(|c| c.is_ascii_alphanumeric() || "_-.:".contains(c))
}

fn phrase(file: &CategoryFile, entry: PhraseEntry, source: PhraseSource) -> Phrase {
    Phrase {
        id: entry.id,
        text: entry.text,
        category: file.category.clone(),
        capability: entry.capability,
        tags: entry.tags,
        expected: entry.expected.unwrap_or(file.expected),
        escalation: entry.escalation.unwrap_or(file.escalation),
        de_escalation: entry.de_escalation.unwrap_or(file.de_escalation),
        critical: file.critical,
        must_pass: entry.must_pass.unwrap_or(file.must_pass),
        pair: entry.pair,
        seed_of: entry.seed_of,
        history: entry.history,
        language: entry.language,
        note: entry.note,
        source,
    }
}
