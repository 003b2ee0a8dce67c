//! Two loads beside each other, in the rows that every report shows.

use super::figures;
use crate::domain::{LoadBrief, LoadComparison};

/// What the rows begin with, and both runs.
pub(super) const HEAD: [&str; 3] = ["", "was", "is"];

/// The rows: what was sent, what came back of it, and when.
pub(super) fn rows(loads: &LoadComparison) -> Vec<[String; 3]> {
    let row = |name: &str, of: &dyn Fn(&LoadBrief) -> String| {
        [name.to_owned(), of(&loads.baseline), of(&loads.candidate)]
    };
    vec![
        row("started", &|load| {
            load.rate.map_or_else(|| figures::NOTHING.to_owned(), |rate| format!("{rate:.1}/s"))
        }),
        row("requests", &|load| load.started.to_string()),
        row("on time", &|load| figures::percent(load.achieved.value)),
        row("no answer", &|load| format!("{} of {}", load.unanswered, load.ended)),
        row("p50", &|load| figures::duration(load.response.p50_ms)),
        row("p95", &|load| figures::duration(load.response.p95_ms)),
        row("p99", &|load| figures::duration(load.response.p99_ms)),
    ]
}
