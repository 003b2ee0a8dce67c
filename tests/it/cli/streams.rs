//! stdout is data, stderr is for people; both may be closed, full, or read by someone who leaves.

use serde_json::Value;

use crate::support::command::{Ended, Place};

#[test]
fn json_on_stdout_is_nothing_but_json_and_the_page_goes_to_stderr() {
    let place = Place::new();
    let suite = place.easy_suite();
    let ended = place.thrash(["run", suite, "--json", "-"]).exits(0);
    let record: Value = serde_json::from_str(&ended.stdout).expect("pure JSON");
    assert_eq!(record["suite"]["name"], "easy");
    assert!(ended.stderr.contains("PASSED"), "{}", ended.stderr);
    let quiet = place.thrash(["run", suite, "--json", "-", "--quiet", "--target", "demo"]).exits(0);
    assert!(serde_json::from_str::<Value>(&quiet.stdout).is_ok());
    assert_eq!(quiet.stderr, "");
}

#[test]
fn quiet_says_nothing_about_a_run_that_is_well() {
    let place = Place::new();
    let suite = place.easy_suite();
    let ended = place.thrash(["run", suite, "--quiet", "--target", "demo"]).exits(0);
    // A demo that nobody named may be a service that somebody forgot to name.
    place.thrash(["run", suite, "--quiet"]).exits(0).complains(&["built-in demo"]);
    assert_eq!((ended.stdout.as_str(), ended.stderr.as_str()), ("", ""));
    assert_eq!(place.runs().len(), 2);
}

#[test]
fn quiet_says_in_a_few_lines_what_needs_attention() {
    let place = Place::new();
    let suite = place.easy_suite();
    let ended = place.thrash(["run", suite, "--quiet", "--gate", "latency_max <= 0ms"]).exits(1);
    assert_eq!(ended.stdout, "");
    assert!(ended.stderr.starts_with("failed: easy against demo: 1 of"), "{}", ended.stderr);
    assert!(ended.stderr.contains("latency_max <= 0ms"), "{}", ended.stderr);
    assert!(ended.stderr.lines().count() <= 4, "{}", ended.stderr);
}

#[test]
fn a_reader_that_leaves_is_no_failure() {
    let place = Place::new();
    let suite = place.easy_suite();
    place.thrash(["run", suite, "-q"]).exits(0);
    let commands: [&[&str]; 7] = [
        &["run", suite],
        &["report", "latest"],
        &["runs", "list"],
        &["doctor"],
        &["schema", "record"],
        &["completions", "bash"],
        &["--help"],
    ];
    for command in commands {
        let ended = unread(&place, command).exits(0);
        for word in ["panic", "rror", "nobody reads"] {
            assert!(!ended.stderr.contains(word), "{command:?}: {}", ended.stderr);
        }
    }
    assert_eq!(place.runs().len(), 2, "every run is stored");
    // What the page would have said, the exit code says still.
    unread(&place, &["quick"]).exits(1);
}

/// Runs the program with a standard output that nobody reads.
fn unread(place: &Place, command: &[&str]) -> Ended {
    let mut child = place
        .command(command)
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .expect("the program starts");
    // What is written from here on finds nobody.
    drop(child.stdout.take());
    Ended::of(child.wait_with_output().expect("it ends"))
}

#[test]
fn data_that_was_asked_for_and_reached_nobody_is_a_failure() {
    let place = Place::new();
    let suite = place.easy_suite();
    place.thrash(["run", suite, "-q", "--json", "run.json"]).exits(0);
    place.thrash(["baseline", "set", "latest"]).exits(0);
    let commands: [&[&str]; 8] = [
        &["run", suite, "-q", "--json", "-"],
        &["run", suite, "--junit", "-"],
        &["report", "latest", "--html", "-"],
        &["runs", "list", "--json"],
        &["baseline", "show", "--json"],
        &["history", "--json", "-"],
        &["phrases", "stats", suite, "--json"],
        &["phrases", "export", suite],
    ];
    for command in commands {
        unread(&place, command).exits(5).complains(&["standard output"]);
        let closed = place.shell(&format!("exec \"$THRASH\" {} >&-", command.join(" ")));
        closed.exits(5).complains(&["standard output", "it is closed"]);
        // Whoever throws it away knows it.
        place.shell(&format!("exec \"$THRASH\" {} > /dev/null", command.join(" "))).exits(0);
    }
    // Nothing was sent where it was known before, and nothing was lost where it was not.
    assert_eq!(place.runs().len(), 5);
    // A verdict stays what it is.
    unread(&place, &["quick", "--json", "-"]).exits(1).complains(&["nobody reads"]);
}

#[test]
fn a_full_disk_behind_stdout_exits_5_and_the_record_is_stored() {
    let place = Place::new();
    place.easy_suite();
    place.shell("\"$THRASH\" run easy > /dev/full").exits(5).complains(&["cannot write to standard output"]);
    assert_eq!(place.runs().len(), 1);
    for command in ["doctor", "--help", "runs list", "schema config", "run easy -q --json -"] {
        let ended = place.shell(&format!("\"$THRASH\" {command} > /dev/full"));
        assert_eq!(ended.code, Some(5), "{command}: {}", ended.stderr);
    }
}

