//! What fingers do.
//!
//! Slips stay inside words of four letters or more, spare negations, keep the first letter, and never make another
//! common word (`living` → `loving`), so that a reader still reads the same message.

use super::draws::Draws;
use super::real_words::is_real_word;
use super::words::{Word, reword, slippery, slips, stretchable, words};

/// The keys around each letter on a QWERTY keyboard.
const NEIGHBOURS: [&str; 26] = [
    "qwsz", "vghn", "xdfv", "serfcx", "wrsd", "drtgvc", "ftyhbv", "gyujnb", "uojk", "huikmn", "jiolm", "kop",
    "njk", "bhjm", "ipkl", "ol", "wa", "etdf", "awedxz", "ryfg", "yihj", "cfgb", "qeas", "zsdc", "tugh",
    "asx",
];

/// Signs that stand for letters, as in `h3lp`.
const LEET: &[(char, &[char])] = &[
    ('a', &['4', '@']),
    ('e', &['3']),
    ('i', &['1', '!']),
    ('o', &['0']),
    ('s', &['5', '$']),
    ('t', &['7']),
];

/// Parts that a split word must not show: they would say something of their own (`the rapist`, `not able`).
const TELLING_PARTS: &[&str] = &[
    "an", "and", "ass", "cut", "dead", "die", "end", "ended", "ending", "for", "get", "gun", "hang", "hell",
    "here", "hurt", "if", "ill", "in", "is", "kill", "less", "man", "me", "my", "no", "not", "now", "off",
    "on", "or", "out", "over", "pill", "rape", "rapist", "rapists", "rope", "self", "sex", "so", "the", "to",
    "un", "up", "us",
];

/// Emoji that neither weep nor laugh.
const EMOJI: &[&str] = &["✨", "🌙", "☁️", "🍃", "🎧", "📱", "🧃", "🪴"];

/// All letters in upper case that come back from it.
pub(super) fn upper(text: &str) -> String {
    text.chars()
        .map(|c| single(c.to_uppercase()).filter(|up| single(up.to_lowercase()) == Some(c)).unwrap_or(c))
        .collect()
}

/// All letters in lower case.
pub(super) fn lower(text: &str) -> String {
    text.chars().map(|c| single(c.to_lowercase()).unwrap_or(c)).collect()
}

fn single(mut chars: impl Iterator<Item = char>) -> Option<char> {
    chars.next().filter(|_| chars.next().is_none())
}

pub(super) fn typo(text: &str, draws: &mut Draws) -> Option<String> {
    slip(text, draws, |word| {
        let hit = |at: usize| {
            let letter = word[at];
            let neighbours = NEIGHBOURS[usize::from(letter.to_ascii_lowercase() as u8 - b'a')];
            neighbours.chars().map(move |key| {
                let mut slipped = word.to_vec();
                slipped[at] = if letter.is_ascii_uppercase() { key.to_ascii_uppercase() } else { key };
                slipped
            })
        };
        (1..word.len() - 1).flat_map(hit).collect()
    })
}

pub(super) fn swap(text: &str, draws: &mut Draws) -> Option<String> {
    slip(text, draws, |word| {
        let swapped = |at: usize| {
            let mut slipped = word.to_vec();
            slipped.swap(at, at + 1);
            slipped
        };
        (1..word.len() - 1).filter(|&at| !word[at].eq_ignore_ascii_case(&word[at + 1])).map(swapped).collect()
    })
}

pub(super) fn delete(text: &str, draws: &mut Draws) -> Option<String> {
    slip(text, draws, |word| {
        let without = |at: usize| [&word[..at], &word[at + 1..]].concat();
        (1..word.len() - 1).map(without).collect()
    })
}

pub(super) fn double(text: &str, draws: &mut Draws) -> Option<String> {
    slip(text, draws, |word| {
        let same =
            |a: usize, b: usize| word.get(a).is_some_and(|letter| letter.eq_ignore_ascii_case(&word[b]));
        let doubled = |at: usize| [&word[..=at], &word[at..]].concat();
        // Three in a row would be a held key.
        (1..word.len()).filter(|&at| !same(at - 1, at) && !same(at + 1, at)).map(doubled).collect()
    })
}

/// Slips in some words; `slipped` lists everything a word can become, and one of that is drawn.
fn slip(text: &str, draws: &mut Draws, slipped: impl Fn(&[char]) -> Vec<Vec<char>>) -> Option<String> {
    reword(text, slippery(text), slips(text), draws, |word, draws| {
        let letters: Vec<char> = word.chars().collect();
        let mut outcomes: Vec<String> = slipped(&letters).into_iter().map(String::from_iter).collect();
        outcomes.retain(|outcome| outcome != word && !is_real_word(&outcome.to_ascii_lowercase()));
        (!outcomes.is_empty()).then(|| outcomes.swap_remove(draws.below(outcomes.len())))
    })
}

