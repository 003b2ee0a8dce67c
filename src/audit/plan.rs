//! What a suite can prove, before anything is sent.

#![expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "phrases of a suite are far fewer than 2^52"
)]

use schemars::JsonSchema;
use serde::Serialize;

use super::baseline_plan::{BaselineGatePlan, baseline_plan};
use super::cases::Cases;
use crate::domain::{CheckMode, Comparison, Level, Polarity, SliceKind, Split};
use crate::gate::{GATED_FROM, Gate, Metric, held_gates};
use crate::stats::acceptance::point_max_errors;
use crate::stats::multiplicity::family_false_alarm_rate;
use crate::stats::{BoundRule, Confidence, IntervalMethod, cluster, regression_power};
use crate::suite::Suite;

/// True error rates that the chances are given for, as shares of the rate that the gate allows.
const TRUE_RATES: [f64; 6] = [0.125, 0.25, 0.375, 0.5, 0.75, 1.0];

/// Changes that the power is given for: a share that got worse, while half a percent got better.
pub(super) const REGRESSIONS: [f64; 4] = [0.015, 0.025, 0.05, 0.10];
pub(super) const IMPROVING: f64 = 0.005;

/// What a suite can prove.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Plan {
    /// The suite's name.
    pub suite: String,
    /// Phrases in it.
    pub phrases: u64,
    /// The level from which a human is alerted.
    pub alert_level: Level,
    /// Phrases that must not alert.
    pub negatives: u64,
    /// Phrases that must.
    pub positives: u64,
    /// Phrases that count in neither rate.
    pub straddling: u64,
    /// The correlation that is taken for granted between phrases that were made from one another.
    pub family_correlation: f64,
    /// Every gate over a share and its limit, the categories' own ones included.
    pub gates: Vec<GatePlan>,
    /// Every gate over a share and its baseline.
    pub baseline_gates: Vec<BaselineGatePlan>,
    /// The chance to see a regression, with a paired test against a baseline.
    pub regressions: Vec<RegressionPlan>,
    /// The chance that at least one category target fails although every category has exactly its target accuracy.
    pub category_false_alarm: Option<f64>,
}

/// What a gate needs and allows on this suite.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct GatePlan {
    /// The gate in one line.
    pub gate: String,
    /// What is compared.
    pub mode: CheckMode,
    /// Cases it rests on, if every phrase is answered.
    pub cases: u64,
    /// How many independent cases they are worth, where some were made from one another.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub effective: Option<f64>,
    /// Errors with which it passes; none if it cannot pass at all.
    pub allowed_errors: Option<u64>,
    /// Cases that a bound needs to pass without an error, in families as large as these.
    pub min_cases: Option<u64>,
    /// The chance that it passes at some true error rates.
    pub chances: Vec<Chance>,
}

/// The chance to pass at a true error rate.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, JsonSchema)]
pub struct Chance {
    /// The true error rate, 0 to 1.
    pub true_rate: f64,
    /// The chance, 0 to 1.
    pub passes: f64,
}

/// The chance that a comparison with a baseline sees a regression.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, JsonSchema)]
pub struct RegressionPlan {
    /// Share of phrases that got worse.
    pub regressing: f64,
    /// Share of phrases that got better.
    pub improving: f64,
    /// The chance that it is seen: by the one-sided mid-p test at 5 %, or by a gate, where it is about one.
    pub power: f64,
}

