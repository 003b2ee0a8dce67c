//! No report replaces what a command reads or keeps.

use crate::support::command::Place;

/// The file's bytes are the same after the command as before, and the command is refused.
fn refuses(place: &Place, file: &str, what: &str, command: &[&str]) {
    let path = place.path().join(file);
    let before = std::fs::read(&path).expect("a file to be spared");
    place.thrash(command).exits(2).complains(&[what, "give the report a file of its own"]);
    assert_eq!(std::fs::read(&path).expect("it is still there"), before, "{file}");
}

#[test]
fn a_report_never_replaces_what_the_run_reads() {
    let place = Place::new();
    let suite = place.easy_suite();
    place.thrash(["run", suite, "--json", "first.json"]).exits(0);
    place.file("known.json", "{\"waivers\": []}");
    place.file("settings.yaml", "{}\n");
    let (words, run) = ("that is a place for YAML", ["run", suite]);
    let yaml = std::fs::read_dir(place.path().join(suite)).unwrap().next().unwrap().unwrap();
    let yaml = format!("{suite}/{}", yaml.file_name().display());
    refuses(&place, &yaml, words, &[&run[..], &["--json", &yaml]].concat());
    refuses(
        &place,
        "settings.yaml",
        words,
        &[&run[..], &["--config", "settings.yaml", "--csv", "settings.yaml"]].concat(),
    );
    refuses(
        &place,
        "known.json",
        "that is the file of known failures",
        &[&run[..], &["--waivers", "known.json", "--json", "known.json"]].concat(),
    );
    refuses(
        &place,
        "first.json",
        "that is the baseline",
        &[&run[..], &["--baseline", "./first.json", "--json", "first.json"]].concat(),
    );
    place.thrash(["run", suite, "--json", "second.json"]).exits(0);
    refuses(
        &place,
        "first.json",
        "that is one of the two runs",
        &["compare", "first.json", "second.json", "--json", "./first.json"],
    );
}

#[test]
fn a_report_never_replaces_the_database() {
    let place = Place::new();
    let suite = place.easy_suite();
    place.thrash(["run", suite]).exits(0);
    let database = place.data().join("thrash.db").display().to_string();
    for command in [&["run", suite, "--json", &database][..], &["history", "--json", &database]] {
        refuses(&place, &database, "that is a database", command);
    }
    place.thrash(["runs", "list"]).exits(0);
}

#[test]
fn a_folder_of_reports_is_a_folder() {
    let place = Place::new();
    place.thrash(["run", place.easy_suite(), "--out", "-"]).exits(2).complains(&["--out names a folder"]);
    assert!(!place.path().join("-").exists());
}

#[test]
fn a_record_that_contradicts_itself_is_refused() {
    let place = Place::new();
    place.thrash(["run", place.easy_suite(), "--json", "good.json"]).exits(0);
    let text = std::fs::read_to_string(place.path().join("good.json")).unwrap();
    let mut record: serde_json::Value = serde_json::from_str(&text).unwrap();
    record["id"] = "20260101-000000-abcdef".into();
    for (at, time) in
        [("latency_ms", "-1"), ("latency_ms", "1e300"), ("latency_ms", "6.1e8"), ("started_ms", "-0.5")]
    {
        let mut record = record.clone();
        record["results"][1]["observations"][0][at] = serde_json::from_str(time).unwrap();
        place.file("time.json", record.to_string());
        let refused = place.thrash(["compare", "good.json", "time.json"]).exits(2);
        refused.complains(&["it is damaged: a time of phrase", "is none that a clock measures"]);
    }
    let results = record["results"].as_array_mut().unwrap();
    let last = results.pop().unwrap();
    place.file("short.json", record.to_string());
    place.thrash(["compare", "good.json", "short.json"]).exits(2).complains(&["it is damaged: it speaks of"]);
    let results = record["results"].as_array_mut().unwrap();
    results.push(results[0].clone());
    drop(last);
    for (single, double) in [
        ("\"results\": [", "\"results\": [], \"results\": ["),
        ("\"no_answer\": {", "\"no_answer\": {\"timeout\": 1, \"timeout\": 2"),
    ] {
        assert!(text.contains(single));
        place.file("double.json", text.replacen(single, double, 1));
        place
            .thrash(["compare", "double.json", "good.json"])
            .exits(2)
            .complains(&["it is damaged: a key stands twice"]);
    }
    place.file("twice.json", record.to_string());
    place.thrash(["compare", "good.json", "twice.json"]).exits(2).complains(&["holds phrase", "twice"]);
}

#[test]
fn a_configuration_that_is_there_and_cannot_be_read_is_no_reason_to_test_the_demo() {
    let place = Place::new();
    std::fs::create_dir(place.path().join("thrash.yaml")).expect("a folder");
    place.thrash(["quick"]).exits(2).complains(&["thrash.yaml"]);
    std::fs::remove_dir(place.path().join("thrash.yaml")).expect("it goes");
    std::os::unix::fs::symlink("nowhere", place.path().join("thrash.yaml")).expect("a link");
    place.thrash(["quick"]).exits(2).complains(&["thrash.yaml"]);
}
