//! The cases of one paired comparison, and what a gate makes of them.

use super::answer_shares::{Answers, percent};
use super::threshold::{Gate, points};
use crate::domain::{
    AnswerBrief, Change, Check, CheckMode, CheckOutcome, Comparison, PairedRate, PairedTest, PhraseChange,
    RunComparison, SliceKind,
};
use crate::stats::multiplicity::holm;
use crate::stats::{Interval, PairedTable, smallest_regression};

/// On fewer cases the paired test overlooks a service that got five worse in a hundred about every second time, or
/// more often: a loss that it calls chance is no pass there.
const SEES_LITTLE: u64 = 100;

/// On fewer it overlooks one that got a fifth worse every second time, or more often: there not even the lack of any loss
/// is a pass. A suite as small as `quick` has more.
const SEES_NOTHING: u64 = 20;

/// Of fewer requests not even the loss of all shows (Fisher's exact test).
const LEAST_REQUESTS: u64 = 4;

/// The cases that one test is about.
pub(super) struct Case<'a> {
    /// The slice's name.
    pub(super) name: &'a str,
    pub(super) table: PairedTable,
    /// The one-sided p-value, corrected where it is one of several.
    pub(super) p: f64,
    /// How many tests share the chance of a false alarm.
    pub(super) tests: u64,
    /// How many independent cases they are worth, where that is fewer.
    worth: Option<f64>,
    /// All answers, in load runs: they decide.
    answers: Option<Answers>,
    /// What would be added if the phrases whose answers change within a run were counted.
    flaky: Flaky,
}

/// The phrases that no test counts, counted in two ways.
#[derive(Default)]
pub(super) struct Flaky {
    /// By the answers that were judged, the most frequent ones.
    by_majority: PairedTable,
    /// An answer that is not always right being wrong: what was steady and is not any more got worse.
    by_worst: PairedTable,
}

/// What a gate makes of them.
pub(super) struct Finding {
    pub(super) outcome: CheckOutcome,
    /// The candidate's rate of right cases less the baseline's: above 0 is better, whatever the metric counts.
    pub(super) gain: f64,
    interval: Option<Interval>,
    cases: u64,
    worse: u64,
    allowed: Option<u64>,
    /// The counts, in a few words.
    pub(super) brief: String,
    pub(super) reason: String,
}

/// The test of a rate over the whole run.
pub(super) fn of_metric(comparison: &RunComparison, rate: PairedRate) -> Option<&PairedTest> {
    if rate == PairedRate::Accuracy {
        return Some(&comparison.accuracy);
    }
    comparison.metrics.iter().find(|metric| metric.metric == rate.as_str()).map(|metric| &metric.test)
}

impl Gate {
    /// Whether a gate against a baseline holds on these cases, being one of so many tests of its kind.
    pub fn holds(&self, table: PairedTable, tests: u64) -> bool {
        Case::of_table(table, tests).steady(self).outcome == CheckOutcome::Pass
    }

    /// Whether it would fail if everything that was right in the baseline were wrong, being one of so many tests.
    pub fn can_fail(&self, table: PairedTable, tests: u64) -> bool {
        !Case::of_table(table, tests).never_fails(self)
    }
}

impl<'a> Case<'a> {
    /// Cases that no run has shown, corrected by Bonferroni: it is never less careful than Holm's way.
    fn of_table(table: PairedTable, tests: u64) -> Self {
        let p = (table.regression_mid_p() * count(tests)).min(1.0);
        Self { name: "", table, p, tests, worth: None, answers: None, flaky: Flaky::default() }
    }

    /// The whole run.
    pub(super) fn of_rate(comparison: &'a RunComparison, rate: PairedRate) -> Option<Self> {
        let test = of_metric(comparison, rate)?;
        let flaky = flaky(comparison, rate, None);
        Some(Self { flaky, ..Self::of_test("", test) })
    }

