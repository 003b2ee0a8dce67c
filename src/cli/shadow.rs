//! `thrash shadow`: unlabelled lines through target and reference.

use std::path::{Path, PathBuf};

use clap::Args;
use tokio::sync::mpsc;

use super::args::{Flags, SendArgs};
use super::exit::Exit;
use super::failure::{Failure, chain};
use super::model::ReferenceArgs;
use super::output::Output;
use super::progress::{Progress, Style};
use super::signals;
use crate::config::Config;
use crate::dispatch::{PreparedShadow, Shown};
use crate::domain::{ShadowReport, TextPolicy};
use crate::report::{
    Format, ReportError, Sink, TerminalOptions, check_apart, check_together, render_shadow_csv,
    render_shadow_json, render_shadow_terminal,
};
use crate::run::RunControl;
use crate::suite::TextLines;

/// Events that wait for the progress display before further ones are lost to it.
const EVENTS: usize = 1024;

#[derive(Debug, Args)]
pub(super) struct ShadowArgs {
    /// A text file with a message on each line; `-` is standard input
    #[arg(value_name = "FILE|-")]
    file: PathBuf,
    #[command(flatten)]
    send: SendArgs,
    #[command(flatten)]
    reference: ReferenceArgs,
    /// Name so many of the strongest disagreements
    #[arg(long, value_name = "N", default_value_t = 200, help_heading = "Output")]
    most: usize,
    /// Write it as JSON; `-` is stdout
    #[arg(long, value_name = "FILE|-", help_heading = "Output")]
    json: Option<PathBuf>,
    /// Write the disagreements as rows of CSV; `-` is stdout
    #[arg(long, value_name = "FILE|-", help_heading = "Output")]
    csv: Option<PathBuf>,
    /// What is shown of the text of disagreements: full, redacted or none
    #[arg(long, value_name = "WHAT", default_value = "none", help_heading = "Output")]
    text: TextPolicy,
    /// Say nothing unless something needs attention
    #[arg(short, long, help_heading = "Output")]
    quiet: bool,
}

impl ShadowArgs {
    pub(super) fn flags(&self) -> Flags {
        [self.send.flags(), self.reference.flags()].concat()
    }
}

pub(super) async fn run(config: &Config, args: ShadowArgs, output: Output) -> Result<Exit, Failure> {
    let sinks = sinks(&args, config)?;
    let lines = TextLines::read(&args.file)?;
    let shown = Shown { most: args.most, text: args.text };
    let prepared = PreparedShadow::new(config, lines, shown).await?;

    let control = RunControl::default();
    let progress = Progress::new(Style::choose(args.quiet), output);
    let (events, received) = mpsc::channel(EVENTS);
    let showing = tokio::spawn(progress.clone().follow(received));
    let watching = tokio::spawn(signals::watch(control.clone(), move |text| progress.say(text)));
    let report = Box::pin(prepared.execute(control, events)).await;
    // The channel is closed by now; what is left of the display is clearing the line.
    let _ = showing.await;
    let exit = show(&report, &sinks, &args, output)?;
    watching.abort();
    Ok(exit.or(Exit::from(report.conclusion)))
}

/// Makes a file's content.
type Render = fn(&ShadowReport) -> Result<Vec<u8>, ReportError>;

/// The files that are to be written, checked before anything is read.
fn sinks(args: &ShadowArgs, config: &Config) -> Result<Vec<(Sink, Render)>, Failure> {
    let all: [(&Option<PathBuf>, Format, Render); 2] =
        [(&args.json, Format::Json, render_shadow_json), (&args.csv, Format::Csv, render_shadow_csv)];
    let (mut sinks, mut renders) = (Vec::new(), Vec::new());
    for (path, format, render) in all {
        if let Some(path) = path {
            // They may hold somebody's words.
            sinks.push(Sink::check(path, format)?.private());
            renders.push(render);
        }
    }
    check_together(&sinks)?;
    let mut read: Vec<(&Path, &str)> = vec![(&args.file, "the lines that are sent")];
    read.extend(config.file.as_deref().map(|file| (file, "the configuration")));
    check_apart(&sinks, &read)?;
    Ok(sinks.into_iter().zip(renders).collect())
}

/// Writes the files that were asked for, then shows the rest.
fn show(
    report: &ShadowReport,
    sinks: &[(Sink, Render)],
    args: &ShadowArgs,
    output: Output,
) -> Result<Exit, Failure> {
    let (mut exit, mut files, mut notes) = (Exit::Passed, Vec::new(), Vec::new());
    for (sink, render) in sinks {
        match sink.write(&render(report)?) {
            Err(error) => {
                exit = Exit::Storage;
                notes.push(chain(&error));
            }
            Ok(()) => files.extend(sink.path().map(|path| (sink.format().to_string(), path.to_owned()))),
        }
    }
    if args.quiet {
        if !report.reason.is_empty() {
            notes.push(format!("could not be compared in whole: {}", report.reason));
        }
        for note in &notes {
            output.note(note);
        }
        return Ok(exit);
    }
    let aside = sinks.iter().any(|(sink, _)| sink.is_stdout());
    let options = TerminalOptions {
        width: output.width(),
        color: output.color() && !aside,
        // A log is no place for somebody's words.
        text: args.text != TextPolicy::None && output.is_terminal() && !aside,
        files,
        notes,
        kept: true,
    };
    let page = render_shadow_terminal(report, &options);
    if aside {
        output.note(page.trim_end_matches('\n'));
    } else if let Err(error) = output.print(&page) {
        output.note(format!("cannot write to standard output: {}", chain(&error)));
        exit = exit.or(Exit::Storage);
    }
    Ok(exit)
}
