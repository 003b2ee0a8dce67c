//! Words from outside, made harmless.

use super::super::fit;
use crate::domain::{Level, LevelSet};

/// So many characters of a name are shown.
const LONGEST_NAME: usize = 80;
/// So many of a sentence.
const LONGEST_SENTENCE: usize = 400;
/// Breaks a mention or a link apart and is not seen; GitHub looks for mentions after entities are resolved.
const BREAK: &str = "&#8203;";

/// A name as code, in which nothing links or mentions.
pub(super) fn code(name: &str) -> String {
    let name = short(name, LONGEST_NAME);
    if name.is_empty() {
        return "–".to_owned();
    }
    // A backtick ends code, a bar a table's cell, a backslash guards either.
    if !name.contains(['`', '|', '\\']) {
        return format!("`{name}`");
    }
    let entities = name.chars().map(|c| if c.is_ascii_punctuation() { entity(c) } else { c.to_string() });
    format!("<code>{}</code>", entities.collect::<String>())
}

/// A sentence as text, anywhere but at the start of a line.
pub(super) fn prose(sentence: &str) -> String {
    let sentence = short(sentence, LONGEST_SENTENCE);
    let mut text = String::with_capacity(sentence.len());
    for c in sentence.chars() {
        match c {
            '@' | '#' => text.extend([&entity(c), BREAK]),
            '/' if text.ends_with(':') => text.extend(["/", BREAK]),
            // Before the point: `www.` would start a link whatever comes after it.
            '.' if text.to_ascii_lowercase().ends_with("www") => text.extend([BREAK, "."]),
            '`' | '|' | '\\' | '<' | '>' | '&' | '*' | '[' | ']' | '~' | '$' => text.push_str(&entity(c)),
            // Within a word it marks nothing up.
            '_' if !text.ends_with(char::is_alphanumeric) => text.push_str(&entity(c)),
            c => text.push(c),
        }
    }
    text
}

/// The text in one line of at most so many characters.
fn short(text: &str, most: usize) -> String {
    let text = fit::clean(text);
    let text = text.trim();
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", text[..end].trim_end()),
        None => text.to_owned(),
    }
}

/// Levels, without the bar that would end a table's cell.
pub(super) fn levels(levels: LevelSet) -> String {
    levels.iter().map(Level::as_str).collect::<Vec<_>>().join(", ")
}

fn entity(c: char) -> String {
    format!("&#{};", u32::from(c))
}