    /// Every slice of a kind, each as if it were looked at alone.
    pub(super) fn of_slices(
        comparison: &'a RunComparison,
        kind: SliceKind,
    ) -> impl Iterator<Item = Self> + use<'a> {
        let slices = comparison.slices.iter().filter(move |slice| slice.kind == kind);
        slices.map(move |slice| Self {
            flaky: flaky(comparison, PairedRate::Accuracy, Some((kind, &slice.name))),
            ..Self::of_test(&slice.name, &slice.test)
        })
    }

    fn of_test(name: &'a str, test: &PairedTest) -> Self {
        Self {
            name,
            table: table(test),
            p: test.p_worse,
            tests: 1,
            worth: test.effective,
            answers: Answers::of(test),
            flaky: Flaky::default(),
        }
    }

    /// The cases, corrected by Holm for being looked at together.
    pub(super) fn together(mut cases: Vec<Self>) -> Vec<Self> {
        let tests = cases.len() as u64;
        let p_values: Vec<f64> = cases.iter().map(|case| case.p).collect();
        for (case, p) in cases.iter_mut().zip(holm(&p_values).unwrap_or_default()) {
            (case.p, case.tests) = (p, tests);
        }
        cases
    }

    pub(super) fn cases(&self) -> u64 {
        self.answers.and_then(Answers::requests).unwrap_or_else(|| self.table.total())
    }

    fn right_before(&self) -> u64 {
        self.table.both_right + self.table.regressed
    }

    /// Whether the gate would not fail even if everything that was right had become wrong, and nothing else right.
    pub(super) fn never_fails(&self, gate: &Gate) -> bool {
        if let Some(requests) = self.answers.and_then(Answers::requests) {
            return requests < LEAST_REQUESTS;
        }
        let right = self.right_before();
        let lost = PairedTable {
            regressed: right,
            both_wrong: self.table.total() - right,
            ..PairedTable::default()
        };
        Case::of_table(lost, self.tests).steady(gate).outcome != CheckOutcome::Fail
    }

    pub(super) fn why_never(&self) -> String {
        let (right, of) = (self.right_before(), self.table.total());
        format!(
            "{right} of {of} cases were right in the baseline: even if none of them were now, it would not show"
        )
    }

    /// What the gate makes of these cases, and whether the flaky ones could change that.
    pub(super) fn judge(&self, gate: &Gate) -> Finding {
        let mut found = self.steady(gate);
        if self.answers.is_some() {
            return found;
        }
        let flaky = [(self.flaky.by_majority, "by majority"), (self.flaky.by_worst, "by their worst answer")];
        let doubt = flaky.into_iter().find(|(table, _)| !gate.holds(sum(self.table, *table), self.tests));
        if let Some((table, how)) = doubt.filter(|_| found.outcome == CheckOutcome::Pass) {
            found.outcome = CheckOutcome::Inconclusive;
            found.reason = format!(
                "{}, and {} more with answers that change within a run, {} of them worse {how}: with those it would not \
                 hold",
                found.brief,
                table.total(),
                table.regressed
            );
        }
        found
    }

    fn steady(&self, gate: &Gate) -> Finding {
        let table = self.table;
        let (worse, better) = (table.regressed, table.improved);
        let brief = match self.answers {
            Some(answers) => answers.brief(table),
            None => format!("{worse} worse, {better} better of {}", table.total()),
        };
        let gain = self.answers.map_or(table.difference().unwrap_or(0.0), |answers| answers.gain);
        let (outcome, allowed, reason) = match gate.mode {
            CheckMode::NoRegression => match self.answers {
                Some(answers) => answers.no_regression(self, gate, &brief),
                None => self.no_regression(gate, &brief),
            },
            CheckMode::Change if self.answers.is_some() => {
                let holds = -gain <= gate.limit + 1e-9;
                (if holds { CheckOutcome::Pass } else { CheckOutcome::Fail }, None, brief.clone())
            }
            CheckMode::Change => {
                let allowed = allowed(gate, table);
                let holds = worse <= better + allowed;
                let reason = format!("{brief}, {allowed} net allowed");
                (if holds { CheckOutcome::Pass } else { CheckOutcome::Fail }, Some(allowed + better), reason)
            }
            CheckMode::NonInferior => self.non_inferior(gate, &brief, gain),
            CheckMode::Point | CheckMode::Bound => (CheckOutcome::Inconclusive, None, String::new()),
        };
        let interval = self.interval(gate);
        Finding { outcome, gain, interval, cases: self.cases(), worse, allowed, brief, reason }
    }

    fn no_regression(&self, gate: &Gate, brief: &str) -> (CheckOutcome, Option<u64>, String) {
        let seen = smallest_regression(self.table.improved, gate.confidence.alpha() / count(self.tests));
        let fails_from = gate.max_new_failures.map_or(seen, |most| seen.min(most.saturating_add(1)));
        let worse = self.table.regressed;
        let chance = percent(self.p);
        let allowed = fails_from.checked_sub(1);
        if self.p <= gate.confidence.alpha() {
            let reason = format!("{brief}: by chance alone that or worse happens in {chance} of cases");
            return (CheckOutcome::Fail, allowed, reason);
        }
        // Whoever says how few cases are enough, or how many may fail, has weighed that already.
        let unweighed = gate.min_n.is_none() && gate.max_new_failures.is_none() && self.tests == 1;
        let alone = self.table.regression_mid_p();
        match gate.max_new_failures {
            Some(most) if worse > most => {
                (CheckOutcome::Fail, allowed, format!("{brief}, {most} new failures allowed"))
            }
            None if self.tests > 1 && alone <= gate.confidence.alpha() => {
                let reason = format!(
                    "{brief}: alone no chance ({}), but one of {} that are looked at ({chance}); from {fails_from} worse \
                     on it fails",
                    percent(alone),
                    self.tests
                );
                let allowed =
                    smallest_regression(self.table.improved, gate.confidence.alpha()).checked_sub(1);
                (CheckOutcome::Inconclusive, allowed, reason)
            }
            None if unweighed && let Some(reason) = self.too_few(brief) => {
                (CheckOutcome::Inconclusive, None, reason)
            }
            None if unweighed && self.cases() < SEES_LITTLE && worse > self.table.improved => {
                let reason = format!(
                    "{brief}: too few to tell from chance ({chance}); from {fails_from} worse on it fails, and `(min {} \
                     cases)` lets it pass",
                    self.cases()
                );
                (CheckOutcome::Inconclusive, Some(self.table.improved), reason)
            }
            _ => {
                let chance = if worse == 0 {
                    String::new()
                } else {
                    format!(" (by chance alone in {chance} of cases)")
                };
                let reason = format!("{brief}{chance}; from {fails_from} worse on it fails");
                (CheckOutcome::Pass, allowed, reason)
            }
        }
    }

    /// Why so few cases show nothing, if they do not.
    pub(super) fn too_few(&self, brief: &str) -> Option<String> {
        let cases = self.cases();
        let why = || {
            format!(
                "{brief}: too few to see a loss, {SEES_NOTHING} are needed; `(min {cases} cases)` lets it pass"
            )
        };
        (cases < SEES_NOTHING).then(why)
    }

    /// The interval of the difference; for variants of one another as wide as what they are worth makes it.
    fn interval(&self, gate: &Gate) -> Option<Interval> {
        if let Some(answers) = self.answers {
            return answers.interval(self.table, gate);
        }
        let interval = self.table.difference_interval(gate.confidence)?;
        let wider = self.worth.map_or(1.0, |worth| (count(self.cases()) / worth).max(1.0).sqrt());
        let gain = self.table.difference()?;
        Some(Interval {
            lower: (gain - (gain - interval.lower) * wider).max(-1.0),
            upper: (gain + (interval.upper - gain) * wider).min(1.0),
        })
    }

    fn non_inferior(&self, gate: &Gate, brief: &str, gain: f64) -> (CheckOutcome, Option<u64>, String) {
        let lower = self.interval(gate).map(|interval| interval.lower);
        let margin = points(gate.limit);
        let worst = lower.map_or_else(String::new, |lower| format!("at worst {:+.1} points", lower * 100.0));
        let worth = self.worth.map_or_else(String::new, |worth| {
            format!(" ({} cases worth {worth:.0}, as some are variants)", self.cases())
        });
        let worst = worst + &worth;
        if lower.is_some_and(|lower| lower >= -gate.limit) {
            (CheckOutcome::Pass, None, format!("{brief}: {worst}"))
        } else if gain < -gate.limit {
            (CheckOutcome::Fail, None, format!("{brief}: worse by more than {margin}"))
        } else {
            let reason = format!("{brief}: {worst}, too few cases to rule out {margin}");
            (CheckOutcome::Inconclusive, None, reason)
        }
    }
}

