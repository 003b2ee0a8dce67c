//! Who is signed in: a browser holds a word that nobody guesses, and this process knows whose it is.
//!
//! The word is no key: it opens nothing once it is over, was signed out, or the service began anew.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use axum::http::HeaderMap;
use axum::http::header::COOKIE;
use subtle::ConstantTimeEq;

use crate::service::Caller;
use crate::service::hash::{digest, new_key};

/// What the cookie is called.
const COOKIE_NAME: &str = "thrash_session";
/// How long one is signed in.
const LASTS: Duration = Duration::from_hours(12);
/// So many at once. Beyond that the one that ends first does so now: memory stays bounded.
const MOST: usize = 1000;

/// Everybody who is signed in.
pub(in crate::service) struct Sessions {
    /// By the digest of the word, so that looking one up tells nothing by the time that it takes.
    known: Mutex<HashMap<[u8; 32], Session>>,
    /// What forms say where nobody is signed in. Whoever reaches the sign-in can read it, so it keeps nobody from signing
    /// somebody else in with a key of their own: that is done by [`crate::service::guard`], which refuses what a page of
    /// another origin sends, and every browser says where a form comes from.
    token: String,
}

struct Session {
    caller: Caller,
    token: String,
    ends: Instant,
}

impl std::fmt::Debug for Sessions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Sessions({})", self.known().len())
    }
}

impl Sessions {
    pub(in crate::service) fn new() -> Self {
        Self { known: Mutex::default(), token: word() }
    }

    /// Who holds the cookie among these headers.
    pub(in crate::service) fn caller(&self, headers: &HeaderMap) -> Option<Caller> {
        self.of(headers, |session| session.caller.clone())
    }

    /// What the forms of whoever sends these headers say.
    pub(super) fn token(&self, headers: &HeaderMap) -> String {
        self.of(headers, |session| session.token.clone()).unwrap_or_else(|| self.token.clone())
    }

    /// Whether a form that came with these headers says that.
    pub(super) fn is_token(&self, headers: &HeaderMap, said: &str) -> bool {
        self.token(headers).as_bytes().ct_eq(said.as_bytes()).into()
    }

    /// Signs somebody in, and gives the cookie, without what depends on where it is sent.
    pub(super) fn begin(&self, caller: Caller) -> String {
        let (id, now) = (word(), Instant::now());
        let mut known = self.known();
        known.retain(|_, session| now < session.ends);
        if known.len() >= MOST
            && let Some(first) = known.iter().min_by_key(|(_, session)| session.ends).map(|(id, _)| *id)
        {
            known.remove(&first);
        }
        known.insert(digest(id.as_bytes()), Session { caller, token: word(), ends: now + LASTS });
        cookie(&id, LASTS)
    }

    /// Signs out, and gives the cookie that takes the place of the old one.
    pub(super) fn end(&self, headers: &HeaderMap) -> String {
        for id in ids(headers) {
            self.known().remove(&digest(id.as_bytes()));
        }
        cookie("", Duration::ZERO)
    }

    fn of<T>(&self, headers: &HeaderMap, take: impl Fn(&Session) -> T) -> Option<T> {
        let (known, now) = (self.known(), Instant::now());
        ids(headers)
            .find_map(|id| known.get(&digest(id.as_bytes())).filter(|session| now < session.ends).map(&take))
    }

    fn known(&self) -> MutexGuard<'_, HashMap<[u8; 32], Session>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A word that nobody guesses.
fn word() -> String {
    new_key().expose().to_owned()
}

fn cookie(id: &str, lasts: Duration) -> String {
    format!("{COOKIE_NAME}={id}; HttpOnly; SameSite=Strict; Max-Age={}", lasts.as_secs())
}

/// The words in the cookies of that name; a browser may send more than one.
fn ids(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    let cookies = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    cookies.flat_map(|cookies| cookies.split(';')).filter_map(|cookie| {
        let (name, id) = cookie.trim().split_once('=')?;
        (name == COOKIE_NAME && !id.is_empty()).then_some(id)
    })
}
