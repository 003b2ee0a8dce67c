//! What is left out, what is refused, and what is promised of the files.

use std::fmt::Write;
use std::fs;

use thrash::domain::Level;
use thrash::suite::import::{ColumnNames, ImportError, ImportOptions, LabelMap, Reason, import};

use super::{Bench, contents, fixture, said};

fn rows(report: &thrash::suite::import::ImportReport, reason: Reason) -> Vec<usize> {
    report.dropped.rows(reason).iter().map(|row| row.row).collect()
}

#[test]
fn importing_twice_makes_the_same_files() {
    let one = Bench::new();
    let two = Bench::new();
    import(&one.options(fixture("ash"))).unwrap();
    import(&two.options(fixture("ash"))).unwrap();
    assert_eq!(contents(&one.out()), contents(&two.out()));
}

#[test]
fn ids_stay_when_rows_move_and_others_come_and_go() {
    let ids = |table: &str| {
        let bench = Bench::new();
        bench.import("t.csv", table).unwrap();
        let mut ids: Vec<(String, String)> = bench
            .load()
            .phrases
            .into_iter()
            .map(|phrase| (phrase.text.trim().to_owned(), phrase.id))
            .collect();
        ids.sort();
        ids
    };
    let before = ids("text,level\nokapi a,low\nokapi b,low\nokapi c,high\n");
    let after = ids("text,level\nokapi d,high\nokapi c,high\n okapi b ,low\nokapi a,low\n");
    assert_eq!(before[..], after[..3]);
    assert!(before[0].1.starts_with("low-"), "{}", before[0].1);
}

#[test]
fn which_of_two_equal_rows_stays_does_not_depend_on_their_order() {
    let kept = |table: &str| {
        let bench = Bench::new();
        bench.import("t.csv", table).unwrap();
        bench.load().phrases[0].id.clone()
    };
    assert_eq!(
        kept("id,text,level,category\nx,okapi,low,b\ny,okapi,low,a\n"),
        kept("id,text,level,category\ny,okapi,low,a\nx,okapi,low,b\n")
    );
}

#[test]
fn every_row_that_is_left_out_is_counted_by_reason() {
    let bench = Bench::new();
    let long = "x".repeat(100_001);
    let table = format!(
        "text,level,must_pass\n\
        okapi same,low,\n\
        okapi same,low,\n\
        okapi both,low,\n\
        okapi both,high,\n\
        ,low,\n\
        okapi odd,whatever,\n\
        okapi, cut,low,\n\
        {long},low,\n\
        okapi all,none|low|medium|high|critical,\n\
        okapi unsure,low,perhaps\n\
        okapi gap,none|high,\n\
        okapi fine,low,\n"
    );
    let report = bench.import("t.csv", table).unwrap();
    assert_eq!(rows(&report, Reason::DuplicateText), [3]);
    assert_eq!(rows(&report, Reason::ContradictoryLabels), [4, 5]);
    assert_eq!(rows(&report, Reason::EmptyText), [6]);
    assert_eq!(rows(&report, Reason::UnknownLabel), [7]);
    assert_eq!(rows(&report, Reason::TooManyCells), [8]);
    assert_eq!(rows(&report, Reason::TooLong), [9]);
    assert_eq!(rows(&report, Reason::CannotFail), [10]);
    assert_eq!(rows(&report, Reason::Unreadable), [11]);
    assert_eq!(rows(&report, Reason::GapInLevels), [12]);
    assert_eq!(report.unknown_labels, ["whatever"]);
    assert_eq!((report.rows(), report.imported, report.dropped.len()), (12, 2, 10));
    assert_eq!(bench.load().phrases.len(), 2);
}

#[test]
fn links_follow_a_duplicate_and_are_let_go_where_nothing_is_left() {
    let bench = Bench::new();
    let table = "id,text,level,pair,seed_of\n\
        a,okapi one,low,b2,\n\
        b,okapi two,none,a,\n\
        b2,okapi two,none,,\n\
        c,okapi three,low,,gone\n\
        d,okapi four,low,d,a\n";
    let report = bench.import("t.csv", table).unwrap();
    assert_eq!(report.links_dropped, 2);
    assert_eq!(bench.phrase("okapi one").pair.as_deref(), Some("b"));
    assert_eq!(bench.phrase("okapi four").seed_of.as_deref(), Some("a"));
    assert_eq!(bench.phrase("okapi three").seed_of, None);
}

#[test]
fn ids_that_are_none_are_made_anew_and_named() {
    let bench = Bench::new();
    let table =
        "id,text,level\nfine,okapi a,low\nnot an id,okapi b,low\ntwice,okapi c,low\ntwice,okapi d,low\n";
    let report = bench.import("t.csv", table).unwrap();
    assert_eq!(report.ids_replaced.iter().map(|row| row.row).collect::<Vec<_>>(), [3, 4, 5]);
    assert_eq!(bench.phrase("okapi a").id, "fine");
    assert!(bench.phrase("okapi b").id.starts_with("low-"));
}

