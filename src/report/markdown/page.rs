//! A page of blocks that ends before it grows too long.

use std::fmt::Write;

use super::escape::prose;

/// A comment on GitHub holds fewer than 65,536 characters, so a page has room for the note that it was cut.
const MOST: usize = 65_000;
/// A table takes so many characters of it, so that one does not crowd out the others.
const MOST_OF_TABLE: usize = 12_000;

/// Markdown in the making.
#[derive(Debug, Default)]
pub(super) struct Page {
    text: String,
    length: usize,
    left_out: usize,
}

impl Page {
    /// Adds a block: a heading, a paragraph, a table.
    pub(super) fn block(&mut self, block: impl AsRef<str>) {
        let block = block.as_ref().trim_end();
        let length = block.chars().count() + 2;
        if block.is_empty() {
            return;
        }
        if self.length + length > MOST {
            self.left_out += 1;
            return;
        }
        if !self.text.is_empty() {
            self.text.push('\n');
        }
        self.text.push_str(block);
        self.text.push('\n');
        self.length += length;
    }

    /// Adds a list of warnings.
    pub(super) fn warnings(&mut self, sentences: &[String]) {
        let lines: Vec<String> =
            sentences.iter().map(|sentence| format!("- ⚠️ {}", prose(sentence))).collect();
        self.block(lines.join("\n"));
    }

    /// Adds a block that is folded under a summary.
    pub(super) fn details(&mut self, summary: &str, body: &str) {
        if !body.is_empty() {
            self.block(format!("<details><summary>{summary}</summary>\n\n{}\n\n</details>", body.trim_end()));
        }
    }

    pub(super) fn finish(mut self) -> String {
        if self.left_out > 0 {
            let parts = if self.left_out == 1 { "part did" } else { "parts did" };
            let _ = writeln!(
                self.text,
                "\n*{} {parts} not fit in here; the record has everything.*",
                self.left_out
            );
        }
        self.text
    }
}

/// A table of at most so many rows; what does not fit is counted below it. Nothing without a row.
pub(super) fn table<T>(
    head: &[&str],
    items: impl IntoIterator<Item = T>,
    most: usize,
    row: impl Fn(T) -> Vec<String>,
) -> String {
    let mut text = format!("| {} |\n|{}\n", head.join(" | "), " --- |".repeat(head.len()));
    let (mut length, mut shown, mut left_out) = (text.chars().count(), 0, 0);
    for item in items {
        let mut fits = left_out == 0 && shown < most;
        if fits {
            let line = format!("| {} |\n", row(item).join(" | "));
            length += line.chars().count();
            fits = length <= MOST_OF_TABLE;
            if fits {
                text.push_str(&line);
                shown += 1;
            }
        }
        left_out += usize::from(!fits);
    }
    if left_out > 0 {
        let _ = writeln!(text, "\n… and {left_out} more");
    }
    if shown + left_out == 0 { String::new() } else { text }
}
