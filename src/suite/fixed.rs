//! Requests that are all alike, as a suite of one.

use sha2::{Digest, Sha256};

use super::{Suite, hex};
use crate::domain::{Phrase, Selection, SuiteRecord};

impl Suite {
    /// Stands for requests that all have this body: `phrase` gives them a place in the counts, and is never sent.
    pub fn of_fixed_body(phrase: Phrase, body: &str) -> Self {
        let hash = hex(&Sha256::digest(body));
        let name = "fixed body".to_owned();
        let record = SuiteRecord {
            name: name.clone(),
            hash: hash.clone(),
            selection_hash: hash,
            available: 1,
            selected: 1,
            left_out: 0,
            left_out_must_pass: 0,
            selection: Selection::default(),
        };
        Self {
            name,
            title: "one and the same request".to_owned(),
            categories: Vec::new(),
            phrases: vec![Phrase { id: "fixed-body".to_owned(), ..phrase }],
            record,
        }
    }
}
