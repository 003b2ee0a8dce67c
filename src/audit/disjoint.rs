//! Whether other texts, such as those that a model learns from, share anything with a suite.
//!
//! Whoever has learnt a suite's phrases is right on them and shows nothing. Three things count as shared: the same
//! text; a near-duplicate, as within a suite; and the same template, which is a text of six to forty words of which
//! all but one are the same (numbers count as one word). Five words and a gap are an idiom rather than a template
//! where the text is shorter, and of longer texts that differ in a word the near-duplicate is found. The search looks
//! up each text with each of its words left out, so its work grows with the words, not with the pairs.

use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};

use super::check::{Finding, Gravity, NEARLY_THE_SAME};
use super::similar::{normalised, similar};
use crate::suite::Suite;
use crate::suite::lines::{Line, messages};

/// Words that a template has, with the one that may differ.
const TEMPLATE: std::ops::RangeInclusive<usize> = 6..=40;

/// What a text and a phrase have in common.
enum Shared {
    Text,
    Nearly(f64),
    Template,
}

/// Every text that shares something with a phrase of the suite, earlier messages included.
pub fn shared(suite: &Suite, others: &[Line]) -> Vec<Finding> {
    let own = messages(&suite.phrases);
    let ids: HashMap<(&str, u32), &str> = suite
        .phrases
        .iter()
        .map(|phrase| ((phrase.source.file.as_str(), phrase.source.line), phrase.id.as_str()))
        .collect();
    let mut told: HashSet<(usize, usize)> = HashSet::new();
    let mut findings = Vec::new();
    for (mine, other, shared) in
        same(&own, others).into_iter().chain(nearly(&own, others)).chain(templates(&own, others))
    {
        // The first thing that is found says it all.
        if told.insert((mine, other)) {
            let phrase = &own[mine].source;
            let id = ids.get(&(phrase.file.as_str(), phrase.line)).copied().unwrap_or_default();
            findings.push(finding(&own[mine], id, &others[other], &shared));
        }
    }
    findings
}

fn finding(own: &Line, id: &str, other: &Line, shared: &Shared) -> Finding {
    let phrase = format!("phrase `{id}` ({}:{})", own.source.file, own.source.line);
    let limit = NEARLY_THE_SAME * 100.0;
    let (kind, message) = match shared {
        Shared::Text => ("shared_text", format!("says the same as {phrase}")),
        Shared::Nearly(alike) => (
            "shared_nearly",
            format!("is nearly {phrase}: {:.0} % alike, and {limit:.0} % are too much", alike * 100.0),
        ),
        Shared::Template => ("shared_template", format!("is {phrase} but for one word")),
    };
    Finding {
        gravity: Gravity::Error,
        kind,
        file: Some(other.source.file.clone()),
        line: Some(other.source.line),
        message,
        with: Some(own.source.clone()),
    }
}

/// What can be looked up for every text, and is the same only where the texts share it.
fn matches<K: Hash + Eq>(
    own: &[Line],
    others: &[Line],
    keys: impl Fn(&str) -> Vec<K>,
) -> Vec<(usize, usize)> {
    let mut places: HashMap<K, Vec<usize>> = HashMap::new();
    for (mine, line) in own.iter().enumerate() {
        for key in keys(&line.text) {
            places.entry(key).or_default().push(mine);
        }
    }
    let mut found = Vec::new();
    for (other, line) in others.iter().enumerate() {
        for mine in keys(&line.text).iter().filter_map(|key| places.get(key)).flatten() {
            found.push((*mine, other));
        }
    }
    found
}

fn same(own: &[Line], others: &[Line]) -> Vec<(usize, usize, Shared)> {
    let key = |text: &str| Some(normalised(text)).filter(|text| !text.is_empty()).into_iter().collect();
    matches(own, others, key).into_iter().map(|(mine, other)| (mine, other, Shared::Text)).collect()
}

fn nearly(own: &[Line], others: &[Line]) -> Vec<(usize, usize, Shared)> {
    let texts = own.iter().chain(others).map(|line| line.text.as_str());
    similar(texts, NEARLY_THE_SAME)
        .into_iter()
        .filter(|pair| pair.first < own.len() && pair.second >= own.len())
        .map(|pair| (pair.first, pair.second - own.len(), Shared::Nearly(pair.similarity)))
        .collect()
}

fn templates(own: &[Line], others: &[Line]) -> Vec<(usize, usize, Shared)> {
    let keys = |text: &str| {
        let words = words(text);
        if !TEMPLATE.contains(&words.len()) {
            return Vec::new();
        }
        (0..words.len()).map(|gap| without(&words, gap)).collect()
    };
    let differ_in_one = |(mine, other): &(usize, usize)| {
        let (mine, other) = (words(&own[*mine].text), words(&others[*other].text));
        mine.len() == other.len() && mine.iter().zip(&other).filter(|(one, two)| one != two).count() <= 1
    };
    // Keys are hashes, so what they find is looked at.
    let found = matches(own, others, keys).into_iter().filter(differ_in_one);
    found.map(|(mine, other)| (mine, other, Shared::Template)).collect()
}

/// The words of a text, every number the same one.
fn words(text: &str) -> Vec<String> {
    let is_number = |word: &str| word.chars().all(char::is_numeric);
    let text = normalised(text);
    text.split(' ').map(|word| if is_number(word) { "#" } else { word }.to_owned()).collect()
}

fn without(words: &[String], gap: usize) -> u64 {
    let mut hasher = DefaultHasher::new();
    (gap, words.len(), &words[..gap], &words[gap + 1..]).hash(&mut hasher);
    hasher.finish()
}
