//! So many requests of one client in a window of time.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::http::StatusCode;
use axum::http::header::{HeaderMap, HeaderValue, RETRY_AFTER};
use axum::response::{IntoResponse, Response};

use super::problem::Problem;
use crate::config::RateLimitSettings;

/// Clients that are counted at once. Beyond that the one whose window ends first is forgotten: memory stays bounded.
const MOST_CLIENTS: usize = 10_000;

/// Whose requests are counted together.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Client {
    /// Whoever holds this key.
    Key(String),
    /// Whoever calls from there.
    Address(IpAddr),
}

/// Counts requests; a client's window begins with its first one.
#[derive(Debug)]
pub(super) struct Limiter {
    limit: Option<(u32, Duration)>,
    windows: Mutex<HashMap<Client, Window>>,
}

#[derive(Debug, Clone, Copy)]
struct Window {
    ends: Instant,
    requests: u32,
}

/// How a client stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Standing {
    limit: u32,
    remaining: u32,
    /// Until the window ends.
    reset: Duration,
}

impl Limiter {
    pub(super) fn new(settings: &RateLimitSettings) -> Self {
        let limit = settings.enabled.then_some((settings.max, settings.window.0));
        Self { limit, windows: Mutex::default() }
    }

    /// Counts a request; an error where it is one too many, none where nothing is counted.
    pub(super) fn count(&self, client: Client) -> Option<Result<Standing, Standing>> {
        self.count_at(client, Instant::now())
    }

    fn count_at(&self, client: Client, now: Instant) -> Option<Result<Standing, Standing>> {
        let (limit, length) = self.limit?;
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        if windows.len() >= MOST_CLIENTS && !windows.contains_key(&client) {
            windows.retain(|_, window| now < window.ends);
            if windows.len() >= MOST_CLIENTS
                && let Some(first) =
                    windows.iter().min_by_key(|(_, window)| window.ends).map(|(client, _)| client.clone())
            {
                windows.remove(&first);
            }
        }
        let fresh = Window { ends: now + length, requests: 0 };
        let window = windows.entry(client).or_insert(fresh);
        if now >= window.ends {
            *window = fresh;
        }
        let reset = window.ends - now;
        if window.requests >= limit {
            return Some(Err(Standing { limit, remaining: 0, reset }));
        }
        window.requests += 1;
        Some(Ok(Standing { limit, remaining: limit - window.requests, reset }))
    }
}

impl Standing {
    /// Seconds until the window ends, never too few.
    fn seconds(self) -> u64 {
        self.reset.as_secs() + u64::from(self.reset.subsec_nanos() > 0)
    }

    /// Tells the client (<https://datatracker.ietf.org/doc/html/draft-ietf-httpapi-ratelimit-headers-07>).
    pub(super) fn write(self, headers: &mut HeaderMap) {
        headers.insert("ratelimit-limit", HeaderValue::from(self.limit));
        headers.insert("ratelimit-remaining", HeaderValue::from(self.remaining));
        headers.insert("ratelimit-reset", HeaderValue::from(self.seconds()));
    }

    /// The answer to one request too many.
    pub(super) fn refuse(self) -> Response {
        let detail = format!("more than {} requests; the next one in {} s", self.limit, self.seconds());
        let mut response = Problem::new(StatusCode::TOO_MANY_REQUESTS, detail).into_response();
        self.write(response.headers_mut());
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(self.seconds()));
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Wait;

    fn limiter(max: u32) -> Limiter {
        Limiter::new(&RateLimitSettings { enabled: true, window: Wait(Duration::from_mins(1)), max })
    }

    fn address(n: u32) -> Client {
        Client::Address(IpAddr::from(n.to_be_bytes()))
    }

    #[test]
    fn a_window_admits_its_number_and_the_next_one_begins_anew() {
        let (limiter, start) = (limiter(2), Instant::now());
        let at = |seconds| limiter.count_at(address(1), start + Duration::from_secs(seconds)).unwrap();
        assert_eq!(at(0).unwrap().remaining, 1);
        assert_eq!(at(10).unwrap().remaining, 0);
        let refused = at(20).unwrap_err();
        assert_eq!((refused.remaining, refused.seconds()), (0, 40));
        assert!(limiter.count_at(address(2), start).unwrap().is_ok(), "another client");
        assert!(limiter.count_at(Client::Key("ci".into()), start).unwrap().is_ok());
        assert_eq!(at(60).unwrap().remaining, 1);
    }

    #[test]
    fn many_clients_take_no_more_than_their_room() {
        let (limiter, start) = (limiter(1), Instant::now());
        for n in 0..2 * u32::try_from(MOST_CLIENTS).unwrap() {
            assert!(limiter.count_at(address(n), start).unwrap().is_ok());
        }
        assert_eq!(limiter.windows.lock().unwrap().len(), MOST_CLIENTS);
    }

    #[test]
    fn nothing_is_counted_where_that_is_off() {
        let off = RateLimitSettings { enabled: false, window: Wait(Duration::from_mins(1)), max: 1 };
        assert_eq!(Limiter::new(&off).count(address(1)), None);
    }
}
