//! How long what is stored is kept.

use std::collections::BTreeMap;
use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;

use super::sense::{DAY, Findings, is_name};
use crate::document::{Path, nearest_hint};
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
    /// At most so many runs of each suite and target stay, the newest; nothing for any number.
    pub most_runs: Option<usize>,
    /// At most so many of those keep the answers of their phrases; nothing for any number.
    pub most_answers: Option<usize>,
    /// At most so many damaged files stay in the spool, the newest; nothing for any number.
    pub most_damaged: Option<usize>,
}

impl RetentionSettings {
    /// How long data of a class is kept; none is for ever.
    pub fn time(&self, class: &str) -> Option<Duration> {
        self.classes.get(class).copied().flatten().map(|wait| wait.0)
    }

    /// Notes every value that decodes and still makes no sense.
    pub(super) fn look_for_nonsense(&self, found: &mut Findings) {
        let known: Vec<&str> = self.classes.keys().map(String::as_str).collect();
        for (key, class) in [("runs", &self.runs), ("answers", &self.answers), ("traces", &self.traces)] {
            if !self.classes.contains_key(class) {
                let path = Path::of("retention").join(key);
                let message = format!("`{class}` names none of `retention.classes`");
                found.at(path, message).hint = Some(nearest_hint(class, &known));
            }
        }
        for (key, most) in [("most_runs", self.most_runs), ("most_answers", self.most_answers)] {
            found.note(
                most == Some(0),
                &format!("retention.{key}"),
                "at least 1 stays; `null` is any number",
            );
            if let Some(most) = most.filter(|most| (1..self.keep_last).contains(most)) {
                let message =
                    format!("{most} is fewer than the {} that `keep_last` keeps whole", self.keep_last);
                found.at(Path::of("retention").join(key), message);
            }
        }
        for (name, time) in &self.classes {
            let path = Path::of("retention.classes").join(name.as_str());
            if !is_name(name) {
                found.at_key(path.clone(), "a class's name is of 1 to 40 letters, digits, `-` and `_`");
            }
            // What is to go at once would go before anybody has read it.
            if time.is_some_and(|time| time.0 < DAY) {
                found.at(path, "a class keeps its data for a day at least; `null` is for ever");
            }
        }
    }
}
