//! What somebody sees who has never used it, in a terminal of 80 columns.

use crate::support::command::Place;

#[test]
fn lists_and_tables_fit_80_columns() {
    let place = Place::new();
    place.thrash(["quick", "-q"]).exits(1);
    place.thrash(["quick", "-q"]).exits(1);
    place.thrash(["baseline", "set", "latest"]).exits(0);
    place.thrash(["schedule", "enable", "quick"]).exits(0);
    for command in [
        "--help",
        "baseline show",
        "history",
        "model info",
        "phrases check",
        "phrases plan",
        "phrases plan --gate-profile regression",
        "phrases stats",
        "runs list",
        "scenarios list",
        "schedule list",
        "schedule next",
        "targets list",
    ] {
        let shown = place.thrash(command.split(' ')).exits(0).stdout;
        assert!(!shown.is_empty(), "{command}");
        for line in shown.lines() {
            assert!(line.chars().count() <= 80, "{command}: {line}");
        }
        assert!(!shown.ends_with("\n\n"), "{command} ends with an empty line");
    }
}

#[test]
fn marks_in_lists_are_explained() {
    let place = Place::new();
    place.thrash(["quick", "-q"]).exits(1);
    let listed = place.thrash(["runs", "list"]).exits(0);
    assert!(!listed.said().contains('*'), "{}", listed.said());
    place.thrash(["baseline", "set", "latest"]).exits(0);
    let listed = place.thrash(["runs", "list"]).exits(0).complains(&["* is a baseline or held"]);
    assert!(listed.stdout.contains("* failed"), "{}", listed.stdout);
    let targets = place.thrash(["targets", "list"]).exits(0).complains(&["* is the one that is asked"]);
    assert!(targets.stdout.contains("* demo"), "{}", targets.stdout);
    place.thrash(["schedule", "list"]).exits(0).complains(&["thrash schedule enable NAME"]);
}

#[test]
fn where_nothing_is_stored_the_hint_says_how_to_begin() {
    let place = Place::new();
    for command in [&["report", "latest"][..], &["compare", "latest", "latest"], &["history"]] {
        place.thrash(command).exits(2).complains(&["hint: `thrash quick` makes one"]);
    }
    place.thrash(["report", "nope"]).exits(2).complains(&["hint: `thrash runs list`"]);
    place.thrash(["history", "--suite", "nope"]).exits(2).complains(&["hint: `thrash runs list`"]);
}

#[test]
fn a_gate_that_is_there_already_is_one_check() {
    let place = Place::new();
    let suite = place.easy_suite();
    place.thrash(["run", suite]).exits(0);
    let checks = |place: &Place| place.latest()["verdict"]["checks"].as_array().expect("checks").len();
    let usual = checks(&place);
    place.thrash(["run", suite, "--gate", "accuracy >= 92%", "--gate", "accuracy>=0.92"]).exits(0);
    assert_eq!(checks(&place), usual);
    place.thrash(["run", suite, "--gate", "accuracy >= 91%"]).exits(0);
    assert_eq!(checks(&place), usual + 1);
}

#[test]
fn every_setting_has_a_value_in_the_same_column() {
    let doctor = Place::new().thrash(["doctor"]).exits(0).stdout;
    let settings: Vec<&str> = doctor.lines().skip(1).take_while(|line| !line.is_empty()).collect();
    assert!(settings.len() > 50, "{doctor}");
    let start = |line: &str| {
        let key = 2 + line[2..].find(' ').expect("a value stands behind the key");
        key + line[key..].find(|c| c != ' ').expect("a value")
    };
    assert!(settings.iter().all(|line| start(line) == start(settings[0])), "{doctor}");
}

#[test]
fn doctor_says_whether_the_service_would_begin_and_where_nothing_can_be_kept() {
    let doctor = |environment: &[(&str, &str)]| Place::new().thrash_with(environment, ["doctor"]);
    let well = doctor(&[]).exits(0).stdout;
    assert!(well.contains("ok  service   `thrash serve` would listen on 127.0.0.1:8884"), "{well}");
    assert!(well.contains("ok  reference "), "{well}");
    for (environment, exit, words) in [
        (
            ("INTERNAL_API_KEY", "short"),
            2,
            "NO  service   `thrash serve` does not begin: the internal key has fewer",
        ),
        (("THRASH_LISTEN", "0.0.0.0:0"), 2, "NO  service   `thrash serve` does not begin: `0.0.0.0:0`"),
        (("ENABLE_API_AUTHENTICATION", "true"), 2, "and there is none"),
        (("THRASH_DATA", "/dev/null/thrash"), 5, "NO  database  /dev/null/thrash/thrash.db cannot be made: "),
        (("DATABASE_URL", "/dev/null"), 5, "NO  database  /dev/null: "),
    ] {
        let said = doctor(&[environment]).exits(exit).stdout;
        assert!(said.contains(words), "{environment:?}: no `{words}` in\n{said}");
    }
}

#[test]
fn doctor_says_what_the_reference_fell_back_from() {
    let said = Place::new().thrash_with(&[("ORT_DYLIB_PATH", "/nowhere.so")], ["doctor"]).exits(0).stdout;
    let at = said.find("ok  reference ").unwrap_or_else(|| panic!("{said}"));
    assert!(said[at..].contains("/nowhere.so"), "{said}");
}

#[test]
fn a_variable_that_is_nearly_one_of_ours_is_asked_about() {
    let place = Place::new();
    let environment = [
        ("TARGET_ACURACY", "99"),
        ("THRASH_SHARD", "2"),
        ("THRASH_DATABASE_URL", "none"),
        ("THRASH_SERVICE_HOST", "10.0.0.1"),
        ("TERMS", "none"),
    ];
    let doctor = place.thrash_with(&environment, ["doctor"]).exits(0);
    let asked = "`TARGET_ACURACY` means nothing here: is TARGET_ACCURACY meant?";
    assert!(doctor.stdout.contains(asked), "{}", doctor.stdout);
    for (name, meant) in [("THRASH_SHARD", "THRASH_SHARDS"), ("THRASH_DATABASE_URL", "DATABASE_URL")] {
        let asked = format!("`{name}` means nothing here: is {meant} meant?");
        assert!(doctor.stdout.contains(&asked), "{}", doctor.stdout);
    }
    assert!(
        !doctor.said().contains("THRASH_SERVICE_HOST") && !doctor.said().contains("TERMS"),
        "{}",
        doctor.said()
    );
    let run = place.thrash_with(&environment, ["schedule", "list"]);
    assert!(run.stderr.contains("TARGET_ACURACY"), "{}", run.said());
}
