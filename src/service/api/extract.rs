//! What a request says, or the problem with it.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::header::CONTENT_TYPE;
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use serde::de::{DeserializeOwned, Error as _, IgnoredAny};
use serde::{Deserialize, Deserializer};

use crate::domain::RunId;
use crate::service::problem::Problem;
use crate::service::{Caller, Service};

/// The JSON that came with a request.
#[derive(Debug)]
pub(super) struct Body<T>(pub(super) T);

/// The query of a request; a member that means nothing here is a problem.
#[derive(Debug)]
pub(in crate::service) struct Query<T>(pub(in crate::service) T);

/// The `{id}` of a path.
#[derive(Debug)]
pub(in crate::service) struct Id(pub(in crate::service) RunId);

impl<T: DeserializeOwned> FromRequest<Arc<Service>> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &Arc<Service>) -> Result<Self, Problem> {
        if !is_json(request.headers()) {
            let detail = "the body must be JSON, and say so: `Content-Type: application/json`";
            return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, detail));
        }
        let limit = state.config.settings.service.body_limit;
        let bytes = Bytes::from_request(request, state).await.map_err(|rejection| {
            match axum::response::IntoResponse::into_response(rejection).status() {
                StatusCode::PAYLOAD_TOO_LARGE => Problem::new(
                    StatusCode::PAYLOAD_TOO_LARGE,
                    format!("the body is larger than {limit} bytes"),
                ),
                _ => Problem::bad_request("the body ended before its time"),
            }
        })?;
        // What decodes an object takes a list too, and names its own types where it gets neither.
        if !bytes.trim_ascii_start().starts_with(b"{") && serde_json::from_slice::<IgnoredAny>(&bytes).is_ok()
        {
            return Err(Problem::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "the body must be a JSON object, `{…}`",
            ));
        }
        let mut reader = serde_json::Deserializer::from_slice(&bytes);
        let value = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
            let place = error.path().to_string();
            match error.inner().classify() {
                serde_json::error::Category::Data => Problem::new(
                    StatusCode::UNPROCESSABLE_ENTITY,
                    if place == "." {
                        error.inner().to_string()
                    } else {
                        format!("`{place}`: {}", error.inner())
                    },
                ),
                _ => Problem::bad_request(format!("the body is no JSON: {}", error.inner())),
            }
        })?;
        reader.end().map_err(|error| Problem::bad_request(format!("the body is no JSON: {error}")))?;
        Ok(Self(value))
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let media = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    media.split(';').next().is_some_and(|media| media.trim().eq_ignore_ascii_case("application/json"))
}

impl<T: DeserializeOwned + Send> FromRequestParts<Arc<Service>> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &Arc<Service>) -> Result<Self, Problem> {
        axum::extract::Query::try_from_uri(&parts.uri).map(|axum::extract::Query(value)| Self(value)).map_err(
            |error| {
                let text = error.body_text();
                let what = text.strip_prefix("Failed to deserialize query string: ").unwrap_or(&text);
                Problem::bad_request(format!("the query cannot be used: {what}"))
            },
        )
    }
}

impl FromRequestParts<Arc<Service>> for Id {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &Arc<Service>) -> Result<Self, Problem> {
        let path = axum::extract::Path::<String>::from_request_parts(parts, state).await;
        path.map(|axum::extract::Path(id)| Self(RunId::from_stored(id)))
            .map_err(|error| Problem::bad_request(error.body_text()))
    }
}

impl FromRequestParts<Arc<Service>> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &Arc<Service>) -> Result<Self, Problem> {
        let caller = parts.extensions.get::<Self>().cloned();
        caller.ok_or_else(|| Problem::new(StatusCode::UNAUTHORIZED, "nobody found out who asks"))
    }
}

/// Things on a page, unless somebody asks for another number of them.
const PAGE: usize = 50;
/// The most on one page.
const LARGEST_PAGE: usize = 500;

/// A number of things on a page, as a query says it.
pub(super) fn page_limit<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<usize>, D::Error> {
    let text = String::deserialize(deserializer)?;
    text.parse()
        .map(Some)
        .map_err(|_| D::Error::custom(format!("`{text}` is no whole number from 1 to {LARGEST_PAGE}")))
}

/// How many things a page holds.
pub(super) fn page_size(asked: Option<usize>) -> Result<usize, Problem> {
    let limit = asked.unwrap_or(PAGE);
    if (1..=LARGEST_PAGE).contains(&limit) {
        return Ok(limit);
    }
    Err(Problem::bad_request(format!("`limit` must be from 1 to {LARGEST_PAGE}")))
}

/// A header's text; a problem if it is none.
pub(super) fn header(headers: &HeaderMap, name: &str) -> Result<Option<String>, Problem> {
    let Some(value) = headers.get(name) else { return Ok(None) };
    match value.to_str() {
        Ok(text) => Ok(Some(text.to_owned())),
        Err(_) => Err(Problem::bad_request(format!("the header `{name}` is no plain text"))),
    }
}
