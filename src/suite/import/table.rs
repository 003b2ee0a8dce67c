//! Rows of cells: separated values, JSON lines, a JSON list.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;

use serde::de::{self, Deserialize, Deserializer, IgnoredAny};
use serde_json::{Map, Value};

use super::columns::{Columns, Field};
use super::entry::{Entry, Harvest, Head, Seed, category_name};
use super::error::ImportError;
use super::report::{Reason, Row};
use super::source::Source;
use super::{ImportFormat, ImportOptions, LabelMap, hatecheck};
use crate::domain::{Annotations, LevelSet, Share, Tolerance};
use crate::suite::export;

/// Categories that one table may have. More of them means that the wrong column was taken, perhaps the phrases.
const MOST_CATEGORIES: usize = 300;

/// One cell of a row.
#[derive(Debug, Clone, Copy)]
enum Cell<'a> {
    Nothing,
    Text(&'a str),
    Json(&'a Value),
}

impl<'a> Cell<'a> {
    /// The cell as it stands.
    fn text(self) -> Cow<'a, str> {
        match self {
            Self::Nothing | Self::Json(Value::Null) => Cow::Borrowed(""),
            Self::Text(text) => Cow::Borrowed(text),
            Self::Json(Value::String(text)) => Cow::Borrowed(text),
            Self::Json(value) => Cow::Owned(value.to_string()),
        }
    }

    /// The cell without blanks around it, if something is left.
    fn word(self) -> Option<String> {
        let text = self.text();
        let text = text.trim();
        (!text.is_empty()).then(|| text.to_owned())
    }

    /// The cell as an export wrote it, or without blanks around it.
    fn value(self, is_export: bool) -> Option<String> {
        if is_export { Some(self.text().into_owned()).filter(|text| !text.is_empty()) } else { self.word() }
    }

    /// The cell as names with values: `{"a": "high"}`, `a=high|b=low`; a list names its members by their place.
    fn pairs(self, is_export: bool) -> Vec<(String, String)> {
        if let Self::Json(Value::Object(pairs)) = self {
            return pairs
                .iter()
                .map(|(key, value)| (key.clone(), Self::Json(value).text().into_owned()))
                .collect();
        }
        let place = |(i, item): (usize, String)| match item.rsplit_once('=') {
            Some((name, value)) => (name.to_owned(), value.to_owned()),
            None => ((i + 1).to_string(), item),
        };
        self.list(is_export).into_iter().enumerate().map(place).collect()
    }

    /// The cell as several values.
    fn list(self, is_export: bool) -> Vec<String> {
        match self {
            Self::Json(Value::Array(items)) => {
                items.iter().map(|item| Self::Json(item).text().into_owned()).collect()
            }
            Self::Text(text) if is_export => export::split(text),
            _ => {
                let text = self.text();
                text.split(['|', ',', ';'])
                    .map(str::trim)
                    .filter(|part| !part.is_empty())
                    .map(str::to_owned)
                    .collect()
            }
        }
    }
}

/// Reads a table of separated values.
pub(super) fn read_separated(
    source: &Source,
    delimiter: u8,
    options: &ImportOptions,
    harvest: &mut Harvest,
) -> Result<(), ImportError> {
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(delimiter)
        .flexible(true)
        .has_headers(false)
        .from_reader(source.text.trim_start_matches(['\r', '\n']).as_bytes());
    let mut record = csv::StringRecord::new();
    let broken = |error: &csv::Error| {
        source.problem(0, format!("this is not a table: {error}"), "is it the right file?")
    };
    if !reader.read_record(&mut record).map_err(|error| broken(&error))? {
        return Err(ImportError::Empty { file: source.shown.clone() });
    }
    let headers: Vec<String> = record.iter().map(str::to_owned).collect();
    let mut table = Table::begin(source, &headers, options, harvest)?;
    let mut number = 1;
    let mut last_line = 1;
    while reader.read_record(&mut record).map_err(|error| broken(&error))? {
        number += 1;
        last_line = record.position().map_or(0, csv::Position::line);
        if record.len() > headers.len() {
            let row = table.harvest.row(number);
            table.harvest.drop(row, Reason::TooManyCells);
        } else {
            table.row(number, &|at| record.get(at).map_or(Cell::Nothing, Cell::Text));
        }
    }
    // A quote that never closes swallows the rest of the file, without a word from the parser.
    let lines = reader.position().line().saturating_sub(last_line);
    if lines > 1 && source.text.bytes().filter(|byte| *byte == b'"').count() % 2 == 1 {
        return Err(source.problem(
            0,
            format!("row {number} opens a quote that is never closed, and takes {lines} lines with it"),
            "a quote inside a quoted cell is written twice: \"\"",
        ));
    }
    table.end()
}

