//! Writing a run's reports: sinks checked before, written after.

use std::path::PathBuf;

use super::args::ReportArgs;
use super::exit::Exit;
use super::failure::{Failure, chain};
use super::output::Output;
use crate::domain::{RunRecord, TextPolicy};
use crate::report::{Format, RenderOptions, Sink, TerminalOptions, check_together, render, render_terminal};

/// Where a run will be written to.
#[derive(Debug)]
pub(super) struct Reports {
    sinks: Vec<Sink>,
    folder: Option<PathBuf>,
    options: RenderOptions,
    text_in_terminal: bool,
    quiet: bool,
}

impl Reports {
    /// Checks every place before anything is run.
    pub(super) fn check(args: &ReportArgs) -> Result<Self, Failure> {
        let mut sinks = Vec::new();
        for (path, format) in [(&args.json, Format::Json), (&args.junit, Format::Junit)] {
            if let Some(path) = path {
                sinks.push(Sink::check(path, format)?);
            }
        }
        check_together(&sinks)?;
        if let Some(folder) = &args.out {
            std::fs::create_dir_all(folder).map_err(|error| {
                Failure::usage(
                    format!("cannot make the folder `{}`: {error}", folder.display()),
                    "--out names a folder that can be written to",
                )
            })?;
            // Tried now, because after the run is too late to learn that it cannot be written to.
            Sink::check(folder.join(".thrash"), Format::Json)?;
        }
        let options =
            RenderOptions { text: args.text, junit_cases: args.junit_cases.into(), ..RenderOptions::default() };
        Ok(Self {
            sinks,
            folder: args.out.clone(),
            options,
            text_in_terminal: args.text == Some(TextPolicy::Full),
            quiet: args.quiet,
        })
    }

    /// Whether nothing is to be said.
    pub(super) const fn quiet(&self) -> bool {
        self.quiet
    }

    /// Writes everything that was asked for, then shows the run. `also` is a file to write that nobody asked for,
    /// `files` are places that are written already.
    pub(super) fn write(
        &self,
        record: &RunRecord,
        also: Option<PathBuf>,
        mut files: Vec<(String, PathBuf)>,
        mut notes: Vec<String>,
        output: &Output,
    ) -> Result<Exit, Failure> {
        let mut exit = Exit::Passed;
        let mut more = Vec::new();
        if let Some(folder) = &self.folder {
            for (format, ending) in [(Format::Json, "json"), (Format::Junit, "junit.xml")] {
                more.push((folder.join(format!("{}.{ending}", record.id)), format));
            }
        } else if let Some(path) = also {
            if let Some(folder) = path.parent() {
                let _ = std::fs::create_dir_all(folder);
            }
            more.push((path, Format::Json));
        }
        let mut written = |sink: Result<Sink, Failure>| {
            let done = sink.and_then(|sink| {
                sink.write(&render(sink.format(), record, &self.options)?)?;
                Ok(sink)
            });
            match done {
                Ok(sink) => files.extend(sink.path().map(|path| (sink.format().to_string(), path.to_owned()))),
                Err(failure) => {
                    exit = exit.or(Exit::Storage);
                    notes.push(failure.to_string());
                }
            }
        };
        self.sinks.iter().cloned().for_each(|sink| written(Ok(sink)));
        more.into_iter().for_each(|(path, format)| written(Sink::check(path, format).map_err(Failure::from)));
        if self.quiet {
            notes.iter().for_each(|note| output.note(note));
            return Ok(exit);
        }
        let aside = self.sinks.iter().any(Sink::is_stdout);
        let terminal = TerminalOptions {
            width: output.width(),
            color: output.color() && !aside,
            text: self.text_in_terminal && output.is_terminal() && !aside,
            files,
            notes,
        };
        let page = render_terminal(record, &terminal);
        if aside {
            output.print_aside(&page);
        } else if let Err(error) = output.print(&page) {
            output.note(format!("cannot write to stdout: {}", chain(&error)));
            exit = exit.or(Exit::Storage);
        }
        Ok(exit)
    }
}
