//! Who asks, and what they may do.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use subtle::{ConditionallySelectable, ConstantTimeEq};

use super::Service;
use super::hash::{digest, parse};
use super::limit::Client;
use super::problem::Problem;
use crate::config::{Config, Scope};

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Caller {
    /// The key's name; `anonymous` where keys are not asked for.
    pub(crate) name: String,
    /// The most that they may do; none for somebody without a key.
    pub(crate) scope: Option<Scope>,
}

/// The other end of the connection.
#[derive(Debug, Clone, Copy)]
pub(super) struct Peer(pub(super) SocketAddr);

/// The keys that open something here.
#[derive(Debug)]
pub(super) struct Keys {
    required: bool,
    header: String,
    known: Vec<Key>,
}

struct Key {
    name: String,
    digest: [u8; 32],
    scope: Scope,
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Key({}, {})", self.name, self.scope.as_str())
    }
}

impl Keys {
    pub(super) fn of(config: &Config) -> Self {
        let settings = &config.settings.service;
        let mut known: Vec<Key> = settings
            .keys
            .iter()
            .filter_map(|key| {
                let scope = key.scopes.iter().copied().max_by_key(|scope| *scope as u8)?;
                Some(Key { name: key.name.clone(), digest: parse(&key.hash)?, scope })
            })
            .collect();
        known.extend(config.internal_key().map(|key| Key {
            name: "internal".to_owned(),
            digest: digest(key.expose().as_bytes()),
            scope: Scope::Admin,
        }));
        Self { required: settings.needs_key(), header: settings.key_header.clone(), known }
    }

    /// Whether callers need a key.
    pub(super) const fn required(&self) -> bool {
        self.required
    }

    /// Whether there is any.
    pub(super) fn is_empty(&self) -> bool {
        self.known.is_empty()
    }

    /// Who sends these headers; an error for a key that opens nothing.
    fn caller(&self, headers: &HeaderMap) -> Result<Caller, Problem> {
        if !self.required {
            return Ok(Caller { name: "anonymous".to_owned(), scope: Some(Scope::Admin) });
        }
        let bearer = headers.get(AUTHORIZATION).and_then(|value| {
            let (scheme, key) = value.to_str().ok()?.split_once(' ')?;
            scheme.eq_ignore_ascii_case("bearer").then(|| key.trim().as_bytes())
        });
        let Some(sent) = headers.get(&self.header).map(HeaderValue::as_bytes).or(bearer) else {
            return Ok(Caller::nobody());
        };
        match self.holder(sent) {
            Some(caller) => Ok(caller),
            None => Err(Problem::new(
                StatusCode::UNAUTHORIZED,
                "the key is not one of those that open this service",
            )),
        }
    }

    /// Who holds this key.
    pub(super) fn holder(&self, sent: &[u8]) -> Option<Caller> {
        self.find(sent).map(|key| Caller { name: key.name.clone(), scope: Some(key.scope) })
    }

    /// The key, found in a time that does not depend on which it is, nor on how much of it was right.
    fn find(&self, sent: &[u8]) -> Option<&Key> {
        // Somebody may have hashed a variable that was not set.
        if sent.is_empty() {
            return None;
        }
        let sent = digest(sent);
        let mut found = u32::MAX;
        for (place, key) in (0..).zip(&self.known) {
            found.conditional_assign(&place, key.digest.ct_eq(&sent));
        }
        self.known.get(usize::try_from(found).ok()?)
    }
}

impl Caller {
    /// Somebody without a key.
    pub(super) fn nobody() -> Self {
        Self { name: "nobody".to_owned(), scope: None }
    }

    /// How they are called in the queue and in the log.
    pub(crate) fn requester(&self) -> String {
        format!("api:{}", self.name)
    }

    /// Writes down what they changed, whatever else the log keeps.
    pub(crate) fn audit(&self, what: &str) {
        tracing::info!(target: "thrash::audit", by = self.requester(), "{what}");
    }

    /// Whether they may do what needs this scope.
    pub(crate) fn may(&self, needed: Scope) -> bool {
        self.scope.is_some_and(|scope| scope.covers(needed))
    }

    /// Refuses who may not.
    pub(super) fn check(&self, needed: Scope, header: &str) -> Result<(), Problem> {
        match self.scope {
            Some(scope) if scope.covers(needed) => Ok(()),
            Some(scope) => Err(Problem::new(
                StatusCode::FORBIDDEN,
                format!(
                    "this needs the scope `{}`, and the key `{}` has `{}`",
                    needed.as_str(),
                    self.name,
                    scope.as_str()
                ),
            )),
            None => Err(Problem::new(StatusCode::UNAUTHORIZED, "this needs a key")
                .with_hint(format!("send it as `{header}: KEY` or as `Authorization: Bearer KEY`"))),
        }
    }
}

/// Finds out who asks, and counts their requests. What they may do is each endpoint's matter.
pub(super) async fn identify(
    State(service): State<Arc<Service>>,
    mut request: Request,
    next: Next,
) -> Response {
    let peer = request.extensions().get::<Peer>().map(|peer| peer.0.ip());
    let path = request.uri().path();
    // Who watches over this service is not held up by it.
    let is_watched = [service.path("/health"), service.path("/ready")].iter().any(|open| open == path);
    let caller = service.keys.caller(request.headers()).map(|caller| match caller.scope {
        None => service.signed_in(&request).unwrap_or(caller),
        Some(_) => caller,
    });
    let client = match (&caller, peer) {
        (Ok(Caller { name, scope: Some(_) }), _) if service.keys.required() => Client::Key(name.clone()),
        (_, Some(address)) => Client::Address(address),
        (_, None) => Client::Key(String::new()),
    };
    let counted = if is_watched { None } else { service.limiter.count(client) };
    if let Some(Err(wait)) = &counted {
        return wait.refuse();
    }
    let mut response = match caller {
        Ok(caller) => {
            request.extensions_mut().insert(caller.clone());
            let mut response = next.run(request).await;
            response.extensions_mut().insert(caller);
            response
        }
        // Whoever watches needs no key, so a wrong one does no harm.
        Err(_) if is_watched => {
            request.extensions_mut().insert(Caller::nobody());
            next.run(request).await
        }
        Err(problem) => problem.into_response(),
    };
    if response.status() == StatusCode::UNAUTHORIZED {
        response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    if let Some(Ok(left)) = counted {
        left.write(response.headers_mut());
    }
    response
}

impl Service {
    /// Who signed in in the browser that sends this. The API hears the cookie only of those who look: what changes
    /// something there takes a key, so that no page can do it in somebody's name.
    fn signed_in(&self, request: &Request) -> Option<Caller> {
        let is_api = request.uri().path().starts_with(&self.path("/api/"));
        if is_api && !request.method().is_safe() {
            return None;
        }
        self.sessions.caller(request.headers())
    }
}
