//! Where reports go, with real files.

use std::fs;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;
use thrash::report::{Format, Sink, SinkError, WriteError, check_together};

fn folder() -> TempDir {
    tempfile::tempdir().expect("a temporary folder")
}

fn check(path: &Path) -> Result<Sink, SinkError> {
    Sink::check(path, Format::Json)
}

fn names_in(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("the folder is there");
    let name = |entry: fs::DirEntry| entry.file_name().to_string_lossy().into_owned();
    let mut names: Vec<String> = entries.map(|entry| name(entry.expect("an entry"))).collect();
    names.sort();
    names
}

#[test]
fn a_new_file_appears_only_when_it_is_written() {
    let folder = folder();
    let path = folder.path().join("run.json");
    let sink = check(&path).expect("it can be written");
    assert_eq!(names_in(folder.path()), [""; 0]);
    sink.write(b"new").expect("it is written");
    assert_eq!(names_in(folder.path()), ["run.json"]);
    assert_eq!(fs::read(&path).expect("it is there"), b"new");
}

#[test]
fn an_existing_file_keeps_its_content_until_it_is_replaced_whole() {
    let folder = folder();
    let path = folder.path().join("run.json");
    fs::write(&path, "a longer old content").expect("it is written");
    let sink = check(&path).expect("it can be written");
    assert_eq!(fs::read(&path).expect("it is there"), b"a longer old content");
    sink.write(b"new").expect("it is written");
    assert_eq!(fs::read(&path).expect("it is there"), b"new");
    assert_eq!(names_in(folder.path()), ["run.json"]);
}

#[test]
fn a_write_that_fails_leaves_what_was_there_and_no_draft() {
    let folder = folder();
    let path = folder.path().join("run.json");
    let sink = check(&path).expect("it can be written");
    // Somebody makes a folder of that name while the run is on.
    fs::create_dir_all(path.join("inside")).expect("it is made");
    let error = sink.write(b"new").expect_err("a file cannot replace a folder");
    assert!(matches!(error, WriteError::Failed { .. }), "{error:?}");
    assert_eq!(names_in(folder.path()), ["run.json"]);
    assert_eq!(names_in(&path), ["inside"]);
}

#[test]
fn a_missing_folder_is_an_error_with_a_hint() {
    let folder = folder();
    let error = check(&folder.path().join("reports/run.json")).expect_err("there is no folder");
    let missing = folder.path().join("reports");
    assert!(
        error.to_string().ends_with(&format!("its folder `{}` does not exist", missing.display())),
        "{error}"
    );
    assert_eq!(error.hint(), Some(format!("make it first: `mkdir -p '{}'`", missing.display())));
}

#[test]
fn a_folder_is_no_file() {
    let folder = folder();
    for path in [folder.path().to_owned(), folder.path().join("new/"), folder.path().join("..")] {
        let error = check(&path).expect_err("it is a folder");
        assert!(matches!(error, SinkError::Folder { .. }), "{error:?}");
        assert_eq!(error.hint().as_deref(), Some("name a file inside it"));
    }
}

#[test]
fn an_empty_name_is_an_error() {
    assert!(matches!(check(Path::new("")), Err(SinkError::Empty { .. })));
}

#[test]
fn a_path_under_a_file_is_refused() {
    let folder = folder();
    fs::write(folder.path().join("file"), "").expect("it is written");
    let error = check(&folder.path().join("file/run.json")).expect_err("a file is no folder");
    assert!(matches!(error, SinkError::Refused { .. }), "{error:?}");
}

#[test]
fn standard_output_takes_one_report() {
    let stdout = Sink::check("-", Format::Json).expect("it can be written");
    assert!(stdout.is_stdout());
    assert_eq!(stdout.path(), None);
    assert!(check_together(std::slice::from_ref(&stdout)).is_ok());
    let other = Sink::check("-", Format::Junit).expect("it can be written");
    let error = check_together(&[stdout, other]).expect_err("there are two");
    assert_eq!(error.to_string(), "cannot write both the JSON and the JUnit report to standard output");
}

#[test]
fn a_file_takes_one_report_by_whatever_name() {
    let folder = folder();
    let path = folder.path().join("run");
    let first = Sink::check(&path, Format::Json).expect("it can be written");
    let second = Sink::check(folder.path().join("./run"), Format::Junit).expect("it can be written");
    assert!(matches!(check_together(&[first, second]), Err(SinkError::Twice { .. })));
}

#[cfg(unix)]
mod unix {
    use std::os::unix::fs::{FileTypeExt, PermissionsExt, symlink};

    use super::*;

    #[test]
    fn a_device_is_written_into_and_stays_a_device() {
        let sink = check(Path::new("/dev/null")).expect("it can be written");
        sink.write(b"new").expect("it is written");
        assert!(fs::metadata("/dev/null").expect("it is there").file_type().is_char_device());
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_full_disk_has_an_error_of_its_own() {
        let sink = check(Path::new("/dev/full")).expect("it looks like any device");
        let error = sink.write(b"new").expect_err("it is always full");
        assert!(matches!(error, WriteError::DiskFull { .. }), "{error:?}");
        assert_eq!(error.to_string(), "cannot write the JSON report to `/dev/full`: the disk is full");
    }

    #[test]
    fn a_pipe_passes_the_report_on_to_its_reader() {
        let folder = folder();
        let pipe = folder.path().join("pipe");
        assert!(Command::new("mkfifo").arg(&pipe).status().expect("mkfifo runs").success());
        let sink = check(&pipe).expect("it can be written");
        let reader = std::thread::spawn(move || fs::read(pipe).expect("it is read"));
        sink.write(b"new").expect("it is written");
        assert_eq!(reader.join().expect("the reader ends"), b"new");
    }

    #[test]
    fn a_link_stays_a_link_and_its_file_is_replaced() {
        let folder = folder();
        let (file, link) = (folder.path().join("file"), folder.path().join("link"));
        symlink("file", &link).expect("it is made");
        // The first time the link leads nowhere yet.
        for content in ["first", "second"] {
            check(&link).expect("it can be written").write(content.as_bytes()).expect("it is written");
            assert!(fs::symlink_metadata(&link).expect("it is there").is_symlink());
            assert_eq!(fs::read_to_string(&file).expect("it is there"), content);
        }
    }

    #[test]
    fn a_file_keeps_its_permissions_and_a_new_one_has_the_usual() {
        let folder = folder();
        let mode = |path: &Path| fs::metadata(path).expect("it is there").permissions().mode() & 0o777;
        let (old, new, usual) = ["old", "new", "usual"].map(|name| folder.path().join(name)).into();
        fs::write(&usual, "").expect("it is written");
        fs::write(&old, "").expect("it is written");
        fs::set_permissions(&old, fs::Permissions::from_mode(0o640)).expect("it is ours");
        for path in [&old, &new] {
            check(path).expect("it can be written").write(b"new").expect("it is written");
        }
        assert_eq!((mode(&old), mode(&new)), (0o640, mode(&usual)));
    }

    #[test]
    fn what_we_may_not_write_is_refused_before_the_run() {
        let folder = folder();
        let path = folder.path().join("run.json");
        fs::write(&path, "old").expect("it is written");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o400)).expect("it is ours");
        // Root may write anything.
        if fs::OpenOptions::new().write(true).open(&path).is_err() {
            assert!(matches!(check(&path), Err(SinkError::Refused { .. })));
        }
    }
}
