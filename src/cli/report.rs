//! Writing a run's reports: sinks checked before, written after.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use super::args::ReportArgs;
use super::exit::Exit;
use super::failure::{Failure, chain};
use super::output::Output;
use crate::config::Config;
use crate::domain::{BaselineWish, CheckOutcome, RunRecord, RunVerdict, TextPolicy};
use crate::report::headline::in_words;
use crate::report::{
    Format, Places, RenderOptions, Sink, SinkError, TerminalOptions, check_apart, check_together, render,
    render_terminal,
};
use crate::service::trend;
use crate::store::RunSummary;

/// Checks that a short message names, at most.
const MOST_TROUBLES: usize = 10;

/// Where a run will be written to.
#[derive(Debug)]
pub(super) struct Reports {
    sinks: Vec<Sink>,
    folder: Option<PathBuf>,
    options: RenderOptions,
    configuration: Option<PathBuf>,
    text_in_terminal: bool,
    quiet: bool,
    kept: bool,
}

impl Reports {
    /// Checks every place before anything is run.
    pub(super) fn check(args: &ReportArgs, config: &Config) -> Result<Self, Failure> {
        let mut sinks = Vec::new();
        for (path, format) in [
            (&args.json, Format::Json),
            (&args.html, Format::Html),
            (&args.junit, Format::Junit),
            (&args.sarif, Format::Sarif),
            (&args.markdown, Format::Markdown),
            (&args.csv, Format::Csv),
        ] {
            if let Some(path) = path {
                sinks.push(Sink::check(path, format)?);
            }
        }
        check_together(&sinks)?;
        let settings = &config.settings;
        let mut read: Vec<(&Path, &str)> = Vec::new();
        read.extend(config.file.as_deref().map(|file| (file, "the configuration")));
        read.extend(settings.waivers.file.as_deref().map(|file| (file, "the file of known failures")));
        if let Some(BaselineWish::File(file)) = &settings.baseline {
            read.push((file, "the baseline"));
        }
        check_apart(&sinks, &read)?;
        if let Some(folder) = &args.out {
            if folder.as_os_str() == "-" {
                let hint = "--out names a folder; `--json -` writes to standard output";
                return Err(Failure::usage("reports for `--out` cannot go to standard output", hint));
            }
            std::fs::create_dir_all(folder).map_err(|error| {
                Failure::usage(
                    format!("cannot make the folder `{}`: {error}", folder.display()),
                    "--out names a folder that can be written to",
                )
            })?;
            // Tried now, because after the run is too late to learn that it cannot be written to.
            Sink::check(folder.join(".thrash"), Format::Json)?;
        }
        let options = RenderOptions {
            text: args.text,
            junit_cases: args.junit_cases.into(),
            ..RenderOptions::default()
        };
        Ok(Self {
            sinks,
            folder: args.out.clone(),
            options,
            configuration: config.file.clone(),
            text_in_terminal: args.text == Some(TextPolicy::Full),
            quiet: args.quiet,
            kept: true,
        })
    }

    /// Whether nothing is to be said.
    pub(super) const fn quiet(&self) -> bool {
        self.quiet
    }

    /// Tells the reports whether the run is kept.
    pub(super) const fn kept(mut self, kept: bool) -> Self {
        self.kept = kept;
        self
    }

    /// Whether the run still holds what was asked for by name.
    pub(super) fn can_show(&self, record: &RunRecord) -> Result<(), Failure> {
        self.sinks.iter().try_for_each(|sink| Ok(sink.format().check(record)?))
    }

    /// Tells the reports of the runs before this one.
    pub(super) fn after(mut self, earlier: &[RunSummary]) -> Self {
        self.options.trend = trend(earlier);
        self
    }