#[test]
fn a_report_and_its_errors_never_hold_a_text() {
    let secret = "zebrafish";
    let tables = [
        format!(
            "text,level\n{secret} a,low\n{secret} a,high\n{secret} b,{secret} is no label\n{secret} c,low\n"
        ),
        format!("{secret} in the first row of all rows,low\n{secret} b,low\n"),
        format!("{{\"text\":\"{secret}\",\"level\":}}\n"),
        format!("text,level\n\"{secret} never closed,low\n{secret},low\n"),
        format!("text,level\n{secret} x,{secret} again\n"),
        format!("{secret} swims,low\n{secret} b,low\n"),
    ];
    for table in tables {
        let bench = Bench::new();
        let told = match bench.import("t.csv", &table) {
            Ok(report) => serde_json::to_string(&report).unwrap(),
            Err(error) => {
                let report = match &error {
                    ImportError::Nothing { report } => serde_json::to_string(report).unwrap(),
                    _ => String::new(),
                };
                said(&error) + &report
            }
        };
        assert!(!told.contains(secret), "{told}");
    }
}

#[test]
fn files_that_are_there_are_kept_unless_force_is_used() {
    let bench = Bench::new();
    bench.import("t.csv", "text,level\nokapi a,low\n").unwrap();
    let before = contents(&bench.out());
    let other = bench.file("u.csv", "text,level\nokapi b,low\nokapi c,high\n");
    let refused = said(&import(&bench.options(other.clone())).unwrap_err());
    assert!(refused.contains("low.yaml") && refused.contains("--force"), "{refused}");
    assert_eq!(contents(&bench.out()), before);

    import(&ImportOptions { force: true, ..bench.options(other) }).unwrap();
    let texts: Vec<String> = bench.load().phrases.into_iter().map(|phrase| phrase.text).collect();
    assert_eq!(texts, ["okapi c", "okapi b"]);
}

#[test]
fn a_folder_in_the_place_of_a_file_is_not_replaced() {
    let bench = Bench::new();
    fs::create_dir_all(bench.out().join("low.yaml")).unwrap();
    fs::write(bench.out().join("low.yaml/mine"), "x").unwrap();
    let table = bench.file("t.csv", "text,level\nokapi a,low\nokapi b,high\n");
    let error = import(&ImportOptions { force: true, ..bench.options(table) }).unwrap_err();
    assert!(error.is_storage(), "{error}");
    assert_eq!(fs::read_to_string(bench.out().join("low.yaml/mine")).unwrap(), "x");
    assert!(!bench.out().join("high.yaml").exists());
}

#[test]
fn a_suite_file_that_is_there_stays_as_it_is() {
    let bench = Bench::new();
    fs::create_dir(bench.out()).unwrap();
    fs::write(bench.out().join("suites.yaml"), "suites: {mine: {files: [.]}}\n").unwrap();
    let table = bench.file("t.csv", "text,level\nokapi a,low\n");
    let report = import(&ImportOptions { force: true, ..bench.options(table) }).unwrap();
    assert_eq!(report.written, [bench.out().join("low.yaml")]);
    assert_eq!(
        fs::read_to_string(bench.out().join("suites.yaml")).unwrap(),
        "suites: {mine: {files: [.]}}\n"
    );
}

#[test]
fn what_would_not_load_with_the_files_that_are_there_is_not_written() {
    let bench = Bench::new();
    bench.import("t.csv", "text,level\nokapi a,low\n").unwrap();
    let before = contents(&bench.out());
    let refused = said(&bench.import("u.csv", "text,level\nokapi a,high\n").unwrap_err());
    assert!(refused.contains("labelled otherwise"), "{refused}");
    assert!(!refused.contains(".thrash-import-") && !refused.contains("okapi"), "{refused}");
    assert_eq!(contents(&bench.out()), before);
}

#[test]
fn a_later_import_joins_the_suite_of_the_folder() {
    let bench = Bench::new();
    bench.import("t.csv", "text,level\nokapi a,low\n").unwrap();
    let report = bench.import("u.csv", "text,level\nokapi b,high\n").unwrap();
    assert!(report.notes.iter().any(|note| note.contains("low.yaml")));
    let suite = thrash::suite::Catalog::in_folder(bench.out()).load(&["suite".to_owned()], None).unwrap();
    assert_eq!(suite.phrases.len(), 2);
}

#[test]
fn the_files_say_where_they_came_from() {
    let bench = Bench::new();
    let report = bench.import("t.csv", "text,level\nokapi a,low\n").unwrap();
    let file = fs::read_to_string(bench.out().join("low.yaml")).unwrap();
    assert!(file.contains(&format!("from \"t.csv\", SHA-256 {}.", report.sources[0].sha256)), "{file}");
    assert!(file.contains(env!("CARGO_PKG_VERSION")), "{file}");
}

#[test]
fn a_category_that_is_too_long_for_a_file_goes_on_in_another() {
    let bench = Bench::new();
    let filling = "x".repeat(90_000);
    let mut table = "text,level\n".to_owned();
    for i in 0..100 {
        let _ = writeln!(table, "okapi {i} {filling},low");
    }
    let report = bench.import("t.csv", table).unwrap();
    assert_eq!(report.imported, 100);
    assert!(bench.out().join("low.yaml").exists() && bench.out().join("low-2.yaml").exists());
    assert_eq!(bench.load().phrases.len(), 100);
}

