//! The phrases that failed, worst first, by id.

use super::super::failure::{Failure, worst_first};
use super::super::figures;
use super::super::finding::waiver;
use super::escape::{code, levels};
use super::page::{Page, table};
use crate::domain::RunRecord;

/// So many are shown.
const MOST: usize = 25;

pub(super) fn show(page: &mut Page, record: &RunRecord) {
    let failures = worst_first(&record.results);
    if failures.is_empty() {
        return;
    }
    page.block(format!("### {}", figures::count(failures.len() as u64, "failure", "failures")));
    let row = |failure: Failure<'_>| {
        let result = failure.result;
        let mark = match (waiver(record, &result.id), result.must_pass, result.critical) {
            (Some(_), ..) => " waived",
            (None, true, _) => " **must pass**",
            (None, false, true) => " **critical**",
            (None, false, false) => "",
        };
        vec![
            format!("{}{mark}", code(&result.id)),
            code(&result.category),
            levels(result.expected),
            failure.got().to_owned(),
            failure.off_by().unwrap_or_else(|| figures::NOTHING.to_owned()),
        ]
    };
    page.block(table(&["phrase", "category", "expected", "got", "off by"], failures, MOST, row));
}
