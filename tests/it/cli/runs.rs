//! Stored runs: listing, showing, deleting, and the database they are in.

use std::fs::{File, FileTimes};
use std::time::{Duration, SystemTime};

use serde_json::Value;

use crate::support::command::Place;

fn ids(place: &Place) -> Vec<String> {
    place.runs().iter().map(|run| run["id"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_run_is_found_by_its_id_the_beginning_of_it_and_latest() {
    let place = Place::new();
    let suite = place.easy_suite();
    place.thrash(["run", suite]).exits(0);
    place.thrash(["run", suite]).exits(0);
    let ids = ids(&place);
    assert_eq!(ids.len(), 2, "two runs within a second are two runs");
    assert_ne!(ids[0], ids[1]);
    for query in [ids[0].as_str(), &ids[0][..21], "latest", "LATEST"] {
        let shown = place.thrash(["runs", "show", query]).exits(0);
        assert!(shown.stdout.contains(&ids[0]), "{query}: {}", shown.stdout);
        let reported = place.thrash(["report", query, "--json", "-"]).exits(0);
        let record: Value = serde_json::from_str(&reported.stdout).unwrap();
        assert_eq!(record["id"], ids[0].as_str());
    }
    place.thrash(["report", "2"]).exits(2).complains(&["matches several", &ids[0], &ids[1]]);
    place.thrash(["report", "zz"]).exits(2).complains(&["no stored run matches `zz`"]);
}

#[test]
fn deleting_looks_everything_up_before_it_deletes_anything() {
    let place = Place::new();
    let suite = place.easy_suite();
    place.thrash(["run", suite]).exits(0);
    place.thrash(["run", suite]).exits(0);
    let before = ids(&place);
    place.thrash(["runs", "delete", &before[0], "missing"]).exits(2);
    assert_eq!(ids(&place), before);
    // The same run twice is one run.
    place.thrash(["runs", "delete", &before[0], &before[1], &before[0]]).exits(0);
    assert_eq!(ids(&place), Vec::<String>::new());
    place.thrash(["report", "latest"]).exits(2);
}

#[test]
fn the_list_fits_80_columns_and_filters() {
    let place = Place::new();
    let suite = place.easy_suite();
    let long = format!("{}.yaml", "a_very_long_name_of_a_suite".repeat(3));
    std::fs::copy(place.path().join("easy/calm.yaml"), place.path().join(&long)).unwrap();
    place.thrash(["run", suite]).exits(0);
    place.thrash(["run", &long]).exits(4);
    place.thrash(["comprehensive"]).exits(1);
    let listed = place.thrash(["runs", "list"]).exits(0).stdout;
    assert_eq!(listed.lines().count(), 4, "{listed}");
    for line in listed.lines() {
        assert!(line.chars().count() <= 80, "{} columns: {line}", line.chars().count());
    }
    for word in ["passed", "could not tell", "failed", "comprehensive"] {
        assert!(listed.contains(word), "no `{word}`:\n{listed}");
    }
    let one = place.thrash(["runs", "list", "--suite", "comprehensive", "--json"]).exits(0).stdout;
    assert_eq!(serde_json::from_str::<Vec<Value>>(&one).unwrap().len(), 1);
    let newest = place.thrash(["runs", "list", "--limit", "1"]).exits(0).stdout;
    assert!(newest.lines().count() == 2 && newest.contains("comprehensive"), "{newest}");
}

#[test]
fn an_empty_store_says_so_on_stderr_and_an_empty_list_is_json() {
    let place = Place::new();
    let listed = place.thrash(["runs", "list"]).exits(0).complains(&["no run is stored yet"]);
    assert_eq!(listed.stdout, "");
    assert_eq!(place.runs(), Vec::<Value>::new());
}

#[test]
fn without_a_store_a_run_works_and_commands_about_runs_do_not() {
    let place = Place::new();
    let suite = place.easy_suite();
    place.thrash(["run", suite, "--database-url", "none"]).exits(0);
    assert!(!place.data().exists(), "something was kept");
    for command in [vec!["runs", "list"], vec!["report", "latest"], vec!["db", "migrate"]] {
        place
            .thrash(command.into_iter().chain(["--database-url", "none"]))
            .exits(2)
            .complains(&["there is no store"]);
    }
}

#[test]
fn the_database_is_checked_migrated_and_pruned() {
    let place = Place::new();
    let suite = place.easy_suite();
    let migrated = place.thrash(["db", "migrate"]).exits(0);
    assert!(migrated.stdout.contains("at version"), "{}", migrated.stdout);
    let checked = place.thrash(["db", "migrate", "--check"]).exits(0);
    assert!(checked.stdout.contains("pending 0"), "{}", checked.stdout);
    for _ in 0..3 {
        place.thrash(["run", suite]).exits(0);
    }
    place.thrash(["db", "prune", "--legacy"]).exits(2).complains(&["go by a limit alone"]);
    let dry = place.thrash(["db", "prune", "--keep-last", "1", "--dry-run"]).exits(0);
    assert!(dry.stdout.contains("would delete 2 runs"), "{}", dry.stdout);
    assert_eq!(place.runs().len(), 3);
    place.thrash(["db", "prune", "--keep-last", "1"]).exits(0);
    assert_eq!(place.runs().len(), 1);
    // Nothing is old enough.
    place.thrash(["db", "prune", "--older-than", "1day"]).exits(0);
    assert_eq!(place.runs().len(), 1);
}

#[test]
fn a_held_run_stays_until_it_is_released() {
    let place = Place::new();
    let suite = place.easy_suite();
    place.thrash(["run", suite]).exits(0);
    for (reason, words) in [
        ("", "it is empty"),
        (" \t ", "it is empty"),
        ("two\nlines", "a line break"),
        ("a bell\u{7}", "control character"),
        ("turned \u{202e}around", "control character"),
        (&"x".repeat(100 << 10), "it has 102400 characters"),
    ] {
        let refused = place.thrash(["runs", "hold", "latest", "--reason", reason]).exits(2);
        assert!(refused.stderr.len() < 400, "{}", refused.stderr);
        refused.complains(&[words, "--reason 'case 12'"]);
    }
    place.thrash(["runs", "hold", "latest", "--reason", "case 12"]).exits(0);
    let id = ids(&place).remove(0);
    place.thrash(["runs", "delete", &id]).exits(2).complains(&["is held: case 12", "runs release"]);
    place.thrash(["runs", "delete", &id, "--force"]).exits(2).complains(&["is held: case 12"]);
    place.thrash(["db", "prune", "--keep-last", "0"]).exits(0);
    assert_eq!(place.runs().len(), 1);
    let released = place.thrash(["runs", "release", "latest"]).exits(0);
    assert!(released.stderr.contains("it was held: case 12"), "{}", released.stderr);
    place.thrash(["runs", "delete", &id]).exits(0);
    assert_eq!(place.runs().len(), 0);
}

#[test]
fn a_deletion_names_its_runs_and_never_the_latest() {
    let place = Place::new();
    let suite = place.easy_suite();
    place.thrash(["run", suite]).exits(0);
    place.thrash(["run", suite]).exits(0);
    let ids = ids(&place);
    for named in [vec!["latest"], vec![ids[0].as_str(), " Latest"], vec!["latest", "--force"]] {
        let refused = place.thrash(["runs", "delete"].iter().chain(&named)).exits(2);
        refused.complains(&["`latest` names no run to delete", "hint: ", "thrash runs list"]);
    }
    assert_eq!(place.runs().len(), 2);
    // The beginning of an id means one run, whatever is stored meanwhile, or none.
    place.thrash(["runs", "delete", &ids[1][..ids[1].len() - 1]]).exits(0);
    assert_eq!(place.runs().len(), 1);
}

#[test]
fn a_dry_run_of_the_retention_says_what_the_real_one_then_says() {
    let place = Place::new();
    let suite = place.easy_suite();
    for _ in 0..3 {
        place.thrash(["run", suite]).exits(0);
    }
    place.age_runs();
    place.sql("UPDATE test_runs SET record = '{' WHERE id = 2");
    let bad = place.file("data/spool/x.json.bad", "{");
    let age = FileTimes::new().set_modified(SystemTime::now() - Duration::from_hours(48));
    File::options().write(true).open(&bad).unwrap().set_times(age).unwrap();
    place.file(
        "old.yaml",
        "retention: {classes: {short: 1day}, answers: short, traces: short, keep_last: 1, most_damaged: null}",
    );
    let prune = |dry: &[&str]| {
        place.thrash(["db", "prune", "--config", "old.yaml"].iter().chain(dry)).exits(0).stdout
    };
    let dry = prune(&["--dry-run"]);
    let counts =
        "would delete 0 runs, the answers of 1, 0 ended jobs, 0 messages and 1 damaged file; 3 runs remain";
    assert!(dry.starts_with(counts), "{dry}");
    assert!(dry.contains("the answers of 1 should go, and their records cannot be read"), "{dry}");
    assert!(dry.contains(bad.to_str().unwrap()) && bad.exists(), "{dry}");
    assert_eq!(prune(&["--dry-run"]), dry, "it changed nothing");
    assert_eq!(prune(&[]), dry.replace("would delete", "deleted"));
    assert!(!bad.exists());
    assert!(prune(&["--dry-run"]).starts_with("would delete 0 runs, the answers of 0, "));
}

#[test]
fn answers_of_old_runs_go_as_configured_and_reports_say_so() {
    let place = Place::new();
    let suite = place.easy_suite();
    place.thrash(["run", suite, "--text", "full"]).exits(0);
    place.thrash(["run", suite]).exits(0);
    place.file("old.yaml", "retention: {classes: {short: 1day}, answers: short, keep_last: 0}");
    let prune = |dry: &[&str]| {
        place.thrash(["db", "prune", "--config", "old.yaml"].iter().chain(dry)).exits(0).stdout
    };
    let stdout = prune(&[]);
    assert!(stdout.contains("deleted 0 runs, the answers of 0"), "nothing is a day old: {stdout}");

    place.age_runs();
    let stdout = prune(&["--dry-run"]);
    assert!(stdout.contains("would delete 0 runs, the answers of 2"), "{stdout}");
    let stdout = prune(&[]);
    assert!(stdout.contains("deleted 0 runs, the answers of 2"), "{stdout}");

    let said = "removed for their age";
    let shown = place.thrash(["runs", "show", "latest", "--html", "page.html"]).exits(0);
    assert!(shown.stdout.contains(said), "{}", shown.stdout);
    let page = std::fs::read_to_string(place.path().join("page.html")).unwrap();
    assert!(page.contains(said), "{page}");
    let table = place.thrash(["report", "latest", "--csv", "-"]).exits(2).complains(&[said, "hint: "]);
    assert_eq!(table.stdout, "");
    place.thrash(["report", "latest", "--csv", "x.csv", "--json", "x.json"]).exits(2).complains(&[said]);
    assert!(!place.path().join("x.json").exists(), "what is refused writes nothing");
    let ids = ids(&place);
    // Nobody named the CSV here.
    let all = place.thrash(["report", "latest", "--out", "all"]).exits(0);
    assert!(all.stdout.contains("there is none to list as CSV"), "{}", all.stdout);
    for (ending, tells) in
        [("json", "answers_removed_at"), ("html", said), ("junit.xml", said), ("sarif", said), ("md", said)]
    {
        let file = place.path().join(format!("all/{}.{ending}", ids[0]));
        let text = std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{ending}: {error}"));
        assert!(text.contains(tells), "{ending}: {text}");
    }
    assert_eq!(std::fs::read_dir(place.path().join("all")).unwrap().count(), 5);
    place.thrash(["report", "latest", "--out", "all", "--quiet"]).exits(0).complains(&[said]);
    assert!(place.runs().iter().all(|run| run["answers_removed_at"].is_string()), "{:?}", place.runs());
    place.thrash(["compare", &ids[1], &ids[0]]).exits(2).complains(&[said]);
    place.thrash(["baseline", "set", &ids[0]]).exits(2).complains(&[said]);
    // It is refused before anything is sent.
    place.thrash(["run", suite, "--baseline", &ids[0]]).exits(2).complains(&[said]);
    assert_eq!(place.runs().len(), 2);
}

#[test]
fn a_class_that_makes_no_sense_is_refused() {
    let place = Place::new();
    for (retention, complaint) in [
        ("{runs: crises}", "`crises` names none of `retention.classes`"),
        ("{classes: {debug: 1min}}", "for a day at least"),
        ("{classes: {debug: soon}}", "length of time"),
        ("{clases: {}}", "`classes`"),
    ] {
        place.file("wrong.yaml", format!("retention: {retention}"));
        place.thrash(["db", "prune", "--config", "wrong.yaml"]).exits(2).complains(&[complaint]);
    }
}

#[test]
fn a_record_waits_in_the_spool_and_the_next_command_delivers_it() {
    let place = Place::new();
    let suite = place.easy_suite();
    let ended = place.thrash(["run", suite, "--database-url", "postgres://u@127.0.0.1:1/none"]).exits(5);
    assert!(ended.stdout.contains("NOT in the database"), "{}", ended.stdout);
    let spool = place.data().join("spool");
    assert_eq!(std::fs::read_dir(&spool).unwrap().count(), 1);
    let doctor = place.thrash(["doctor"]).exits(0);
    assert!(
        doctor.stdout.contains("1 records wait") || doctor.stdout.contains("1 record waits"),
        "{}",
        doctor.stdout
    );
    let listed =
        place.thrash(["runs", "list", "--json"]).exits(0).complains(&["1 earlier record left the spool"]);
    assert_eq!(serde_json::from_str::<Vec<Value>>(&listed.stdout).unwrap().len(), 1);
    assert_eq!(std::fs::read_dir(&spool).unwrap().count(), 0);
}

#[test]
fn a_next_run_delivers_it_too() {
    let place = Place::new();
    let suite = place.easy_suite();
    place.thrash(["run", suite, "-q", "--database-url", "postgres://u@127.0.0.1:1/none"]).exits(5);
    let next = place.thrash(["run", suite]).exits(0);
    assert!(next.stdout.contains("1 earlier record left the spool"), "{}", next.stdout);
    assert_eq!(place.runs().len(), 2);
}

#[test]
fn a_run_that_can_be_kept_nowhere_says_so_loudly() {
    let place = Place::new();
    let suite = place.easy_suite();
    let file = place.file("a-file", "");
    let data = file.join("data");
    let environment = [("THRASH_DATA", data.to_str().unwrap())];
    let loud = place.thrash_with(&environment, ["run", suite]).exits(5);
    assert!(loud.stdout.contains("NOT KEPT"), "{}", loud.stdout);
    place.thrash_with(&environment, ["run", suite, "--quiet"]).exits(5).complains(&["NOT KEPT"]);
}

#[test]
fn a_full_disk_takes_no_verdict_away_and_the_message_says_how_to_mend_it() {
    let place = Place::new();
    place.easy_suite();
    place.file(
        "wrong/calm.yaml",
        "category: calm\nexpected: [high]\nphrases:\n  - {id: w-1, text: Good morning}\n",
    );
    let full = |args: &str| place.shell(&format!("ulimit -f 8; \"$THRASH\" run {args}"));
    let shown = full("easy").exits(5).stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    for word in ["PASSED", "NOT KEPT", "thrash.db", "spool", "--json FILE"] {
        assert!(shown.contains(word), "no `{word}` in {shown}");
    }
    full("easy --quiet").exits(5).complains(&["passed: easy against demo", "NOT KEPT"]);
    full("wrong").exits(1);
    assert_eq!(place.runs().len(), 0);
}

#[test]
fn a_run_that_is_not_kept_names_no_way_to_see_it_again() {
    let place = Place::new();
    let suite = place.easy_suite();
    let shown = place.thrash(["run", suite]).exits(0);
    assert!(shown.stdout.contains("See again  thrash report "), "{}", shown.stdout);
    let shown = place.thrash(["run", suite, "--database-url", "none"]).exits(0);
    assert!(!shown.stdout.contains("See again"), "{}", shown.stdout);
}
