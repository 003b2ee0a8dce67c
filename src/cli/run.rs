//! `thrash quick`, `comprehensive` and `run`.

use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::mpsc;

use super::args::RunArgs;
use super::exit::Exit;
use super::failure::{Failure, chain};
use super::github::GithubActions;
use super::output::Output;
use super::progress::{Progress, Style};
use super::report::{Reports, brief};
use super::signals;
use crate::config::Config;
use crate::dispatch::{Executed, Kept, Prepared, Tell};
use crate::domain::{BaselineRecord, ReferenceRecord, RunRecord, RunRequest};
use crate::run::RunControl;
use crate::store::DeliveryReport;

/// Events that wait for the progress display before further ones are lost to it.
pub(super) const EVENTS: usize = 1024;

/// What is said besides the verdict.
#[derive(Debug, Default)]
pub(super) struct Notes {
    /// Worth knowing.
    news: Vec<String>,
    /// Needs somebody's attention, also from a quiet run.
    trouble: Vec<String>,
}

impl Notes {
    pub(super) fn said(self, quiet: bool) -> Vec<String> {
        if quiet { self.trouble } else { [self.news, self.trouble].concat() }
    }
}

/// Runs suites and shows what came out.
pub(super) async fn run(
    config: Config,
    args: RunArgs,
    suites: Vec<String>,
    output: Output,
) -> Result<Exit, Failure> {
    let reports = Reports::check(&args.reports, &config)?;
    let github = GithubActions::of(&config).filter(|_| !args.no_annotations);
    let request = args.request(suites);
    let prepared = Prepared::new(&config, &request, &args.gate).await?;

    let control = RunControl::default();
    let progress = Progress::new(Style::choose(reports.quiet()), output);
    let (events, received) = mpsc::channel(EVENTS);
    let showing = tokio::spawn(progress.clone().follow(received));
    let say = progress.clone();
    let watching = tokio::spawn(signals::watch(control.clone(), move |text| progress.say(text)));
    let say: Tell = Arc::new(move |text| say.say(text));
    let executed = Box::pin(prepared.execute(&config, control, events, say)).await;
    // The channel is closed by now; what is left of the display is clearing the line.
    let _ = showing.await;

    let mut notes = Notes::default();
    if let Some(ReferenceRecord::Missing { wanted, reason }) = &executed.record.reference {
        notes.trouble.push(format!("no second opinion from the reference `{wanted}`: {reason}"));
    }
    if let (true, Some(BaselineRecord::Missing { wanted, reason })) =
        (reports.quiet(), &executed.record.baseline)
    {
        notes.trouble.push(format!("not held against a baseline: `{wanted}`: {reason}"));
    }
    tell_size(&config, &request, &executed.record, &mut notes);
    let exit = tell(&config, executed, notes, reports, github, output);
    watching.abort();
    Ok(exit)
}

/// Says what came out and where it is kept, and writes the reports.
pub(super) fn tell(
    config: &Config,
    executed: Executed,
    mut notes: Notes,
    reports: Reports,
    github: Option<GithubActions>,
    output: Output,
) -> Exit {
    let Executed { record, kept, delivered, untold } = executed;
    let mut files = Vec::new();
    let mut exit = Exit::from(record.verdict.conclusion);
    if record.integrity.lost > 0 {
        exit = exit.or(Exit::Bug);
        notes
            .trouble
            .push("this is a bug in thrash; please report what stderr says and what you ran".to_owned());
    }
    let is_late = matches!(kept, Kept::Spooled { .. } | Kept::Lost { .. });
    if reports.quiet() && (exit != Exit::Passed || is_late) {
        notes.trouble.push(brief(&record));
    }
    if reports.quiet() && record.target.demo && config.settings.target.is_none() {
        notes.trouble.push("this was the built-in demo: no target is named".to_owned());
    }
    let exit = exit.or(tell_kept(&kept, &mut files, &mut notes));
    notes.trouble.extend(untold.map(|untold| format!("warning: {untold}")));
    tell_delivered(delivered.as_ref(), &mut notes);
    let latest =
        config.data_folder().join("reports").join(format!("latest-{}", file_name(&record.suite.name)));
    let is_kept = matches!(kept, Kept::Stored { .. } | Kept::Spooled { .. });
    let also = is_kept.then_some(latest.as_path());
    let quiet = reports.quiet();
    let reports = reports.after(kept.earlier()).kept(is_kept);
    let written = reports.write(&record, also, files, notes.said(quiet), output);
    if let Some(github) = github {
        github.tell(&record, &reports, output);
    }
    exit.or(written)
}

/// Says when there are fewer phrases than the configuration asks for.
fn tell_size(config: &Config, request: &RunRequest, record: &RunRecord, notes: &mut Notes) {
    let ([suite], None) = (request.suites.as_slice(), request.selection.limit) else { return };
    let available = record.suite.available;
    if record.suite.selected < available && config.suite_size(suite).is_some() {
        let selected = record.suite.selected;
        notes.trouble.push(format!(
            "only {selected} of the {available} phrases of `{suite}` were sent: `suites.{suite}.phrases` asks for that"
        ));
    }
    if let Some(size) = config.suite_size(suite).filter(|size| *size > available) {
        notes.news.push(format!(
            "`suites.{suite}.phrases` asks for {size} phrases, and there are only {available}"
        ));
    }
}

fn tell_kept(kept: &Kept, files: &mut Vec<(String, PathBuf)>, notes: &mut Notes) -> Exit {
    match kept {
        Kept::Stored { location, .. } => {
            files.push(("Database".to_owned(), PathBuf::from(location)));
            Exit::Passed
        }
        Kept::NotWanted => Exit::Passed,
        Kept::Spooled { path, cause } => {
            notes.trouble.push(format!(
                "NOT in the database: {}; the record waits in `{}`, and the next command delivers it",
                chain(cause),
                path.display()
            ));
            Exit::Storage
        }
        Kept::Lost { cause, spool } => {
            notes.trouble.push(format!(
                "NOT KEPT: {}; and the spool cannot take it either: {}; mend one of them and run it again, or keep the \
                 record elsewhere with `--json FILE`",
                chain(cause),
                chain(spool)
            ));
            Exit::Storage
        }
    }
}

/// Says what became of earlier records that waited in the spool.
pub(super) fn tell_delivered(delivered: Option<&DeliveryReport>, notes: &mut Notes) {
    let Some(report) = delivered else { return };
    let brought = report.delivered.len() + report.already_stored.len();
    if brought > 0 {
        let records = if brought == 1 { "record" } else { "records" };
        notes.news.push(format!("{brought} earlier {records} left the spool for the database"));
    }
    for (path, error) in &report.set_aside {
        notes.trouble.push(format!("`{}` is set aside: {}", path.display(), chain(error)));
    }
    if report.waiting > 0 {
        notes.trouble.push(format!("{} more still wait in the spool", report.waiting));
    }
    for (path, error) in &report.failed {
        notes.trouble.push(format!("`{}` still waits: {}", path.display(), chain(error)));
    }
}

/// The suite's name as a part of a file's name: a suite may be a path.
fn file_name(suite: &str) -> String {
    suite
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || "_-+".contains(c) { c } else { '-' })
        .take(80)
        .collect()
}