/// Reads a JSON object a line.
pub(super) fn read_json_lines(
    source: &Source,
    options: &ImportOptions,
    harvest: &mut Harvest,
) -> Result<(), ImportError> {
    let lines = || source.text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    // Keys may differ from line to line, so all of them are looked at before the first row is read.
    let mut headers: Vec<String> = Vec::new();
    let mut known: HashSet<String> = HashSet::new();
    for (i, line) in lines() {
        let Keys(row) = serde_json::from_str(line).map_err(|error| {
            if error.is_data() {
                source.problem(i + 1, "this line is no JSON object", "JSON lines have one object a line")
            } else {
                source.not_json(&error, i)
            }
        })?;
        for key in row {
            if !known.contains(&key) {
                known.insert(key.clone());
                headers.push(key);
            }
        }
    }
    let headers = order(headers);
    let mut table = Table::begin(source, &headers, options, harvest)?;
    for (i, line) in lines() {
        let row: Map<String, Value> =
            serde_json::from_str(line).map_err(|error| source.not_json(&error, i))?;
        table.object(i + 1, &row);
    }
    table.end()
}

/// The keys of a JSON object, without its values.
struct Keys(Vec<String>);

impl<'de> Deserialize<'de> for Keys {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> de::Visitor<'de> for Visitor {
            type Value = Keys;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: de::MapAccess<'de>>(self, mut map: A) -> Result<Keys, A::Error> {
                let mut keys = Vec::new();
                while let Some((key, IgnoredAny)) = map.next_entry()? {
                    keys.push(key);
                }
                Ok(Keys(keys))
            }
        }
        deserializer.deserialize_map(Visitor)
    }
}

/// Reads one JSON list of objects.
pub(super) fn read_json_list(
    source: &Source,
    options: &ImportOptions,
    harvest: &mut Harvest,
) -> Result<(), ImportError> {
    let Value::Array(rows) = source.json(source.text.trim_start())? else {
        return Err(ImportError::Unknown { file: source.shown.clone() });
    };
    let mut headers: Vec<String> = Vec::new();
    let mut known: HashSet<&str> = HashSet::new();
    for key in rows.iter().filter_map(Value::as_object).flat_map(Map::keys) {
        if known.insert(key) {
            headers.push(key.clone());
        }
    }
    let headers = order(headers);
    let mut table = Table::begin(source, &headers, options, harvest)?;
    for (i, row) in rows.iter().enumerate() {
        if let Value::Object(row) = row {
            table.object(i + 1, row);
        } else {
            let row = table.harvest.row(i + 1);
            table.harvest.drop(row, Reason::Unreadable);
        }
    }
    table.end()
}

/// Keys of an export in the order of its columns, so that it is known as one; keys of others as they came.
fn order(headers: Vec<String>) -> Vec<String> {
    let mut ordered: Vec<String> = export::COLUMNS.iter().map(|name| (*name).to_owned()).collect();
    ordered.retain(|name| headers.contains(name));
    if ordered.len() == headers.len() && export::is_export(&ordered) { ordered } else { headers }
}

