//! Values that decode and still make no sense. All of them are found, each with its path, so that it can be shown where
//! it stands.

use std::time::Duration;

use crate::document::Path;
use crate::domain::Wait;

/// A value that makes no sense.
#[derive(Debug)]
pub(super) struct Nonsense {
    /// Where it is.
    pub(super) path: Path,
    /// Whether its key is meant, and not its value.
    pub(super) is_key: bool,
    /// What is wrong.
    pub(super) message: String,
    /// Advice.
    pub(super) hint: Option<String>,
    /// Whether it may be a secret: then its line is not shown.
    pub(super) is_secret: bool,
}

/// Everything that makes no sense.
#[derive(Debug, Default)]
pub(super) struct Findings(pub(super) Vec<Nonsense>);

impl Findings {
    /// Notes a setting if it is wrong.
    pub(super) fn note(&mut self, is_wrong: bool, key: &str, message: &str) {
        if is_wrong {
            self.at(Path::of(key), message);
        }
    }

    /// Notes a length of time that is not within these bounds.
    pub(super) fn time(&mut self, key: &str, wait: Wait, least: Duration, most: Duration) {
        if !(least..=most).contains(&wait.0) {
            self.at(Path::of(key), format!("it must be from {} to {}", Wait(least), Wait(most)));
        }
    }

    /// Notes what is wrong with the value at a path.
    pub(super) fn at(&mut self, path: Path, message: impl Into<String>) -> &mut Nonsense {
        let message = message.into();
        self.0.push(Nonsense { path, is_key: false, message, hint: None, is_secret: false });
        let last = self.0.len() - 1;
        &mut self.0[last]
    }

    /// Notes what is wrong with the key at the end of a path, or with what is not there below it.
    pub(super) fn at_key(&mut self, path: Path, message: impl Into<String>) {
        self.at(path, message).is_key = true;
    }
}

/// A name that can stand in lists, URLs and metrics.
pub(super) fn is_name(text: &str) -> bool {
    (1..=40).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
}

/// Shortest time that is one.
pub(super) const INSTANT: Duration = Duration::from_millis(1);
/// An hour.
pub(super) const HOUR: Duration = Duration::from_hours(1);
/// A day.
pub(super) const DAY: Duration = Duration::from_hours(24);
/// A month, at its longest.
pub(super) const MONTH: Duration = Duration::from_hours(24 * 31);
