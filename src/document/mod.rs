//! YAML files that people write, and what is wrong with them.
//!
//! Suites, target contracts, configuration and scenarios are all read through [`Document`]: it knows the line and
//! column of everything in a file, collects every problem instead of the first, names the nearest known key, and
//! never quotes the text of a phrase nor a secret.

mod position;
mod problem;

use std::sync::OnceLock;

use serde::de::DeserializeOwned;
use serde_path_to_error::Segment;
use serde_yaml::Value;

pub use position::{Path, Position, Step};
pub use problem::{Problem, Problems};
pub(crate) use problem::{nearest, nearest_hint, plain, without_quotations};

use position::{DEEPEST, Positions, Stop};

/// How many problems of one value are looked for before the rest is left for the next try.
const MOST_PROBLEMS: usize = 25;

/// So many opening brackets may stand in a text that could not be scanned: the parser is done with them in no time,
/// even if each lies in the one before.
const MOST_UNSEEN: usize = 5_000;

fn too_deep() -> String {
    format!("it is nested deeper than {DEEPEST} levels")
}

/// Which lines of a file hold texts that must not be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Private {
    /// None.
    Nothing,
    /// Any.
    Anything,
    /// Those of one key at the top.
    Below(&'static str),
}

/// One YAML document with the places of everything in it.
#[derive(Debug, Clone)]
pub struct Document {
    name: String,
    text: String,
    private: Private,
    value: Value,
    positions: OnceLock<Positions>,
}

impl Document {
    /// Parses a document; `name` is how the file is called in messages.
    ///
    /// # Errors
    /// The one place where the text stops being YAML.
    pub fn parse(name: &str, text: &str) -> Result<Self, Problems> {
        Self::read(name, text, Private::Nothing)
    }

    /// As [`Document::parse`], for a file whose texts must not appear in messages.
    pub fn parse_private(name: &str, text: &str) -> Result<Self, Problems> {
        Self::read(name, text, Private::Anything)
    }

    /// As [`Document::parse`], for a file in which the texts of one key at the top must not appear in messages.
    ///
    /// # Errors
    /// The one place where the text stops being YAML.
    pub fn parse_private_below(name: &str, text: &str, key: &'static str) -> Result<Self, Problems> {
        Self::read(name, text, Private::Below(key))
    }

    fn read(name: &str, text: &str, private: Private) -> Result<Self, Problems> {
        let mut document = Self {
            name: name.to_owned(),
            // A byte order mark is no part of the document, and would shift the first column.
            text: text.strip_prefix('\u{feff}').unwrap_or(text).to_owned(),
            private,
            value: Value::Null,
            positions: OnceLock::new(),
        };
        document.refuse_depth()?;
        match serde_yaml::from_str::<Value>(&document.text) {
            // A text file has come where it does not belong, and its words may be anybody's.
            Ok(Value::String(_)) => {
                let hint = "a file of keys and values is expected here: `key: value`, a line each";
                let mut problem = Problem::with_file(name, "this is plain text").with_hint(hint);
                problem.position = Position { line: 1, column: 1 };
                return Err(problem.into());
            }
            Ok(value) => document.value = value,
            Err(error) => return Err(document.syntax_problem(&error).into()),
        }
        if let Err(error) = document.value.apply_merge() {
            return Err(document.problem(&Path::root(), error.to_string()).into());
        }
        Ok(document)
    }

    /// Refuses what lies too deep in one another before the parser sees it: it takes a step for each bracket that is
    /// open, at each sign, and would take hours over a hundred thousand of them.
    fn refuse_depth(&mut self) -> Result<(), Problems> {
        let brackets = self.text.bytes().filter(|sign| b"[{".contains(sign)).count();
        if brackets <= DEEPEST {
            return Ok(());
        }
        let (positions, stop) = Positions::scan(&self.text);
        self.positions = OnceLock::from(positions);
        match stop {
            Some(Stop::Deep(at)) => Err(self.problem_at(at, &too_deep()).into()),
            // What the two do not agree on is left to the parser, unless it could hide what takes so long.
            Some(Stop::Broken(at, why)) if brackets > MOST_UNSEEN => {
                Err(self.problem_at(at, &format!("this is not YAML: {why}")).into())
            }
            Some(Stop::Broken(..)) | None => Ok(()),
        }
    }

