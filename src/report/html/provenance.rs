//! Where the numbers come from, and how to get them again.

use maud::{Markup, html};

use super::super::figures;
use super::section::{Section, Table, cell, folded};
use super::{clean, command};
use crate::domain::{RunRecord, RunStatus, Selection};

pub(super) fn section(record: &RunRecord) -> Section {
    let command = command::to_repeat(record);
    let body = html! {
        h3 { "To repeat it" }
        pre.command tabindex="0" { code { (clean::cut(&command.line, 2000)) } }
        @for note in &command.notes { p.note { (note) } }
        dl.facts { @for (name, value) in facts(record) { dt { (name) } dd { (value) } } }
        @if !record.configuration.is_empty() { (folded("Every setting that held", &settings(record))) }
    };
    Section { id: "provenance", title: "Provenance", summary: String::new(), body }
}

fn facts(record: &RunRecord) -> Vec<(&'static str, String)> {
    let (tool, host, suite, target) = (&record.tool, &record.host, &record.suite, &record.target);
    let status = match record.status {
        RunStatus::Completed => "completed".to_owned(),
        RunStatus::Interrupted => "interrupted: the record is partial".to_owned(),
        RunStatus::Aborted => match record.load.as_ref().and_then(|load| load.ended_by) {
            Some(by) => format!("given up: the record is partial, and {}", by.in_words()),
            None => "given up: the record is partial".to_owned(),
        },
    };
    let commit = tool.commit.as_deref().map(|commit| format!(", commit {}", clean::name(commit)));
    let length = figures::duration(Some(record.duration_ms));
    let when = record.started_at.format("%Y-%m-%d %H:%M:%S UTC");
    let options = &record.options;
    let rate = options.rate.map(|rate| format!(", {rate} requests a second")).unwrap_or_default();
    let mut facts = vec![
        ("Run", format!("{}, {status}", clean::name(record.id.as_str()))),
        ("Began", format!("{when}, took {length}")),
        (
            "Suite",
            format!(
                "{}: {} of {} phrases selected{}, hash {}, of the selection {}",
                clean::name(&suite.name),
                suite.selected,
                suite.available,
                selection(&suite.selection),
                clean::name(&suite.hash),
                clean::name(&suite.selection_hash)
            ),
        ),
        ("Target", format!("{} at {}", clean::name(&target.name), clean::cut(&target.url, 300))),
        ("Its version", target.version.as_deref().map_or("it tells none".to_owned(), clean::name)),
        (
            "Its contract",
            format!("{}, alert level {}", clean::name(&target.contract_hash), target.alert_level),
        ),
        (
            "Sent",
            format!(
                "{} at once{rate}, deadline {}, {}, {}, {} in a request",
                options.concurrency,
                figures::duration(Some(super::svg::number(options.timeout_ms))),
                figures::count(u64::from(options.retries), "retry", "retries"),
                figures::count(u64::from(options.repeat), "pass", "passes"),
                figures::count(options.batch as u64, "phrase", "phrases")
            ),
        ),
        ("Seed", options.seed.to_string()),
        ("Program", format!("thrash {}{}", clean::name(&tool.version), commit.unwrap_or_default())),
        (
            "Machine",
            format!(
                "{} {}, {}",
                clean::name(&host.os),
                clean::name(&host.arch),
                figures::count(host.cores as u64, "core", "cores")
            ),
        ),
        ("Record", format!("version {}", record.schema_version)),
    ];
    if let Some(environment) = &record.environment {
        facts.insert(2, ("Environment", clean::name(environment)));
    }
    facts
}

/// How the phrases were selected, in words; nothing for all of them.
fn selection(selection: &Selection) -> String {
    let list = |word: &str, names: &[String]| {
        let names: Vec<String> = names.iter().map(|name| clean::name(name)).collect();
        (!names.is_empty()).then(|| format!(" {word} {}", names.join(", ")))
    };
    let parts = [
        list("of the categories", &selection.categories),
        list("with the tags", &selection.tags),
        selection.split.map(|split| format!(" of the part {}", split.as_str())),
        selection.limit.map(|limit| format!(" at most {limit}, drawn with seed {}", selection.seed)),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    if parts.is_empty() { String::new() } else { format!(" ({})", parts.join(";").trim()) }
}

fn settings(record: &RunRecord) -> Markup {
    let rows = record
        .configuration
        .iter()
        .map(|(key, value)| vec![cell(clean::name(key)), cell(clean::sentence(value))]);
    Table { caption: "Settings", head: vec!["Setting", "Value"], rows: rows.collect() }.render()
}