/// A table that is being read.
struct Table<'a> {
    source: &'a Source,
    headers: &'a [String],
    columns: Columns,
    options: &'a ImportOptions,
    harvest: &'a mut Harvest,
    first: usize,
    categories: HashSet<String>,
    templates: hatecheck::Templates,
    /// Annotations that stand for no level.
    unread_annotations: usize,
}

impl<'a> Table<'a> {
    fn begin(
        source: &'a Source,
        headers: &'a [String],
        options: &'a ImportOptions,
        harvest: &'a mut Harvest,
    ) -> Result<Self, ImportError> {
        let is_hatecheck = options.format == Some(ImportFormat::HateCheck);
        let columns = Columns::find(headers, &options.columns, is_hatecheck, harvest.source())?;
        let first = harvest.entries.len();
        let templates = hatecheck::Templates::default();
        Ok(Self {
            source,
            headers,
            columns,
            options,
            harvest,
            first,
            categories: HashSet::new(),
            templates,
            unread_annotations: 0,
        })
    }

    fn object(&mut self, number: usize, row: &Map<String, Value>) {
        let headers = self.headers;
        self.row(number, &|at| row.get(&headers[at]).map_or(Cell::Nothing, Cell::Json));
    }

    fn row<'c>(&mut self, number: usize, cells: &dyn Fn(usize) -> Cell<'c>) {
        let row = self.harvest.row(number);
        let cell = |field| self.columns.at(field).map_or(Cell::Nothing, cells);
        let text = cell(Field::Text).text();
        if text.trim().is_empty() {
            return self.harvest.drop(row, Reason::EmptyText);
        }
        let label = cell(Field::Label).text();
        let Some(expected) = self.options.labels.read(&label) else {
            return self.harvest.drop_label(row, &label);
        };
        let Some(rules) = Rules::read(&cell) else {
            return self.harvest.drop(row, Reason::Unreadable);
        };
        let category = match cell(Field::Category).word() {
            Some(name) => category_name(&name),
            None if self.columns.is_hatecheck => category_name(&format!("hatecheck_{}", label.trim())),
            None => by_levels(expected),
        };
        let value = |field| cell(field).value(self.columns.is_export);
        let (annotations, unread) = annotations(&self.columns, &self.options.labels, cells);
        self.unread_annotations += unread;
        let mut entry = Entry {
            row,
            id: value(Field::Id),
            text: text.into_owned(),
            category: category.clone(),
            expected,
            escalation: rules.escalation,
            de_escalation: rules.de_escalation,
            must_pass: rules.must_pass,
            capability: value(Field::Capability),
            tags: cell(Field::Tags).list(self.columns.is_export),
            pair: value(Field::Pair),
            seed: value(Field::SeedOf).map_or(Seed::None, Seed::Named),
            history: cell(Field::History).list(self.columns.is_export),
            language: value(Field::Language),
            // Other suites part their rows for training, which says nothing here.
            split: cell(Field::Split).word().and_then(|word| word.parse().ok()),
            annotations,
            note: self.note(row, cell(Field::Note)),
        };
        if self.columns.is_hatecheck {
            let templates = [cell(Field::Template).word(), cell(Field::ReferenceTemplate).word()];
            self.templates.add(&mut entry, templates);
        }
        let head = Head {
            title: cell(Field::CategoryTitle).text().into_owned(),
            target_accuracy: rules.target_accuracy,
            critical: rules.critical,
        };
        self.harvest.head(&category, head);
        self.categories.insert(category);
        self.harvest.keep(entry);
    }

    /// What the source says of the phrase, else where it stood. An export says nothing where there is nothing to say.
    fn note(&self, row: Row, cell: Cell<'_>) -> Option<String> {
        if self.columns.is_export {
            let note = cell.text();
            return (!note.is_empty()).then(|| note.into_owned());
        }
        cell.word().or_else(|| Some(format!("{} row {}", self.source.name, row.row)))
    }

    fn end(self) -> Result<(), ImportError> {
        if self.categories.len() > MOST_CATEGORIES {
            let message = format!(
                "the categories of `{}` are {} different ones",
                self.source.shown,
                self.categories.len()
            );
            let hint = format!("at most {MOST_CATEGORIES} go; name the right one with `--category-column`");
            return Err(ImportError::Column { message, hint });
        }
        if self.unread_annotations > 0 {
            self.harvest.notes.push(format!(
                "`{}`: {} annotations stand for no level and were left out; `--map` says what labels mean",
                self.source.shown, self.unread_annotations
            ));
        }
        let entries = &mut self.harvest.entries[self.first..];
        self.templates.settle(entries);
        if self.columns.is_hatecheck {
            hatecheck::pair_both_ways(entries);
        }
        Ok(())
    }
}