    /// Writes everything that was asked for, then shows the run. `also` is the beginning of the names of files to write
    /// that nobody asked for, `files` are places that are written already.
    pub(super) fn write(
        &self,
        record: &RunRecord,
        also: Option<&Path>,
        mut files: Vec<(String, PathBuf)>,
        mut notes: Vec<String>,
        output: Output,
    ) -> Exit {
        let mut exit = Exit::Passed;
        let options = RenderOptions { places: self.places(record), ..self.options.clone() };
        let sinks = self.sinks.iter().cloned().map(Ok);
        let left_out = Format::ALL.into_iter().filter(|_| self.folder.is_some());
        notes.extend(left_out.filter_map(|format| format.check(record).err()).map(|error| error.to_string()));
        for sink in sinks.chain(self.unasked(record, also)) {
            match sink.map_err(Failure::from).and_then(|sink| put(&sink, record, &options)) {
                Ok(file) => files.extend(file),
                Err(failure) => {
                    exit = exit.or(Exit::Storage);
                    notes.push(failure.to_string());
                }
            }
        }
        if self.quiet {
            for note in &notes {
                output.note(note);
            }
            return exit;
        }
        let aside = self.sinks.iter().any(Sink::is_stdout);
        let terminal = TerminalOptions {
            width: output.width(),
            color: output.color() && !aside,
            text: self.text_in_terminal && output.is_terminal() && !aside,
            files,
            notes,
            kept: self.kept,
        };
        let page = render_terminal(record, &terminal);
        if aside {
            output.note(page.trim_end_matches('\n'));
        } else if let Err(error) = output.print(&page) {
            output.note(format!("cannot write to standard output: {}", chain(&error)));
            exit = exit.or(Exit::Storage);
        }
        exit
    }

    /// The files of `--out`, or those that a run leaves behind anyway.
    fn unasked(&self, record: &RunRecord, also: Option<&Path>) -> Vec<Result<Sink, SinkError>> {
        let sink = |beginning: &Path, format: Format| {
            let mut name = beginning.as_os_str().to_owned();
            name.push(format!(".{}", format.ending()));
            Sink::check(PathBuf::from(name), format)
        };
        match (&self.folder, also) {
            (Some(folder), _) => {
                let beginning = folder.join(record.id.as_str());
                let there = Format::ALL.into_iter().filter(|format| format.check(record).is_ok());
                there.map(|format| sink(&beginning, format)).collect()
            }
            (None, Some(beginning)) => {
                // If that fails, the check says what is the matter.
                beginning.parent().map(private_folder);
                // They hold phrases, and nobody chose the place: as private as the database beside them.
                [Format::Json, Format::Html].map(|format| sink(beginning, format).map(Sink::private)).into()
            }
            (None, None) => Vec::new(),
        }
    }

    /// Where the run's phrases and gates stand, as a CI server names places.
    pub(super) fn places(&self, record: &RunRecord) -> Places {
        Places::look(record, self.configuration.as_deref(), Path::new("."))
    }

    /// Whether a report goes to this file.
    pub(super) fn writes_to(&self, file: &Path) -> bool {
        let file = file.canonicalize();
        self.sinks.iter().any(|sink| file.as_ref().is_ok_and(|file| sink.path() == Some(file)))
    }
}

/// Renders and writes; gives the file, for the page to name it.
fn put(
    sink: &Sink,
    record: &RunRecord,
    options: &RenderOptions,
) -> Result<Option<(String, PathBuf)>, Failure> {
    sink.write(&render(sink.format(), record, options)?)?;
    Ok(sink.path().map(|path| (sink.format().to_string(), path.to_owned())))
}

/// Makes a folder that only its owner may look into, where it is missing.
fn private_folder(folder: &Path) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// The verdict in a few lines, for a run that was to be quiet and is not well.
pub(super) fn brief(record: &RunRecord) -> String {
    brief_verdict(&format!("{} against {}", record.suite.name, record.target.name), &record.verdict)
}

/// A verdict in a few lines, and what it is about.
pub(super) fn brief_verdict(about: &str, verdict: &RunVerdict) -> String {
    let RunVerdict { conclusion, sentence, checks } = verdict;
    let mut text = format!("{}: {about}: {sentence}", in_words(*conclusion));
    let troubles =
        checks.iter().filter(|check| check.outcome != CheckOutcome::Pass && check.severity.decides());
    for check in troubles.clone().take(MOST_TROUBLES) {
        let _ = write!(text, "\n  {}: {}", check.name, check.reason);
    }
    let more = troubles.count().saturating_sub(MOST_TROUBLES);
    if more > 0 {
        let _ = write!(text, "\n  and {more} more");
    }
    text
}
