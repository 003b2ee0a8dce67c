//! The words of a message, and which of them may be touched.

use std::ops::Range;

use super::draws::Draws;

/// Words that turn a sentence around, or say how much: a slip in them could change what is meant.
const PROTECTED: &[&str] = &[
    "aint", "almost", "arent", "barely", "cannot", "cant", "couldnt", "didnt", "doesnt", "dont", "except",
    "hadnt", "hardly", "hasnt", "havent", "instead", "isnt", "neither", "never", "nobody", "none", "noone",
    "nope", "nothing", "nowhere", "only", "quit", "rarely", "scarcely", "shouldnt", "stop", "stopped",
    "unless", "until", "used", "wasnt", "werent", "without", "wont", "wouldnt",
];

/// A word and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Word<'a> {
    /// Its place, in bytes.
    pub(super) at: Range<usize>,
    /// The word as it is written.
    pub(super) written: &'a str,
}

impl Word<'_> {
    /// The word in lower case.
    pub(super) fn lower(&self) -> String {
        self.written.to_lowercase()
    }

    fn letters(&self) -> usize {
        self.written.chars().count()
    }

    /// Whether a slip in it leaves the meaning: ASCII letters only (so no `don't`), no negation.
    fn is_plain(&self) -> bool {
        self.written.bytes().all(|byte| byte.is_ascii_alphabetic())
            && !PROTECTED.contains(&self.lower().as_str())
    }
}

pub(super) fn is_apostrophe(c: char) -> bool {
    matches!(c, '\'' | '’')
}

/// Runs of letters with the apostrophes inside them; not in addresses, mentions, tags, or beside digits.
pub(super) fn words(text: &str) -> Vec<Word<'_>> {
    let mut words = Vec::new();
    let mut from = 0;
    for chunk in text.split(char::is_whitespace) {
        let is_prose = !chunk.contains(|c: char| matches!(c, '@' | '#' | '_') || c.is_numeric())
            && !chunk.contains("://")
            && !chunk.starts_with("www.");
        if is_prose {
            words.extend(in_chunk(chunk, from));
        }
        from += chunk.len();
        from += text[from..].chars().next().map_or(0, char::len_utf8);
    }
    words
}

fn in_chunk(chunk: &str, from: usize) -> Vec<Word<'_>> {
    let mut words = Vec::new();
    let mut rest = 0;
    for run in chunk.split(|c: char| !c.is_alphabetic() && !is_apostrophe(c)) {
        let written = run.trim_matches(is_apostrophe);
        let start = rest + (run.len() - run.trim_start_matches(is_apostrophe).len());
        if !written.is_empty() {
            words.push(Word { at: from + start..from + start + written.len(), written });
        }
        rest += run.len();
        rest += chunk[rest..].chars().next().map_or(0, char::len_utf8);
    }
    words
}

/// The words that a slip may touch: four letters or more, and nothing that turns the sentence around.
pub(super) fn slippery(text: &str) -> Vec<Word<'_>> {
    words(text).into_iter().filter(|word| word.letters() >= 4 && word.is_plain()).collect()
}

/// The words that a held key may touch: three letters or more, and `so`.
pub(super) fn stretchable(text: &str) -> Vec<Word<'_>> {
    let long_enough = |word: &Word<'_>| word.letters() >= 3 || word.lower() == "so";
    let negates = |word: &Word<'_>| ["not", "nah", "nor"].contains(&word.lower().as_str());
    words(text).into_iter().filter(|word| long_enough(word) && word.is_plain() && !negates(word)).collect()
}

/// The words that a dodge hides: four ASCII letters or more; in a message without any, whatever words there are.
///
/// A reader sees no difference, so negations need no shelter here.
pub(super) fn hideable(text: &str) -> Vec<Word<'_>> {
    let ascii = |word: &Word<'_>| word.written.bytes().filter(u8::is_ascii_alphabetic).count();
    let mut all = words(text);
    all.retain(|word| ascii(word) >= 2);
    let long: Vec<Word<'_>> = all.iter().filter(|word| ascii(word) >= 4).cloned().collect();
    if long.is_empty() { all } else { long }
}

/// How many slips a message of this length has: one in five words, one at least, three at most.
pub(super) fn slips(text: &str) -> usize {
    (text.split_whitespace().count() / 5).clamp(1, 3)
}

/// The text with up to `count` of these words, drawn, replaced by what `change` makes of them; `None` when it makes
/// nothing of any.
pub(super) fn reword(
    text: &str,
    mut words: Vec<Word<'_>>,
    count: usize,
    draws: &mut Draws,
    mut change: impl FnMut(&str, &mut Draws) -> Option<String>,
) -> Option<String> {
    draws.shuffle(&mut words);
    let mut changes: Vec<(Range<usize>, String)> = Vec::new();
    for word in words {
        if changes.len() == count {
            break;
        }
        changes.extend(change(word.written, draws).map(|changed| (word.at, changed)));
    }
    (!changes.is_empty()).then(|| replace(text, changes))
}

/// The text with these places replaced; they do not overlap.
pub(super) fn replace(text: &str, mut changes: Vec<(Range<usize>, String)>) -> String {
    changes.sort_by_key(|(at, _)| at.start);
    let mut whole = String::with_capacity(text.len() + 16);
    let mut from = 0;
    for (at, with) in changes {
        whole.push_str(&text[from..at.start]);
        whole.push_str(&with);
        from = at.end;
    }
    whole.push_str(&text[from..]);
    whole
}

/// The text with a sentence after it.
pub(super) fn then(text: &str, sentence: &str) -> String {
    let text = text.trim_end();
    let is_open = text.ends_with(char::is_alphanumeric);
    format!("{text}{} {sentence}", if is_open { "." } else { "" })
}