    fn syntax_problem(&self, error: &serde_yaml::Error) -> Problem {
        let position = error
            .location()
            .map_or(Position { line: 1, column: 1 }, |at| Position { line: at.line(), column: at.column() });
        let text = error.to_string();
        // The position is said by the problem itself.
        let message = text.split(" at line ").next().unwrap_or(&text);
        // The parser says where the mapping begins, or nothing.
        let repeated = message.strip_prefix("duplicate entry with key ").map(|key| key.trim_matches('"'));
        let position = repeated.and_then(|key| self.positions().repeated(key)).unwrap_or(position);
        if message == "recursion limit exceeded" {
            return self.problem_at(position, &too_deep());
        }
        let problem = self.problem_at(position, &format!("this is not YAML: {message}"));
        if self
            .text
            .lines()
            .any(|line| line.starts_with('\t') || line.trim_start_matches(' ').starts_with('\t'))
        {
            problem.with_hint("YAML is indented with spaces, and there is a tab at the start of a line")
        } else {
            problem
        }
    }

    /// How the file is called in messages.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The whole document, merge keys applied.
    pub fn value(&self) -> &Value {
        &self.value
    }

    /// The place of a value, or of the closest thing around it that is there.
    pub fn position(&self, path: &Path) -> Position {
        self.positions().value(path)
    }

    fn positions(&self) -> &Positions {
        self.positions.get_or_init(|| Positions::scan(&self.text).0)
    }

    /// A problem with the value at `path`.
    pub fn problem(&self, path: &Path, message: impl Into<String>) -> Problem {
        self.problem_at(self.position(path), &message.into())
    }

    /// A problem with the key at the end of `path`.
    pub fn key_problem(&self, path: &Path, message: impl Into<String>) -> Problem {
        self.problem_at(self.positions().key(path), &message.into())
    }

    /// Whether a line, from 1, may hold what must not be shown. A key ends where another one begins a line; all that
    /// stands beside it on one line or in braces is taken to be of it.
    fn is_private(&self, line: usize) -> bool {
        let Private::Below(key) = self.private else { return self.private == Private::Anything };
        let mut is_private = false;
        for line in self.text.lines().take(line) {
            if line.contains(key) {
                is_private = true;
            } else if line.split_once(':').is_some_and(|(other, _)| {
                !other.is_empty() && other.bytes().all(|sign| sign.is_ascii_alphanumeric() || sign == b'_')
            }) {
                is_private = false;
            }
        }
        is_private
    }

    fn problem_at(&self, position: Position, message: &str) -> Problem {
        let line = self.text.lines().nth(position.line.saturating_sub(1)).unwrap_or_default();
        let (line, message) = if self.is_private(position.line) {
            (problem::without_texts(line), problem::without_quotations(message))
        } else {
            (problem::without_secrets(line), problem::without_passwords(message))
        };
        Problem { file: self.name.clone(), position, message, hint: None, line }
    }

