//! The key that lifts the rate limit.

use std::fmt;

/// A key that lifts the rate limit; it never shows itself.
#[derive(Clone)]
pub struct InternalKey(String);

impl InternalKey {
    /// The key that clients must send.
    pub fn new(key: impl Into<String>) -> Self {
        Self(key.into())
    }

    /// Whether this is the key that was sent. An empty key lifts nothing.
    pub(super) fn is(&self, sent: &[u8]) -> bool {
        !self.0.is_empty() && self.0.as_bytes() == sent
    }
}

impl fmt::Debug for InternalKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("InternalKey(…)")
    }
}
