//! Text made to fit: cleaned of what a terminal would obey, cut and wrapped by the columns that it takes.

use std::borrow::Cow;

use console::measure_text_width as width_of;

/// What stands for the part that was cut off.
const CUT: char = '…';

/// The text in one line, without anything that a terminal or a CI runner would act on.
///
/// Answers, phrases and file names come from outside: an escape sequence in one of them could recolour the report or
/// hide a line of it, a direction mark could turn one around, and runners obey `##[…]` and `##vso[…]` anywhere.
pub fn clean(text: &str) -> String {
    let mut cleaned = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' | '\r' | '\t' | '\u{2028}' | '\u{2029}' => cleaned.push(' '),
            '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
                cleaned.push('\u{fffd}');
            }
            '#' if cleaned.ends_with('#') => cleaned.push_str(" #"),
            c if c.is_control() => cleaned.push('\u{fffd}'),
            c => cleaned.push(c),
        }
    }
    cleaned
}

/// The text line by line as [`clean`] leaves it, and with nothing at the start of a line that GitHub's runner would obey.
pub fn clean_lines(text: &str) -> String {
    let mut cleaned = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let (line, end) = line.strip_suffix('\n').map_or((line, ""), |line| (line, "\n"));
        cleaned.push_str(&disarmed(&clean(line.strip_suffix('\r').unwrap_or(line))));
        cleaned.push_str(end);
    }
    cleaned
}

/// The line with nothing that GitHub's runner would obey: it takes `::` at the start of one for a command.
pub(super) fn disarmed(line: &str) -> Cow<'_, str> {
    if line.trim_start().starts_with("::") { line.replacen("::", ": :", 1).into() } else { line.into() }
}

/// The text in at most `width` columns; `…` stands for what was cut off its end.
pub(super) fn cut(text: &str, width: usize) -> String {
    if width_of(text) <= width {
        return text.to_owned();
    }
    if width == 0 {
        return String::new();
    }
    let mut kept = text[..longest_start(text, width - 1)].to_owned();
    kept.push(CUT);
    kept
}

/// The text in at most `width` columns; `…` stands for what was cut off its start, since a path tells most at its end.
pub(super) fn cut_start(text: &str, width: usize) -> String {
    if width_of(text) <= width {
        return text.to_owned();
    }
    let start = text.char_indices().map(|(at, _)| at).find(|at| width_of(&text[*at..]) < width);
    start.filter(|_| width > 0).map_or_else(String::new, |at| format!("{CUT}{}", &text[at..]))
}

/// The text with spaces that [`wrap`] does not break at.
pub(super) fn unbroken(text: &str) -> String {
    text.replace(' ', "\u{a0}")
}

/// The text in lines: the first of at most `first` columns, the others of at most `rest`.
pub(super) fn wrap(text: &str, first: usize, rest: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in words(text) {
        // The spaces that held it together have done their work.
        let word = word.replace('\u{a0}', " ");
        let mut word = word.as_str();
        loop {
            let width = if lines.len() == 1 { first } else { rest }.max(1);
            let Some(line) = lines.last_mut() else { break };
            let gap = usize::from(!line.is_empty());
            if width_of(line) + gap + width_of(word) <= width {
                line.push_str(if gap == 1 { " " } else { "" });
                line.push_str(word);
                break;
            }
            if line.is_empty() {
                // The word alone is wider than a line.
                let end = longest_start(word, width).max(word.chars().next().map_or(0, char::len_utf8));
                line.push_str(&word[..end]);
                word = &word[end..];
            }
            if word.is_empty() {
                break;
            }
            lines.push(String::new());
        }
    }
    lines
}

/// The text's words; a number stays with what it counts, and a `%` with its number.
fn words(text: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        match words.last_mut() {
            Some(last) if word.starts_with('%') || is_number(last) => {
                last.push(' ');
                last.push_str(word);
            }
            _ => words.push(word.to_owned()),
        }
    }
    words
}

fn is_number(word: &str) -> bool {
    word.chars().all(|c| c.is_ascii_digit() || c == '.')
}

/// Where the longest start of the text that takes at most `width` columns ends, in bytes.
///
/// Widths are measured over the whole start: joined emoji are narrower than their parts, and a variation selector
/// widens the sign before it.
fn longest_start(text: &str, width: usize) -> usize {
    // Signs without width can pile up without end.
    let most = width.saturating_mul(8);
    let ends = text.char_indices().map(|(at, c)| at + c.len_utf8()).take(most);
    ends.take_while(|end| width_of(&text[..*end]) <= width).last().unwrap_or(0)
}
