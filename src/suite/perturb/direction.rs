//! Words after a message that move its level one way at most.
//!
//! They fit whoever the message is about and name no method.

use super::words::then;

const PLANS: &[&str] = &[
    "this is serious, it is going to happen tonight.",
    "there is a plan and a date.",
    "it has been decided and everything is ready.",
    "it is getting worse by the hour.",
    "there is not much time left.",
];

const RESOLUTIONS: &[&str] = &[
    "update: someone came to help and everyone is safe now.",
    "edit: that has passed. we talked, it is okay now.",
    "update: not anymore. got help, things are fine again.",
    "edit: it is sorted out now and nobody is in danger.",
];

const LAUGHTER: &[&str] = &["lol", "lmao", "haha", "xd", "😂"];

pub(super) fn intensify(text: &str) -> Vec<String> {
    PLANS.iter().map(|plan| then(text, plan)).collect()
}

pub(super) fn resolve(text: &str) -> Vec<String> {
    RESOLUTIONS.iter().map(|resolution| then(text, resolution)).collect()
}

pub(super) fn lol(text: &str) -> Vec<String> {
    LAUGHTER.iter().map(|laugh| format!("{} {laugh}", text.trim_end())).collect()
}