impl Finding {
    /// The worst first.
    pub(super) const fn rank(&self) -> u8 {
        match self.outcome {
            CheckOutcome::Fail => 0,
            CheckOutcome::Inconclusive => 1,
            CheckOutcome::Pass => 2,
        }
    }

    /// Writes the numbers into a check, as differences of the gate's metric.
    pub(super) fn write(&self, check: &mut Check, gate: &Gate) {
        check.outcome = self.outcome;
        check.of = Some(self.cases);
        check.errors = Some(self.worse);
        check.allowed_errors = self.allowed;
        let ends = self.interval.map(|interval| [interval.lower, interval.upper]);
        // A rate that counts errors rises as the cases get worse. Adding 0 takes the sign off −0.
        (check.value, check.interval) = match gate.comparison {
            Comparison::AtLeast => (Some(self.gain), ends),
            Comparison::AtMost => {
                (Some(0.0 - self.gain), ends.map(|[lower, upper]| [0.0 - upper, 0.0 - lower]))
            }
        };
        if gate.mode == CheckMode::NonInferior {
            check.bound = check.interval.map(|[lower, upper]| match gate.comparison {
                Comparison::AtLeast => lower,
                Comparison::AtMost => upper,
            });
        }
    }
}

/// New failures less repaired ones that a change may hold: counted, because 0.02 · 350 is not quite 7.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of a count is a count")]
fn allowed(gate: &Gate, table: PairedTable) -> u64 {
    (gate.limit * count(table.total()) + 1e-9).floor() as u64
}

