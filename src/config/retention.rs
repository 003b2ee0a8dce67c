//! How long what is stored is kept.

use std::collections::BTreeMap;
use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::domain::Wait;

/// How long what is stored is kept.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RetentionSettings {
    /// Whether the service removes what is older, once a day.
    pub enabled: bool,
    /// How long data of each class is kept; nothing for ever.
    pub classes: BTreeMap<String, Option<Wait>>,
    /// The class of runs.
    pub runs: String,
    /// Of the answers, times and texts of single phrases.
    pub answers: String,
    /// Of jobs and messages that are over, and of damaged files in the spool.
    pub traces: String,
    /// The newest so many runs of each suite and target stay whole.
    pub keep_last: usize,
}

impl RetentionSettings {
    /// How long data of a class is kept; none is for ever.
    pub fn time(&self, class: &str) -> Option<Duration> {
        self.classes.get(class).copied().flatten().map(|wait| wait.0)
    }

    /// A value that decodes and still makes no sense: its key, and what is wrong.
    pub(super) fn senseless(&self) -> Option<(&'static str, &'static str)> {
        const UNKNOWN: &str = "it names none of `retention.classes`";
        let named = [
            ("retention.runs", &self.runs),
            ("retention.answers", &self.answers),
            ("retention.traces", &self.traces),
        ];
        if let Some((key, _)) = named.into_iter().find(|(_, class)| !self.classes.contains_key(*class)) {
            return Some((key, UNKNOWN));
        }
        // What is to go at once would go before anybody has read it.
        let is_short = |wait: &Option<Wait>| wait.is_some_and(|wait| wait.0 < Duration::from_hours(24));
        self.classes
            .values()
            .any(is_short)
            .then_some(("retention.classes", "a class keeps its data for a day at least; `null` is for ever"))
    }
}
