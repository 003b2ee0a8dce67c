//! What goes wrong, as a page.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::header::{
    ACCEPT, CONTENT_LENGTH, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, REFERRER_POLICY,
};
use axum::http::{HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::Response;
use maud::html;

use super::health;
use super::visit::{Visit, go};
use crate::config::Scope;
use crate::report::html::clean;
use crate::report::html::page::Page;
use crate::report::html::section::{Section, Tone, mark};
use crate::report::html::verdict;
use crate::service::problem::Problem;
use crate::service::{Caller, Service};

/// Turns problems into pages for those who look at pages; who has not signed in is led to where one does.
pub(in crate::service) async fn as_pages(
    State(service): State<Arc<Service>>,
    request: Request,
    next: Next,
) -> Response {
    let headers = request.headers().clone();
    let wants_page = headers
        .get(ACCEPT)
        .and_then(|accepted| accepted.to_str().ok())
        .is_some_and(|accepted| accepted.contains("text/html"))
        && !request.uri().path().starts_with(&service.path("/api/"));
    let is_get = request.method() == Method::GET;
    let asked = request.uri().path_and_query().map(ToString::to_string).unwrap_or_default();
    let mut response = next.run(request).await;
    if !wants_page {
        return response;
    }
    let Some(problem) = response.extensions_mut().remove::<Problem>() else { return response };
    let caller = response.extensions_mut().remove::<Caller>().unwrap_or_else(Caller::nobody);
    if is_get && response.status() == StatusCode::UNAUTHORIZED {
        let to = asked.strip_prefix(service.path("").as_str()).unwrap_or("/");
        let to = go(&service.path(&format!("/sign-in?to={}", clean::encode(to))));
        return with_headers_of(to, &response);
    }
    let mut sections = Vec::new();
    if response.status().is_server_error() && caller.may(Scope::Read) {
        // What needs no database is still told.
        sections.push(health::section_without_database(health::look(&service).await.as_ref()));
    }
    let visit = Visit::new(&service, caller, &headers);
    let mut page = visit.show(page(&visit, &problem, sections), None);
    *page.status_mut() = response.status();
    with_headers_of(page, &response)
}

/// What an answer says of its own body.
const OF_THE_BODY: [HeaderName; 4] = [CONTENT_TYPE, CONTENT_LENGTH, CONTENT_SECURITY_POLICY, REFERRER_POLICY];

/// What was said about the old answer and not about its body: how long to wait, whose frames.
fn with_headers_of(mut new: Response, old: &Response) -> Response {
    for (name, value) in old.headers() {
        if !OF_THE_BODY.contains(name) {
            new.headers_mut().append(name, value.clone());
        }
    }
    let closed = HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'");
    new.headers_mut().entry(CONTENT_SECURITY_POLICY).or_insert(closed);
    new
}

fn page(visit: &Visit, problem: &Problem, sections: Vec<Section>) -> Page {
    let heading = match StatusCode::from_u16(problem.status) {
        Ok(StatusCode::NOT_FOUND) => "Not here",
        Ok(StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) => "Not allowed",
        Ok(StatusCode::TOO_MANY_REQUESTS) => "Too often",
        Ok(status) if status.is_server_error() => "Not now",
        _ => "That did not work",
    };
    let header = html! {
        p.origin { "thrash · " (problem.status) " " (problem.title) }
        h1.loud.unsure { (mark(Tone::Unsure)) " " (heading) }
        p.lead { (verdict::sentence(&problem.detail)) }
        @if problem.status == StatusCode::UNAUTHORIZED {
            p.why { a href=(visit.path("/sign-in")) { "Sign in" } }
        } @else if let Some(hint) = &problem.hint {
            p.why { (verdict::sentence(hint)) }
        }
    };
    let title = format!("{heading}: thrash");
    Page { title, tone: Tone::Unsure, header, sections, data: None, frame: None }
}
