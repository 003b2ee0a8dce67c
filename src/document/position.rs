//! Lines and columns of the values of a document.

use std::fmt;

use saphyr_parser::{Event, Parser, Span, StrInput};

/// A place in a file; both numbers count from 1, columns in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// The line.
    pub line: usize,
    /// The column.
    pub column: usize,
}

impl From<Span> for Position {
    fn from(span: Span) -> Self {
        Self { line: span.start.line(), column: span.start.col() + 1 }
    }
}

/// One step down into a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// To the value of a key.
    Key(String),
    /// To an item of a list, from 0.
    Index(usize),
}

impl From<&str> for Step {
    fn from(key: &str) -> Self {
        Self::Key(key.to_owned())
    }
}

impl From<usize> for Step {
    fn from(index: usize) -> Self {
        Self::Index(index)
    }
}

/// The way from the top of a document to a value.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Path(Vec<Step>);

impl Path {
    /// The whole document.
    pub const fn root() -> Self {
        Self(Vec::new())
    }

    /// The path of a key such as `service.base_path`.
    pub fn of(key: &str) -> Self {
        Self(key.split('.').map(Step::from).collect())
    }

    /// One step further down.
    #[must_use]
    pub fn join(&self, step: impl Into<Step>) -> Self {
        let mut steps = self.0.clone();
        steps.push(step.into());
        Self(steps)
    }

    pub(super) fn concat(&self, below: &Self) -> Self {
        Self(self.0.iter().chain(&below.0).cloned().collect())
    }

    pub(super) fn parent(&self) -> Self {
        Self(self.0[..self.0.len().saturating_sub(1)].to_vec())
    }

    pub(super) fn steps(&self) -> &[Step] {
        &self.0
    }

    pub(super) fn last(&self) -> Option<&Step> {
        self.0.last()
    }

    pub(super) fn last_key(&self) -> Option<&str> {
        match self.0.last()? {
            Step::Key(key) => Some(key),
            Step::Index(_) => None,
        }
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, step) in self.0.iter().enumerate() {
            match step {
                Step::Key(key) if place == 0 => write!(f, "{key}")?,
                Step::Key(key) => write!(f, ".{key}")?,
                Step::Index(index) => write!(f, "[{index}]")?,
            }
        }
        Ok(())
    }
}

#[derive(Debug, Clone)]
enum Node {
    Leaf(Position),
    List(Position, Vec<Node>),
    Map(Position, Vec<(String, Position, Node)>),
}

impl Node {
    fn position(&self) -> Position {
        match self {
            Self::Leaf(position) | Self::List(position, _) | Self::Map(position, _) => *position,
        }
    }

    fn child(&self, step: &Step) -> Option<(Position, &Self)> {
        match (self, step) {
            (Self::List(_, items), Step::Index(index)) => {
                items.get(*index).map(|node| (node.position(), node))
            }
            (Self::Map(_, entries), Step::Key(key)) => {
                entries.iter().find(|(name, ..)| name == key).map(|(_, position, node)| (*position, node))
            }
            _ => None,
        }
    }
}

/// The places of everything in a document.
#[derive(Debug, Clone)]
pub(super) struct Positions {
    root: Option<Node>,
}

/// How a scan ended before the end of the text.
#[derive(Debug)]
pub(super) enum Stop {
    /// Something stands there within more than [`DEEPEST`] others.
    Deep(Position),
    /// The text is not what the scanner takes for YAML.
    Broken(Position, String),
}

/// So many mappings and lists may stand in one another.
pub(super) const DEEPEST: usize = 100;

impl Positions {
    /// Scans a text in one pass, however it is nested; where the scan stops, places are those of what is around.
    pub(super) fn scan(text: &str) -> (Self, Option<Stop>) {
        let mut scanner = Scanner { events: Parser::new_from_str(text), stop: None };
        let root = scanner.next().and_then(|(event, span)| scanner.node(&event, span, 0));
        // A second document is refused elsewhere, by a parser that reads it whole first.
        let mut depth = 0_usize;
        while let Some((event, span)) = scanner.next() {
            match event {
                Event::SequenceStart(..) | Event::MappingStart(..) if depth == DEEPEST => {
                    scanner.stop = Some(Stop::Deep(span.into()));
                }
                Event::SequenceStart(..) | Event::MappingStart(..) => depth += 1,
                Event::SequenceEnd | Event::MappingEnd => depth = depth.saturating_sub(1),
                _ => {}
            }
        }
        (Self { root }, scanner.stop)
    }