/// Works out what the suite can prove under the gates.
pub fn plan(suite: &Suite, gates: &[Gate], alert_level: Level) -> Plan {
    let phrases = suite.phrases.as_slice();
    let polarity = |wanted| {
        phrases.iter().filter(|phrase| phrase.expected.polarity(alert_level) == wanted).count() as u64
    };
    let cases = Cases::of(phrases, alert_level);
    let own = suite.categories.iter().filter_map(|category| {
        let gate = Gate {
            slice: Some((SliceKind::Category, category.name.clone())),
            ..Gate::point(Metric::Accuracy, Comparison::AtLeast, category.target_accuracy?)
        };
        (cases.count(&gate)? >= GATED_FROM).then_some(gate)
    });
    let own: Vec<Gate> = own.collect();
    let category_plans: Vec<GatePlan> = own.iter().filter_map(|gate| gate_plan(gate, &cases)).collect();
    let baseline_gates = gates.iter().filter_map(|gate| baseline_plan(gate, phrases, &cases)).collect();
    let all_held = phrases.iter().all(|phrase| phrase.split == Some(Split::Held));
    let held = held_gates(if all_held { &[] } else { gates });
    let held = held.iter().filter(|gate| cases.count(gate) >= Some(GATED_FROM));
    let mut plans: Vec<GatePlan> =
        gates.iter().chain(held).filter_map(|gate| gate_plan(gate, &cases)).collect();
    let category_false_alarm = false_alarm(&category_plans);
    plans.extend(category_plans);
    let phrases = phrases.len() as u64;
    let regressions = REGRESSIONS.into_iter().filter_map(|regressing| {
        let power = regression_power(phrases, IMPROVING, regressing, Confidence::PERCENT_95)?;
        Some(RegressionPlan { regressing, improving: IMPROVING, power })
    });
    Plan {
        suite: suite.name.clone(),
        phrases,
        alert_level,
        negatives: polarity(Polarity::Negative),
        positives: polarity(Polarity::Positive),
        straddling: polarity(Polarity::Straddling),
        family_correlation: cluster::PLANNED_CORRELATION,
        gates: plans,
        baseline_gates,
        regressions: regressions.collect(),
        category_false_alarm,
    }
}

fn gate_plan(gate: &Gate, all: &Cases<'_>) -> Option<GatePlan> {
    let (cases, worth) = (all.count(gate)?, all.worth(gate));
    let max_rate = match gate.comparison {
        Comparison::AtMost => gate.limit,
        Comparison::AtLeast => 1.0 - gate.limit,
    };
    let rule = BoundRule { max_rate, confidence: gate.confidence, method: IntervalMethod::ClopperPearson };
    let enough = gate.min_n.is_none_or(|min_n| cases >= min_n);
    let (allowed_errors, min_cases) = match gate.mode {
        CheckMode::Point => (point_max_errors(max_rate, cases), None),
        CheckMode::Bound => (
            worth.map_or_else(|| rule.max_errors(cases), |worth| cluster::max_errors(rule, cases, worth)),
            rule.min_trials(0).map(|trials| in_families(trials, cases, worth)),
        ),
        CheckMode::NoRegression | CheckMode::NonInferior | CheckMode::Change => return None,
    };
    let allowed_errors = allowed_errors.filter(|_| enough);
    let chances = TRUE_RATES.into_iter().filter_map(|share| {
        let true_rate = share * max_rate;
        let passes =
            cluster::pass_probability(allowed_errors?, cases, worth.unwrap_or(cases as f64), true_rate)?;
        Some(Chance { true_rate, passes })
    });
    Some(GatePlan {
        gate: gate.to_string(),
        mode: gate.mode,
        cases,
        effective: worth,
        allowed_errors,
        min_cases: min_cases.max(gate.min_n),
        chances: chances.collect(),
    })
}

/// How many cases in families like these are worth so many independent ones.
fn in_families(independent: u64, cases: u64, worth: Option<f64>) -> u64 {
    worth.map_or(independent, |worth| (independent as f64 * cases as f64 / worth).ceil() as u64)
}

/// The chance that one of the gates fails when each is exactly at its limit; by the mean of their own chances.
fn false_alarm(plans: &[GatePlan]) -> Option<f64> {
    let fails: Vec<f64> =
        plans.iter().filter_map(|plan| plan.chances.last()).map(|at_limit| 1.0 - at_limit.passes).collect();
    let tests = u32::try_from(fails.len()).ok().filter(|tests| *tests > 0)?;
    family_false_alarm_rate(tests, fails.iter().sum::<f64>() / f64::from(tests))
}