    /// Decodes the whole document.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn decode<T: DeserializeOwned>(&self) -> Result<T, Problems> {
        self.decode_part(&self.value, &Path::root())
    }

    /// Decodes a part of the document that stands at `path`.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn decode_part<T: DeserializeOwned>(&self, value: &Value, path: &Path) -> Result<T, Problems> {
        match self.decode_around(value, path) {
            (Some(decoded), problems) if problems.is_empty() => Ok(decoded),
            (_, mut problems) => {
                problems.sort();
                Err(problems)
            }
        }
    }

    /// Decodes a whole document that stands on another value: `merged` is that value with the document laid over it,
    /// `below` the value itself.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn decode_merged<T: DeserializeOwned>(&self, merged: &Value, below: &Value) -> Result<T, Problems> {
        match self.decode_parts(merged, &Path::root(), Some(below)) {
            (Some(decoded), problems) if problems.is_empty() => Ok(decoded),
            (_, mut problems) => {
                problems.sort();
                Err(problems)
            }
        }
    }

    /// Decodes as much of a part as can be decoded, and tells what cannot.
    ///
    /// There is no value if nothing is left that makes one.
    pub fn decode_around<T: DeserializeOwned>(&self, value: &Value, path: &Path) -> (Option<T>, Problems) {
        self.decode_parts(value, path, None)
    }

    /// A problem is noted, the value it lies in is taken out (or what stands `below` put in its place), and the rest is
    /// tried again: so all of them are found.
    fn decode_parts<T: DeserializeOwned>(
        &self,
        value: &Value,
        path: &Path,
        below: Option<&Value>,
    ) -> (Option<T>, Problems) {
        let mut problems = Problems::default();
        let mut rest = value.clone();
        let mut removed: Vec<Path> = Vec::new();
        while problems.len() < MOST_PROBLEMS {
            let error = match serde_path_to_error::deserialize::<_, T>(rest.clone()) {
                Ok(decoded) => return (Some(decoded), problems),
                Err(error) => error,
            };
            let inside = local_path(error.path());
            let message = error.inner().to_string();
            let missing = problem::missing_key(&message).map(|key| inside.join(Step::Key(key.to_owned())));
            // What was taken out is missing now, and has had its word.
            if missing.is_some_and(|key| removed.contains(&key)) {
                break;
            }
            let (problem, bad) = self.explain(path, &inside, &message);
            problems.push(problem);
            let Some(key) = take_out(&mut rest, &bad, below) else { break };
            if removed.contains(&key) {
                break;
            }
            removed.push(key);
        }
        (None, problems)
    }

    /// The problem behind a serde message, and the path of what has to go before more can be found.
    fn explain(&self, base: &Path, inside: &Path, message: &str) -> (Problem, Path) {
        let Some((key, known)) = problem::unknown_key(message) else {
            return (self.problem(&base.concat(inside), problem::plain(message)), inside.clone());
        };
        let bad = if inside.last_key() == Some(key) {
            inside.clone()
        } else {
            inside.join(Step::Key(key.to_owned()))
        };
        let problem = self
            .key_problem(&base.concat(&bad), format!("unknown key `{key}`"))
            .with_hint(problem::nearest_hint(key, &known));
        (problem, bad)
    }
}

fn local_path(path: &serde_path_to_error::Path) -> Path {
    let mut steps = Path::root();
    for segment in path {
        match segment {
            Segment::Seq { index } => steps = steps.join(Step::Index(*index)),
            Segment::Map { key } => steps = steps.join(Step::Key(key.clone())),
            Segment::Enum { .. } | Segment::Unknown => {}
        }
    }
    steps
}

/// Removes the mapping entry that the path lies in, or puts what stands below in its place, and tells which that was.
/// Whole lists go, never an item: the places of the items after it would shift.
fn take_out(value: &mut Value, path: &Path, below: Option<&Value>) -> Option<Path> {
    let mut path = path.clone();
    while matches!(path.last(), Some(Step::Index(_))) {
        path = path.parent();
    }
    let key = path.last_key()?.to_owned();
    let mut holder = value;
    for step in path.parent().steps() {
        holder = match step {
            Step::Key(key) => holder.get_mut(key.as_str())?,
            Step::Index(index) => holder.get_mut(*index)?,
        };
    }
    let below = below.and_then(|below| {
        path.steps().iter().try_fold(below, |value, step| match step {
            Step::Key(key) => value.get(key.as_str()),
            Step::Index(index) => value.get(*index),
        })
    });
    let holder = holder.as_mapping_mut()?;
    match below {
        Some(below) => holder.insert(Value::from(key), below.clone()),
        None => holder.shift_remove(key.as_str()),
    };
    Some(path)
}
