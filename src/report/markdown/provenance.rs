//! Where the numbers come from: what was run, against what, by which program.

use std::fmt::Write;

use super::super::figures;
use super::escape::code;
use super::page::Page;
use crate::domain::RunRecord;

pub(super) fn show(page: &mut Page, record: &RunRecord) {
    let (suite, target, options) = (&record.suite, &record.target, &record.options);
    let optional = |name: &str, value: Option<&String>| {
        value.map(|value| format!(", {name} {}", code(value))).unwrap_or_default()
    };
    let lines = [
        format!(
            "run {} of {}, took {}",
            code(record.id.as_str()),
            record.started_at.format("%Y-%m-%d %H:%M UTC"),
            figures::duration(Some(record.duration_ms))
        ),
        format!(
            "suite {}: {} of {} phrases, hash {}, selection {}",
            code(&suite.name),
            suite.selected,
            suite.available,
            code(&suite.hash),
            code(&suite.selection_hash)
        ),
        format!(
            "target {} at {}{}, contract {}, alerts from `{}` on",
            code(&target.name),
            code(&target.url),
            optional("version", target.version.as_ref()),
            code(&target.contract_hash),
            target.alert_level
        ),
        format!(
            "{} at once, each phrase {}, seed {}",
            options.concurrency,
            figures::count(u64::from(options.repeat), "time", "times"),
            options.seed
        ),
        format!(
            "thrash {}{}{}; `thrash report {}` shows it again",
            code(&record.tool.version),
            optional("commit", record.tool.commit.as_ref()),
            optional("environment", record.environment.as_ref()),
            record.id
        ),
    ];
    let mut body = String::new();
    for line in lines {
        let _ = writeln!(body, "- {line}");
    }
    page.details("Provenance", &body);
}
