//! Messages that are posted to a place of somebody's own: a chat's webhook.

use std::time::{Duration, SystemTime};

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Client, Method, Url, redirect};
use tokio::time::timeout;

use super::client::explain;
use super::http_time::retry_after;
use crate::domain::{Phase, Secret, Wait};

/// A client for webhooks. It follows no redirect, tries nothing twice, and reads no answer beyond its header.
#[derive(Debug, Clone)]
pub struct WebhookClient(Client);

/// What a webhook answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WebhookAnswer {
    /// The status.
    pub status: u16,
    /// How long it asks to wait.
    pub retry_after: Option<Duration>,
}

impl WebhookClient {
    /// A client whose connections take at most so long.
    ///
    /// # Errors
    /// TLS cannot be set up.
    pub fn new(connect_timeout: Duration) -> Result<Self, reqwest::Error> {
        Client::builder()
            .user_agent(concat!("thrash/", env!("CARGO_PKG_VERSION")))
            .redirect(redirect::Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .no_gzip()
            .connect_timeout(connect_timeout)
            .pool_max_idle_per_host(0)
            .build()
            .map(Self)
    }

    /// Posts JSON. The error says what happened, and never where: the URL is a secret.
    ///
    /// # Errors
    /// No answer came.
    pub async fn post(
        &self,
        url: &Secret,
        headers: &[(&'static str, String)],
        body: Vec<u8>,
        deadline: Duration,
    ) -> Result<WebhookAnswer, String> {
        let url = Url::parse(url.expose()).map_err(|_| "its URL is none".to_owned())?;
        let mut map = HeaderMap::from_iter([(
            reqwest::header::CONTENT_TYPE,
            HeaderValue::from_static("application/json"),
        )]);
        for (name, value) in headers {
            let value =
                HeaderValue::from_str(value).map_err(|_| format!("the header `{name}` cannot be sent"))?;
            map.insert(HeaderName::from_static(name), value);
        }
        let request = self.0.request(Method::POST, url).headers(map).body(body).send();
        match timeout(deadline, request).await {
            Err(_) => Err(format!("no answer came within {}", Wait(deadline))),
            Ok(Err(error)) => Err(explain(&error, Phase::Headers).none.detail),
            Ok(Ok(answer)) => {
                let asked = answer.headers().get("retry-after").and_then(|value| value.to_str().ok());
                let asked = asked.map(|value| ("retry-after".to_owned(), value.to_owned()));
                let retry_after = retry_after(asked.as_slice(), SystemTime::now());
                Ok(WebhookAnswer { status: answer.status().as_u16(), retry_after })
            }
        }
    }
}
