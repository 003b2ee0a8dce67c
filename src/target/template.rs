//! A request with places for a phrase.

use serde_json::{Map, Value as Json};

/// What can be put into a request.
pub(super) const PLACES: [&str; 7] = ["text", "history", "id", "nonce", "run", "timestamp", "items"];

/// A JSON value in which `${text}` and its like stand for parts of a phrase.
///
/// The template is data, not text: what is put in is escaped by construction.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Template {
    Constant(Json),
    /// Text with places in it.
    Text(Vec<Piece>),
    /// The earlier messages, each by its own template.
    History(Box<Template>),
    /// The phrases of a batch.
    Items,
    List(Vec<Template>),
    Object(Vec<(String, Template)>),
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Piece {
    Literal(String),
    Place(&'static str),
}

/// What the places stand for in one request.
#[derive(Debug, Clone, Default)]
pub(super) struct Filling<'a> {
    pub(super) text: &'a str,
    pub(super) history: &'a [String],
    pub(super) id: &'a str,
    pub(super) nonce: &'a str,
    pub(super) run: &'a str,
    pub(super) timestamp: &'a str,
    pub(super) items: &'a [Json],
}

impl Template {
    /// Reads a template; `history_item` is how one earlier message is written where `${history}` stands.
    ///
    /// # Errors
    /// A place that does not exist.
    pub(super) fn compile(value: &Json, history_item: &Json) -> Result<Self, String> {
        Ok(match value {
            Json::String(text) if text == "${history}" => {
                Self::History(Box::new(Self::compile(history_item, &Json::Null)?))
            }
            Json::String(text) if text == "${items}" => Self::Items,
            Json::String(text) if text.contains("${") => Self::Text(pieces(text)?),
            Json::Array(items) => Self::List(
                items.iter().map(|item| Self::compile(item, history_item)).collect::<Result<_, _>>()?,
            ),
            Json::Object(entries) => Self::Object(
                entries
                    .iter()
                    .map(|(key, value)| Ok((key.clone(), Self::compile(value, history_item)?)))
                    .collect::<Result<_, String>>()?,
            ),
            constant => Self::Constant(constant.clone()),
        })
    }

    /// Whether the place occurs.
    pub(super) fn has(&self, place: &str) -> bool {
        match self {
            Self::Constant(_) => false,
            Self::Text(pieces) => {
                pieces.iter().any(|piece| matches!(piece, Piece::Place(name) if *name == place))
            }
            Self::History(_) => place == "history",
            Self::Items => place == "items",
            Self::List(items) => items.iter().any(|item| item.has(place)),
            Self::Object(entries) => entries.iter().any(|(_, value)| value.has(place)),
        }
    }

    /// The request body for a phrase.
    pub(super) fn fill(&self, filling: &Filling<'_>) -> Json {
        match self {
            Self::Constant(value) => value.clone(),
            Self::Text(pieces) => Json::String(fill_text(pieces, filling)),
            Self::History(item) => {
                let fill = |text| item.fill(&Filling { text, history: &[], ..filling.clone() });
                Json::Array(filling.history.iter().map(String::as_str).map(fill).collect())
            }
            Self::Items => Json::Array(filling.items.to_vec()),
            Self::List(items) => Json::Array(items.iter().map(|item| item.fill(filling)).collect()),
            Self::Object(entries) => Json::Object(
                entries.iter().map(|(key, value)| (key.clone(), value.fill(filling))).collect::<Map<_, _>>(),
            ),
        }
    }
}

/// Text with places, for a header or a path.
pub(super) fn pieces(text: &str) -> Result<Vec<Piece>, String> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        if !before.is_empty() {
            pieces.push(Piece::Literal(before.to_owned()));
        }
        let (name, after) =
            after.split_once('}').ok_or_else(|| format!("`{text}` has a `${{` without its `}}`"))?;
        let Some(place) = PLACES.iter().find(|place| **place == name) else {
            return Err(format!(
                "`${{{name}}}` is not known; known are {}",
                PLACES.map(|p| format!("${{{p}}}")).join(", ")
            ));
        };
        if matches!(*place, "history" | "items") {
            return Err(format!("`${{{name}}}` must stand alone as a value"));
        }
        pieces.push(Piece::Place(place));
        rest = after;
    }
    if !rest.is_empty() {
        pieces.push(Piece::Literal(rest.to_owned()));
    }
    Ok(pieces)
}

/// The text with its places filled.
pub(super) fn fill_text(pieces: &[Piece], filling: &Filling<'_>) -> String {
    pieces
        .iter()
        .map(|piece| match piece {
            Piece::Literal(text) => text,
            Piece::Place("text") => filling.text,
            Piece::Place("id") => filling.id,
            Piece::Place("nonce") => filling.nonce,
            Piece::Place("run") => filling.run,
            Piece::Place("timestamp") => filling.timestamp,
            Piece::Place(_) => "",
        })
        .collect()
}