#[test]
fn a_category_is_always_a_file_of_its_own() {
    let bench = Bench::new();
    let table =
        "text,level,category\nokapi a,low,suites\nokapi b,low,../Up\nokapi c,low,up\nokapi d,low,UP\n";
    let report = bench.import("t.csv", table).unwrap();
    assert_eq!(report.categories.len(), 4);
    assert_eq!(bench.load().phrases.len(), 4);
    assert_eq!(contents(&bench.out()).len(), 5);
}

#[test]
fn rows_of_one_category_may_have_other_labels() {
    let bench = Bench::new();
    bench.import("t.csv", "text,level,category\nokapi a,low,x\nokapi b,low,x\nokapi c,high,x\n").unwrap();
    assert_eq!(bench.phrase("okapi c").expected.min(), Level::High);
    assert_eq!(bench.phrase("okapi a").expected.max(), Level::Low);
}

#[test]
fn bad_files_are_refused_for_the_right_reason() {
    let huge = vec![b'x'; (64 << 20) + 1];
    let cases: [(&str, &[u8], &str); 13] = [
        ("huge.csv", &huge, "at most 64 MiB"),
        ("empty.csv", b"", "is empty"),
        ("blank.csv", b" \n\n", "is empty"),
        ("latin.csv", b"text,level\nm\xfcde,low\n", "line 2 is not UTF-8"),
        ("half.csv", b"\xff\xfet\0e\0x", "UTF-16"),
        ("wide.csv", b"\xff\xfe\0\0t\0\0\0", "UTF-32"),
        (
            "broken.json",
            b"{\n  \"category\": {\n    \"name\": oops\n}}",
            "broken.json:3:13: this is not JSON",
        ),
        ("broken.jsonl", b"{\"text\":\"a\",\"level\":\"low\"}\n{\"text\":\n", "broken.jsonl:2:"),
        ("number.jsonl", b"{\"text\":\"a\",\"level\":\"low\"}\n17\n", "this line is no JSON object"),
        ("other.json", b"{\n \"rows\": 3\n}", "cannot tell what"),
        ("open.csv", b"text,level\n\"a,low\nb,low\nc,low\n", "opens a quote that is never closed"),
        ("none.csv", b"one,two\na,low\n", "--text-column"),
        ("label.csv", b"text,two\na,low\n", "--label-column"),
    ];
    for (name, content, reason) in cases {
        let bench = Bench::new();
        let refused = said(&bench.import(name, content).unwrap_err());
        assert!(refused.contains(reason), "{name}: {refused}");
        assert!(!bench.out().exists(), "{name}");
    }
}

#[test]
fn a_column_that_is_not_there_is_answered_with_the_nearest() {
    let bench = Bench::new();
    let columns = ColumnNames { text: Some("mesage".to_owned()), ..ColumnNames::default() };
    let table = bench.file("t.csv", "message,level\na,low\n");
    let refused = said(&import(&ImportOptions { columns, ..bench.options(table) }).unwrap_err());
    assert!(
        refused.contains("no column `mesage`") && refused.contains("did you mean `message`?"),
        "{refused}"
    );
}

#[test]
fn a_column_of_phrases_is_no_column_of_categories() {
    let mut table = "text,level,other\n".to_owned();
    for i in 0..400 {
        let _ = writeln!(table, "okapi {i},low,zebrafish {i}");
    }
    let bench = Bench::new();
    let columns = ColumnNames { category: Some("other".to_owned()), ..ColumnNames::default() };
    let table = bench.file("t.csv", table);
    let refused = said(&import(&ImportOptions { columns, ..bench.options(table) }).unwrap_err());
    assert!(refused.contains("400 different") && !refused.contains("zebrafish"), "{refused}");
}

#[test]
fn a_folder_without_anything_to_import_is_refused() {
    let bench = Bench::new();
    fs::create_dir(bench.out()).unwrap();
    let refused = said(&import(&bench.options(bench.out())).unwrap_err());
    assert!(refused.contains("nothing to import"), "{refused}");
}

#[test]
fn labels_are_mapped_as_they_are_said() {
    let map: LabelMap = "Yes=high|critical,a=b=low".parse().unwrap();
    assert_eq!(map.read(" yes ").unwrap().to_string(), "high|critical");
    assert_eq!(map.read("a=b").unwrap().to_string(), "low");
    assert_eq!(map.read("SAFE").unwrap().to_string(), "none");
    assert_eq!(map.read("['none', 'low']").unwrap().to_string(), "none|low");
    assert_eq!(map.read("no"), None);
    assert_eq!(map.read(""), None);
    assert!("hateful".parse::<LabelMap>().unwrap_err().contains("LABEL=LEVEL"));
    assert!("x=hihg".parse::<LabelMap>().unwrap_err().contains("hihg"));
}
