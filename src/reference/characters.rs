//! Text as numbers for a model without a tokenizer: the scheme `folded-1` of `docs/reference.md`.

use serde::Deserialize;
use unicode_normalization::UnicodeNormalization;

/// The number of padding.
pub(super) const PADDING: i64 = 0;

/// The first number that code points beyond printable ASCII share.
const FIRST_SHARED: u32 = 97;

/// The fewest numbers that leave room for sharing.
const FEWEST_BUCKETS: u32 = 128;

/// How characters become numbers. The names and meanings are part of the format of `thrash.yaml`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CharacterScheme {
    /// Which rules.
    pub scheme: SchemeName,
    /// How many numbers there are: rows of the model's embedding.
    #[serde(default = "buckets")]
    pub buckets: u32,
    /// The most code points that the model sees at once.
    #[serde(default = "length")]
    pub length: usize,
    /// From the start of one window of a long text to the start of the next.
    #[serde(default = "step")]
    pub step: usize,
}

const fn buckets() -> u32 {
    1024
}

const fn length() -> usize {
    256
}

const fn step() -> usize {
    128
}

/// The known sets of rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum SchemeName {
    /// Quotes folded, NFKC, lower case, marks removed, runs shortened.
    #[serde(rename = "folded-1")]
    Folded1,
}

impl CharacterScheme {
    /// What is wrong with the numbers, if something is.
    pub fn complaint(&self) -> Option<String> {
        if self.buckets < FEWEST_BUCKETS {
            Some(format!("`buckets` is at least {FEWEST_BUCKETS}, not {}", self.buckets))
        } else if self.length == 0 || self.step == 0 || self.step > self.length {
            Some(format!("`step` is from 1 to `length`, not {} of {}", self.step, self.length))
        } else {
            None
        }
    }

    /// The windows of a text, each as numbers; at least one, none of them empty.
    pub fn windows(&self, text: &str) -> Vec<Vec<i64>> {
        let numbers: Vec<i64> = fold(text).chars().map(|c| self.number(c)).collect();
        if numbers.len() <= self.length {
            return vec![numbers];
        }
        let last = numbers.len() - self.length;
        (0..last)
            .step_by(self.step)
            .chain([last])
            .map(|start| numbers[start..start + self.length].to_vec())
            .collect()
    }

    fn number(&self, c: char) -> i64 {
        let code = u32::from(c);
        if (0x20..=0x7E).contains(&code) {
            return i64::from(code - 30);
        }
        // Knuth's multiplicative hash; the upper half is the well-mixed one.
        let mixed = code.wrapping_mul(2_654_435_761) >> 16;
        i64::from(FIRST_SHARED + mixed % (self.buckets - FIRST_SHARED))
    }
}

/// The text as the model sees it: never empty.
pub fn fold(text: &str) -> String {
    let mut folded: Vec<char> = Vec::with_capacity(text.len());
    for c in text.chars().map(plain_mark).nfkc().flat_map(char::to_lowercase) {
        if is_removed(c) {
            continue;
        }
        let c = if is_space(c) { ' ' } else { c };
        if c == ' ' && folded.last().is_none_or(|last| *last == ' ') {
            continue;
        }
        if folded.len() >= 3 && folded[folded.len() - 3..].iter().all(|earlier| *earlier == c) {
            continue;
        }
        folded.push(c);
    }
    if folded.last() == Some(&' ') {
        folded.pop();
    }
    if folded.is_empty() { " ".to_owned() } else { folded.into_iter().collect() }
}

/// Typographic quotes and dashes as typewriters have them.
const fn plain_mark(c: char) -> char {
    match c {
        '\u{2018}'..='\u{201B}' | '\u{02BC}' | '\u{00B4}' | '\u{0060}' | '\u{2032}' => '\'',
        '\u{201C}'..='\u{201F}' | '\u{2033}' | '\u{00AB}' | '\u{00BB}' => '"',
        '\u{2010}'..='\u{2015}' | '\u{2212}' => '-',
        other => other,
    }
}

/// Controls, invisible marks, variation selectors, skin tones, tags.
const fn is_removed(c: char) -> bool {
    matches!(
        c,
        '\u{00}'..='\u{08}'
            | '\u{0E}'..='\u{1F}'
            | '\u{7F}'..='\u{84}'
            | '\u{86}'..='\u{9F}'
            | '\u{AD}'
            | '\u{034F}'
            | '\u{061C}'
            | '\u{180E}'
            | '\u{200B}'..='\u{200F}'
            | '\u{202A}'..='\u{202E}'
            | '\u{2060}'..='\u{206F}'
            | '\u{FE00}'..='\u{FE0F}'
            | '\u{FEFF}'
            | '\u{1F3FB}'..='\u{1F3FF}'
            | '\u{E0000}'..='\u{E007F}'
    )
}

/// White space that is left after NFKC; a list of our own, because languages differ.
const fn is_space(c: char) -> bool {
    matches!(c, '\u{09}'..='\u{0D}' | ' ' | '\u{85}' | '\u{1680}' | '\u{2028}' | '\u{2029}')
}
