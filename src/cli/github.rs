//! What a run says to GitHub Actions: annotations on its lines, and the step's summary.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::output::Output;
use super::report::Reports;
use crate::config::Config;
use crate::domain::RunRecord;
use crate::report::{Format, RenderOptions, render, render_annotations};

/// What the runner takes of a step's summary; of a longer one it takes nothing.
const LONGEST_SUMMARY: u64 = 1 << 20;

/// The runner that the program runs under.
#[derive(Debug)]
pub(super) struct GithubActions {
    summary: Option<PathBuf>,
}

impl GithubActions {
    /// The runner, if there is one.
    pub(super) fn of(config: &Config) -> Option<Self> {
        config.variable("GITHUB_ACTIONS").filter(|value| value == "true")?;
        Some(Self { summary: config.variable("GITHUB_STEP_SUMMARY").map(PathBuf::from) })
    }

    /// Annotates the run's findings and adds the run to the step's summary.
    ///
    /// The runner reads workflow commands from stderr as well, and there they do not get between the lines of
    /// `--json -`. Nobody asked for the summary on the command line: if it cannot be written, that is said and the exit
    /// code stays.
    pub(super) fn tell(&self, record: &RunRecord, reports: &Reports, output: Output) {
        let annotations = render_annotations(record, &reports.places(record));
        if !annotations.is_empty() {
            output.command(&annotations);
        }
        let Some(summary) = self.summary.as_deref().filter(|summary| !reports.writes_to(summary)) else {
            return;
        };
        let added = render(Format::Markdown, record, &RenderOptions::default())
            .map_err(io::Error::other)
            .and_then(|markdown| append(summary, &markdown));
        if let Err(error) = added {
            output.note(format!("cannot add to the step's summary `{}`: {error}", summary.display()));
        }
    }
}

/// Adds to the file, if the whole stays short enough to be shown.
fn append(summary: &Path, markdown: &[u8]) -> io::Result<()> {
    let found = fs::metadata(summary).ok();
    // A pipe that nobody reads would hold the job up.
    if found.as_ref().is_some_and(|found| !found.is_file()) {
        return Err(io::Error::other("it is no file"));
    }
    let there = found.map_or(0, |found| found.len());
    if there + markdown.len() as u64 + 1 > LONGEST_SUMMARY {
        return Err(io::Error::other("it is full"));
    }
    let mut file = OpenOptions::new().create(true).append(true).open(summary)?;
    // What an earlier command left there may not end its line.
    let gap: &[u8] = if there > 0 { b"\n" } else { b"" };
    file.write_all(&[gap, markdown].concat())
}
