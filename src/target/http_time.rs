//! `Retry-After`, in either of its forms (RFC 9110, section 10.2.3).

use std::time::{Duration, SystemTime};

/// How long an answer asks to wait; a date in the past asks for no wait.
pub(super) fn retry_after(headers: &[(String, String)], now: SystemTime) -> Option<Duration> {
    let (_, value) = headers.iter().find(|(name, _)| name == "retry-after")?;
    let value = value.trim();
    if let Ok(seconds) = value.parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let date = httpdate::parse_http_date(value).ok()?;
    Some(date.duration_since(now).unwrap_or(Duration::ZERO))
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
        assert_eq!(retry_after(&header("60"), now), Some(Duration::from_secs(60)));
        assert_eq!(retry_after(&header("Fri, 20 Nov 2026 12:00:30 GMT"), now), Some(Duration::from_secs(30)));
        assert_eq!(retry_after(&header("Fri, 20 Nov 2026 11:00:00 GMT"), now), Some(Duration::ZERO));
        assert_eq!(retry_after(&header("soon"), now), None);
        assert_eq!(retry_after(&[], now), None);
    }
}
