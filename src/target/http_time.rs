//! `Retry-After`, in either of its forms (RFC 9110, section 10.2.3).

use std::time::{Duration, SystemTime};

/// The longest wait that anybody can mean: above it stands a time of day in the wrong place, or nonsense.
const LONGEST: Duration = Duration::from_hours(24);

/// How long an answer asks to wait; a date in the past asks for no wait, and nonsense for nothing.
pub(super) fn retry_after(headers: &[(String, String)], now: SystemTime) -> Option<Duration> {
    let (_, value) = headers.iter().find(|(name, _)| name == "retry-after")?;
    let value = value.trim();
    // Whole seconds by the RFC, and yet some send `0.5`.
    let wait = match value.parse::<f64>() {
        Ok(seconds) => Duration::try_from_secs_f64(seconds).ok()?,
        Err(_) => httpdate::parse_http_date(value).ok()?.duration_since(now).unwrap_or(Duration::ZERO),
    };
    (wait <= LONGEST).then_some(wait)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(value: &str) -> Vec<(String, String)> {
        vec![("retry-after".to_owned(), value.to_owned())]
    }

    #[test]
    fn both_forms_are_understood_and_nonsense_is_not() {
        let now = httpdate::parse_http_date("Fri, 20 Nov 2026 12:00:00 GMT").unwrap();
        assert_eq!(retry_after(&header("60"), now), Some(Duration::from_mins(1)));
        assert_eq!(retry_after(&header("Fri, 20 Nov 2026 12:00:30 GMT"), now), Some(Duration::from_secs(30)));
        assert_eq!(retry_after(&header("Fri, 20 Nov 2026 11:00:00 GMT"), now), Some(Duration::ZERO));
        assert_eq!(retry_after(&header("0.5"), now), Some(Duration::from_millis(500)));
        for nonsense in ["soon", "", "-1", "NaN", "inf", "1e9", "1763640000", "18446744073709551616"] {
            assert_eq!(retry_after(&header(nonsense), now), None, "{nonsense}");
        }
        assert_eq!(retry_after(&header("Fri, 20 Nov 2099 12:00:00 GMT"), now), None);
        assert_eq!(retry_after(&[], now), None);
    }
}
