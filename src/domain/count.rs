//! Counts with their words.

use std::fmt::Display;

/// A count with its word, as `1 phrase`, `25 phrases`.
pub fn count(count: impl Display, one: &str, many: &str) -> String {
    let count = count.to_string();
    let word = if count == "1" { one } else { many };
    format!("{count} {word}")
}
