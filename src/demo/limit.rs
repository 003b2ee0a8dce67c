//! The rate limit: so many requests a minute from one address.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::{Duration, Instant};

const WINDOW: Duration = Duration::from_mins(1);

/// From how many addresses on the windows that are over are thrown away.
const MANY: usize = 1024;

/// Counts requests in windows of a minute; an address's window begins with its first request.
#[derive(Default)]
pub(super) struct RateLimit {
    windows: HashMap<IpAddr, Window>,
}

struct Window {
    ends: Instant,
    requests: u32,
}

impl RateLimit {
    /// Admits a request at `now`, or says how long the window still lasts.
    pub(super) fn admit(&mut self, client: IpAddr, limit: u32, now: Instant) -> Result<(), Duration> {
        if self.windows.len() >= MANY {
            self.windows.retain(|_, window| now < window.ends);
        }
        let window = self.windows.entry(client).or_insert(Window { ends: now + WINDOW, requests: 0 });
        if now >= window.ends {
            *window = Window { ends: now + WINDOW, requests: 0 };
        }
        if window.requests >= limit {
            return Err(window.ends - now);
        }
        window.requests += 1;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_admits_the_limit_and_the_next_one_starts_afresh() {
        let (mut limit, client, start) = (RateLimit::default(), IpAddr::from([127, 0, 0, 1]), Instant::now());
        assert_eq!(limit.admit(client, 2, start), Ok(()));
        assert_eq!(limit.admit(client, 2, start + Duration::from_secs(10)), Ok(()));
        assert_eq!(limit.admit(client, 2, start + Duration::from_secs(20)), Err(Duration::from_secs(40)));
        assert_eq!(limit.admit(IpAddr::from([127, 0, 0, 2]), 2, start + Duration::from_secs(20)), Ok(()));
        assert_eq!(limit.admit(client, 2, start + Duration::from_mins(1)), Ok(()));
    }
}
