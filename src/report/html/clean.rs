//! Text from outside, as a page may show it.
//!
//! Escaping is maud's work. What it leaves are signs that a browser shows in a way that deceives: direction marks turn
//! the text around them, control characters vanish, and a megabyte of anything hides the rest of the page.

use std::fmt::Write;

use super::super::fit;

/// A name, a label, an id.
pub(super) const NAME: usize = 120;
/// A sentence.
pub(super) const SENTENCE: usize = 500;
/// A phrase.
pub(super) const PHRASE: usize = 2000;

/// The text in one line and at most so many signs, with a word on what was cut off.
pub(crate) fn cut(text: &str, most: usize) -> String {
    let mut signs = text.chars();
    let start: String = signs.by_ref().take(most).collect();
    let rest = signs.count();
    let mut line: String =
        fit::clean(&start).chars().map(|c| if is_noncharacter(c) { '\u{fffd}' } else { c }).collect();
    if rest > 0 {
        let _ = write!(line, "… ({} characters in all)", most + rest);
    }
    line
}

/// A name, cut to what a table bears.
pub(crate) fn name(text: &str) -> String {
    cut(text, NAME)
}

/// A sentence, cut to what a paragraph bears.
pub(crate) fn sentence(text: &str) -> String {
    cut(text, SENTENCE)
}

/// Code points that are no characters (Unicode, §23.7); an HTML parser complains of them.
fn is_noncharacter(c: char) -> bool {
    matches!(c, '\u{fdd0}'..='\u{fdef}') || u32::from(c) & 0xfffe == 0xfffe
}

/// The fragment under which a phrase stands on the page; the script makes the same one.
pub(crate) fn anchor(id: &str) -> String {
    let safe = |c: char| if c.is_ascii_alphanumeric() || "_.~-".contains(c) { c } else { '_' };
    format!("p-{}", id.chars().take(NAME).map(safe).collect::<String>())
}

/// A word as a part of a URL's fragment.
pub(crate) fn encode(word: &str) -> String {
    let mut encoded = String::with_capacity(word.len());
    for byte in word.bytes() {
        if byte.is_ascii_alphanumeric() || b"_.~-".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}
