//! What makes a comparison less than it seems is said.

use thrash::domain::{RunRecord, RunStatus};
use thrash::judge::compare;

use super::runs::runs;
use crate::support::sample::Sample;

/// The warnings of a comparison in which the candidate is changed.
fn warned(change: impl FnOnce(&mut RunRecord)) -> Vec<String> {
    let (baseline, mut candidate) = runs(&Sample::quick(), &Sample::quick());
    change(&mut candidate);
    compare(&baseline, &candidate).unwrap().warnings
}

#[test]
fn runs_that_were_made_alike_raise_no_warning() {
    assert_eq!(warned(|_| {}), Vec::<String>::new());
}

#[test]
fn each_difference_raises_one_warning_of_its_own() {
    type Made = fn(&mut RunRecord);
    let cases: [(Made, &str); 16] = [
        (
            |run| run.suite.name = "other".to_owned(),
            "the suites are not the same, `quick` and `other`: 25 phrases in both",
        ),
        (
            |run| run.suite.hash = "other".to_owned(),
            "the suite changed: 25 phrases in both, 0 only in the candidate",
        ),
        (|run| run.suite.selection_hash = "other".to_owned(), "other phrases of the suite were selected"),
        (|run| run.target.name = "other".to_owned(), "the targets are not the same: `ash-nlp` and `other`"),
        (|run| run.target.url = "http://other.example/".to_owned(), "at another address"),
        (|run| run.target.demo = true, "the candidate is a run of the built-in demo"),
        (|run| run.target.contract_hash = "other".to_owned(), "the contracts differ"),
        (|run| run.status = RunStatus::Interrupted, "the candidate was stopped by hand after 25 of 25"),
        (|run| run.status = RunStatus::Aborted, "the candidate gave up"),
        (|run| run.options.concurrency = 1, "not sent alike: concurrency 4 and 1"),
        (|run| run.options.rate = Some(2.5), "rate unlimited and 2.5/s"),
        (|run| run.options.timeout_ms = 1, "timeout 5000 ms and 1 ms"),
        (|run| run.integrity.cached = 3, "0 and 3 answers came from a cache"),
        (|run| run.started_at -= chrono::Duration::days(30), "the baseline is the newer run"),
        (|run| run.results[0].lowest_passing = thrash::domain::Level::None, "1 phrase with another label"),
        (|run| run.results[0].seed_of = Some("other".to_owned()), "1 phrase made from another one"),
    ];
    for (change, warning) in cases {
        let found = warned(change);
        assert_eq!(found.len(), 1, "{warning}: {found:?}");
        assert!(found[0].contains(warning), "{warning}: {found:?}");
    }
}
