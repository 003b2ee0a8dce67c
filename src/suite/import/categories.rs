//! Phrases grouped by category, as the files that people will read.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt::Write;
use std::hash::Hash;

use super::entry::{Harvest, Head};
use super::name::Named;
use super::report::{CategoryReport, ImportReport};
use crate::domain::{LevelSet, Phrase, Share, Tolerance};

/// Bytes after which a file is full. The loader takes sixteen mebibytes; a phrase of the longest text still fits.
const LONGEST_FILE: usize = 8 << 20;

/// A category with its phrases.
#[derive(Debug)]
struct Category {
    name: String,
    file: String,
    head: Head,
    sources: BTreeSet<usize>,
    phrases: Vec<Phrase>,
}

/// All that was imported.
#[derive(Debug)]
pub(super) struct Categories(Vec<Category>);

impl Categories {
    /// Puts phrases into their categories; within one they keep their order.
    pub(super) fn group(named: Vec<Named>, harvest: &Harvest) -> Self {
        let mut by_name: BTreeMap<String, Category> = BTreeMap::new();
        for Named { phrase, file } in named {
            let category = by_name.entry(phrase.category.clone()).or_insert_with(|| Category {
                name: phrase.category.clone(),
                file: String::new(),
                head: harvest.heads.get(&phrase.category).cloned().unwrap_or_default(),
                sources: BTreeSet::new(),
                phrases: Vec::new(),
            });
            category.sources.insert(file);
            category.phrases.push(phrase);
        }
        let mut taken = BTreeSet::from(["suites".to_owned()]);
        let mut categories: Vec<Category> = by_name.into_values().collect();
        for category in &mut categories {
            category.file = file_name(&category.name, &mut taken);
        }
        Self(categories)
    }

    /// What there is, in numbers.
    pub(super) fn report(&self) -> Vec<CategoryReport> {
        self.0
            .iter()
            .map(|category| CategoryReport {
                name: category.name.clone(),
                file: category.file.clone(),
                phrases: category.phrases.len(),
            })
            .collect()
    }

    /// The files: name and content. A category that is too long for one file goes on in another.
    pub(super) fn into_files(self, report: &ImportReport) -> Vec<(String, String)> {
        let mut taken: BTreeSet<String> =
            self.0.iter().map(|category| category.file.trim_end_matches(".yaml").to_owned()).collect();
        let mut files = Vec::with_capacity(self.0.len());
        for category in self.0 {
            let mut name = category.file.clone();
            for text in category.yaml(report) {
                files.push((name, text));
                name = file_name(&category.name, &mut taken);
            }
        }
        files
    }
}

/// A file name that is one on every system, also where `A.yaml` and `a.yaml` are the same.
fn file_name(category: &str, taken: &mut BTreeSet<String>) -> String {
    let stem: String = category
        .to_lowercase()
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' })
        .collect();
    let mut name = stem.clone();
    let mut number = 2;
    while !taken.insert(name.clone()) {
        name = format!("{stem}-{number}");
        number += 1;
    }
    format!("{name}.yaml")
}

impl Category {
    fn yaml(&self, report: &ImportReport) -> Vec<String> {
        let expected = commonest(self.phrases.iter().map(|phrase| phrase.expected));
        let escalation = commonest(self.phrases.iter().map(|phrase| phrase.escalation)).unwrap_or_default();
        let de_escalation =
            commonest(self.phrases.iter().map(|phrase| phrase.de_escalation)).unwrap_or_default();
        let must_pass = self.phrases.iter().all(|phrase| phrase.must_pass);
        let mut yaml = String::with_capacity(160 * self.phrases.len() + 1024);
        yaml.push_str("# Content warning: messages that a crisis-detection service is tested with.\n");
        let version = env!("CARGO_PKG_VERSION");
        for source in self.sources.iter().filter_map(|file| report.sources.get(*file)) {
            let _ = writeln!(
                yaml,
                "# Imported by thrash {version} from {}, SHA-256 {}.",
                quoted(&source.name),
                source.sha256
            );
        }
        if let Some(count) = report.tightened.get(&self.name) {
            let _ =
                writeln!(yaml, "# {count} phrases tolerate less than there: every level would have passed.");
        }
        let _ = writeln!(yaml, "category: {}", plain(&self.name));
        if !self.head.title.is_empty() {
            let _ = writeln!(yaml, "title: {}", quoted(&self.head.title));
        }
        if let Some(expected) = expected {
            let _ = writeln!(yaml, "expected: {}", levels(expected));
        }
        let _ = writeln!(yaml, "escalation: {}", tolerance(escalation));
        let _ = writeln!(yaml, "de_escalation: {}", tolerance(de_escalation));
        if let Some(target) = self.head.target_accuracy {
            let _ = writeln!(yaml, "target_accuracy: {}", share(target));
        }
        let _ = writeln!(yaml, "critical: {}\nmust_pass: {must_pass}\nphrases:", self.head.critical);
        let head = yaml.clone();
        let mut files = Vec::new();
        for phrase in &self.phrases {
            if yaml.len() > LONGEST_FILE {
                files.push(std::mem::replace(&mut yaml, head.clone()));
            }
            let _ = writeln!(yaml, "  - id: {}\n    text: {}", plain(&phrase.id), quoted(&phrase.text));
            if Some(phrase.expected) != expected {
                let _ = writeln!(yaml, "    expected: {}", levels(phrase.expected));
            }
            if phrase.escalation != escalation {
                let _ = writeln!(yaml, "    escalation: {}", tolerance(phrase.escalation));
            }
            if phrase.de_escalation != de_escalation {
                let _ = writeln!(yaml, "    de_escalation: {}", tolerance(phrase.de_escalation));
            }
            if phrase.must_pass != must_pass {
                let _ = writeln!(yaml, "    must_pass: {}", phrase.must_pass);
            }
            entry(&mut yaml, phrase);
        }
        files.push(yaml);
        files
    }
}

