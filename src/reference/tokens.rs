//! Text as tokens, in windows that fit the model.

use tokenizers::tokenizer::{Encoding, PostProcessor, Tokenizer};

use super::ReferenceError;
use super::engine::chain;
use super::folder::ModelFolder;
use super::recipe::Recipe;

/// A window of a text as the model reads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) ids: Vec<i64>,
    /// 1 for the second text of a pair; empty where all are of the first.
    pub(super) types: Vec<i64>,
}

/// A tokenizer, set up for one model.
pub(super) struct Tokens {
    tokenizer: Tokenizer,
    pub(super) padding: i64,
    /// So many tokens of text go into a window, beside special ones and the longest hypothesis.
    room: usize,
    shown: String,
}

/// Windows overlap by this share of their length, so that nothing is only seen cut in two.
const OVERLAP: usize = 4;

/// A part of a text may make so many tokens more than it did within the text.
const SLACK: usize = 4;

impl Tokens {
    pub(super) fn new(folder: &ModelFolder, recipe: &Recipe) -> Result<Self, ReferenceError> {
        let Some(json) = &folder.tokenizer else { return Err(missing(folder)) };
        let wrong = |message: String| ReferenceError::Folder {
            model: folder.shown.clone(),
            message: format!("`tokenizer.json` cannot be used: {message}"),
            hint: None,
        };
        let mut tokenizer = Tokenizer::from_bytes(json).map_err(|error| wrong(chain(error.as_ref())))?;
        let padding = tokenizer.get_padding().map_or(recipe.padding, |padding| i64::from(padding.pad_id));
        // Exports often pad every text to the full length, which costs ten times the work, and cut it there.
        tokenizer.with_padding(None);
        tokenizer.with_truncation(None).map_err(|error| wrong(chain(error.as_ref())))?;
        let mut taken = SLACK;
        let is_pair = recipe.zero_shot.is_some();
        taken += tokenizer.get_post_processor().map_or(0, |post| post.added_tokens(is_pair));
        let hypotheses = recipe.zero_shot.as_ref().map(|zero_shot| zero_shot.hypotheses.as_slice());
        let mut longest = 0;
        for hypothesis in hypotheses.unwrap_or_default() {
            let encoding = tokenizer.encode(hypothesis.as_str(), false);
            longest = longest.max(encoding.map_err(|error| wrong(chain(error.as_ref())))?.len());
        }
        let room = recipe.length.checked_sub(taken + longest).filter(|room| *room >= OVERLAP);
        let Some(room) = room else {
            return Err(wrong(format!("windows of {} tokens leave no room for text", recipe.length)));
        };
        Ok(Self { tokenizer, padding, room, shown: folder.shown.clone() })
    }

    /// The windows of a text.
    pub(super) fn windows(&self, text: &str) -> Result<Vec<Row>, ReferenceError> {
        self.parts(text)?.into_iter().map(|part| self.row(self.tokenizer.encode(part, true))).collect()
    }

    /// The windows of a text, each beside each hypothesis: the same windows for all of them.
    pub(super) fn pairs(&self, text: &str, hypotheses: &[String]) -> Result<Vec<Vec<Row>>, ReferenceError> {
        let parts = self.parts(text)?;
        let row = |part: &str, hypothesis: &str| self.row(self.tokenizer.encode((part, hypothesis), true));
        hypotheses.iter().map(|hypothesis| parts.iter().map(|part| row(part, hypothesis)).collect()).collect()
    }

    /// The text in overlapping parts that fit. The library's own windows are not used: with a stride it leaves some out.
    fn parts<'a>(&self, text: &'a str) -> Result<Vec<&'a str>, ReferenceError> {
        let encoding = self.tokenizer.encode(text, false).map_err(|_| self.unreadable())?;
        let offsets = encoding.get_offsets();
        if offsets.len() <= self.room {
            return Ok(vec![text]);
        }
        let last = offsets.len() - self.room;
        let starts = (0..last).step_by(self.room - self.room / OVERLAP).chain([last]);
        // A token may begin inside a character, and a character is not cut in two.
        let part = |start: usize| {
            let (from, to) = (offsets[start].0, offsets[start + self.room - 1].1);
            &text[text.floor_char_boundary(from)..text.ceil_char_boundary(to.max(from))]
        };
        Ok(starts.map(part).collect())
    }

    fn row(&self, encoded: tokenizers::Result<Encoding>) -> Result<Row, ReferenceError> {
        let encoding = encoded.map_err(|_| self.unreadable())?;
        let whole = |numbers: &[u32]| numbers.iter().map(|number| i64::from(*number)).collect::<Vec<i64>>();
        let (ids, types) = (whole(encoding.get_ids()), whole(encoding.get_type_ids()));
        // A text of nothing, for a tokenizer that adds nothing.
        Ok(if ids.is_empty() {
            Row { ids: vec![self.padding], types: Vec::new() }
        } else {
            Row { ids, types }
        })
    }

    /// The library's message may quote the text, so it is not passed on.
    fn unreadable(&self) -> ReferenceError {
        ReferenceError::Folder {
            model: self.shown.clone(),
            message: "its tokenizer cannot read a phrase".to_owned(),
            hint: None,
        }
    }
}

fn missing(folder: &ModelFolder) -> ReferenceError {
    let place = folder.path("");
    ReferenceError::Misfit {
        model: folder.shown.clone(),
        expected: "`tokenizer.json` beside the model".to_owned(),
        found: "none".to_owned(),
        hint: Some(format!(
            "this makes one: python3 -c \"from transformers import AutoTokenizer; \
             AutoTokenizer.from_pretrained('MODEL_ID').save_pretrained('{}')\"",
            place.trim_end_matches('/')
        )),
    }
}
