//! What is wrong with a file, said so that it can be mended.

use std::fmt;

use super::Position;

/// One thing that is wrong, with its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The file, as it was named to the program; empty for a name that was typed.
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

impl Problem {
    fn in_a_line(&self) -> String {
        let Position { line, column } = self.position;
        let said = match (self.file.as_str(), line) {
            ("", _) => self.message.clone(),
            (file, 0) => format!("{file}: {}", self.message),
            (file, _) => format!("{file}:{line}:{column}: {}", self.message),
        };
        let hint = self.hint.as_ref().map_or_else(String::new, |hint| format!(" ({hint})"));
        format!("{said}{hint}").split_whitespace().collect::<Vec<_>>().join(" ")
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Position { line, column } = self.position;
        if self.file.is_empty() {
            write!(f, "{}", self.message)?;
        } else if line == 0 {
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

/// So many problems are said on one line.
const SAID: usize = 3;

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

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether nothing is wrong.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The problems, in the order they were found.
    pub fn iter(&self) -> impl Iterator<Item = &Problem> {
        self.0.iter()
    }

    /// The first few on one line, without the lines of the files: for those who cannot open them.
    pub fn in_a_line(&self) -> String {
        let mut said: Vec<String> = self.0.iter().take(SAID).map(Problem::in_a_line).collect();
        if self.0.len() > SAID {
            said.push(format!("and {} more", self.0.len() - SAID));
        }
        said.join("; ")
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
        None if known.is_empty() => "nothing is known here".to_owned(),
        None => format!("known here: {}", known.join(", ")),
    }
}

/// The known name that an unknown one is most likely to mean.
pub(crate) fn nearest<'a>(unknown: &str, known: &[&'a str]) -> Option<&'a str> {
    known
        .iter()
        .map(|name| (strsim::damerau_levenshtein(unknown, name), strsim::jaro_winkler(unknown, name), *name))
        .filter(|(edits, alike, _)| *edits <= 1.max(unknown.chars().count() / 4) || *alike >= 0.9)
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
pub(crate) fn plain(message: &str) -> String {
    if let Some(key) = missing_key(message) {
        return format!("the key `{key}` is missing");
    }
    let message = match message.split_once("expected struct ") {
        Some((before, _)) => format!("{before}expected a mapping"),
        None => message.to_owned(),
    };
    message
        .replace("invalid type: unit value", "found nothing")
        .replace("invalid type: map", "found a mapping")
        .replace("invalid type: sequence", "found a list")
        .replace("invalid type: ", "found ")
        .replace("invalid value: ", "found ")
        .replace("expected a sequence", "expected a list")
        .replace("expected a map", "expected a mapping")
        .replace("mappingping", "mapping")
        .replace("expected u16", "expected a whole number from 0 to 65535")
        .replace("expected u32", "expected a whole number from 0 to 4294967295")
        .replace("expected u64", "expected a whole number, 0 or more")
        .replace("expected usize", "expected a whole number, 0 or more")
        .replace("expected f64", "expected a number")
        .replace("invalid socket address syntax", "this is no address with a port, such as `127.0.0.1:8884`")
}

/// Signs of what must not be seen become dots; everything keeps its column.
fn masked(text: &str) -> String {
    text.chars().map(|c| if c.is_alphanumeric() { '•' } else { c }).collect()
}

/// The key at the start of a line, with the place where its value begins.
fn key_of(line: &str) -> Option<(&str, usize)> {
    let body = line.trim_start_matches([' ', '\t', '-']);
    let colon = body.find(':')?;
    let key = body[..colon].trim_matches(['"', '\'', ' ']);
    Some((key, line.len() - body.len() + colon))
}

