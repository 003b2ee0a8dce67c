//! From where a request may come, how long it may take, and what every answer says.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use axum::http::{Method, StatusCode, Uri};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::Service;
use super::problem::Problem;
use crate::domain::is_this_machine;

/// What every answer says unless it says something else itself.
const HEADERS: [(HeaderName, &str); 6] = [
    (header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::CACHE_CONTROL, "no-store"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
];

/// Refuses what comes through somebody else's page, and ends what takes too long.
pub(super) async fn guard(State(service): State<Arc<Service>>, request: Request, next: Next) -> Response {
    let origin = request.headers().get(header::ORIGIN).cloned().filter(|origin| service.allows(origin));
    let mut response = match service.check_place(&request) {
        Err(problem) => problem.into_response(),
        Ok(()) if request.method() == Method::OPTIONS && origin.is_some() => preflight(&service),
        Ok(()) => {
            let has_body = request.method() != Method::GET && request.method() != Method::HEAD;
            let limit = service.config.settings.service.request_timeout.0;
            match tokio::time::timeout(limit, next.run(request)).await {
                Ok(response) => response,
                Err(_) if has_body => {
                    Problem::new(StatusCode::REQUEST_TIMEOUT, format!("it took longer than {limit:?}"))
                        .into_response()
                }
                Err(_) => {
                    Problem::new(StatusCode::SERVICE_UNAVAILABLE, format!("it took longer than {limit:?}"))
                        .into_response()
                }
            }
        }
    };
    let headers = response.headers_mut();
    for (name, value) in HEADERS {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    if !service.config.settings.service.cors_origins.is_empty() {
        headers.append(header::VARY, HeaderValue::from_static("origin"));
    }
    if let Some(origin) = origin {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        headers.insert(
            header::ACCESS_CONTROL_EXPOSE_HEADERS,
            HeaderValue::from_static(
                "location, ratelimit-limit, ratelimit-remaining, ratelimit-reset, retry-after",
            ),
        );
    }
    response
}

/// What a page of an origin that is allowed here may ask.
fn preflight(service: &Service) -> Response {
    let mut response = StatusCode::NO_CONTENT.into_response();
    let headers = response.headers_mut();
    let own = &service.config.settings.service.key_header;
    let allowed = format!("authorization, content-type, idempotency-key, last-event-id, {own}");
    headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET, POST, PUT, DELETE"));
    headers.extend(
        HeaderValue::from_str(&allowed).ok().map(|value| (header::ACCESS_CONTROL_ALLOW_HEADERS, value)),
    );
    headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600"));
    response
}

impl Service {
    /// Whether pages of this origin may call.
    fn allows(&self, origin: &HeaderValue) -> bool {
        self.config
            .settings
            .service
            .cors_origins
            .iter()
            .any(|allowed| allowed.as_bytes() == origin.as_bytes())
    }

    /// Refuses a name that is not ours, and a change that somebody else's page asks for.
    ///
    /// Without keys, whoever makes a browser on this machine believe that `evil.example` is 127.0.0.1 could do everything
    /// (DNS rebinding); with them a page cannot, because it does not know any.
    fn check_place(&self, request: &Request) -> Result<(), Problem> {
        let refused = |status, detail: String| Problem::new(status, detail);
        // No name that anybody asks for holds a NUL character, and PostgreSQL takes none.
        let nul = |part: &str| part.contains("%00");
        if nul(request.uri().path()) {
            return Err(refused(StatusCode::NOT_FOUND, "no path holds a NUL character".to_owned()));
        }
        if request.uri().query().is_some_and(nul) {
            return Err(refused(StatusCode::BAD_REQUEST, "a parameter holds a NUL character".to_owned()));
        }
        let Some(host) = host(request.uri(), request.headers()) else {
            return Err(refused(
                StatusCode::BAD_REQUEST,
                "the request says not which host it asks".to_owned(),
            ));
        };
        let hosts = &self.config.settings.service.hosts;
        let is_known = is_this_machine(&host) || hosts.iter().any(|known| known.eq_ignore_ascii_case(&host));
        let any_will_do = self.keys.required() && hosts.is_empty();
        if !is_known && !any_will_do {
            let shown: String = host.chars().take(100).collect();
            return Err(refused(
                StatusCode::MISDIRECTED_REQUEST,
                format!("this service is not called `{shown}`"),
            )
            .with_hint("name it under `service.hosts`"));
        }
        if matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS) {
            return Ok(());
        }
        let headers = request.headers();
        let is_foreign = match headers.get(header::ORIGIN) {
            Some(origin) => !self.allows(origin) && !is_of_host(origin, headers.get(header::HOST)),
            None => {
                headers.get("sec-fetch-site").is_some_and(|site| site == "cross-site" || site == "same-site")
            }
        };
        if is_foreign {
            return Err(refused(
                StatusCode::FORBIDDEN,
                "a page of another origin may change nothing here".to_owned(),
            ));
        }
        Ok(())
    }
}

/// The host that is asked, without its port.
fn host(uri: &Uri, headers: &HeaderMap) -> Option<String> {
    let mut named = headers.get_all(header::HOST).iter();
    let authority = match (uri.authority(), named.next()) {
        (Some(authority), _) => authority.as_str(),
        (None, Some(host)) => host.to_str().ok()?,
        (None, None) => return None,
    };
    if named.next().is_some() {
        return None;
    }
    let host = match authority.strip_prefix('[') {
        Some(rest) => rest.split_once(']')?.0,
        None => authority.split(':').next()?,
    };
    (!host.is_empty()).then(|| host.to_ascii_lowercase())
}

/// Whether the origin is that of a page of our own: the same host and port.
fn is_of_host(origin: &HeaderValue, host: Option<&HeaderValue>) -> bool {
    let (Ok(origin), Some(Ok(host))) = (origin.to_str(), host.map(HeaderValue::to_str)) else { return false };
    let of = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"));
    of.is_some_and(|of| of.eq_ignore_ascii_case(host))
}