/// What annotators called the phrase, and how many of their cells stand for no level.
fn annotations<'c>(
    columns: &Columns,
    labels: &LabelMap,
    cells: &dyn Fn(usize) -> Cell<'c>,
) -> (Annotations, usize) {
    let listed = columns.at(Field::Annotations).map_or(Cell::Nothing, cells).pairs(columns.is_export);
    let named = columns
        .annotators
        .iter()
        .map(|(annotator, at)| (annotator.clone(), cells(*at).word().unwrap_or_default()))
        .chain(listed)
        .filter(|(_, label)| !label.is_empty());
    let mut unread = 0;
    let read = named.filter_map(|(annotator, label)| {
        // One person gives one level.
        let level = labels.read(&label).filter(|levels| levels.min() == levels.max()).map(LevelSet::min);
        unread += usize::from(level.is_none());
        Some((annotator, level?))
    });
    (read.collect(), unread)
}

/// What a row says of tolerance and of its category.
struct Rules {
    escalation: Tolerance,
    de_escalation: Tolerance,
    must_pass: bool,
    critical: bool,
    target_accuracy: Option<f64>,
}

impl Rules {
    /// Reads the cells; none if one of them says something that it cannot.
    fn read<'c>(cell: &dyn Fn(Field) -> Cell<'c>) -> Option<Self> {
        let tolerance = |field| cell(field).word().map_or(Some(Tolerance::NONE), |word| tolerance(&word));
        let flag = |field| cell(field).word().map_or(Some(false), |word| flag(&word));
        Some(Self {
            escalation: tolerance(Field::Escalation)?,
            de_escalation: tolerance(Field::DeEscalation)?,
            must_pass: flag(Field::MustPass)?,
            critical: flag(Field::Critical)?,
            target_accuracy: match cell(Field::TargetAccuracy).word() {
                Some(word) => Some(share(&word)?),
                None => None,
            },
        })
    }
}

fn flag(word: &str) -> Option<bool> {
    match word.to_lowercase().as_str() {
        "true" | "yes" | "y" | "1" | "x" => Some(true),
        "false" | "no" | "n" | "0" => Some(false),
        _ => None,
    }
}

/// Reads `true`, `false` or a number of levels.
pub(super) fn tolerance(word: &str) -> Option<Tolerance> {
    match word.parse() {
        Ok(levels) => Tolerance::levels(levels),
        Err(_) => flag(word).map(|any| if any { Tolerance::ANY } else { Tolerance::NONE }),
    }
}

/// Reads `92%`, `0.92`, and `92`, which in a table can only be percent.
pub(super) fn share(word: &str) -> Option<f64> {
    let share = word.parse::<Share>().ok().or_else(|| Share::percent(word.parse().ok()?));
    share.map(Share::value)
}

/// The category of phrases that have none: phrases of one label stand together.
fn by_levels(expected: LevelSet) -> String {
    expected.iter().map(crate::domain::Level::as_str).collect::<Vec<_>>().join("_or_")
}
