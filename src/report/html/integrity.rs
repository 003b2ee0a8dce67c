//! Signs that the numbers may not mean what they seem to, and what was not looked at.

use std::collections::BTreeMap;

use maud::{Markup, html};

use super::super::figures::{self, count};
use super::super::headline::not_sent;
use super::clean;
use super::section::{Section, Tone, folded, mark};
use crate::domain::{Integrity, RunRecord};

/// So many phrases are named at once; the others are folded.
const SHOWN: usize = 12;

/// One thing that was looked for.
struct Finding {
    tone: Tone,
    text: String,
    phrases: Vec<String>,
}

impl Finding {
    fn new(tone: Tone, text: impl Into<String>) -> Self {
        Self { tone, text: text.into(), phrases: Vec::new() }
    }

    /// Phrases that show it, each once.
    fn about<'a>(mut self, ids: impl IntoIterator<Item = &'a str>) -> Self {
        for id in ids {
            if !self.phrases.iter().any(|known| known == id) {
                self.phrases.push(id.to_owned());
            }
        }
        self
    }
}

pub(super) fn section(record: &RunRecord) -> Section {
    let mut findings = findings(record);
    findings.sort_by_key(|finding| match finding.tone {
        Tone::Bad => 0,
        Tone::Unsure => 1,
        Tone::Plain => 2,
        Tone::Good => 3,
    });
    let with =
        |tones: &[Tone]| findings.iter().filter(|finding| tones.contains(&finding.tone)).count() as u64;
    let found = match with(&[Tone::Bad, Tone::Unsure]) {
        0 => "nothing was found".to_owned(),
        found => count(found, "finding", "findings"),
    };
    let summary = match with(&[Tone::Plain]) {
        0 => found,
        unknown => format!("{found}, {unknown} not known"),
    };
    let body = html! {
        ul.findings { @for finding in &findings { (show(finding)) } }
    };
    Section { id: "integrity", title: "Integrity", summary, body }
}

fn show(finding: &Finding) -> Markup {
    let (named, more) = finding.phrases.split_at(finding.phrases.len().min(SHOWN));
    html! {
        li {
            (mark(finding.tone)) " "
            div {
                (finding.text)
                @if !named.is_empty() { ": " (links(named)) }
                @if !more.is_empty() { (folded(&format!("{} more", more.len()), &html! { p { (links(more)) } })) }
            }
        }
    }
}

fn links(ids: &[String]) -> Markup {
    html! {
        @for (index, id) in ids.iter().enumerate() {
            @if index > 0 { ", " }
            a href={ "#" (clean::anchor(id)) } { (clean::name(id)) }
        }
    }
}

fn findings(record: &RunRecord) -> Vec<Finding> {
    let integrity = &record.integrity;
    let mut findings = vec![fail_open(record)];
    findings.extend(contradictions(record));
    findings.extend(if record.load.is_some() {
        [cache_under_load(integrity), changed_under_load(integrity), refused(integrity), unanswered(record)]
    } else {
        [cache(integrity), changed(record), retries(integrity), unanswered(record)]
    });
    if integrity.not_sent > 0 {
        let planned = count(integrity.not_sent, "planned request was", "planned requests were");
        findings.push(Finding::new(Tone::Bad, format!("{planned} {}", not_sent(record))));
    }
    if record.suite.left_out > 0 {
        let phrases = count(record.suite.left_out as u64, "phrase was", "phrases were");
        let must = match record.suite.left_out_must_pass {
            0 => String::new(),
            must => format!(", {must} of them must pass"),
        };
        let text = format!("{phrases} left out, because the target takes no earlier messages{must}");
        findings.push(Finding::new(Tone::Unsure, text));
    }
    findings
}

/// Whether a gate watches a promise: without a rule in the contract nobody looked.
fn watched(record: &RunRecord, metric: &str) -> bool {
    record.verdict.checks.iter().any(|check| check.metric == metric)
}

fn fail_open(record: &RunRecord) -> Finding {
    let ids = &record.integrity.fail_open;
    if !ids.is_empty() {
        let phrases = count(ids.len() as u64, "phrase was", "phrases were");
        return Finding::new(Tone::Bad, format!("{phrases} waved through unanalysed (fail-open)"))
            .about(ids.iter().map(String::as_str));
    }
    if watched(record, "fail_open_answers") {
        Finding::new(Tone::Good, "No answer said “I could not analyse this”")
    } else {
        Finding::new(
            Tone::Plain,
            "Fail-open answers were not looked for: no gate asks, or the contract has no rule",
        )
    }
}

