//! stdout is data, stderr is for people; both may be closed, full, or read by someone who leaves.

use std::io::{BufRead, BufReader};

use serde_json::Value;

use crate::support::command::{Ended, Place, send};

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

/// Commands that print something and end, by what they need; `@1` and `@2` are stored runs.
const OF_FILES: [&str; 16] = [
    "--help",
    "--version",
    "completions bash",
    "help runs",
    "model runtime",
    "notify --help",
    "phrases check easy",
    "phrases export easy",
    "phrases stats easy",
    "scenarios check",
    "scenarios list",
    "scenarios show smoke",
    "schema record",
    "targets list",
    "targets show ash-v5",
    "waivers check easy --waivers over.yaml",
];
const OF_A_STORE: [&str; 14] = [
    "baseline set latest",
    "baseline show",
    "compare @1 @2",
    "db migrate",
    "db migrate --check",
    "db prune",
    "doctor",
    "history",
    "report latest",
    "runs list",
    "runs list --json",
    "schedule enable quick",
    "schedule list",
    "schedule next",
];
const SENDING: [&str; 5] = [
    "load tiny.yaml",
    "run easy",
    "shadow lines.txt",
    "targets check",
    "targets check --url http://127.0.0.1:1",
];

#[test]
fn commands_about_files_end_alike_where_their_output_goes_nowhere() {
    end_alike(&OF_FILES);
}

#[test]
fn commands_about_the_store_end_alike_where_their_output_goes_nowhere() {
    end_alike(&OF_A_STORE);
}

#[test]
fn commands_that_send_end_alike_where_their_output_goes_nowhere() {
    end_alike(&SENDING);
}

fn end_alike(commands: &[&str]) {
    let place = Place::new();
    place.easy_suite();
    place.file("lines.txt", "good morning\n");
    place.file(
        "tiny.yaml",
        "title: x\nmodel: arrivals\nrate: 5/s\nduration: 200ms\nphrases: {suite: quick}\ngates: [error_rate <= 1%]\n",
    );
    place.file("over.yaml", "waivers: [{phrase: calm-1, reason: x, owner: y, expires: 2001-01-01}]\n");
    place.thrash(["run", "easy", "-q", "--no-reference"]).exits(0);
    place.thrash(["run", "easy", "-q", "--no-reference"]).exits(0);
    let ids: Vec<String> = place.runs().iter().map(|run| run["id"].as_str().unwrap().to_owned()).collect();
    for line in commands {
        let line = line.replace("@1", &ids[0]).replace("@2", &ids[1]);
        let command: Vec<&str> = line.split(' ').collect();
        let usual = place.thrash(&command);
        assert!(!usual.stdout.is_empty() || usual.code == Some(3), "{line} prints nothing: {}", usual.stderr);
        let usual = usual.code.expect("no signal");
        // Data that reaches nobody is a failure; a page was read as far as its reader wanted.
        let lost = if line.contains("--json") || line.contains("export") { 5 } else { usual };
        let full = if usual == 0 || usual == 4 { 5 } else { usual };
        let ended = |to: &str| place.shell(&format!("exec \"$THRASH\" {line} {to}"));
        for (how, ended, code) in [
            ("unread", unread(&place, &command), lost),
            ("closed", ended(">&-"), lost),
            ("full", ended(">/dev/full"), full),
        ] {
            assert_eq!(ended.code, Some(code), "{line}, {how}: {}", ended.stderr);
            assert!(!ended.stderr.contains("panicked"), "{line}, {how}: {}", ended.stderr);
        }
    }
}

#[test]
fn a_demo_whose_address_reached_nobody_ends_with_a_failure() {
    let full = std::fs::File::options().write(true).open("/dev/full").expect("the full disk");
    let place = Place::new();
    let mut command = place.command(["demo", "--listen", "127.0.0.1:0"]);
    let mut child = command.stdout(full).stderr(std::process::Stdio::piped()).spawn().expect("it starts");
    let mut line = String::new();
    let mut stderr = BufReader::new(child.stderr.take().expect("its messages"));
    stderr.read_line(&mut line).expect("it says that it is ready");
    send("TERM", &child);
    assert_eq!(child.wait().expect("it ends").code(), Some(5), "{line}");
}

#[test]
fn no_printing_command_is_forgotten() {
    let help = Place::new().thrash(["--help"]).exits(0).stdout;
    let commands = help.split("Commands:\n").nth(1).and_then(|rest| rest.split("\n\n").next()).unwrap();
    let names: Vec<&str> = commands
        .lines()
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    assert!(names.len() > 20, "{help}");
    // The first two are `run` with a suite; the others print for somebody who waits, and end when they are told to.
    let others = ["quick", "comprehensive", "load-worker", "serve", "demo"];
    for name in names.into_iter().filter(|name| !others.contains(name)) {
        let mut tried = OF_FILES.iter().chain(&OF_A_STORE).chain(&SENDING);
        assert!(tried.any(|line| line.split(' ').next() == Some(name)), "`{name}` is not tried");
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

#[test]
fn what_is_changed_by_hand_is_a_line_of_the_log_where_stderr_is_one() {
    let place = Place::new();
    let suite = place.easy_suite();
    place.thrash(["run", suite]).exits(0);
    let id = place.latest()["id"].as_str().expect("an id").to_owned();
    for (line, what) in [
        (vec!["baseline", "set", &id], format!("made run {id} the baseline of")),
        (vec!["baseline", "clear", &id], format!("took back that run {id} is a baseline")),
        (vec!["runs", "hold", &id, "--reason", "case 12"], format!("held run {id}")),
        (vec!["runs", "release", &id], format!("released run {id}")),
        (vec!["runs", "delete", &id], format!("deleted run {id}")),
        (vec!["schedule", "enable", "quick"], "switched the schedule `quick` on".to_owned()),
        (vec!["db", "migrate"], "the tables are at version ".to_owned()),
        (vec!["db", "prune", "--keep-last", "9"], "deleted 0 runs".to_owned()),
    ] {
        let ended = place.thrash_with(&[("LOG_LEVEL", "error")], &line).exits(0);
        let said = ended.stderr.lines().filter(|said| said.contains("by=\"cli\"")).collect::<Vec<_>>();
        assert!(said.len() == 1 && said[0].contains(&what), "{line:?}: {}", ended.stderr);
        assert!(!ended.stdout.contains("by=\"cli\""), "{}", ended.stdout);
    }
    let ended = place.thrash(["runs", "list"]).exits(0);
    assert!(!ended.stderr.contains("by=\"cli\""), "{}", ended.stderr);
}
