//! Lines and columns of the values of a document.

use saphyr_parser::{Event, Parser, Span};

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

#[derive(Debug)]
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
#[derive(Debug)]
pub(super) struct Positions {
    root: Option<Node>,
}

impl Positions {
    /// Scans a text that is known to be YAML; where the scan stops, places are those of what is around.
    pub(super) fn scan(text: &str) -> Self {
        let mut events = Parser::new_from_str(text).map_while(Result::ok).filter(|(event, _)| {
            !matches!(event, Event::StreamStart | Event::DocumentStart(_) | Event::Nothing)
        });
        let root = events.next().and_then(|(event, span)| node(&event, span, &mut events));
        Self { root }
    }

    /// The place of the value at the path, or of the nearest thing above it.
    pub(super) fn value(&self, path: &Path) -> Position {
        self.descend(path).map_or(Position { line: 1, column: 1 }, |(_, node)| node.position())
    }

    /// The place of the key at the end of the path, or of the nearest thing above it.
    pub(super) fn key(&self, path: &Path) -> Position {
        self.descend(path).map_or(Position { line: 1, column: 1 }, |(key, _)| key)
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

fn node<'a>(
    event: &Event<'a>,
    span: Span,
    events: &mut impl Iterator<Item = (Event<'a>, Span)>,
) -> Option<Node> {
    let position = Position::from(span);
    match event {
        Event::SequenceStart(..) => {
            let mut items = Vec::new();
            while let Some((event, span)) = events.next() {
                let Some(item) = node(&event, span, events) else { break };
                items.push(item);
            }
            Some(Node::List(position, items))
        }
        Event::MappingStart(..) => {
            let mut entries = Vec::new();
            while let Some((event, span)) = events.next() {
                let name = match &event {
                    Event::Scalar(name, ..) => name.to_string(),
                    Event::MappingEnd => break,
                    _ => String::new(),
                };
                let Some(key) = node(&event, span, events) else { break };
                let Some(value) = events.next().and_then(|(event, span)| node(&event, span, events)) else {
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