/// The line of a phrase file with everything masked that could be the text of a phrase: only lines are shown that
/// begin with a key whose value is none. A line in the middle of a text looks like anything.
pub(super) fn without_texts(line: &str) -> String {
    const SHOWN: [&str; 14] = [
        "category",
        "expected",
        "escalation",
        "de_escalation",
        "target_accuracy",
        "critical",
        "must_pass",
        "phrases",
        "id",
        "tags",
        "capability",
        "pair",
        "seed_of",
        "language",
    ];
    const SPOKEN: [&str; 4] = ["title", "text", "history", "note"];
    match key_of(line) {
        // The list of phrases on one line holds their texts.
        Some((key, colon))
            if SHOWN.contains(&key)
                && key != "phrases"
                && !line.contains('{')
                && !SPOKEN.iter().any(|spoken| line.contains(spoken))
                && is_of_names(&line[colon + 1..]) =>
        {
            line.to_owned()
        }
        Some((key, colon)) if SHOWN.contains(&key) || SPOKEN.contains(&key) => {
            format!("{}{}", &line[..colon], masked(&line[colon..]))
        }
        _ => masked(line),
    }
}

/// Longest word without a digit or a `_` that is taken for a name, in bytes.
const LONGEST_WORD: usize = 24;

/// Whether it looks like an id, a level or a number, and not like a word of somebody's. A short word may be either: it is
/// shown, for it is mostly a level or a name with a typing error.
fn is_name(word: &str) -> bool {
    word.chars().all(|c| c.is_ascii_alphanumeric() || "_-.:/%{}$".contains(c))
        && (word.len() <= LONGEST_WORD || word.contains(|c: char| c.is_ascii_digit() || c == '_'))
}

/// Whether what stands behind a key is one name or a list of some: two words beside each other are a text.
fn is_of_names(value: &str) -> bool {
    let value = value.split(" #").next().unwrap_or_default();
    let names = value.split([',', '[', ']']).map(|name| name.trim().trim_matches(['"', '\'']));
    names.filter(|name| !name.is_empty()).all(is_name)
}

/// The message of a phrase file with its quotations cut: they may be the text of a phrase. What stands in backticks is
/// a name, unless it does not look like one.
pub(crate) fn without_quotations(message: &str) -> String {
    let cut = |text: &str, sign: char, shown: &dyn Fn(&str) -> bool| {
        let mut parts: Vec<&str> = text.split(sign).collect();
        // A quotation mark inside a quotation leaves an odd end, which is cut as well.
        let whole = parts.len() % 2 == 1;
        let last = parts.len() - 1;
        for (i, part) in parts.iter_mut().enumerate() {
            if i % 2 == 1 && !(shown(part) && (whole || i < last)) {
                *part = "…";
            }
        }
        parts.join(&sign.to_string())
    };
    let outer = match (message.find('"'), message.rfind('"')) {
        (Some(first), Some(last)) if first < last => {
            format!("{}\"…\"{}", &message[..first], &message[last + 1..])
        }
        _ => message.to_owned(),
    };
    cut(&outer, '`', &is_name)
}

/// The line of a file with its secrets masked: passwords in URLs, and values of keys that are called after one.
pub(super) fn without_secrets(line: &str) -> String {
    const SECRET: [&str; 8] =
        ["key", "token", "secret", "password", "authorization", "cookie", "webhook", "url_env"];
    let lower = line.to_ascii_lowercase();
    let first = SECRET.iter().filter_map(|word| lower.find(word)).min();
    // From the first such word on, since a mapping on one line has its keys anywhere.
    let value = first.and_then(|at| Some(at + line.get(at..)?.find(':')?));
    match value {
        Some(at) => format!("{}{}", without_passwords(&line[..at]), masked(&line[at..])),
        None => without_passwords(line),
    }
}

/// The text with users and passwords of URLs masked.
pub(super) fn without_passwords(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (before, after) = rest.split_at(at + 3);
        let end = after.find([' ', '"', '\'', '`', ',', ']', '}']).unwrap_or(after.len());
        let user = after[..end].rfind('@').unwrap_or(0);
        shown.push_str(before);
        shown.push_str(&masked(&after[..user]));
        rest = &after[user..];
    }
    shown + rest
}
