//! What is said, before it is put into the words of a channel.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{AlertSeries, Event, Finding, Outcome, Saying, Severity};
use crate::domain::RunId;
use crate::report::clean;

/// A message, as it lies in the outbox and as a webhook gets it. It holds names, numbers and times: no phrase's text,
/// no secret.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Message {
    /// The version of this format.
    pub version: u32,
    /// What is said.
    pub event: Event,
    /// How much it matters.
    pub severity: Severity,
    /// Whose news it is; none for a try of the channel.
    pub series: Option<AlertSeries>,
    /// It in a line.
    pub title: String,
    /// It in a sentence.
    pub sentence: String,
    /// The numbers behind it, each in a line.
    pub facts: Vec<String>,
    /// The run that told, if there is a record of one.
    pub run: Option<RunId>,
    /// Where that run can be looked at.
    pub link: Option<String>,
    /// When it was found.
    pub at: DateTime<Utc>,
    /// When the trouble began.
    pub since: Option<DateTime<Utc>>,
}

/// No line is longer than this, in signs: what is longer is no name and no number.
const LONGEST: usize = 300;

impl Message {
    /// What a finding gives to say. `public_url` is where this service can be seen.
    pub(super) fn of(finding: &Finding, saying: &Saying, public_url: Option<&str>) -> Self {
        let series = &finding.series;
        let title = match (saying.event, saying.severity) {
            (Event::Broke, Severity::Critical) => format!("Critical: {series} is broken"),
            (Event::Broke, Severity::Warning) => format!("Warning: {series} fails"),
            (Event::Worse, _) if finding.outcome == Outcome::Away => {
                format!("Critical: {series} does not even answer")
            }
            (Event::Worse, _) => format!("Critical: {series} got worse"),
            (Event::Unclear, _) if finding.outcome == Outcome::NotBegun => {
                format!("Warning: {series} came to nothing")
            }
            (Event::Unclear, _) => format!("Warning: {series} could not tell, twice in a row"),
            (Event::Well, _) => format!("Well again: {series}"),
            (Event::Test, _) => "Test".to_owned(),
        };
        let run = finding.run.as_ref();
        let link = public_url.zip(run).map(|(url, run)| format!("{}/runs/{run}", url.trim_end_matches('/')));
        let short = |text: &String| shortened(text, LONGEST);
        Self {
            version: 1,
            event: saying.event,
            severity: saying.severity,
            series: Some(series.clone()),
            title: short(&title),
            sentence: short(&finding.sentence),
            facts: finding.facts.iter().map(short).collect(),
            run: run.cloned(),
            link,
            at: finding.at,
            since: Some(saying.since),
        }
    }

    /// A message that tries a channel, and says so.
    pub(super) fn test(channel: &str, at: DateTime<Utc>) -> Self {
        Self {
            version: 1,
            event: Event::Test,
            severity: Severity::Warning,
            series: None,
            title: "Test: thrash can write here".to_owned(),
            sentence: format!("Somebody tries the channel {}. Nothing is broken.", shortened(channel, 80)),
            facts: Vec::new(),
            run: None,
            link: None,
            at,
            since: None,
        }
    }

    /// Everything but the title, a line each.
    pub(super) fn lines(&self) -> Vec<String> {
        let mut lines = vec![self.sentence.clone()];
        lines.extend(self.facts.iter().cloned());
        if let Some(since) = self.since.filter(|since| *since != self.at) {
            let since = since.format("%Y-%m-%d %H:%M UTC");
            lines.push(match self.event {
                Event::Well => format!("It had been in trouble since {since}."),
                Event::Broke | Event::Worse | Event::Unclear | Event::Test => {
                    format!("In trouble since {since}.")
                }
            });
        }
        if let Some(run) = &self.run {
            lines.push(format!("Run {run}, {}", self.at.format("%Y-%m-%d %H:%M UTC")));
        }
        lines
    }
}

/// A text in one line that deceives nobody, with at most so many signs.
pub(super) fn shortened(text: &str, most: usize) -> String {
    let clean = clean(text);
    if clean.chars().count() <= most {
        return clean;
    }
    clean.chars().take(most.saturating_sub(1)).chain(['…']).collect()
}

/// The lines as one text of at most so many signs, as far as whole lines fit.
pub(super) fn joined(lines: impl IntoIterator<Item = String>, most: usize) -> String {
    let (mut text, mut signs) = (String::new(), 0);
    for line in lines {
        // One more for the end of the line.
        signs += line.chars().count() + 1;
        if signs > most {
            break;
        }
        if !text.is_empty() {
            text.push('\n');
        }
        text.push_str(&line);
    }
    text
}
