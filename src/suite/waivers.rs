//! The file of known failures: which phrases may fail, who answers for each, and until when.

use std::path::Path as FilePath;

use chrono::{Days, NaiveDate};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, de};
use serde_yaml::Value;

use super::SuiteError;
use super::catalog::read_file;
use crate::document::{Document, Path, Problem, Problems, nearest, nearest_hint};
use crate::domain::Phrase;

/// A waiver file, as it is written.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "thrash waiver file")]
struct WaiverFile {
    /// The known failures.
    #[schemars(with = "Vec<WaiverEntry>")]
    #[expect(dead_code, reason = "part of the format; each waiver is read by itself")]
    waivers: Vec<Value>,
}

/// A known failure, as it is written.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct WaiverEntry {
    /// The phrase's id.
    phrase: String,
    /// Who answers for it.
    owner: String,
    /// Why it is waived.
    reason: String,
    /// The last day on which it holds, in UTC, as `2026-12-31`; at most 366 days ahead.
    #[serde(deserialize_with = "day")]
    expires: NaiveDate,
    /// Only in runs of this suite.
    #[serde(default)]
    suite: Option<String>,
    /// Only in runs against this target.
    #[serde(default)]
    target: Option<String>,
}

/// A known failure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiver {
    /// The phrase's id.
    pub phrase: String,
    /// Who answers for it.
    pub owner: String,
    /// Why it is waived.
    pub reason: String,
    /// The last day on which it holds.
    pub expires: NaiveDate,
    /// Whether it is for runs like this one, by its suite and its target.
    pub applies: bool,
}

/// The known failures of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waivers {
    /// They, in the order of the file.
    pub waivers: Vec<Waiver>,
    /// So many may be used at once, at most.
    pub most: u64,
}

/// What a waiver file can name.
#[derive(Debug, Clone)]
pub struct Nameable {
    /// What is run: suites by name, files and folders.
    pub running: Vec<String>,
    /// All phrases in there, selected or not.
    pub phrases: Vec<Phrase>,
    /// Every suite that has a name.
    pub suites: Vec<String>,
    /// The target of the run.
    pub target: String,
    /// Every target.
    pub targets: Vec<String>,
    /// The day on which it is read, in UTC.
    pub today: NaiveDate,
}

/// So many days ahead a waiver may end: one for ever is no exception but a rule, and belongs into the suite.
const LONGEST_DAYS: u64 = 366;

/// The JSON Schema of a waiver file, for editors.
pub fn schema() -> serde_json::Value {
    schemars::schema_for!(WaiverFile).to_value()
}

fn day<'de, D: Deserializer<'de>>(deserializer: D) -> Result<NaiveDate, D::Error> {
    let text = String::deserialize(deserializer)?;
    // The library would also take `2026-1-5`, which sorts and reads otherwise than it means.
    let day = NaiveDate::parse_from_str(&text, "%Y-%m-%d").ok().filter(|_| text.len() == 10);
    day.ok_or_else(|| de::Error::custom(format!("`{text}` is no day: write it as `2026-12-31`")))
}

impl Waivers {
    /// Reads a waiver file.
    ///
    /// # Errors
    /// The file cannot be read, or everything that is wrong with it.
    pub fn load(path: &FilePath, most: u64, nameable: &Nameable) -> Result<Self, SuiteError> {
        let (name, text) = read_file(path)?;
        let invalid = |problems| SuiteError::Invalid { problems };
        let document = Document::parse(&name, &text).map_err(invalid)?;
        if document.value().is_null() {
            let empty = Problem::with_file(&name, "the file is empty")
                .with_hint("a waiver file has `waivers`, a list; `waivers: []` waives nothing");
            return Err(invalid(empty.into()));
        }
        if document.value().get("waivers").is_some_and(Value::is_null) {
            let problem = document.problem(&Path::root().join("waivers"), "`waivers` holds nothing");
            return Err(invalid(
                problem.with_hint("a list of known failures; `waivers: []` waives nothing").into(),
            ));
        }
        let (_, mut problems): (Option<WaiverFile>, _) =
            document.decode_around(document.value(), &Path::root());
        let list = document.value().get("waivers").and_then(Value::as_sequence).cloned().unwrap_or_default();
        let mut entries: Vec<(usize, WaiverEntry)> = Vec::with_capacity(list.len());
        for (i, value) in list.iter().enumerate() {
            let path = Path::root().join("waivers").join(i);
            let (entry, more) = document.decode_around::<WaiverEntry>(value, &path);
            problems.extend(more);
            let Some(entry) = entry else { continue };
            check(&document, &path, &entry, nameable, &mut problems);
            if let Some((first, _)) = entries.iter().find(|(_, other)| other.overlaps(&entry)) {
                let line = document.position(&Path::root().join("waivers").join(*first)).line;
                let message = format!("phrase `{}` is waived at line {line} already", entry.phrase);
                problems.push(document.problem(&path.join("phrase"), message));
            }
            entries.push((i, entry));
        }
        if !problems.is_empty() {
            problems.sort();
            return Err(invalid(problems));
        }
        let waivers = entries.into_iter().map(|(_, entry)| Waiver {
            applies: entry.applies(nameable),
            phrase: entry.phrase,
            owner: entry.owner,
            reason: entry.reason,
            expires: entry.expires,
        });
        Ok(Self { waivers: waivers.collect(), most })
    }
}

