//! Keys, and what is kept of them.

use std::fmt::Write;

use sha2::{Digest, Sha256};

use crate::domain::Secret;

/// What stands before the digits of a hash.
const SCHEME: &str = "sha256:";

/// What is kept of a key: a plain hash will do, because nobody tries all keys of 256 random bits.
pub fn hash_key(key: &Secret) -> String {
    digest(key.expose().as_bytes()).iter().fold(SCHEME.to_owned(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// A new key that nobody guesses.
pub fn new_key() -> Secret {
    Secret::new(format!("{:032x}{:032x}", rand::random::<u128>(), rand::random::<u128>()))
}

pub(super) fn digest(key: &[u8]) -> [u8; 32] {
    Sha256::digest(key).into()
}

/// The digest that a hash stands for.
pub(super) fn parse(hash: &str) -> Option<[u8; 32]> {
    let hex = hash.strip_prefix(SCHEME)?;
    let mut digest = [0; 32];
    if hex.len() != 64 || !hex.is_ascii() {
        return None;
    }
    for (i, byte) in digest.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&hex[2 * i..2 * i + 2], 16).ok()?;
    }
    Some(digest)
}
