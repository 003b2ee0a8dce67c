//! One file of phrases: a category and its phrases.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_yaml::Value;

use super::Category;
use crate::document::{Document, Path, Problem, Problems};
use crate::domain::{Annotations, Level, LevelSet, Phrase, PhraseSource, Share, Split, Tolerance};

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
    #[expect(dead_code, reason = "part of the format; each phrase is read by itself")]
    phrases: Vec<Value>,
}

impl CategoryFile {
    /// Stands in for a head that cannot be read, while the phrases are looked at.
    fn unreadable() -> Self {
        Self {
            category: String::new(),
            title: String::new(),
            expected: LevelSet::only(Level::None),
            escalation: Tolerance::NONE,
            de_escalation: Tolerance::NONE,
            target_accuracy: None,
            critical: false,
            must_pass: false,
            phrases: Vec::new(),
        }
    }
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
    /// The part of the suite: `held` is not looked at while a service is tuned.
    #[serde(default)]
    split: Option<Split>,
    /// BCP 47 language tag; English if there is none.
    #[serde(default)]
    language: Option<String>,
    /// The level that each annotator gave: by annotator, or as a list in which everybody keeps a place.
    #[serde(default)]
    annotations: Annotations,
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

/// What could be read of a phrase file, and everything that is wrong with it.
pub(super) struct Read {
    /// The category, unless the head of the file is wrong.
    pub(super) category: Option<Category>,
    /// The phrases that could be read. With problems they are good only for finding more of them.
    pub(super) phrases: Vec<Phrase>,
    pub(super) problems: Problems,
}

/// Reads a phrase file; one look finds everything that is wrong with it, with its place.
pub(super) fn parse(name: &str, text: &str) -> Read {
    let nothing = |problems| Read { category: None, phrases: Vec::new(), problems };
    let document = match Document::parse_private(name, text) {
        Ok(document) => document,
        Err(problems) => return nothing(problems),
    };
    if document.value().is_null() {
        let empty = Problem::with_file(name, "the file is empty")
            .with_hint("a phrase file has `category`, `expected` and `phrases`");
        return nothing(empty.into());
    }
    let (head, mut problems): (Option<CategoryFile>, _) =
        document.decode_around(document.value(), &Path::root());
    check_head(&document, &mut problems);
    let list = document.value().get("phrases").and_then(Value::as_sequence).cloned().unwrap_or_default();
    let mut phrases = Vec::with_capacity(list.len());
    for (i, value) in list.iter().enumerate() {
        let path = Path::root().join("phrases").join(i);
        let (entry, more) = document.decode_around::<PhraseEntry>(value, &path);
        problems.extend(more);
        let Some(entry) = entry else { continue };
        check_entry(&document, &path, &entry, &mut problems);
        let line = document.position(&path).line;
        let source = PhraseSource { file: name.to_owned(), line: u32::try_from(line).unwrap_or(0) };
        let phrase = phrase(head.as_ref().unwrap_or(&CategoryFile::unreadable()), entry, source);
        if head.is_some() {
            check_labels(&document, &path, &phrase, &mut problems);
        }
        phrases.push(phrase);
    }
    let category = head.map(|head| Category {
        name: head.category,
        title: head.title,
        target_accuracy: head.target_accuracy.map(Share::value),
        critical: head.critical,
    });
    Read { category, phrases, problems }
}

/// What can be wrong only with the category's labels and the phrase's taken together.
fn check_labels(document: &Document, path: &Path, phrase: &Phrase, problems: &mut Problems) {
    let (lowest, highest) = (phrase.expected.min(), phrase.expected.max());
    let between =
        Level::ALL[lowest.index()..=highest.index()].iter().find(|level| !phrase.expected.contains(**level));
    if let Some(missing) = between {
        problems.push(
            document
                .problem(
                    path,
                    format!("phrase `{}` expects `{lowest}` and `{highest}`, but not `{missing}`", phrase.id),
                )
                .with_hint("expected levels stand next to each other"),
        );
    }
    if phrase.lowest_passing() == Level::None && phrase.highest_passing() == Level::Critical {
        problems.push(
            document
                .problem(path, format!("phrase `{}` cannot fail", phrase.id))
                .with_hint("its expected levels and tolerances let every level pass: tolerate less"),
        );
    }
}

/// Looks at what stands there, whether or not the rest of the head can be read.
fn check_head(document: &Document, problems: &mut Problems) {
    let at = |key: &str| Path::root().join(key);
    let value = document.value();
    if let Some(name) = value.get("category").and_then(Value::as_str).filter(|name| !is_name(name)) {
        problems.push(
            document
                .problem(&at("category"), format!("`{name}` is no category name"))
                .with_hint(format!("{NAME}, such as `definite_high`")),
        );
    }
    if value.get("phrases").and_then(Value::as_sequence).is_some_and(Vec::is_empty) {
        problems.push(document.problem(&at("phrases"), "there are no phrases"));
    }
}

fn check_entry(document: &Document, path: &Path, entry: &PhraseEntry, problems: &mut Problems) {
    let at = |key: &str| path.join(key);
    if !is_name(&entry.id) {
        problems.push(
            document
                .problem(&at("id"), "this is no phrase id")
                .with_hint(format!("{NAME}, such as `definite_high-001`")),
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

/// What an id and a category can be called, in words.
const NAME: &str =
    "at most 100 letters, digits, `_`, `-`, `.` and `:`, of which the first is a letter, a digit or `_`";

/// Whether a phrase or a category can be called so. What begins with another sign is taken for something else: `::` for
/// a command by GitHub's runner, `-` for a flag by a shell, and for a formula by a spreadsheet.
pub(super) fn is_name(name: &str) -> bool {
    (1..=100).contains(&name.len())
        && name.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || "_-.:".contains(c))
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
        split: entry.split,
        language: entry.language,
        annotations: entry.annotations,
        note: entry.note,
        source,
    }
}
