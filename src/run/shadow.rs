//! Unlabelled lines through target and reference.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::RunControl;
use super::jobs::Job;
use super::record::{target_record, tool};
use super::reference::{Opinions, Reference, Silence, named};
use super::sender::Sender;
use crate::domain::{
    Answer, Conclusion, NoAnswerReason, Observation, Phrase, Prediction, RunEvent, RunStatus, SCHEMA_VERSION,
    ShadowAnswer, ShadowInput, ShadowPair, ShadowReport, TextPolicy,
};
use crate::judge::compare_shadow;
use crate::reference::Model;
use crate::suite::TextLines;
use crate::target::{Target, harmless_phrase};

/// Nothing is compared without the reference, so it is waited for until somebody stops it.
const WAIT: Duration = Duration::from_hours(24);

/// How the lines are sent, and what is shown of them.
#[derive(Debug, Clone, PartialEq)]
pub struct ShadowOptions {
    /// When it began.
    pub started_at: DateTime<Utc>,
    /// Requests in flight at once, at most.
    pub concurrency: usize,
    /// Lines in a request; 1 does without the batch endpoint.
    pub batch: usize,
    /// So many requests in a row without any answer end it.
    pub give_up_after: usize,
    /// Share of unanswered lines above which the target has failed.
    pub error_budget: f64,
    /// So many disagreements are named.
    pub most: usize,
    /// What is shown of their text.
    pub text: TextPolicy,
    /// Whether the target is the embedded demo detector.
    pub demo: bool,
}

/// Lines, a target and a reference that is loaded.
#[derive(Debug)]
pub struct ShadowRun {
    /// What is sent.
    pub lines: TextLines,
    /// Where to.
    pub target: Target,
    /// The second opinion.
    pub model: Model,
    /// How.
    pub options: ShadowOptions,
    /// The version that the health look found.
    pub version: Option<String>,
}

impl ShadowRun {
    /// Sends every line, and holds the answers against the reference's.
    pub async fn execute(self, control: RunControl, events: mpsc::Sender<RunEvent>) -> ShadowReport {
        let Self { lines, target, model, options, version } = self;
        let phrases: Vec<Phrase> = lines
            .lines
            .iter()
            .map(|line| Phrase {
                id: format!("line-{}", line.number),
                text: line.text.clone(),
                ..harmless_phrase()
            })
            .collect();
        let sender = Arc::new(Sender {
            target,
            phrases,
            // None of them has a label.
            judged: 0,
            concurrency: options.concurrency,
            give_up_after: options.give_up_after,
            failed_in_a_row: AtomicUsize::new(0),
            gave_up: control.drain.child_token(),
            control: control.clone(),
            start: Instant::now(),
            events,
        });
        sender.tell(RunEvent::Started { planned: lines.lines.len() });
        let facts = model.facts().clone();
        let beside =
            Reference::with_model(facts.name.clone(), move || Ok(model), &sender.phrases, sender.start);
        let places: Vec<usize> = (0..lines.lines.len()).collect();
        let jobs = places.chunks(options.batch.max(1));
        let sent =
            sender.send(jobs.map(|phrases| Job { repeat: 0, phrases: phrases.to_vec() }).collect()).await;
        let (opinions, trouble) = match beside.opinions(WAIT, &control.drain, &sender.events).await {
            Ok(Opinions { observations, trouble, .. }) => (observations, trouble),
            Err(Silence { reason, .. }) => (Vec::new(), Some(reason)),
        };

        let pairs = pairs(&lines, &sent.observed, &opinions);
        let contract = sender.target.contract();
        let mut comparison = compare_shadow(&pairs, contract.alert_level, options.most);
        let texts: HashMap<u64, &str> =
            lines.lines.iter().map(|line| (line.number, line.text.as_str())).collect();
        for seen in &mut comparison.strongest {
            seen.text = texts.get(&seen.line).and_then(|text| options.text.apply(text));
        }
        let mut unanswered: BTreeMap<NoAnswerReason, u64> = BTreeMap::new();
        for (_, seen) in &sent.observed {
            if let Answer::NoAnswer(none) = &seen.answer {
                *unanswered.entry(none.reason).or_default() += 1;
            }
        }
        let not_sent = sent.planned - sent.observed.len();
        let status = match not_sent {
            0 => RunStatus::Completed,
            _ if control.is_stopping() => RunStatus::Interrupted,
            _ => RunStatus::Aborted,
        };
        let mut said = sent.observed.iter().filter_map(|(_, seen)| seen.answer.prediction());
        let version = version.or_else(|| said.find_map(|prediction| prediction.version.clone()));
        let mut report = ShadowReport {
            schema_version: SCHEMA_VERSION,
            conclusion: Conclusion::Passed,
            reason: String::new(),
            status,
            started_at: options.started_at,
            duration_ms: sent.until.as_secs_f64() * 1e3,
            tool: tool(),
            target: target_record(contract, version, options.demo),
            notes: facts.notes.iter().cloned().chain(trouble).collect(),
            reference: named(facts),
            without_opinion: (lines.lines.len() - opinions.len()) as u64,
            not_sent: not_sent as u64,
            unanswered,
            input: ShadowInput {
                name: lines.name,
                sha256: lines.sha256,
                lines: lines.lines.len() as u64,
                empty: lines.empty,
            },
            comparison,
        };
        (report.conclusion, report.reason) = conclude(&report, control.is_stopping(), options.error_budget);
        report
    }
}

