//! What deceives a machine and no reader: the text looks the same, or nearly, and is made of other characters.
//!
//! Everything here is undone by [`fold`]; a service that folds its input the same way cannot flip.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use super::draws::Draws;
use super::words::{hideable, reword};

/// Zero-width space, non-joiner, joiner, word joiner, byte-order mark.
const ZERO_WIDTH: &[char] = &['\u{200b}', '\u{200c}', '\u{200d}', '\u{2060}', '\u{feff}'];
/// Grave, acute, circumflex, diaeresis, ring, dot below.
const ACCENTS: &[char] = &['\u{300}', '\u{301}', '\u{302}', '\u{308}', '\u{30a}', '\u{323}'];
/// Right-to-left mark, left-to-right mark, Arabic letter mark: alone between Latin letters, they move nothing.
const DIRECTION_MARKS: &[char] = &['\u{200f}', '\u{200e}', '\u{61c}'];
/// Left-to-right embedding and isolate with their ends; around Latin letters, they move nothing.
const EMBEDDINGS: &[(char, char)] = &[('\u{202a}', '\u{202c}'), ('\u{2066}', '\u{2069}')];

/// Latin letters and their Cyrillic doubles (Unicode Technical Standard #39, confusables).
const DOUBLES: &[(char, char)] = &[
    ('a', 'а'),
    ('c', 'с'),
    ('d', 'ԁ'),
    ('e', 'е'),
    ('h', 'һ'),
    ('i', 'і'),
    ('j', 'ј'),
    ('o', 'о'),
    ('p', 'р'),
    ('s', 'ѕ'),
    ('x', 'х'),
    ('y', 'у'),
    ('A', 'А'),
    ('B', 'В'),
    ('C', 'С'),
    ('E', 'Е'),
    ('H', 'Н'),
    ('I', 'І'),
    ('J', 'Ј'),
    ('K', 'К'),
    ('M', 'М'),
    ('O', 'О'),
    ('P', 'Р'),
    ('S', 'Ѕ'),
    ('T', 'Т'),
    ('X', 'Х'),
    ('Y', 'У'),
];

pub(super) fn zero_width(text: &str, draws: &mut Draws) -> Option<String> {
    hide(text, draws, |word, draws| insert(word, draws, ZERO_WIDTH))
}

pub(super) fn soft_hyphen(text: &str, draws: &mut Draws) -> Option<String> {
    hide(text, draws, |word, draws| insert(word, draws, &['\u{ad}']))
}

pub(super) fn rtl(text: &str, draws: &mut Draws) -> Option<String> {
    hide(text, draws, |word, draws| {
        if draws.below(2) == 0 {
            return insert(word, draws, DIRECTION_MARKS);
        }
        let (open, close) = draws.pick(EMBEDDINGS)?;
        Some(format!("{open}{word}{close}"))
    })
}

pub(super) fn combining(text: &str, draws: &mut Draws) -> Option<String> {
    hide(text, draws, |word, draws| {
        let letters: Vec<char> = word.chars().collect();
        let chosen = draws.some_of(letters.len());
        let mut accented = String::new();
        for (at, letter) in letters.into_iter().enumerate() {
            accented.push(letter);
            if chosen.contains(&at) && letter.is_ascii_alphabetic() {
                accented.extend(draws.pick(ACCENTS));
            }
        }
        (accented != word).then_some(accented)
    })
}

/// At most half of the letters of a word that have a double, so that it is in no alphabet as a whole.
pub(super) fn homoglyph(text: &str, draws: &mut Draws) -> Option<String> {
    let double = |letter: char| DOUBLES.iter().find(|(plain, _)| *plain == letter).map(|(_, double)| *double);
    hide(text, draws, |word, draws| {
        let mut letters: Vec<char> = word.chars().collect();
        let places: Vec<usize> = (0..letters.len()).filter(|&at| double(letters[at]).is_some()).collect();
        if places.is_empty() {
            return None;
        }
        for place in draws.some_of(places.len()) {
            let letter = &mut letters[places[place]];
            *letter = double(*letter).unwrap_or(*letter);
        }
        Some(letters.into_iter().collect())
    })
}

pub(super) fn full_width(text: &str, draws: &mut Draws) -> Option<String> {
    hide(text, draws, |word, _| {
        let widen = |c: char| {
            if c.is_ascii_alphabetic() { char::from_u32(u32::from(c) + 0xfee0).unwrap_or(c) } else { c }
        };
        Some(word.chars().map(widen).collect())
    })
}

/// Changes half of the words that count, one at least.
fn hide(
    text: &str,
    draws: &mut Draws,
    change: impl FnMut(&str, &mut Draws) -> Option<String>,
) -> Option<String> {
    let words = hideable(text);
    let count = words.len().div_ceil(2);
    reword(text, words, count, draws, change)
}

/// One or two of these characters between two ASCII letters.
fn insert(word: &str, draws: &mut Draws, from: &[char]) -> Option<String> {
    let letters: Vec<char> = word.chars().collect();
    let gaps: Vec<usize> = (1..letters.len())
        .filter(|&at| letters[at - 1].is_ascii_alphabetic() && letters[at].is_ascii_alphabetic())
        .collect();
    if gaps.is_empty() {
        return None;
    }
    let chosen: Vec<usize> = draws.some_of(gaps.len()).into_iter().take(2).map(|gap| gaps[gap]).collect();
    let mut hidden = String::new();
    for (at, letter) in letters.into_iter().enumerate() {
        if chosen.contains(&at) {
            hidden.extend(draws.pick(from));
        }
        hidden.push(letter);
    }
    Some(hidden)
}

/// The text as a reader sees it: compatibility forms, accents and invisible characters gone, doubles in Latin.
///
/// What a careful service does before it looks at a message; the tests hold every dodge against it.
///
/// ```
/// use thrash::suite::perturb::fold;
///
/// assert_eq!(fold("h\u{200b}ello ｗｏｒｌｄ"), "hello world");
/// ```
pub fn fold(text: &str) -> String {
    let plain = |c: char| DOUBLES.iter().find(|(_, double)| *double == c).map_or(c, |(plain, _)| *plain);
    text.nfkd().filter(|c| !is_combining_mark(*c) && !is_invisible(*c)).map(plain).collect()
}

fn is_invisible(c: char) -> bool {
    c == '\u{ad}'
        || ZERO_WIDTH.contains(&c)
        || DIRECTION_MARKS.contains(&c)
        || EMBEDDINGS.iter().any(|(open, close)| c == *open || c == *close)
}
