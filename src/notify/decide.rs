//! What there is to say after a run: once when something breaks, once when it is well again.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{Finding, Outcome, Severity};

/// So many runs in a row that could not tell are worth a word; one alone is soon followed by another.
const UNCLEAR_AFTER: u32 = 2;

/// What people have been told of a series.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(tag = "told", rename_all = "snake_case")]
pub enum Told {
    /// Nothing is known to be wrong.
    #[default]
    Well,
    /// It is broken.
    Broken {
        /// How badly, at worst.
        severity: Severity,
        /// Whether the target was found not to answer at all.
        #[serde(default)]
        away: bool,
        /// The trouble's name: what is said later refers to it.
        episode: String,
        /// Since when.
        since: DateTime<Utc>,
    },
    /// It cannot be told whether it is.
    Unclear {
        /// The trouble's name.
        episode: String,
        /// Since when.
        since: DateTime<Utc>,
    },
}

/// How a series stands.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct AlertState {
    /// What people have been told.
    #[serde(flatten)]
    pub told: Told,
    /// How many runs in a row could not tell.
    pub unclear: u32,
    /// When the last run was found to be what it is; older news is no news.
    pub last: Option<DateTime<Utc>>,
}

/// What is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// It broke.
    Broke,
    /// It was broken, and now it is critical, or does not even answer.
    Worse,
    /// It could not be told, twice in a row, or could not even begin.
    Unclear,
    /// It is well again.
    Well,
    /// Somebody tries the channel.
    Test,
}

/// Something to say, and of which trouble.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Saying {
    /// What is said.
    pub event: Event,
    /// How much it matters.
    pub severity: Severity,
    /// The trouble's name.
    pub episode: String,
    /// When the trouble began.
    pub since: DateTime<Utc>,
}

impl Told {
    /// The trouble's name, while there is one.
    pub fn episode(&self) -> Option<&str> {
        match self {
            Self::Well => None,
            Self::Broken { episode, .. } | Self::Unclear { episode, .. } => Some(episode),
        }
    }
}

impl Event {
    /// Its name, as it is sent.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Broke => "broke",
            Self::Worse => "worse",
            Self::Unclear => "unclear",
            Self::Well => "well",
            Self::Test => "test",
        }
    }
}

impl AlertState {
    /// How the series stands after this, and what there is to say; none if it is older than what is known.
    pub fn after(&self, finding: &Finding) -> Option<(Self, Option<Saying>)> {
        if self.last.is_some_and(|last| finding.at <= last) {
            return None;
        }
        let (told, saying) = match finding.outcome {
            Outcome::Passed => (Told::Well, self.well_again()),
            Outcome::Failed(severity) => self.broken(finding, severity, false),
            Outcome::Away => self.broken(finding, Severity::Critical, true),
            Outcome::Unknown => self.unclear(finding, UNCLEAR_AFTER),
            Outcome::NotBegun => self.unclear(finding, 1),
        };
        let unclear = match finding.outcome {
            Outcome::Unknown | Outcome::NotBegun => self.unclear.saturating_add(1),
            Outcome::Passed | Outcome::Failed(_) | Outcome::Away => 0,
        };
        Some((Self { told, unclear, last: Some(finding.at) }, saying))
    }

    fn well_again(&self) -> Option<Saying> {
        let (severity, episode, since) = match &self.told {
            Told::Well => return None,
            Told::Broken { severity, episode, since, .. } => (*severity, episode, since),
            Told::Unclear { episode, since } => (Severity::Warning, episode, since),
        };
        Some(Saying { event: Event::Well, severity, episode: episode.clone(), since: *since })
    }

    fn broken(&self, finding: &Finding, severity: Severity, away: bool) -> (Told, Option<Saying>) {
        let (event, episode, since) = match &self.told {
            // One that answers wrongly can still die, and that is news.
            Told::Broken { severity: known, away: was_away, .. }
                if *known >= severity && *was_away >= away =>
            {
                return (self.told.clone(), None);
            }
            Told::Broken { episode, since, .. } => (Event::Worse, episode.clone(), *since),
            Told::Unclear { episode, since } => (Event::Broke, episode.clone(), *since),
            Told::Well => (Event::Broke, name(finding), finding.at),
        };
        let saying = Saying { event, severity, episode: episode.clone(), since };
        (Told::Broken { severity, away, episode, since }, Some(saying))
    }

    fn unclear(&self, finding: &Finding, after: u32) -> (Told, Option<Saying>) {
        if self.told != Told::Well || self.unclear.saturating_add(1) < after {
            return (self.told.clone(), None);
        }
        let (episode, since) = (name(finding), finding.at);
        let saying =
            Saying { event: Event::Unclear, severity: Severity::Warning, episode: episode.clone(), since };
        (Told::Unclear { episode, since }, Some(saying))
    }
}

/// A name for the trouble that this finding begins.
fn name(finding: &Finding) -> String {
    let at = || finding.at.to_rfc3339();
    finding.run.as_ref().map_or_else(at, ToString::to_string)
}
