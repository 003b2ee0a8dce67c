//! What is wrong with a file, said so that it can be mended.

use std::fmt;

use super::Position;

/// One thing that is wrong, with its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The file, as it was named to the program.
    pub file: String,
    /// Where in it.
    pub position: Position,
    /// What is wrong.
    pub message: String,
    /// How to mend it.
    pub hint: Option<String>,
    /// The line itself, without the text of phrases.
    pub line: String,
}

impl Problem {
    /// Adds advice.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// A problem with a file as a whole.
    pub fn with_file(file: &str, message: impl Into<String>) -> Self {
        Self {
            file: file.to_owned(),
            position: Position { line: 0, column: 0 },
            message: message.into(),
            hint: None,
            line: String::new(),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Position { line, column } = self.position;
        if line == 0 {
            write!(f, "{}: {}", self.file, self.message)?;
        } else {
            write!(f, "{}:{line}:{column}: {}", self.file, self.message)?;
            // A long line says nothing in a terminal, and its caret is out of sight.
            if !self.line.trim().is_empty() && column <= 100 {
                let shown: String = self.line.chars().take(110).collect();
                let gutter = line.to_string();
                write!(f, "\n  {gutter} | {}", shown.replace('\t', " "))?;
                write!(f, "\n  {:width$} | {:indent$}^", "", "", width = gutter.len(), indent = column - 1)?;
            }
        }
        if let Some(hint) = &self.hint {
            write!(f, "\n  hint: {hint}")?;
        }
        Ok(())
    }
}

/// Everything that is wrong with one or more files; never empty when it is an error.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Problems(Vec<Problem>);

impl Problems {
    /// Notes one.
    pub fn push(&mut self, problem: Problem) {
        self.0.push(problem);
    }

    /// Notes all of another list.
    pub fn extend(&mut self, more: Self) {
        self.0.extend(more.0);
    }

    /// Whether nothing is wrong.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The problems, in the order they were found.
    pub fn iter(&self) -> impl Iterator<Item = &Problem> {
        self.0.iter()
    }

    /// Sorts by file and place.
    pub fn sort(&mut self) {
        self.0.sort_by(|a, b| (&a.file, a.position).cmp(&(&b.file, b.position)));
    }
}

impl From<Problem> for Problems {
    fn from(problem: Problem) -> Self {
        Self(vec![problem])
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, problem) in self.0.iter().enumerate() {
            if i > 0 {
                writeln!(f)?;
            }
            write!(f, "{problem}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}

/// Advice on an unknown name: the nearest known one, else all of them.
pub(crate) fn nearest_hint(unknown: &str, known: &[&str]) -> String {
    match nearest(unknown, known) {
        Some(near) => format!("did you mean `{near}`?"),
        None if known.is_empty() => "no keys are known here".to_owned(),
        None => format!("known here: {}", known.join(", ")),
    }
}

/// The known name that an unknown one is most likely to mean.
pub(crate) fn nearest<'a>(unknown: &str, known: &[&'a str]) -> Option<&'a str> {
    known
        .iter()
        .map(|name| (strsim::damerau_levenshtein(unknown, name), strsim::jaro_winkler(unknown, name), *name))
        .filter(|(edits, alike, _)| *edits <= 2.max(unknown.chars().count() / 4) || *alike >= 0.9)
        .min_by(|a, b| a.0.cmp(&b.0).then(b.1.total_cmp(&a.1)))
        .map(|(.., name)| name)
}

/// The key and the known keys in serde's "unknown field" message.
pub(super) fn unknown_key(message: &str) -> Option<(&str, Vec<&str>)> {
    let rest = message.strip_prefix("unknown field `")?;
    let (key, known) = rest.split_once('`')?;
    Some((key, known.split('`').skip(1).step_by(2).collect()))
}

/// The key in serde's "missing field" message.
pub(super) fn missing_key(message: &str) -> Option<&str> {
    message.strip_prefix("missing field `")?.split('`').next()
}

/// A serde message in plain words.
pub(super) fn plain(message: &str) -> String {
    if let Some(key) = missing_key(message) {
        return format!("the key `{key}` is missing");
    }
    message
        .replace("invalid type: unit value", "found nothing")
        .replace("invalid type: map", "found a mapping")
        .replace("invalid type: sequence", "found a list")
        .replace("invalid type: ", "found ")
        .replace("invalid value: ", "found ")
}

/// The line with everything masked that could be the text of a phrase.
pub(super) fn without_texts(line: &str) -> String {
    const SPOKEN: [&str; 3] = ["text", "history", "note"];
    let body = line.trim_start_matches([' ', '-']);
    let start = line.len() - body.len();
    let key = body.split(':').next().unwrap_or_default().trim_matches(['"', '\'']);
    let is_key = body.contains(':') && !key.is_empty() && key.chars().all(|c| c.is_ascii_alphabetic() || c == '_');
    if is_key && !SPOKEN.contains(&key) && !body.contains('{') {
        return line.to_owned();
    }
    let shown = if is_key { start + body.find(':').unwrap_or_default() } else { start };
    let masked = line[shown..].chars().map(|c| if c.is_alphanumeric() { '•' } else { c });
    line[..shown].chars().chain(masked).collect()
}

/// The message with long quotations cut: they may be the text of a phrase.
pub(super) fn without_quotations(message: &str) -> String {
    let mut parts: Vec<String> = message.split('"').map(str::to_owned).collect();
    let last = parts.len().saturating_sub(1);
    for (i, part) in parts.iter_mut().enumerate() {
        let quoted = i % 2 == 1 && i < last;
        if quoted && (part.chars().count() > 24 || part.contains(' ')) {
            "…".clone_into(part);
        }
    }
    parts.join("\"")
}