impl WaiverEntry {
    fn is_of_suite(&self, nameable: &Nameable) -> bool {
        self.suite.as_ref().is_none_or(|suite| nameable.running.contains(suite))
    }

    fn applies(&self, nameable: &Nameable) -> bool {
        self.is_of_suite(nameable) && self.target.as_ref().is_none_or(|target| *target == nameable.target)
    }

    /// Whether there are runs that both are for.
    fn overlaps(&self, other: &Self) -> bool {
        let meet = |one: &Option<String>, other: &Option<String>| match (one, other) {
            (Some(one), Some(other)) => one == other,
            (None, _) | (_, None) => true,
        };
        self.phrase == other.phrase && meet(&self.suite, &other.suite) && meet(&self.target, &other.target)
    }
}

fn check(
    document: &Document,
    path: &Path,
    entry: &WaiverEntry,
    nameable: &Nameable,
    problems: &mut Problems,
) {
    for (key, text) in [("owner", &entry.owner), ("reason", &entry.reason)] {
        if text.trim().is_empty() {
            problems.push(document.problem(&path.join(key), format!("a waiver has its `{key}`")));
        }
    }
    let latest = nameable.today.checked_add_days(Days::new(LONGEST_DAYS)).unwrap_or(NaiveDate::MAX);
    if entry.expires > latest {
        let message = format!("`{}` is more than {LONGEST_DAYS} days from now", entry.expires);
        let hint = format!("a waiver ends by {latest}, and can be renewed then");
        problems.push(document.problem(&path.join("expires"), message).with_hint(hint));
    }
    let mut unknown = |key: &str, message: String, hint: String| {
        problems.push(document.problem(&path.join(key), message).with_hint(hint));
    };
    if let Some(suite) = entry.suite.as_ref().filter(|suite| {
        !nameable.suites.contains(suite)
            && !nameable.running.contains(suite)
            && !FilePath::new(suite).exists()
    }) {
        let hint = nearest_hint(suite, &names(&nameable.suites));
        unknown("suite", format!("there is no suite, file or folder `{suite}`"), hint);
    }
    if let Some(target) = entry.target.as_ref().filter(|target| !nameable.targets.contains(target)) {
        let hint = nearest_hint(target, &names(&nameable.targets));
        unknown("target", format!("there is no target `{target}`"), hint);
    }
    // The phrases of a suite that is not run are not known here.
    if !entry.is_of_suite(nameable) {
        return;
    }
    match nameable.phrases.iter().find(|phrase| phrase.id == entry.phrase) {
        Some(phrase) if phrase.must_pass => {
            let message = format!("phrase `{}` must pass, and cannot be waived", entry.phrase);
            let hint = "mend the target; or take `must_pass` from the phrase, where a reviewer sees it";
            unknown("phrase", message, hint.to_owned());
        }
        Some(_) => {}
        None => {
            let message =
                format!("no phrase of {} has the id `{}`", nameable.running.join(", "), entry.phrase);
            let ids: Vec<&str> = nameable.phrases.iter().map(|phrase| phrase.id.as_str()).collect();
            let hint = match nearest(&entry.phrase, &ids) {
                Some(near) => format!("did you mean `{near}`?"),
                None => "a waiver for another suite says so: `suite: NAME`".to_owned(),
            };
            unknown("phrase", message, hint);
        }
    }
}

fn names(names: &[String]) -> Vec<&str> {
    names.iter().map(String::as_str).collect()
}
