//! `thrash phrases import` and `thrash phrases export`, as they are typed.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use tempfile::TempDir;

fn thrash(folder: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_thrash")).arg("phrases").args(args).current_dir(folder).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn an_import_with_rows_left_out_passes_and_says_which() {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("t.csv"), "text,level\nokapi a,low\nokapi a,low\n,low\n").unwrap();
    let run = thrash(folder.path(), &["import", "t.csv", "--out", "suite"]);
    assert_eq!(run.status.code(), Some(0));
    let told = text(&run.stdout);
    assert!(
        told.contains("left out: 2 of 3 rows") && told.contains("same text, same label     1  3"),
        "{told}"
    );
    assert!(!told.contains("okapi"), "{told}");
}

#[test]
fn an_import_tells_the_same_as_json() {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("t.csv"), "text,level\nokapi a,low\n,low\n").unwrap();
    let run = thrash(folder.path(), &["import", "t.csv", "--out", "suite", "--json"]);
    let told: serde_json::Value = serde_json::from_slice(&run.stdout).unwrap();
    assert_eq!(told["imported"], 1);
    assert_eq!(
        told["dropped"][0],
        serde_json::json!({
            "reason": "empty_text", "count": 1, "rows": [{"file": 0, "row": 3}]
        })
    );
    assert_eq!(told["sources"][0]["columns"]["label"], "level");
}

#[test]
fn nothing_to_import_and_wrong_flags_are_usage() {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("t.csv"), "text,level\nokapi a,odd\n").unwrap();
    for args in [
        &["import", "t.csv", "--out", "suite"][..],
        &["import", "gone.csv", "--out", "suite"],
        &["import", "t.csv"],
        &["import", "t.csv", "--out", "suite", "--map", "odd"],
        &["import", "t.csv", "--out", "suite", "--from", "excel"],
        &["export", "gone"],
        &["export", "quick", "--spreadsheet-safe"],
    ] {
        let run = thrash(folder.path(), args);
        assert_eq!(run.status.code(), Some(2), "{args:?}: {}", text(&run.stderr));
        assert!(!text(&run.stderr).contains("okapi"));
    }
    assert!(!folder.path().join("suite").exists());
}

#[test]
fn an_export_goes_to_stdout_or_to_a_file() {
    let folder = TempDir::new().unwrap();
    let shown = thrash(folder.path(), &["export", "quick"]);
    assert_eq!(shown.status.code(), Some(0));
    assert_eq!(text(&shown.stdout).lines().count(), 25);
    let kept = thrash(folder.path(), &["export", "quick", "--format", "csv", "--out", "quick.csv"]);
    assert_eq!((kept.status.code(), kept.stdout.is_empty()), (Some(0), true));
    assert!(fs::read_to_string(folder.path().join("quick.csv")).unwrap().starts_with("id,text,category,"));
    let back = thrash(folder.path(), &["import", "quick.csv", "--out", "suite"]);
    assert_eq!(back.status.code(), Some(0), "{}", text(&back.stderr));
}
