//! Signs that the numbers may not mean what they seem to; nothing where there are none.

use std::collections::BTreeMap;

use crate::domain::RunRecord;

use super::super::figures::{count, names, unanswered};
use super::super::headline::not_sent;
use super::page::{Line, Page, Tone};

/// So many phrases are named in a finding.
const MOST_NAMES: usize = 3;

pub(super) fn show(page: &mut Page, record: &RunRecord) {
    let mut findings = findings(record);
    if let Some(load) = record.load.as_ref().filter(|load| load.counts.violations > 0) {
        let all = count(load.counts.violations, "answer broke", "answers broke");
        findings.insert(0, format!("{all} an invariant under load"));
    }
    if findings.is_empty() {
        return;
    }
    if let [finding] = findings.as_slice() {
        return page.section("Integrity", finding);
    }
    page.section("Integrity", "");
    for finding in findings {
        page.paragraph(Line::of(Tone::Plain, "  ").with(Tone::Warn, "! "), Tone::Plain, &finding);
    }
}

/// Each finding in a sentence.
pub(in crate::report) fn findings(record: &RunRecord) -> Vec<String> {
    let (integrity, left_out) = (&record.integrity, record.suite.left_out);
    let mut findings = Vec::new();
    if !integrity.violations.is_empty() {
        let mut by_invariant: BTreeMap<&str, u64> = BTreeMap::new();
        for violation in &integrity.violations {
            *by_invariant.entry(&violation.invariant).or_default() += 1;
        }
        let all = count(
            integrity.violations.len() as u64,
            "answer broke an invariant",
            "answers broke an invariant",
        );
        findings.push(format!("{all}: {}", kinds(by_invariant)));
    }
    let phrases = |ids: &[String]| names(ids.iter().map(String::as_str), MOST_NAMES);
    if !integrity.fail_open.is_empty() {
        let all = count(integrity.fail_open.len() as u64, "phrase was", "phrases were");
        findings
            .push(format!("{all} waved through unanalysed (fail-open): {}", phrases(&integrity.fail_open)));
    }
    if !integrity.changed.is_empty() {
        let all = count(integrity.changed.len() as u64, "phrase got", "phrases got");
        findings.push(format!("{all} different answers when repeated: {}", phrases(&integrity.changed)));
    }
    if integrity.cached > 0 {
        findings.push(format!("{} from a cache", count(integrity.cached, "answer came", "answers came")));
    } else if integrity.target_caches == Some(true) {
        findings.push("the target caches answers, so a repeat may measure its cache".to_owned());
    }
    if integrity.retries > 0 || integrity.rate_limited > 0 {
        let retries = count(integrity.retries, "attempt was a retry", "attempts were retries");
        let limited = match integrity.rate_limited {
            0 => String::new(),
            limited => {
                format!(", {} with 429", count(limited, "attempt was answered", "attempts were answered"))
            }
        };
        findings.push(format!("{retries}{limited}"));
    }
    if !integrity.no_answer.is_empty() {
        let all = integrity.no_answer.values().sum();
        let reasons = integrity.no_answer.iter().map(|(reason, count)| (reason.as_str(), *count));
        let unanswered = unanswered(record, all);
        findings.push(format!("{unanswered}: {}", kinds(reasons)));
    }
    if integrity.not_sent > 0 {
        findings.push(format!(
            "{} {}",
            count(integrity.not_sent, "planned request was", "planned requests were"),
            not_sent(record)
        ));
    }
    if integrity.lost > 0 {
        findings
            .push(format!("{} lost to a bug in thrash", count(integrity.lost, "answer was", "answers were")));
    }
    if left_out > 0 {
        let phrases = count(left_out as u64, "phrase was", "phrases were");
        findings.push(format!("{phrases} left out: the target takes no earlier messages"));
    }
    findings
}

/// Kinds with their counts, as `timed out (3), server error (1)`; a lone kind needs none.
fn kinds<'a>(kinds: impl IntoIterator<Item = (&'a str, u64)>) -> String {
    let kinds: Vec<(&str, u64)> = kinds.into_iter().collect();
    if let [(kind, _)] = kinds.as_slice() {
        return (*kind).to_owned();
    }
    let kinds: Vec<String> = kinds.iter().map(|(kind, count)| format!("{kind} ({count})")).collect();
    names(kinds.iter().map(String::as_str), 6)
}
