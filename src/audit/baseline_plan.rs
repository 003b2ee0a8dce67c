//! What a gate against a baseline could see on a suite.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::Serialize;

use super::cases::Cases;
use super::plan::{IMPROVING, REGRESSIONS, RegressionPlan};
use crate::domain::{CheckMode, CheckSeverity, Phrase, SliceKind};
use crate::gate::{GATED_FROM, Gate};
use crate::stats::{PairedTable, regression_chance};

/// What a gate against a baseline could see, if every phrase is answered, steadily and but for the changes rightly.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct BaselineGatePlan {
    /// The gate in one line.
    pub gate: String,
    /// What is compared.
    pub mode: CheckMode,
    /// What failing does.
    pub severity: CheckSeverity,
    /// For a gate over every slice of a kind: the smallest one that is looked at, which sees least.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub slice: Option<String>,
    /// Cases it rests on.
    pub cases: u64,
    /// So many phrases that got worse, and none better, keep it from passing; 0 if it cannot pass at all.
    pub seen_from: u64,
    /// The chance that a change is seen.
    pub chances: Vec<RegressionPlan>,
}

/// Works out what a gate against a baseline could see; none for any other gate, and for one that is not over a share.
pub(super) fn baseline_plan(gate: &Gate, phrases: &[Phrase], all: &Cases<'_>) -> Option<BaselineGatePlan> {
    if !gate.mode.is_against_baseline() {
        return None;
    }
    let (slice, cases, tests) = match gate.every_slice() {
        None => (None, all.count(gate)?, 1),
        Some(kind) => smallest_slice(gate, kind, phrases, all),
    };
    let table = |changed: u64, regressed: u64| PairedTable {
        both_right: cases - changed,
        improved: changed - regressed,
        regressed,
        both_wrong: 0,
    };
    let enough = gate.min_n.is_none_or(|least| cases >= least) && gate.can_fail(table(0, 0), tests);
    // What can fail does so at the latest when everything is worse.
    let seen_from =
        (0..=cases).find(|&worse| !enough || !gate.holds(table(worse, worse), tests)).unwrap_or(0);
    let chances = REGRESSIONS.into_iter().filter_map(|regressing| {
        if seen_from == 0 {
            return None;
        }
        let power = regression_chance(cases, IMPROVING, regressing, |changed| {
            let counts: Vec<u64> = (0..=changed).collect();
            counts.partition_point(|&worse| gate.holds(table(changed, worse), tests)) as u64
        })?;
        Some(RegressionPlan { regressing, improving: IMPROVING, power })
    });
    Some(BaselineGatePlan {
        gate: gate.to_string(),
        mode: gate.mode,
        severity: gate.severity,
        cases,
        seen_from,
        chances: chances.collect(),
        slice,
    })
}

/// The smallest slice that a gate over every one looks at, its cases, and how many it is corrected for.
fn smallest_slice(
    gate: &Gate,
    kind: SliceKind,
    phrases: &[Phrase],
    all: &Cases<'_>,
) -> (Option<String>, u64, u64) {
    let names: BTreeSet<&str> = phrases.iter().flat_map(|phrase| phrase.slices(kind)).collect();
    let least = gate.min_n.unwrap_or(GATED_FROM);
    let large = names.into_iter().filter_map(|name| {
        let one = Gate { slice: Some((kind, name.to_owned())), ..gate.clone() };
        Some((all.count(&one).filter(|cases| *cases >= least)?, name))
    });
    let large: Vec<(u64, &str)> = large.collect();
    let tests = large.len() as u64;
    let looked_at = large.into_iter().filter(|(cases, _)| {
        let right = PairedTable { both_right: *cases, ..PairedTable::default() };
        gate.can_fail(right, tests)
    });
    match looked_at.min() {
        Some((cases, name)) => (Some(name.to_owned()), cases, tests),
        None => (None, 0, tests),
    }
}
