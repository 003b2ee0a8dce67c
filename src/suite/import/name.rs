//! Ids that survive the next import, and the links that use them.

use std::collections::{HashMap, HashSet};
use std::fmt::Write;

use sha2::{Digest, Sha256};

use super::entry::{Entry, Seed};
use super::report::ImportReport;
use super::sift::Kept;
use crate::domain::{Phrase, PhraseSource};
use crate::suite::category_file::is_name;

/// A phrase with its id, and the file it came from.
#[derive(Debug)]
pub(super) struct Named {
    pub(super) phrase: Phrase,
    pub(super) file: usize,
}

/// Gives every phrase its id: the source's if that can be one, else the category and a hash of the text.
pub(super) fn name(kept: Vec<Kept>, report: &mut ImportReport) -> Vec<Named> {
    let ids = ids(&kept, report);
    let known = known(&kept, &ids);
    let seeds = families(&kept, &ids);
    let mut lost = 0;
    let mut link = |own: &str, asked: Option<&String>| {
        let found = asked.and_then(|id| known.get(id.as_str()).copied().flatten()).filter(|id| *id != own);
        lost += usize::from(asked.is_some() && found.is_none());
        found.map(str::to_owned)
    };
    let mut links = Vec::with_capacity(kept.len());
    for (Kept { entry, .. }, id) in kept.iter().zip(&ids) {
        let pair = link(id, entry.pair.as_ref());
        let seed = match &entry.seed {
            Seed::None => None,
            Seed::Named(seed) => link(id, Some(seed)),
            Seed::Family(family) => {
                seeds.get(family.as_str()).filter(|seed| *seed != id).map(|seed| (*seed).to_owned())
            }
        };
        links.push((pair, seed));
    }
    report.links_dropped = lost;
    let parts = kept.into_iter().zip(ids).zip(links);
    parts.map(|((kept, id), (pair, seed_of))| named(kept.entry, id, pair, seed_of)).collect()
}

fn named(entry: Entry, id: String, pair: Option<String>, seed_of: Option<String>) -> Named {
    let phrase = Phrase {
        id,
        text: entry.text,
        category: entry.category,
        capability: entry.capability,
        tags: entry.tags,
        expected: entry.expected,
        escalation: entry.escalation,
        de_escalation: entry.de_escalation,
        critical: false,
        must_pass: entry.must_pass,
        pair,
        seed_of,
        history: entry.history,
        language: entry.language,
        split: entry.split,
        annotations: entry.annotations,
        note: entry.note,
        source: PhraseSource::default(),
    };
    Named { phrase, file: entry.row.file }
}

fn ids(kept: &[Kept], report: &mut ImportReport) -> Vec<String> {
    let mut uses: HashMap<&str, usize> = HashMap::new();
    for id in kept.iter().filter_map(|kept| kept.entry.id.as_deref()) {
        *uses.entry(id).or_default() += 1;
    }
    // An id that two texts have is the identity of neither.
    let is_usable = |id: &str| is_name(id) && uses.get(id) == Some(&1);
    let mut taken: HashSet<String> =
        kept.iter().filter_map(|kept| kept.entry.id.clone()).filter(|id| is_usable(id)).collect();
    kept.iter()
        .map(|Kept { entry, .. }| {
            if let Some(id) = &entry.id {
                if is_usable(id) {
                    return id.clone();
                }
                report.ids_replaced.push(entry.row);
            }
            let mut id = format!("{}-{}", entry.category, hash(&normalised(&entry.text), &entry.history, 12));
            if taken.contains(&id) {
                id = format!("{}-{}", entry.category, hash(&entry.text, &entry.history, 32));
            }
            taken.insert(id.clone());
            id
        })
        .collect()
}

/// The text as the id sees it: blanks around it and the kind of line ends do not matter.
fn normalised(text: &str) -> String {
    text.trim().replace("\r\n", "\n")
}

fn hash(text: &str, history: &[String], digits: usize) -> String {
    let mut hasher = Sha256::new();
    for part in history.iter().map(String::as_str).chain([text]) {
        hasher.update(part);
        hasher.update([0x1f]);
    }
    hasher.finalize().iter().take(digits / 2).fold(String::with_capacity(digits), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

/// What the ids of the source have become; none for an id that means two phrases.
fn known<'a>(kept: &'a [Kept], ids: &'a [String]) -> HashMap<&'a str, Option<&'a str>> {
    let mut known: HashMap<&str, Option<&str>> = HashMap::new();
    for (kept, id) in kept.iter().zip(ids) {
        for source in kept.entry.id.iter().chain(&kept.also) {
            known.entry(source).and_modify(|meaning| *meaning = None).or_insert(Some(id));
        }
    }
    known
}

/// The first phrase of each family, by id: the order of rows does not matter.
fn families<'a>(kept: &'a [Kept], ids: &'a [String]) -> HashMap<&'a str, &'a str> {
    // `case-9` stands before `case-10`.
    let order = |id: &'a str| (id.len(), id);
    let mut first: HashMap<&str, &str> = HashMap::new();
    for (kept, id) in kept.iter().zip(ids) {
        if let Seed::Family(family) = &kept.entry.seed {
            let seed = first.entry(family).or_insert(id);
            if order(id) < order(seed) {
                *seed = id;
            }
        }
    }
    first
}
