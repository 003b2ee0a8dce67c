//! Somebody who looks at a page, and what stands around each.

use std::convert::Infallible;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{FromRequestParts, Request, State};
use axum::http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE, LOCATION, REFERRER_POLICY};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};

use crate::config::Scope;
use crate::report::html::clean;
use crate::report::html::page::{Frame, Page, REFERRER};
use crate::service::{Caller, Service};

const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("script.js");

/// Somebody who looks.
#[derive(Debug)]
pub(super) struct Visit {
    pub(super) service: Arc<Service>,
    pub(super) caller: Caller,
    /// What their forms say.
    token: String,
}

/// Refuses who may not see a page.
pub(super) async fn check(
    State((service, needed)): State<(Arc<Service>, Scope)>,
    request: Request,
    next: Next,
) -> Response {
    let caller = request.extensions().get::<Caller>().cloned().unwrap_or_else(Caller::nobody);
    match caller.check(needed, &service.config.settings.service.key_header) {
        Ok(()) => next.run(request).await,
        Err(problem) => problem.into_response(),
    }
}

impl FromRequestParts<Arc<Service>> for Visit {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &Arc<Service>) -> Result<Self, Infallible> {
        let caller = parts.extensions.get::<Caller>().cloned().unwrap_or_else(Caller::nobody);
        Ok(Self::new(state, caller, &parts.headers))
    }
}

impl Visit {
    pub(super) fn new(service: &Arc<Service>, caller: Caller, headers: &HeaderMap) -> Self {
        Self { token: service.sessions.token(headers), service: Arc::clone(service), caller }
    }

    /// A path of the service, for a link.
    pub(super) fn path(&self, path: &str) -> String {
        match self.service.path("") {
            base if path == "/" && !base.is_empty() => base,
            _ => self.service.path(path),
        }
    }

    /// The page of a run.
    pub(super) fn run(&self, id: &str) -> String {
        self.path(&format!("/runs/{}", clean::encode(id)))
    }

    /// Whether they may start and stop runs.
    pub(super) fn may_run(&self) -> bool {
        self.caller.may(Scope::Run)
    }

    /// What makes a form one of ours.
    pub(super) fn token(&self) -> Markup {
        html! { input type="hidden" name="token" value=(self.token); }
    }

    /// A button that changes something.
    pub(super) fn button(&self, path: &str, words: &str, about: &str) -> Markup {
        html! {
            form.one method="post" action=(self.path(path)) {
                (self.token())
                button { (words) @if !about.is_empty() { span.unseen { " " (about) } } }
            }
        }
    }

    /// Shows a page in the service's frame; `beside` are further links.
    pub(super) fn show(&self, page: Page, beside: Option<Markup>) -> Response {
        let frame = Frame { top: self.top(beside), style: STYLE, script: None };
        Self::send(&Page { frame: Some(frame), ..page })
    }

    /// The same with the script that follows what runs.
    pub(super) fn show_live(&self, page: Page) -> Response {
        let frame = Frame { top: self.top(None), style: STYLE, script: Some(SCRIPT) };
        Self::send(&Page { frame: Some(frame), ..page })
    }

    fn send(page: &Page) -> Response {
        let (bytes, policy) = page.render_with_policy();
        let mut response = Response::new(Body::from(bytes));
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
        headers.insert(REFERRER_POLICY, HeaderValue::from_static(REFERRER));
        // Only a header can say whose frames the page may stand in.
        let policy = HeaderValue::from_str(&format!("{policy}; frame-ancestors 'none'"));
        headers.extend(policy.ok().map(|policy| (CONTENT_SECURITY_POLICY, policy)));
        response
    }

    /// Sends them to another page, to be asked for anew.
    pub(super) fn go(&self, path: &str) -> Response {
        go(&self.path(path))
    }

    fn top(&self, beside: Option<Markup>) -> Markup {
        let is_known = self.caller.scope.is_some();
        html! {
            nav.site aria-label="Service" {
                ul {
                    @if is_known {
                        li { a href=(self.path("/")) { b { "thrash" } } }
                        li { a href=(self.path("/runs")) { "Runs" } }
                        @if self.may_run() { li { a href=(self.path("/start")) { "Start a run" } } }
                    } @else {
                        li { b { "thrash" } }
                    }
                    @if is_known && self.service.keys.required() {
                        li.who {
                            span { (clean::name(&self.caller.name)) }
                            (self.button("/sign-out", "Sign out", ""))
                        }
                    }
                }
                @if let Some(beside) = beside { p.beside { (beside) } }
            }
        }
    }
}

/// Sends somebody to another page, to be asked for anew.
pub(super) fn go(path: &str) -> Response {
    let mut response = StatusCode::SEE_OTHER.into_response();
    response.headers_mut().extend(HeaderValue::from_str(path).ok().map(|path| (LOCATION, path)));
    response
}
