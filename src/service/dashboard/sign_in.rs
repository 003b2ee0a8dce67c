//! Signing in with a key, and out again.

use axum::http::header::SET_COOKIE;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::Response;
use maud::html;
use serde::Deserialize;

use super::form::Sent;
use super::run::Nothing;
use super::visit::Visit;
use crate::report::html::page::Page;
use crate::report::html::section::{Section, Tone};
use crate::service::api::Query;
use crate::service::problem::Problem;

/// Where to go afterwards.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct After {
    to: String,
}

/// What the form says.
#[derive(Debug, Deserialize)]
pub(super) struct SignIn {
    key: String,
    to: String,
}

pub(super) async fn show(visit: Visit, Query(After { to }): Query<After>) -> Response {
    if visit.caller.scope.is_some() {
        return visit.go(own(&to));
    }
    form(&visit, &to, false)
}

pub(super) async fn sign_in(
    visit: Visit,
    headers: HeaderMap,
    Sent(SignIn { key, to }): Sent<SignIn>,
) -> Result<Response, Problem> {
    let service = &visit.service;
    if !service.keys.required() {
        return Ok(visit.go(own(&to)));
    }
    let Some(caller) = service.keys.holder(key.trim().as_bytes()) else {
        tracing::warn!(target: "thrash::audit", "somebody tried to sign in with a wrong key");
        let mut response = form(&visit, &to, true);
        *response.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
        return Ok(response);
    };
    caller.audit("signed in");
    // A session that is there already is not gone on with: whoever set it might know its word.
    service.sessions.end(&headers);
    let cookie = service.sessions.begin(caller);
    Ok(with_cookie(visit.go(own(&to)), &cookie, &visit, &headers))
}

pub(super) async fn sign_out(visit: Visit, headers: HeaderMap, Sent(Nothing {}): Sent<Nothing>) -> Response {
    let cookie = visit.service.sessions.end(&headers);
    visit.caller.audit("signed out");
    with_cookie(visit.go("/sign-in"), &cookie, &visit, &headers)
}

/// The cookie goes to this service alone, and where the browser came by TLS only by TLS.
fn with_cookie(mut response: Response, cookie: &str, visit: &Visit, headers: &HeaderMap) -> Response {
    let base = visit.path("");
    let path = if base.is_empty() { "/" } else { &base };
    let by_tls = visit.service.config.settings.service.tls.certificate.is_some()
        || headers.get("x-forwarded-proto").is_some_and(|scheme| scheme == "https");
    let secure = if by_tls { "; Secure" } else { "" };
    let cookie = HeaderValue::from_str(&format!("{cookie}; Path={path}{secure}"));
    response.headers_mut().extend(cookie.ok().map(|cookie| (SET_COOKIE, cookie)));
    response
}

/// The path if it is one of ours: nobody is led elsewhere by a link to the sign-in.
fn own(to: &str) -> &str {
    let is_own = to.starts_with('/')
        && !to.starts_with("//")
        && !to.starts_with("/sign-")
        && to.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    if is_own { to } else { "/" }
}

fn form(visit: &Visit, to: &str, wrong: bool) -> Response {
    let header = html! { p.origin { "thrash" } h1.loud.plain { "Sign in" } };
    let body = html! {
        form.start method="post" action=(visit.path("/sign-in")) {
            (visit.token())
            input type="hidden" name="to" value=(own(to));
            // For what keeps passwords: it wants to know whose this is.
            input type="text" name="username" value="thrash" autocomplete="username" hidden;
            label {
                span { "Key" }
                input type="password" name="key" autocomplete="current-password" required
                    autofocus aria-invalid=[wrong.then_some("true")] aria-describedby=[wrong.then_some("wrong")];
            }
            button { "Sign in" }
        }
        @if wrong { p.wrong #wrong role="alert" { "That key opens nothing here." } }
        p.note { "A key is one of those that the API takes. It is not kept in the browser; you are signed out after twelve hours." }
    };
    let sections = vec![Section { id: "sign-in", title: "With a key", summary: String::new(), body }];
    let title = "Sign in: thrash".to_owned();
    visit.show(Page { title, tone: Tone::Plain, header, sections, data: None, frame: None }, None)
}

#[cfg(test)]
mod tests {
    use super::own;

    #[test]
    fn nobody_is_led_elsewhere() {
        for to in ["/", "/runs", "/runs?suite=a%20b&kind=load"] {
            assert_eq!(own(to), to);
        }
        for to in [
            "",
            "//evil.example",
            "/\\evil.example",
            "https://evil.example",
            "/a\r\nset-cookie: x",
            "/sign-in",
            "/ü",
        ] {
            assert_eq!(own(to), "/", "{to}");
        }
    }
}