/// `hop eless`, or `a l o n e`.
pub(super) fn space_add(text: &str, draws: &mut Draws) -> Option<String> {
    reword(text, slippery(text), slips(text), draws, |word, draws| {
        let says_nothing = |part: &str| !TELLING_PARTS.contains(&part.to_ascii_lowercase().as_str());
        let mut outcomes: Vec<String> = (2..word.len() - 1)
            .map(|at| word.split_at(at))
            .filter(|(left, right)| says_nothing(left) && says_nothing(right))
            .map(|(left, right)| format!("{left} {right}"))
            .collect();
        if word.len() <= 8 {
            let letters: Vec<String> = word.chars().map(String::from).collect();
            outcomes.push(letters.join(" "));
        }
        (!outcomes.is_empty()).then(|| outcomes.swap_remove(draws.below(outcomes.len())))
    })
}

/// `so tiredof it`.
pub(super) fn space_drop(text: &str, draws: &mut Draws) -> Option<String> {
    let long = slippery(text);
    let all = words(text);
    let joins = |pair: &[Word<'_>]| {
        let between = pair[0].at.end..pair[1].at.start;
        let plain = |word: &Word<'_>| long.contains(word) || is_little(&word.lower());
        (text[between.clone()] == *" "
            && pair.iter().any(|word| long.contains(word))
            && pair.iter().all(plain))
        .then_some(Word { at: between.clone(), written: &text[between] })
    };
    let gaps = all.windows(2).filter_map(joins).collect();
    reword(text, gaps, slips(text), draws, |_, _| Some(String::new()))
}

/// Short words that run into their neighbours without making another word; `a` (`a part`) and negations are none.
fn is_little(word: &str) -> bool {
    [
        "and", "are", "but", "for", "her", "his", "is", "me", "my", "of", "our", "she", "the", "was", "we",
        "you", "your",
    ]
    .contains(&word)
}

/// `h3lp`, `w0rthl3ss`; some letters always stay.
pub(super) fn leet(text: &str, draws: &mut Draws) -> Option<String> {
    reword(text, slippery(text), slips(text), draws, |word, draws| {
        let signs = |letter: char| {
            LEET.iter().find(|(plain, _)| letter.eq_ignore_ascii_case(plain)).map(|(_, signs)| *signs)
        };
        let mut letters: Vec<char> = word.chars().collect();
        let places: Vec<usize> = (0..letters.len()).filter(|&at| signs(letters[at]).is_some()).collect();
        if places.is_empty() {
            return None;
        }
        for at in draws.some_of(places.len().min(letters.len() - 1)) {
            let at = places[at];
            letters[at] = signs(letters[at]).and_then(|signs| draws.pick(signs)).unwrap_or(letters[at]);
        }
        Some(letters.into_iter().collect())
    })
}

/// `sooo tireeed`: the last vowel of a word, three to five times.
pub(super) fn elongate(text: &str, draws: &mut Draws) -> Option<String> {
    reword(text, stretchable(text), slips(text), draws, |word, draws| {
        let at = word.rfind(|c: char| matches!(c.to_ascii_lowercase(), 'a' | 'e' | 'i' | 'o' | 'u'))?;
        let more = 2 + draws.below(3);
        Some(format!("{}{}{}", &word[..=at], word[at..=at].repeat(more), &word[at + 1..]))
    })
}

/// One emoji after it, or the same twice.
pub(super) fn emoji(text: &str) -> Vec<String> {
    let text = text.trim_end();
    EMOJI.iter().flat_map(|emoji| [format!("{text} {emoji}"), format!("{text} {emoji}{emoji}")]).collect()
}

/// All of it left out, or more at the end.
pub(super) fn punctuation(text: &str) -> Vec<String> {
    let is_mark = |c: char| matches!(c, '.' | ',' | '!' | '?' | ';' | ':' | '…');
    let body = text.trim_end();
    let spoken = body.trim_end_matches(is_mark);
    if spoken.is_empty() {
        return Vec::new();
    }
    // A question stays one.
    let ends: &[&str] =
        if body[spoken.len()..].contains('?') { &["??", " ?", "?.."] } else { &[".", "...", "..", " ."] };
    let mut outcomes = vec![without_marks(text, is_mark)];
    outcomes.extend(ends.iter().map(|end| format!("{spoken}{end}")));
    outcomes.retain(|outcome| outcome != text);
    outcomes.dedup();
    outcomes
}

/// Without the marks that end something: those inside `3.5`, `a.m.` and `:)` stay, and so do quotation marks, which say
/// that somebody else speaks.
fn without_marks(text: &str, is_mark: impl Fn(char) -> bool + Copy) -> String {
    let mut bare = String::with_capacity(text.len());
    for chunk in text.split_inclusive(char::is_whitespace) {
        let word = chunk.trim_end_matches(char::is_whitespace);
        let spoken = word.trim_end_matches(is_mark);
        // `:` alone and `a.m.` are no ends of a sentence.
        let keep = spoken.is_empty() || spoken.contains('.');
        bare.push_str(if keep { word } else { spoken });
        bare.push_str(&chunk[word.len()..]);
    }
    bare
}
