//! What a form says, if it is one of ours.

use std::sync::Arc;

use axum::extract::{FromRequest, Request};
use axum::http::StatusCode;
use axum::response::IntoResponse;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::service::Service;
use crate::service::problem::Problem;

/// The fields of a form that a page from here made for whoever sends it.
#[derive(Debug)]
pub(super) struct Sent<T>(pub(super) T);

/// Every field is text: the fields beside the token come through a buffer that knows nothing else.
#[derive(Deserialize)]
struct WithToken<T> {
    token: String,
    #[serde(flatten)]
    fields: T,
}

impl<T: DeserializeOwned> FromRequest<Arc<Service>> for Sent<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &Arc<Service>) -> Result<Self, Problem> {
        let headers = request.headers().clone();
        let form = axum::Form::<WithToken<T>>::from_request(request, state).await;
        let axum::Form(form) = form.map_err(|rejection| {
            let (detail, status) = (rejection.body_text(), rejection.into_response().status());
            Problem::new(status, detail)
        })?;
        if !state.sessions.is_token(&headers, &form.token) {
            return Err(Problem::new(
                StatusCode::FORBIDDEN,
                "this form was not made here for you, or you signed in or out since",
            )
            .with_hint("open its page again, and send it from there"));
        }
        Ok(Self(form.fields))
    }
}
