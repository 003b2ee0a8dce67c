//! The existing suite's JSON: one file a category.
//!
//! `category_info` and `category` hold a category's rules, each with `defaults` beside it; where the rule itself reads
//! `${NAME}`, the default holds. A rule is looked for from the phrase outwards, so that a file may also say it for one
//! phrase or plainly for the category.

use serde_json::{Map, Value};

use super::ImportOptions;
use super::entry::{Entry, Harvest, Head, Seed, category_name};
use super::error::ImportError;
use super::report::Reason;
use super::source::Source;
use super::table::{share, tolerance};
use crate::domain::{Annotations, LevelSet, Tolerance};

const EXPECTED: [&str; 4] = ["expected_priority", "expected_priorities", "expected", "expected_level"];
const ESCALATION: [&str; 2] = ["allow_escalation", "escalation"];
const DE_ESCALATION: [&str; 4] =
    ["allow_de-escalation", "allow_de_escalation", "allow_deescalation", "de_escalation"];
const TARGET: [&str; 2] = ["target_pass_rate", "target_accuracy"];
const CRITICAL: [&str; 1] = ["critical"];
const MESSAGE: [&str; 3] = ["message", "text", "phrase"];
const DESCRIPTION: [&str; 2] = ["description", "note"];

/// Reads a file of the existing suite.
pub(super) fn read(
    source: &Source,
    options: &ImportOptions,
    harvest: &mut Harvest,
) -> Result<(), ImportError> {
    let document = source.json(source.text.trim_start())?;
    let file = File::new(&document);
    let lists = file.lists();
    if lists.is_empty() {
        // The existing suite has such files: categories that were planned and never written.
        harvest.notes.push(format!("`{}` has no phrases", source.shown));
        return Ok(());
    }
    let name = file.word(&["name"]).unwrap_or_else(|| source.name.trim_end_matches(".json").to_owned());
    let category = category_name(&name);
    let head = Head {
        title: file.word(&["description"]).or_else(|| file.title()).unwrap_or_default(),
        target_accuracy: file.rule(None, &TARGET).and_then(|value| share(&word(value)?)),
        critical: file.rule(None, &CRITICAL).and_then(flag).unwrap_or_default(),
    };
    harvest.head(&category, head);
    let from_environment = file.placeholders();
    if from_environment > 0 {
        harvest.notes.push(format!(
            "`{}`: {from_environment} rules come from environment variables there; their defaults were taken",
            source.shown
        ));
    }
    let mut number = 0;
    for (subcategory, phrases) in lists {
        for phrase in phrases {
            number += 1;
            let row = harvest.row(number);
            let entry = match phrase {
                Value::String(_) => None,
                Value::Object(entry) => Some(entry),
                _ => {
                    harvest.drop(row, Reason::Unreadable);
                    continue;
                }
            };
            let own = |keys: &[&str]| entry.and_then(|entry| find(entry, keys)).and_then(word);
            let text = phrase.as_str().map(str::to_owned).or_else(|| own(&MESSAGE)).unwrap_or_default();
            if text.trim().is_empty() {
                harvest.drop(row, Reason::EmptyText);
                continue;
            }
            let label = file.rule(entry, &EXPECTED);
            let Some(expected) = label.and_then(|label| levels(label, options)) else {
                harvest.drop_label(row, &label.map(Value::to_string).unwrap_or_default());
                continue;
            };
            let tolerance =
                |keys| file.rule(entry, keys).map_or(Some(Tolerance::NONE), |value| tolerance(&word(value)?));
            let (Some(escalation), Some(de_escalation)) = (tolerance(&ESCALATION), tolerance(&DE_ESCALATION))
            else {
                harvest.drop(row, Reason::Unreadable);
                continue;
            };
            let note = own(&DESCRIPTION).filter(|note| !note.trim().is_empty());
            harvest.keep(Entry {
                row,
                id: own(&["id"]),
                text,
                category: category.clone(),
                expected,
                escalation,
                de_escalation,
                must_pass: false,
                capability: Some(subcategory.to_owned()),
                tags: Vec::new(),
                pair: None,
                seed: Seed::None,
                history: Vec::new(),
                language: own(&["language"]),
                split: None,
                annotations: Annotations::default(),
                note: note.or_else(|| Some(format!("{} phrase {number}", source.name))),
            });
        }
    }
    Ok(())
}

/// The places of a file where rules can stand, the most telling first.
struct File<'a> {
    document: &'a Value,
    plain: [Option<&'a Map<String, Value>>; 2],
    defaults: [Option<&'a Map<String, Value>>; 2],
}

impl<'a> File<'a> {
    fn new(document: &'a Value) -> Self {
        let part = |name: &str| document.get(name).and_then(Value::as_object);
        let plain = [part("category"), part("category_info")];
        let defaults = plain.map(|part| part?.get("defaults")?.as_object());
        Self { document, plain, defaults }
    }

    /// The lists of phrases, by subcategory.
    fn lists(&self) -> Vec<(&'a str, &'a Vec<Value>)> {
        let subcategories =
            self.plain[0].or(self.document.as_object()).and_then(|part| part.get("subcategories"));
        let subcategories = subcategories.and_then(Value::as_object).into_iter().flatten();
        subcategories
            .filter_map(|(name, list)| Some((name.as_str(), list.as_array()?)))
            .filter(|(_, list)| !list.is_empty())
            .collect()
    }

    fn rule(&self, phrase: Option<&'a Map<String, Value>>, keys: &[&str]) -> Option<&'a Value> {
        let places = [phrase].into_iter().chain(self.plain).chain(self.defaults);
        places.flatten().find_map(|place| find(place, keys))
    }

    fn word(&self, keys: &[&str]) -> Option<String> {
        // A name in `category_info` is the one that the existing suite reports under.
        self.plain.into_iter().rev().flatten().find_map(|place| word(find(place, keys)?))
    }

    fn title(&self) -> Option<String> {
        word(self.document.get("_metadata")?.get("title")?)
    }

    fn placeholders(&self) -> usize {
        self.plain.into_iter().flatten().flat_map(Map::values).filter(|value| is_placeholder(value)).count()
    }
}

/// The first of the keys that says something.
fn find<'a>(place: &'a Map<String, Value>, keys: &[&str]) -> Option<&'a Value> {
    keys.iter().filter_map(|key| place.get(*key)).find(|value| !value.is_null() && !is_placeholder(value))
}

fn is_placeholder(value: &Value) -> bool {
    value.as_str().is_some_and(|text| text.starts_with("${"))
}

fn word(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(_) | Value::Bool(_) => Some(value.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

fn flag(value: &Value) -> Option<bool> {
    value.as_bool().or_else(|| value.as_str()?.to_lowercase().parse().ok())
}

fn levels(label: &Value, options: &ImportOptions) -> Option<LevelSet> {
    let Value::Array(labels) = label else {
        return options.labels.read(&word(label)?);
    };
    let mut levels = Vec::new();
    for label in labels {
        levels.extend(options.labels.read(label.as_str()?)?.iter());
    }
    LevelSet::new(levels)
}