/// The keys of a phrase that its category does not have.
fn entry(yaml: &mut String, phrase: &Phrase) {
    let words = [
        ("capability", &phrase.capability),
        ("pair", &phrase.pair),
        ("seed_of", &phrase.seed_of),
        ("language", &phrase.language),
    ];
    for (key, word) in words {
        if let Some(word) = word {
            let _ = writeln!(yaml, "    {key}: {}", plain(word));
        }
    }
    if let Some(split) = phrase.split {
        let _ = writeln!(yaml, "    split: {}", split.as_str());
    }
    for (key, list) in [("tags", &phrase.tags), ("history", &phrase.history)] {
        if !list.is_empty() {
            let items: Vec<String> = list.iter().map(|item| quoted(item)).collect();
            let _ = writeln!(yaml, "    {key}: [{}]", items.join(", "));
        }
    }
    if !phrase.annotations.is_empty() {
        let labels: Vec<String> = phrase
            .annotations
            .iter()
            .map(|(annotator, level)| format!("{}: {level}", quoted(annotator)))
            .collect();
        let _ = writeln!(yaml, "    annotations: {{{}}}", labels.join(", "));
    }
    if let Some(note) = &phrase.note {
        let _ = writeln!(yaml, "    note: {}", quoted(note));
    }
}

/// The commonest of the values, the first of two that are equally common.
fn commonest<T: Copy + Eq + Hash>(values: impl Iterator<Item = T>) -> Option<T> {
    let mut counts: HashMap<T, (usize, usize)> = HashMap::new();
    for (i, value) in values.enumerate() {
        counts.entry(value).or_insert((0, i)).0 += 1;
    }
    counts
        .into_iter()
        .max_by_key(|(_, (count, first))| (*count, std::cmp::Reverse(*first)))
        .map(|(value, _)| value)
}

fn levels(levels: LevelSet) -> String {
    let names: Vec<&str> = levels.iter().map(crate::domain::Level::as_str).collect();
    format!("[{}]", names.join(", "))
}

fn tolerance(tolerance: Tolerance) -> String {
    match tolerance {
        Tolerance::NONE => "false".to_owned(),
        Tolerance::ANY => "true".to_owned(),
        some => some.steps().to_string(),
    }
}

/// A share in percent where that says exactly the same, else the number.
fn share(value: f64) -> String {
    let percent = Share::new(value).map(|share| share.to_string()).unwrap_or_default();
    let is_same = percent.parse::<Share>().is_ok_and(|share| share.value().to_bits() == value.to_bits());
    if is_same { percent } else { value.to_string() }
}

/// A word without quotes, where YAML cannot take it for anything but a word.
fn plain(word: &str) -> String {
    const MEANT: [&str; 10] = ["true", "false", "yes", "no", "on", "off", "null", "none", "y", "n"];
    let is_plain = word.starts_with(|c: char| c.is_ascii_alphabetic())
        && word.chars().all(|c| c.is_ascii_alphanumeric() || "_-.".contains(c))
        && !MEANT.contains(&word.to_lowercase().as_str());
    if is_plain { word.to_owned() } else { quoted(word) }
}

/// A text in double quotes, with everything escaped that YAML would read otherwise or not at all.
///
/// YAML 1.2 §5.1 and §5.4: control signs are not printable, and U+0085, U+2028 and U+2029 are line breaks in YAML 1.1.
fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for c in text.chars() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}' => {
                let _ = write!(quoted, "\\u{:04x}", c as u32);
            }
            c if c.is_control() => {
                let _ = write!(quoted, "\\u{:04x}", c as u32);
            }
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}