/// Every line with what came back for it.
fn pairs(
    lines: &TextLines,
    observed: &[(usize, Observation)],
    opinions: &[(usize, Observation)],
) -> Vec<ShadowPair> {
    let mut counts: HashMap<&str, usize> = HashMap::new();
    for line in &lines.lines {
        *counts.entry(&line.text).or_default() += 1;
    }
    let mut numbers: HashMap<&str, usize> = HashMap::new();
    let mut pairs: Vec<ShadowPair> = lines
        .lines
        .iter()
        .map(|line| {
            let next = numbers.len();
            let alike = (counts[line.text.as_str()] > 1).then(|| *numbers.entry(&line.text).or_insert(next));
            ShadowPair { line: line.number, alike, target: None, reference: None }
        })
        .collect();
    for (place, seen) in observed {
        pairs[*place].target = seen.answer.prediction().map(answer);
    }
    for (place, seen) in opinions {
        pairs[*place].reference = seen.answer.prediction().map(answer);
    }
    pairs
}

fn answer(prediction: &Prediction) -> ShadowAnswer {
    ShadowAnswer {
        level: prediction.level,
        label: prediction.label.clone(),
        score: prediction.score.filter(|score| score.is_finite()),
    }
}

/// Whether the numbers say what they seem to. How far the two agree decides nothing: nobody knows who is right.
#[expect(clippy::cast_precision_loss, reason = "lines of a file")]
fn conclude(report: &ShadowReport, stopped: bool, error_budget: f64) -> (Conclusion, String) {
    let unanswered: u64 = report.unanswered.values().sum();
    let sent = report.input.lines - report.not_sent;
    if stopped {
        return (Conclusion::Interrupted, "it was stopped before it was done".to_owned());
    }
    if report.not_sent > 0 {
        return (
            Conclusion::TargetFailed,
            format!("the target stopped answering; {} lines were not sent", report.not_sent),
        );
    }
    if unanswered as f64 > error_budget * sent as f64 {
        return (
            Conclusion::TargetFailed,
            format!("the target left {unanswered} of {sent} lines unanswered"),
        );
    }
    if report.without_opinion > 0 {
        let reason = format!("the reference left {} of {sent} lines unanswered", report.without_opinion);
        return (Conclusion::Inconclusive, reason);
    }
    (Conclusion::Passed, String::new())
}