#[expect(clippy::cast_precision_loss, reason = "phrases of a run are few")]
fn count(cases: u64) -> f64 {
    cases as f64
}

fn table(test: &PairedTest) -> PairedTable {
    PairedTable {
        both_right: test.both_right,
        improved: test.improved,
        regressed: test.regressed,
        both_wrong: test.both_wrong,
    }
}

fn sum(one: PairedTable, other: PairedTable) -> PairedTable {
    PairedTable {
        both_right: one.both_right + other.both_right,
        improved: one.improved + other.improved,
        regressed: one.regressed + other.regressed,
        both_wrong: one.both_wrong + other.both_wrong,
    }
}

/// The phrases that no test counts. What is not known of a phrase's language is counted for every language: that can
/// only make a gate more careful.
fn flaky(comparison: &RunComparison, rate: PairedRate, slice: Option<(SliceKind, &str)>) -> Flaky {
    let alert_level = comparison.candidate.alert_level;
    let phrases = || {
        comparison.changed(Change::Flaky).filter(move |phrase| match slice {
            Some((SliceKind::Category, name)) => phrase.category == name,
            Some((SliceKind::Capability, name)) => phrase.capability.as_deref() == Some(name),
            Some((SliceKind::Language, name)) => phrase.language.as_deref().is_none_or(|known| known == name),
            Some((SliceKind::Tag | SliceKind::Split, _)) | None => true,
        })
    };
    let right = |phrase: &PhraseChange, by_worst: bool| {
        let right = |found: &AnswerBrief| {
            let by_majority = rate.is_right(phrase.expected, alert_level, found)?;
            Some(by_majority && !(by_worst && found.unsteady))
        };
        right(phrase.baseline.as_ref()?).zip(right(phrase.candidate.as_ref()?))
    };
    Flaky {
        by_majority: phrases().filter_map(|phrase| right(phrase, false)).collect(),
        by_worst: phrases().filter_map(|phrase| right(phrase, true)).collect(),
    }
}
