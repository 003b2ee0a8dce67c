//! What makes a comparison less than it seems, in sentences.

use super::pairs::Pairing;
use crate::domain::{
    EndedBy, LatencyComparison, Level, PhraseResult, RunOptionsRecord, RunRecord, RunStatus,
};

pub(super) fn warnings(
    baseline: &RunRecord,
    candidate: &RunRecord,
    alert_level: Level,
    pairing: &Pairing<'_>,
) -> Vec<String> {
    let all = [
        runs(baseline, candidate),
        targets(baseline, candidate, alert_level),
        phrases(baseline, candidate, pairing),
        times(baseline, candidate),
    ];
    all.concat()
}

/// Which runs they are, and how far they came.
fn runs(baseline: &RunRecord, candidate: &RunRecord) -> Vec<String> {
    let mut warnings = Vec::new();
    if let (Some(before), Some(after)) = (&baseline.load, &candidate.load) {
        let (before, after) = (&before.scenario, &after.scenario);
        if before.hash != after.hash || before.time_scale.to_bits() != after.time_scale.to_bits() {
            warnings.push("the scenarios differ: another load, other answers".to_owned());
        }
    }
    if baseline.id == candidate.id {
        warnings.push(format!("both are the run `{}`: nothing can differ", candidate.id));
    }
    if baseline.started_at > candidate.started_at {
        warnings.push("the baseline is the newer run: were the two swapped?".to_owned());
    }
    for (run, name) in [(baseline, "baseline"), (candidate, "candidate")] {
        let why = match run.status {
            RunStatus::Completed => continue,
            RunStatus::Interrupted => "was stopped by hand",
            RunStatus::Aborted => match run.load.as_ref().map(|load| load.ended_by) {
                None => "gave up because the target stopped answering",
                Some(Some(EndedBy::Target)) => "was ended because of its target",
                Some(Some(EndedBy::ThisProgram)) => "was ended by this program or its machines",
                Some(Some(EndedBy::Unknown) | None) => "was ended before its time",
            },
        };
        let (judged, selected) = (run.results.len(), run.suite.selected);
        warnings.push(format!("the {name} {why} after {judged} of {selected} phrases"));
    }
    warnings
}

/// That requests took longer, where the percentile's intervals lie apart: no gate looks at it unless one is asked for.
pub(super) fn slower(latency: &[LatencyComparison]) -> Option<String> {
    let found = latency.iter().find(|found| found.quantile.to_bits() == 0.95_f64.to_bits())?;
    let apart = found.baseline.upper? < found.candidate.lower?;
    let (was, is) = (found.baseline.value, found.candidate.value);
    apart.then(|| {
        format!("p95 of the response time is {is:.1} ms, and was {was:.1} ms: `latency_p95 rise <= 50%` is a gate on that")
    })
}

/// What was asked, and how its answers were read.
fn targets(baseline: &RunRecord, candidate: &RunRecord, alert_level: Level) -> Vec<String> {
    let (before, after) = (&baseline.target, &candidate.target);
    let mut warnings = Vec::new();
    match (before.demo, after.demo) {
        (true, false) => {
            warnings.push("the baseline is a run of the built-in demo, the candidate is not".to_owned());
        }
        (false, true) => {
            warnings.push("the candidate is a run of the built-in demo, the baseline is not".to_owned());
        }
        _ if before.name != after.name => {
            warnings.push(format!("the targets are not the same: `{}` and `{}`", before.name, after.name));
        }
        // The demo has another port every time.
        (false, false) if before.url != after.url => {
            let (before, after) = (&before.url, &after.url);
            warnings.push(format!(
                "the target was at another address, {before} and {after}: is it the same one?"
            ));
        }
        _ => {}
    }
    if before.contract_hash != after.contract_hash {
        warnings.push("the contracts differ: the same answer may be read in another way".to_owned());
    }
    if before.alert_level != after.alert_level {
        warnings.push(format!(
            "the targets alert from `{}` and `{}` on; both are counted from `{alert_level}` on",
            before.alert_level, after.alert_level
        ));
    }
    warnings
}

