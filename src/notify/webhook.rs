//! A message for a service of somebody's own: the message as JSON, signed as <https://www.standardwebhooks.com> says.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use chrono::{DateTime, Utc};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// The headers of a delivery. The signature is over the id, the time and the body, so that a delivery that somebody sends
/// again later is known by its time.
pub(super) fn headers(
    id: &str,
    now: DateTime<Utc>,
    body: &[u8],
    key: Option<&[u8]>,
) -> Vec<(&'static str, String)> {
    let time = now.timestamp().to_string();
    let mut headers = vec![("webhook-id", id.to_owned()), ("webhook-timestamp", time.clone())];
    // A key may have any length, so making the code from it does not fail.
    if let Some(mut code) = key.and_then(|key| Hmac::<Sha256>::new_from_slice(key).ok()) {
        for part in [id.as_bytes(), b".", time.as_bytes(), b".", body] {
            code.update(part);
        }
        let signature = BASE64_STANDARD.encode(code.finalize().into_bytes());
        headers.push(("webhook-signature", format!("v1,{signature}")));
    }
    headers
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_the_one_of_the_specifications_own_libraries() {
        // github.com/standard-webhooks/standard-webhooks, the test `sign function works` of each of them.
        let key = BASE64_STANDARD.decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let now = DateTime::from_timestamp(1_614_265_330, 0).unwrap();
        let body = br#"{"test": 2432232314}"#;
        let headers = headers("msg_p5jXN8AQM9LWM0D4loKWxJek", now, body, Some(&key));
        let expected = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
        assert_eq!(headers[2], ("webhook-signature", expected.to_owned()));
        assert_eq!(headers[1], ("webhook-timestamp", "1614265330".to_owned()));
    }
}