fn contradictions(record: &RunRecord) -> Vec<Finding> {
    let violations = &record.integrity.violations;
    // Under load they are counted, and not listed.
    if let Some(broken) = record.load.as_ref().map(|load| load.counts.violations).filter(|broken| *broken > 0)
    {
        let text = format!("{} an invariant of the contract", count(broken, "answer broke", "answers broke"));
        return vec![Finding::new(Tone::Bad, text)];
    }
    if violations.is_empty() {
        return vec![if watched(record, "invariant_violations") {
            Finding::new(Tone::Good, "No answer contradicted itself")
        } else {
            Finding::new(
                Tone::Plain,
                "Contradictory fields were not looked for: no gate asks, or the contract has no invariant",
            )
        }];
    }
    let mut by_invariant: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for violation in violations {
        by_invariant.entry(&violation.invariant).or_default().push(&violation.phrase);
    }
    let finding = |(invariant, phrases): (&str, Vec<&str>)| {
        let answers = count(phrases.len() as u64, "answer contradicts", "answers contradict");
        let text = format!("{answers} itself, by the invariant `{}`", clean::name(invariant));
        Finding::new(Tone::Bad, text.replace("contradict itself", "contradict themselves")).about(phrases)
    };
    by_invariant.into_iter().map(finding).collect()
}

fn cache(integrity: &Integrity) -> Finding {
    match (integrity.cached, integrity.target_caches) {
        (0, Some(true)) => {
            Finding::new(Tone::Unsure, "The target caches answers, so a repeat may measure its cache")
        }
        (0, Some(false)) => Finding::new(Tone::Good, "No answer came from a cache"),
        (0, None) => Finding::new(
            Tone::Plain,
            "Whether answers came from a cache is not known: the contract tells no way to see it",
        ),
        (cached, _) => Finding::new(
            Tone::Unsure,
            format!("{} from a cache", count(cached, "answer came", "answers came")),
        ),
    }
}

fn cache_under_load(integrity: &Integrity) -> Finding {
    match integrity.cached {
        0 => {
            Finding::new(Tone::Plain, "No answer said that it came from a cache; that it would is not known")
        }
        _ => cache(integrity),
    }
}

fn changed_under_load(integrity: &Integrity) -> Finding {
    let ids = &integrity.changed;
    if ids.is_empty() {
        return Finding::new(Tone::Good, "No phrase got different answers under the load");
    }
    let phrases = count(ids.len() as u64, "phrase got", "phrases got");
    Finding::new(Tone::Unsure, format!("{phrases} different answers under the load"))
        .about(ids.iter().map(String::as_str))
}

/// Nothing is sent twice under load, so there are no retries.
fn refused(integrity: &Integrity) -> Finding {
    match integrity.rate_limited {
        0 => Finding::new(Tone::Good, "No request was answered with 429"),
        limited => {
            let text = count(limited, "request was answered with 429", "requests were answered with 429");
            Finding::new(Tone::Unsure, text)
        }
    }
}

fn changed(record: &RunRecord) -> Finding {
    let ids = &record.integrity.changed;
    if !ids.is_empty() {
        let phrases = count(ids.len() as u64, "phrase got", "phrases got");
        return Finding::new(Tone::Unsure, format!("{phrases} different answers when repeated"))
            .about(ids.iter().map(String::as_str));
    }
    let cached = record.integrity.cached > 0 || record.integrity.target_caches == Some(true);
    match record.options.repeat {
        0 | 1 => Finding::new(Tone::Plain, "Whether answers change is not known: each phrase was sent once"),
        _ if cached => {
            Finding::new(Tone::Plain, "Whether answers change is not known: repeats may have met a cache")
        }
        repeat => Finding::new(Tone::Good, format!("No answer changed in {repeat} passes")),
    }
}

fn retries(integrity: &Integrity) -> Finding {
    if integrity.retries == 0 && integrity.rate_limited == 0 {
        return Finding::new(Tone::Good, "Every first attempt was the last");
    }
    let retries = count(integrity.retries, "attempt was a retry", "attempts were retries");
    let limited = match integrity.rate_limited {
        0 => String::new(),
        limited => format!(", {} with 429", count(limited, "attempt was answered", "attempts were answered")),
    };
    Finding::new(Tone::Unsure, format!("{retries}{limited}"))
}

fn unanswered(record: &RunRecord) -> Finding {
    let reasons = &record.integrity.no_answer;
    let all: u64 = reasons.values().sum();
    if all == 0 {
        return Finding::new(Tone::Good, "Every request was answered");
    }
    let reasons: Vec<String> =
        reasons.iter().map(|(reason, count)| format!("{} ({count})", reason.as_str())).collect();
    let unanswered = figures::unanswered(record, all);
    let ids = record
        .results
        .iter()
        .filter(|result| result.observations.iter().any(|observation| observation.answer.level().is_none()));
    Finding::new(Tone::Bad, format!("{unanswered}, {}", reasons.join(", ")))
        .about(ids.map(|result| result.id.as_str()))
}
