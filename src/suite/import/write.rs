//! The files are written whole, all of them or none.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::error::ImportError;
use super::report::ImportReport;
use crate::document::Problem;
use crate::suite::{Catalog, SuiteError};

const SUITES: &str = "suites.yaml";

/// Writes the files to the folder, after they have been loaded together with the phrase files that are there.
pub(super) fn write(
    out: &Path,
    files: &[(String, String)],
    force: bool,
    report: &mut ImportReport,
) -> Result<(), ImportError> {
    let taken: Vec<String> =
        files.iter().map(|(name, _)| name).filter(|name| exists(&out.join(name))).cloned().collect();
    if !force && !taken.is_empty() {
        return Err(ImportError::Exists { folder: out.to_owned(), files: taken });
    }
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source: io::Error| ImportError::Write { path, source }
    };
    // Only a file is ever replaced: a folder of that name may hold anything.
    for (name, _) in files {
        if out.join(name).is_dir() {
            let source = io::Error::from(io::ErrorKind::IsADirectory);
            return Err(ImportError::Write { path: out.join(name), source });
        }
    }
    let is_new = !exists(out);
    fs::create_dir_all(out).map_err(failed(out))?;
    let written = stage(out, files, failed).and_then(|(stage, names)| {
        check(out, stage.path(), files, report)?;
        put(out, stage.path(), &names).map_err(|(path, source)| ImportError::Write { path, source })?;
        Ok(names)
    });
    match written {
        Ok(names) => {
            report.written = names.into_iter().map(|name| out.join(name)).collect();
            Ok(())
        }
        Err(error) => {
            if is_new {
                // Only if it is empty: what somebody else has put there meanwhile stays.
                let _ = fs::remove_dir(out);
            }
            Err(error)
        }
    }
}

fn exists(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok()
}

/// Writes everything to a folder beside its place, where nobody looks for phrases.
fn stage<F: FnOnce(io::Error) -> ImportError>(
    out: &Path,
    files: &[(String, String)],
    failed: impl Fn(&Path) -> F,
) -> Result<(TempDir, Vec<String>), ImportError> {
    let stage = tempfile::Builder::new().prefix(".thrash-import-").tempdir_in(out).map_err(failed(out))?;
    let mut names: Vec<String> = Vec::with_capacity(files.len() + 1);
    for (name, text) in files {
        whole(&stage.path().join(name), text).map_err(failed(&out.join(name)))?;
        names.push(name.clone());
    }
    if !exists(&out.join(SUITES)) {
        whole(&stage.path().join(SUITES), &suites(out)).map_err(failed(&out.join(SUITES)))?;
        names.push(SUITES.to_owned());
    }
    Ok((stage, names))
}

fn whole(path: &Path, text: &str) -> io::Result<()> {
    let mut file = fs::File::create(path)?;
    io::Write::write_all(&mut file, text.as_bytes())?;
    // Some file systems say only now that they are full.
    file.sync_all()
}

/// A suite of everything in the folder, also of what is imported later.
fn suites(out: &Path) -> String {
    let absolute = std::path::absolute(out).unwrap_or_else(|_| out.to_owned());
    let name = absolute.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let name: String =
        name.chars().map(|c| if c.is_ascii_alphanumeric() || "_-".contains(c) { c } else { '_' }).collect();
    let name = if name.is_empty() { "imported".to_owned() } else { name };
    format!("suites:\n  \"{name}\":\n    title: Imported phrases\n    files: [.]\n")
}

/// Loads what is about to be written, together with the phrase files that stay.
fn check(
    out: &Path,
    stage: &Path,
    files: &[(String, String)],
    report: &mut ImportReport,
) -> Result<(), ImportError> {
    let mut paths = vec![stage.to_owned()];
    let mut others = Vec::new();
    for entry in fs::read_dir(out).map_err(|source| ImportError::Read { path: out.to_owned(), source })? {
        let path = entry.map_err(|source| ImportError::Read { path: out.to_owned(), source })?.path();
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let is_yaml = path.extension().is_some_and(|extension| extension == "yaml" || extension == "yml");
        if is_yaml
            && path.file_stem().is_some_and(|stem| stem != "suites")
            && files.iter().all(|(new, _)| *new != name)
        {
            others.push(name);
            paths.push(path);
        }
    }
    if !others.is_empty() {
        others.sort();
        report.notes.push(format!("the folder also has {}, which a suite of it takes in", others.join(", ")));
    }
    let mut names = Vec::with_capacity(paths.len());
    for path in &paths {
        names.push(path.to_str().map(str::to_owned).ok_or_else(|| {
            let problem = Problem::with_file(&path.display().to_string(), "the name is not UTF-8")
                .with_hint("rename it");
            ImportError::Invalid(Box::new(problem))
        })?);
    }
    let clash = |problems: String| {
        let stage = format!("{}{}", stage.display(), std::path::MAIN_SEPARATOR);
        let out = format!("{}{}", out.display(), std::path::MAIN_SEPARATOR);
        ImportError::Clash {
            folder: PathBuf::from(out.trim_end_matches('/')),
            problems: problems.replace(&stage, &out),
        }
    };
    match Catalog::shipped().load(&names, None) {
        Ok(_) => Ok(()),
        Err(SuiteError::Invalid { problems }) => Err(clash(problems.to_string())),
        Err(error) => Err(clash(error.to_string())),
    }
}

/// Gives every file its place. When one fails, those before it are taken back.
fn put(out: &Path, stage: &Path, names: &[String]) -> Result<(), (PathBuf, io::Error)> {
    let kept = stage.join("before");
    fs::create_dir(&kept).map_err(|error| (out.to_owned(), error))?;
    for (i, name) in names.iter().enumerate() {
        let place = out.join(name);
        let moved = if exists(&place) { fs::rename(&place, kept.join(name)) } else { Ok(()) };
        if let Err(error) = moved.and_then(|()| fs::rename(stage.join(name), &place)) {
            for name in &names[..=i] {
                let place = out.join(name);
                if exists(&kept.join(name)) {
                    let _ = fs::rename(kept.join(name), place);
                } else if names[..i].contains(name) {
                    let _ = fs::remove_file(place);
                }
            }
            return Err((place, error));
        }
    }
    Ok(())
}
