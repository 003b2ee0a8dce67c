//! Requests that are ready to be sent: headers with their secrets, bodies with their phrases.

use std::sync::atomic::Ordering;

use chrono::Utc;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, Url};
use serde_json::Value as Json;

use super::ask::Target;
use super::client::ConnectionError;
use super::contract::{Contract, HeaderSource};
use super::template::{Filling, Piece, fill_text};
use crate::domain::Phrase;

/// One request, ready to be sent.
pub(super) struct Outgoing {
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) headers: HeaderMap,
    pub(super) body: Option<Vec<u8>>,
}

/// A header's value: known, or different in every request.
pub(super) enum HeaderFill {
    Fixed(HeaderValue),
    Pieces(Vec<Piece>),
}

impl Target {
    /// A request for what is not a phrase: the health, or a decision.
    pub(super) fn look_at(&self, url: Url, id: &str) -> Outgoing {
        Outgoing { method: Method::GET, url, headers: self.headers(id, ""), body: None }
    }

    /// The headers of a request; every one says that it is a test.
    fn headers(&self, id: &str, nonce: &str) -> HeaderMap {
        let filling = Filling { id, nonce, run: &self.options.run, ..Filling::default() };
        let mut headers = HeaderMap::with_capacity(self.headers.len() + 2);
        headers.insert(HeaderName::from_static("x-thrash-run"), self.run_header.clone());
        for (name, fill) in &self.headers {
            let value = match fill {
                HeaderFill::Fixed(value) => Some(value.clone()),
                HeaderFill::Pieces(pieces) => HeaderValue::from_str(&fill_text(pieces, &filling)).ok(),
            };
            if let Some(value) = value {
                headers.insert(name.clone(), value);
            }
        }
        headers
    }

    /// The request that asks about the phrases.
    ///
    /// # Errors
    /// There are many of them, and the contract has no batch endpoint.
    pub(super) fn outgoing(&self, phrases: &[&Phrase]) -> Result<Outgoing, String> {
        self.outgoing_as(phrases, &self.next_nonce())
    }

    /// What no other request of the run has.
    pub(super) fn next_nonce(&self) -> String {
        format!("{}-{}", self.options.run, self.nonce.fetch_add(1, Ordering::Relaxed))
    }

    /// The same with a nonce of the caller's.
    pub(super) fn outgoing_as(&self, phrases: &[&Phrase], nonce: &str) -> Result<Outgoing, String> {
        let timestamp = Utc::now().to_rfc3339_opts(chrono::SecondsFormat::Millis, true);
        let common = Filling { nonce, run: &self.options.run, timestamp: &timestamp, ..Filling::default() };
        let request = &self.contract.request;
        let (path, body, id) = match (&self.contract.batch, phrases) {
            (_, [phrase]) => (&request.path, request.body.fill(&common.with(phrase)), phrase.id.as_str()),
            (Some(batch), _) => {
                let items: Vec<Json> =
                    phrases.iter().map(|phrase| batch.item.fill(&common.with(phrase))).collect();
                (&batch.path, batch.body.fill(&Filling { items: &items, ..common.clone() }), "batch")
            }
            (None, _) => return Err("the contract has no batch endpoint".to_owned()),
        };
        let mut headers = self.headers(id, nonce);
        headers.entry(CONTENT_TYPE).or_insert(HeaderValue::from_static("application/json"));
        let body = serde_json::to_vec(&body).map_err(|_| "the request is no JSON".to_owned())?;
        let url = self.contract.url(path);
        Ok(Outgoing { method: request.method.clone(), url, headers, body: Some(body) })
    }
}

impl<'a> Filling<'a> {
    fn with(&self, phrase: &'a Phrase) -> Self {
        Self { text: &phrase.text, history: &phrase.history, id: &phrase.id, ..self.clone() }
    }
}

/// The headers of a contract, the secrets in them looked up.
///
/// # Errors
/// A variable that is not set, or that no header can hold.
pub(super) fn header_fills(
    contract: &Contract,
    environment: &dyn Fn(&str) -> Option<String>,
) -> Result<Vec<(HeaderName, HeaderFill)>, ConnectionError> {
    let mut fills = Vec::new();
    for (name, source) in &contract.request.headers {
        let fill = match source {
            HeaderSource::Text(pieces) => HeaderFill::Pieces(pieces.clone()),
            HeaderSource::Env { variable, optional } => match environment(variable) {
                None if *optional => continue,
                None => {
                    return Err(ConnectionError::MissingVariable {
                        target: contract.name.clone(),
                        variable: variable.clone(),
                        header: name.to_string(),
                    });
                }
                Some(value) => {
                    let mut value =
                        HeaderValue::from_str(&value).map_err(|_| ConnectionError::BadVariable {
                            target: contract.name.clone(),
                            variable: variable.clone(),
                        })?;
                    value.set_sensitive(true);
                    HeaderFill::Fixed(value)
                }
            },
        };
        fills.push((name.clone(), fill));
    }
    Ok(fills)
}
