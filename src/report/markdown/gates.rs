//! The checks that failed or could not tell, and how many passed.

use super::super::explanation::{explanation, figure};
use super::super::figures;
use super::escape::{code, prose};
use super::page::{Page, table};
use crate::domain::{Check, CheckOutcome};

/// So many are shown.
const MOST: usize = 30;

pub(super) fn show(page: &mut Page, checks: &[Check]) {
    let passed = checks.iter().filter(|check| check.outcome == CheckOutcome::Pass).count() as u64;
    let mut troubles: Vec<&Check> =
        checks.iter().filter(|check| check.outcome != CheckOutcome::Pass).collect();
    troubles.sort_by_key(|check| (!check.severity.decides(), check.outcome != CheckOutcome::Fail));
    page.block("### Gates");
    page.block(table(&["", "gate", "found", "why"], troubles, MOST, row));
    page.block(match (checks.len(), passed) {
        (0, _) => "There is no gate, so nothing could pass.".to_owned(),
        (_, 0) => "No check passed.".to_owned(),
        (_, passed) => format!("{} passed.", figures::count(passed, "check", "checks")),
    });
}

fn row(check: &Check) -> Vec<String> {
    let outcome = match (check.outcome, check.severity.decides()) {
        (CheckOutcome::Fail, true) => "❌ failed",
        (CheckOutcome::Fail, false) => "⚠️ warns",
        (CheckOutcome::Inconclusive, _) => "❔ could not tell",
        (CheckOutcome::Pass, _) => "✅ passed",
    };
    let found = if check.value.is_some() { figure(check) } else { figures::NOTHING.to_owned() };
    vec![outcome.to_owned(), code(&check.name), found, prose(&explanation(check))]
}
