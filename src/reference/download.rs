//! Files from the network: what fetching a library and pulling a model have in common.

use std::time::Duration;

use reqwest::header::{HeaderMap, RANGE};
use reqwest::{Client, Response, StatusCode, Url};

use crate::domain::Secret;
use crate::target::download_client;

/// Longer than this no connection is silent.
const IDLE: Duration = Duration::from_mins(1);

/// No page or list is larger than this.
const LARGEST_PAGE: usize = 16 << 20;

/// What did not come. The address is shown without the passwords in it.
#[derive(Debug, thiserror::Error)]
#[error("cannot get `{url}`: {reason}")]
pub struct DownloadError {
    /// From where.
    pub url: String,
    /// Why not.
    pub reason: String,
    /// The status, if there was an answer.
    pub status: Option<u16>,
}

impl DownloadError {
    pub(super) fn new(url: &str, reason: impl Into<String>) -> Self {
        Self { url: shown(url), reason: reason.into(), status: None }
    }

    fn of(url: &str, error: reqwest::Error) -> Self {
        let status = error.status().map(|status| status.as_u16());
        // The error quotes the address, perhaps with a password.
        Self { url: shown(url), reason: super::engine::chain(&error.without_url()), status }
    }
}

/// A page, read to its end.
pub(super) struct Page {
    /// Where it came from in the end.
    pub(super) url: Url,
    pub(super) headers: HeaderMap,
    pub(super) bytes: Vec<u8>,
}

impl Page {
    /// Its address without the passwords in it.
    pub(super) fn shown(&self) -> String {
        shown(self.url.as_str())
    }
}

/// Whoever gets files.
pub(super) struct Downloads {
    client: Client,
    token: Option<Secret>,
}

/// A file on its way.
pub(super) struct Download {
    url: String,
    pub(super) answer: Response,
}

impl Downloads {
    /// `token` is sent to the addresses that are asked for, and to none that they redirect to elsewhere. `url` is for the
    /// error.
    pub(super) fn new(token: Option<Secret>, url: &str) -> Result<Self, DownloadError> {
        let client = download_client(IDLE).map_err(|error| DownloadError::of(url, error))?;
        Ok(Self { client, token })
    }

    /// Asks for a file, from a byte of it on.
    pub(super) async fn get(&self, url: &str, from: u64) -> Result<Download, DownloadError> {
        let mut request = self.client.get(url);
        // An address with a login of its own gets none beside it.
        let has_login = Url::parse(url).is_ok_and(|url| !url.username().is_empty());
        if let Some(token) = self.token.as_ref().filter(|_| !has_login) {
            request = request.bearer_auth(token.expose());
        }
        if from > 0 {
            request = request.header(RANGE, format!("bytes={from}-"));
        }
        let answer = request.send().await.map_err(|error| DownloadError::of(url, error))?;
        // That there is nothing from there on is for the caller to judge.
        let answer = if answer.status() == StatusCode::RANGE_NOT_SATISFIABLE {
            answer
        } else {
            answer.error_for_status().map_err(|error| DownloadError::of(url, error))?
        };
        Ok(Download { url: url.to_owned(), answer })
    }

    /// Asks for a page.
    pub(super) async fn page(&self, url: &str) -> Result<Page, DownloadError> {
        let mut download = self.get(url, 0).await?;
        let (base, headers) = (download.answer.url().clone(), download.answer.headers().clone());
        let mut bytes = Vec::new();
        while let Some(piece) = download.piece().await? {
            bytes.extend_from_slice(piece.as_ref());
            if bytes.len() > LARGEST_PAGE {
                return Err(DownloadError::new(url, "the page is too large for a list of files"));
            }
        }
        Ok(Page { url: base, headers, bytes })
    }
}

impl Download {
    /// The next piece; none at the end.
    pub(super) async fn piece(&mut self) -> Result<Option<impl AsRef<[u8]> + use<>>, DownloadError> {
        self.answer.chunk().await.map_err(|error| DownloadError::of(&self.url, error))
    }
}

/// An address without name, password and query.
pub(super) fn shown(url: &str) -> String {
    let Ok(mut url) = Url::parse(url) else { return "an address that is none".to_owned() };
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.set_query(None);
    url.set_fragment(None);
    url.to_string()
}
