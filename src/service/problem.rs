//! What goes wrong, told as RFC 9457 has it.

use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use axum::http::{Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::Serialize;

use crate::dispatch::{AskError, chain};
use crate::store::{StoreError, StoreErrorKind};

/// The media type of a problem.
pub(super) const PROBLEM_JSON: &str = "application/problem+json";

/// When to ask again where the queue is full: a run takes about so long.
const FULL_RETRY_S: u64 = 60;

/// The type of a problem of which the status says enough.
const ABOUT_NOTHING: &str = "about:blank";

/// The type of the problem that the target does not take what it was asked for; another target may.
const UNFIT_TARGET: &str = "urn:problem-type:thrash:unfit-target";

/// Why a request was not answered as it was asked (RFC 9457).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct Problem {
    /// What sort of problem it is: `urn:problem-type:thrash:unfit-target` if the target does not take what is asked, and
    /// another one may; `about:blank` says no more than the status does.
    #[serde(rename = "type")]
    #[schemars(extend("enum" = [ABOUT_NOTHING, UNFIT_TARGET]))]
    kind: String,
    /// The status in words.
    pub(super) title: String,
    /// The HTTP status.
    pub(super) status: u16,
    /// What is wrong with this request.
    pub(super) detail: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) hint: Option<String>,
    /// In so many seconds it may be asked again; a header says so.
    #[serde(skip)]
    pub(super) retry_after: Option<u64>,
}

impl Problem {
    pub(super) fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self {
            kind: ABOUT_NOTHING.to_owned(),
            title: status.canonical_reason().unwrap_or_default().to_owned(),
            status: status.as_u16(),
            detail: detail.into(),
            hint: None,
            retry_after: None,
        }
    }

    /// There is no room for it now, and soon there will be.
    pub(super) fn busy(detail: impl Into<String>) -> Self {
        Self { retry_after: Some(1), ..Self::new(StatusCode::SERVICE_UNAVAILABLE, detail) }
    }

    pub(super) fn with_hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }

    pub(super) fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, detail)
    }

    pub(super) fn not_found(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, detail)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let body = serde_json::to_vec(&self).unwrap_or_default();
        let mut response = Response::new(Body::from(body));
        *response.status_mut() = status;
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(PROBLEM_JSON));
        response.headers_mut().extend(self.retry_after.map(|seconds| (RETRY_AFTER, seconds.into())));
        // For whom it has to be a page.
        response.extensions_mut().insert(self);
        response
    }
}

/// The status that says the same as an error of the store.
fn status(kind: StoreErrorKind) -> StatusCode {
    match kind {
        StoreErrorKind::NotFound => StatusCode::NOT_FOUND,
        StoreErrorKind::Ambiguous => StatusCode::BAD_REQUEST,
        StoreErrorKind::InUse => StatusCode::CONFLICT,
        StoreErrorKind::Unreachable
        | StoreErrorKind::Refused
        | StoreErrorKind::Busy
        | StoreErrorKind::NotMigrated
        | StoreErrorKind::Full
        | StoreErrorKind::Io => StatusCode::SERVICE_UNAVAILABLE,
        StoreErrorKind::Corrupt | StoreErrorKind::NewerSchema | StoreErrorKind::Failed => {
            StatusCode::INTERNAL_SERVER_ERROR
        }
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        let status = status(error.kind());
        if status.is_server_error() {
            // Where the database is, is no matter of the caller's.
            tracing::warn!(error = chain(&error), "the store failed a request");
            return Self::new(status, "the database cannot be used now; the log says why");
        }
        Self::new(status, chain(&error))
    }
}

impl From<AskError> for Problem {
    fn from(error: AskError) -> Self {
        let hint = error.hint();
        let problem = match error {
            AskError::Unknown { .. } | AskError::Word { .. } => {
                Self::new(StatusCode::UNPROCESSABLE_ENTITY, error.to_string())
            }
            AskError::Unfit { .. } => Self {
                kind: UNFIT_TARGET.to_owned(),
                ..Self::new(StatusCode::UNPROCESSABLE_ENTITY, error.to_string())
            },
            AskError::KeyReused { .. } => Self::new(StatusCode::CONFLICT, error.to_string()),
            AskError::Full { .. } => Self {
                retry_after: Some(FULL_RETRY_S),
                ..Self::new(StatusCode::SERVICE_UNAVAILABLE, error.to_string())
            },
            // The request is right, and what it names is broken: asking again helps when somebody has mended that.
            AskError::Suites(_) | AskError::Scenario(_) | AskError::Contract(_) => {
                tracing::error!(error = chain(&error), "what a request names cannot be used");
                Self::new(StatusCode::CONFLICT, error.in_a_line())
            }
            AskError::Store(error) => return error.into(),
        };
        Self { hint, ..problem }
    }
}

/// The answer where there is nothing.
pub(super) async fn no_such_path(uri: Uri) -> Problem {
    let path: String = uri.path().chars().take(100).collect();
    Problem::not_found(format!("there is nothing at `{path}`"))
}

/// The answer where there is something, and not for this method.
pub(super) async fn no_such_method(method: Method) -> Problem {
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, format!("this cannot be asked for with {method}"))
}