    /// The place of the value at the path, or of the nearest thing above it.
    pub(super) fn value(&self, path: &Path) -> Position {
        self.descend(path).map_or(Position { line: 1, column: 1 }, |(_, node)| node.position())
    }

    /// The place of the key at the end of the path, or of the nearest thing above it.
    pub(super) fn key(&self, path: &Path) -> Position {
        self.descend(path).map_or(Position { line: 1, column: 1 }, |(key, _)| key)
    }

    /// Where a key stands for the second time in a mapping.
    pub(super) fn repeated(&self, key: &str) -> Option<Position> {
        fn within(node: &Node, key: &str) -> Option<Position> {
            match node {
                Node::Leaf(_) => None,
                Node::List(_, items) => items.iter().find_map(|item| within(item, key)),
                Node::Map(_, entries) => {
                    let mut same = entries.iter().filter(|(name, ..)| name == key);
                    let second = same.nth(1).map(|(_, position, _)| *position);
                    second.or_else(|| entries.iter().find_map(|(.., node)| within(node, key)))
                }
            }
        }
        self.root.as_ref().and_then(|root| within(root, key))
    }

    fn descend(&self, path: &Path) -> Option<(Position, &Node)> {
        let mut node = self.root.as_ref()?;
        let mut key = node.position();
        for step in path.steps() {
            let Some((next_key, next)) = node.child(step) else { break };
            (key, node) = (next_key, next);
        }
        Some((key, node))
    }
}

/// What the scanner says of flow collections that lie deeper in one another than it counts; that is deeper than
/// [`DEEPEST`].
const TOO_DEEP: &str = "recursion limit exceeded";

/// The events of a text, until something stops them.
struct Scanner<'a> {
    events: Parser<'a, StrInput<'a>>,
    stop: Option<Stop>,
}

impl<'a> Scanner<'a> {
    fn next(&mut self) -> Option<(Event<'a>, Span)> {
        while self.stop.is_none() {
            match self.events.next()? {
                Ok((Event::StreamStart | Event::DocumentStart(_) | Event::Nothing, _)) => {}
                Ok(found) => return Some(found),
                Err(error) => {
                    let at = Position { line: error.marker().line(), column: error.marker().col() + 1 };
                    let deep = error.info() == TOO_DEEP;
                    self.stop =
                        Some(if deep { Stop::Deep(at) } else { Stop::Broken(at, error.info().to_owned()) });
                }
            }
        }
        None
    }

    fn node(&mut self, event: &Event<'a>, span: Span, depth: usize) -> Option<Node> {
        let position = Position::from(span);
        if depth >= DEEPEST && matches!(event, Event::SequenceStart(..) | Event::MappingStart(..)) {
            self.stop = Some(Stop::Deep(position));
            return None;
        }
        match event {
            Event::SequenceStart(..) => {
                let mut items = Vec::new();
                while let Some((event, span)) = self.next() {
                    let Some(item) = self.node(&event, span, depth + 1) else { break };
                    items.push(item);
                }
                Some(Node::List(position, items))
            }
            Event::MappingStart(..) => {
                let mut entries = Vec::new();
                while let Some((event, span)) = self.next() {
                    let name = match &event {
                        Event::Scalar(name, ..) => name.to_string(),
                        Event::MappingEnd => break,
                        _ => String::new(),
                    };
                    let Some(key) = self.node(&event, span, depth + 1) else { break };
                    let value = self.next();
                    let Some(value) = value.and_then(|(event, span)| self.node(&event, span, depth + 1))
                    else {
                        break;
                    };
                    entries.push((name, key.position(), value));
                }
                Some(Node::Map(position, entries))
            }
            Event::Scalar(..) | Event::Alias(_) => Some(Node::Leaf(position)),
            _ => None,
        }
    }
}
