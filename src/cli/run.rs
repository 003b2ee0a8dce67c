//! `thrash quick`, `comprehensive` and `run`.

use std::path::PathBuf;

use tokio::sync::mpsc;

use super::args::RunArgs;
use super::exit::Exit;
use super::failure::{Failure, chain};
use super::output::Output;
use super::progress::{self, Style};
use super::report::Reports;
use super::signals;
use crate::config::Config;
use crate::dispatch::{Executed, Kept, Prepared};
use crate::run::RunControl;
use crate::store::DeliveryReport;

/// Events that wait for the progress display before further ones are lost to it.
const EVENTS: usize = 1024;

/// Runs suites and shows what came out.
pub(super) async fn run(mut config: Config, args: RunArgs, suites: Vec<String>, output: &Output) -> Result<Exit, Failure> {
    config.settings.gates.extend(args.gate.iter().cloned());
    let reports = Reports::check(&args.reports)?;
    let prepared = Prepared::new(&config, &args.request(suites)).await?;

    let control = RunControl::default();
    let quiet = reports.quiet();
    let watching = tokio::spawn(signals::watch(control.clone(), move |text| {
        if !quiet {
            eprint_note(text);
        }
    }));
    let (events, received) = mpsc::channel(EVENTS);
    let showing = tokio::spawn(progress::show(Style::choose(quiet), received));
    let executed = prepared.execute(control, events).await;
    watching.abort();
    // The channel is closed by now; what is left of the display is clearing the line.
    let _ = showing.await;

    let Executed { record, kept, delivered } = executed;
    let mut notes = Vec::new();
    let mut files = Vec::new();
    let mut exit = Exit::from(record.verdict.conclusion);
    exit = exit.or(tell_kept(&kept, &mut files, &mut notes));
    tell_delivered(delivered.as_ref(), &mut notes);
    let latest = config.data_folder().join("reports").join(format!("latest-{}.json", file_name(&record.suite.name)));
    let also = matches!(kept, Kept::Stored { .. } | Kept::Spooled { .. }).then_some(latest);
    let written = reports.write(&record, also, files, notes, output)?;
    Ok(exit.or(written))
}

fn eprint_note(text: &str) {
    use std::io::Write;
    let _ = writeln!(std::io::stderr().lock(), "\r{text}");
}

fn tell_kept(kept: &Kept, files: &mut Vec<(String, PathBuf)>, notes: &mut Vec<String>) -> Exit {
    match kept {
        Kept::Stored { location } => {
            files.push(("Database".to_owned(), PathBuf::from(location)));
            Exit::Passed
        }
        Kept::NotWanted => Exit::Passed,
        Kept::Spooled { path, cause } => {
            notes.push(format!(
                "NOT in the database: {}; the record waits in `{}`, and the next command delivers it",
                chain(cause),
                path.display()
            ));
            Exit::Storage
        }
        Kept::Lost { cause, spool } => {
            notes.push(format!(
                "NOT KEPT: {}; and the spool cannot take it either: {}",
                chain(cause),
                chain(spool)
            ));
            Exit::Storage
        }
    }
}

/// Says what became of earlier records that waited in the spool.
pub(super) fn tell_delivered(delivered: Option<&DeliveryReport>, notes: &mut Vec<String>) {
    let Some(report) = delivered else { return };
    let brought = report.delivered.len() + report.already_stored.len();
    if brought > 0 {
        notes.push(format!("{brought} earlier record(s) left the spool for the database"));
    }
    for (path, error) in &report.set_aside {
        notes.push(format!("`{}` is set aside: {}", path.display(), chain(error)));
    }
    for (path, error) in &report.failed {
        notes.push(format!("`{}` still waits: {}", path.display(), chain(error)));
    }
}

/// The suite's name as a part of a file's name: a suite may be a path.
fn file_name(suite: &str) -> String {
    suite.chars().map(|c| if c.is_ascii_alphanumeric() || "_-+".contains(c) { c } else { '-' }).take(80).collect()
}