#[test]
fn a_full_disk_behind_a_report_exits_5_and_the_record_is_stored() {
    let place = Place::new();
    let suite = place.easy_suite();
    let ended = place.thrash(["run", suite, "--json", "/dev/full"]).exits(5);
    assert!(ended.stdout.contains("/dev/full"), "{}", ended.stdout);
    assert_eq!(place.runs().len(), 1);
}

#[test]
fn closed_streams_and_a_bare_environment_do_no_harm() {
    let place = Place::new();
    place.easy_suite();
    for line in ["run easy >&-", "run easy 2>&-", "run easy <&-", "run easy <&- >&- 2>&-", "doctor >&-"] {
        place.shell(&format!("exec \"$THRASH\" {line}")).exits(0);
    }
    assert_eq!(place.runs().len(), 4);
    // Without a data folder it is in the home, which is made if it is not there.
    let mut command = place.command(["run", "easy", "-q"]);
    command.env_remove("THRASH_DATA").env_remove("XDG_DATA_HOME").env("HOME", place.path().join("home"));
    assert!(command.status().unwrap().success());
    assert!(place.path().join("home/.local/share/thrash/thrash.db").is_file());
}

#[test]
fn a_place_that_cannot_be_written_to_is_refused_before_any_request() {
    let place = Place::new();
    let suite = place.easy_suite();
    place.file("a-file", "");
    place.file("folder/x", "");
    let cases = [
        ["--out", "/proc/nowhere"],
        ["--out", "a-file/below"],
        ["--json", "folder"],
        ["--json", "missing/record.json"],
        ["--junit", "a-file/junit.xml"],
        ["--sarif", "missing/x.sarif"],
        ["--markdown", "folder/"],
        ["--csv", "a-file/x.csv"],
        ["--html", "missing/page.html"],
    ];
    for [flag, path] in cases {
        let args = ["run", suite, "--url", "http://127.0.0.1:1", flag, path];
        place.thrash(args).exits(2).complains(&[path]);
    }
    for other in ["--junit", "--sarif", "--markdown", "--csv"] {
        place.thrash(["run", suite, "--json", "x", other, "./x"]).exits(2).complains(&["cannot write both"]);
        place.thrash(["run", suite, "--json", "-", other, "-"]).exits(2).complains(&["standard output"]);
    }
    assert_eq!(place.runs(), Vec::<Value>::new());
}

#[test]
fn reports_go_where_they_are_asked_to() {
    let place = Place::new();
    let suite = place.easy_suite();
    place.thrash(["run", suite, "--out", "deep/reports", "--json", "r.json", "--junit", "r.xml"]).exits(0);
    let id = place.latest()["id"].as_str().unwrap().to_owned();
    for file in [
        format!("deep/reports/{id}.json"),
        format!("deep/reports/{id}.html"),
        format!("deep/reports/{id}.junit.xml"),
        format!("deep/reports/{id}.sarif"),
        format!("deep/reports/{id}.md"),
        format!("deep/reports/{id}.csv"),
        "r.json".into(),
        "r.xml".into(),
    ] {
        assert!(place.path().join(&file).metadata().is_ok_and(|found| found.len() > 100), "no {file}");
    }
    let leftovers = std::fs::read_dir(place.path().join("deep/reports")).unwrap().count();
    assert_eq!(leftovers, 6, "drafts are left behind");
    place.thrash(["run", suite]).exits(0);
    for name in ["latest-easy.json", "latest-easy.html"] {
        assert!(place.data().join("reports").join(name).exists(), "no {name}");
    }
}

#[test]
fn colours_are_for_terminals_unless_asked_for() {
    let place = Place::new();
    let suite = place.easy_suite();
    let plain = place.thrash(["run", suite]).exits(0);
    assert!(!plain.stdout.contains('\u{1b}'), "{}", plain.stdout);
    let coloured = place.thrash(["run", suite, "--color", "always"]).exits(0);
    assert!(coloured.stdout.contains('\u{1b}'));
    // A flag is a stronger wish than the environment.
    let both = place.thrash_with(&[("NO_COLOR", "1")], ["run", suite, "--color", "always"]).exits(0);
    assert!(both.stdout.contains('\u{1b}'));
}

/// `script` gives the program a terminal.
#[test]
fn in_a_terminal_no_color_and_a_dumb_terminal_are_honoured() {
    if !std::path::Path::new("/usr/bin/script").exists() {
        return;
    }
    let place = Place::new();
    place.easy_suite();
    let in_terminal = |environment: &str| {
        place.shell(&format!("{environment} script -qec '\"$THRASH\" run easy 2>/dev/null' /dev/null")).stdout
    };
    assert!(in_terminal("TERM=xterm").contains("\u{1b}["), "a terminal gets colours");
    for environment in ["TERM=xterm NO_COLOR=1", "TERM=dumb"] {
        assert!(!in_terminal(environment).contains("\u{1b}["), "{environment}");
    }
}