/// Which phrases were sent, and what was right for them.
fn phrases(baseline: &RunRecord, candidate: &RunRecord, pairing: &Pairing<'_>) -> Vec<String> {
    let (before, after) = (&baseline.suite, &candidate.suite);
    let mut warnings = Vec::new();
    let (new, gone) = (pairing.new.len(), pairing.gone.len());
    let held = format!(
        "{} in both, {new} only in the candidate, {gone} only in the baseline",
        counted(pairing.pairs.len())
    );
    if before.name != after.name {
        warnings.push(format!("the suites are not the same, `{}` and `{}`: {held}", before.name, after.name));
    } else if before.hash != after.hash {
        warnings.push(format!("the suite changed: {held}"));
    } else if before.selection_hash != after.selection_hash {
        warnings.push(format!("other phrases of the suite were selected: {held}"));
    }
    if pairing.reworded > 0 {
        let reworded = counted(pairing.reworded);
        warnings.push(format!("{reworded} with another text under the same id: new and gone, not compared"));
    }
    let must_pass = |results: &[&PhraseResult], id: &str| {
        results.iter().any(|result| result.must_pass && result.id == id)
    };
    let lost = pairing.gone.iter().filter(|gone| gone.must_pass && !must_pass(&pairing.new, &gone.id));
    let lost: Vec<&str> = lost.map(|gone| gone.id.as_str()).collect();
    if let Some(first) = lost.first() {
        let are = if lost.len() == 1 { "is" } else { "are" };
        let more = if lost.len() == 1 { String::new() } else { format!(" and {} more", lost.len() - 1) };
        warnings.push(format!("{} had to pass and {are} gone: `{first}`{more}", counted(lost.len())));
    }
    let free = pairing.pairs.iter().filter(|pair| pair.before.must_pass && !pair.phrase.must_pass).count();
    if free > 0 {
        warnings.push(format!("{} had to pass in the baseline and need not now", counted(free)));
    }
    let labels = |result: &PhraseResult| (result.expected, result.lowest_passing, result.highest_passing);
    let relabelled = pairing.pairs.iter().filter(|pair| labels(pair.before) != labels(pair.phrase)).count();
    if relabelled > 0 {
        let relabelled = counted(relabelled);
        warnings.push(format!("{relabelled} with another label: both answers are judged by the candidate's"));
    }
    let variants = pairing.pairs.iter().filter(|pair| pair.phrase.seed_of.is_some()).count();
    if variants > 0 {
        let made = counted(variants);
        warnings.push(format!(
            "{made} made from another one: the tests take each for independent, and chance is likelier than they say"
        ));
    }
    warnings
}

fn counted(phrases: usize) -> String {
    if phrases == 1 { "1 phrase".to_owned() } else { format!("{phrases} phrases") }
}

/// What else may have made a run faster or slower.
fn times(baseline: &RunRecord, candidate: &RunRecord) -> Vec<String> {
    let mut warnings = Vec::new();
    let sent = sent_differently(&baseline.options, &candidate.options);
    if !sent.is_empty() {
        warnings.push(format!("the phrases were not sent alike: {}", sent.join(", ")));
    }
    let (before, after) = (baseline.integrity.cached, candidate.integrity.cached);
    if before > 0 || after > 0 {
        warnings.push(format!("{before} and {after} answers came from a cache: their latencies say nothing"));
    }
    warnings
}

/// The ways of sending that differ, each with both values.
fn sent_differently(before: &RunOptionsRecord, after: &RunOptionsRecord) -> Vec<String> {
    let rate = |options: &RunOptionsRecord| {
        options.rate.map_or_else(|| "unlimited".to_owned(), |rate| format!("{rate}/s"))
    };
    let all = [
        ("concurrency", before.concurrency.to_string(), after.concurrency.to_string()),
        ("rate", rate(before), rate(after)),
        ("timeout", format!("{} ms", before.timeout_ms), format!("{} ms", after.timeout_ms)),
        ("retries", before.retries.to_string(), after.retries.to_string()),
        ("batch", before.batch.to_string(), after.batch.to_string()),
    ];
    let differ = all.into_iter().filter(|(_, before, after)| before != after);
    differ.map(|(name, before, after)| format!("{name} {before} and {after}")).collect()
}
