//! `thrash schedule` and `thrash notify`.

use crate::support::command::Place;
use crate::support::server::{Reply, Server};

const ON: [(&str, &str); 1] = [("QUICK_TEST_ENABLED", "true")];

#[test]
fn schedules_are_listed_within_80_columns_and_as_json() {
    let place = Place::new();
    let listed = place.thrash_with(&ON, ["schedule", "list"]).exits(0);
    assert!(
        listed.stdout.contains("quick  on\n  `*/30 * * * *` UTC: suite quick\n  next 20"),
        "{}",
        listed.stdout
    );
    assert!(listed.stdout.contains("comprehensive  off\n  `0 6 * * *` UTC: suite comprehensive\n"));
    assert!(listed.stdout.lines().all(|line| line.chars().count() <= 80), "{}", listed.stdout);
    let listed = place.thrash_with(&ON, ["schedule", "list", "--json"]).exits(0);
    let schedules: serde_json::Value = serde_json::from_str(&listed.stdout).unwrap();
    assert_eq!(schedules[1]["name"], "quick");
    assert_eq!(schedules[1]["enabled"], true);
    assert!(schedules[1]["next"].is_string() && schedules[0]["next"].is_null());
}

#[test]
fn the_next_starts_are_shown() {
    let place = Place::new();
    let shown = place.thrash_with(&ON, ["schedule", "next", "--count", "3"]).exits(0);
    assert_eq!(shown.stdout.lines().count(), 3, "{}", shown.stdout);
    assert!(shown.stdout.lines().all(|line| line.ends_with("0:00 UTC  quick")), "{}", shown.stdout);
    let off = place.thrash(["schedule", "next", "comprehensive", "--count", "1", "--json"]).exits(0);
    let starts: serde_json::Value = serde_json::from_str(&off.stdout).unwrap();
    assert!(starts[0]["meant"].as_str().unwrap().ends_with("T06:00:00Z"), "{starts}");
    place.thrash(["schedule", "next"]).exits(0).complains(&["no schedule is on"]);
    place.thrash(["schedule", "next", "nightly"]).exits(2).complains(&["no schedule `nightly`", "quick"]);
}

#[test]
fn a_schedule_is_switched_for_all_who_share_the_database() {
    let place = Place::new();
    let switched = place.thrash(["schedule", "enable", "quick"]).exits(0);
    assert!(switched.stdout.starts_with("quick  on, by hand\n"), "{}", switched.stdout);
    assert!(place.thrash(["schedule", "list"]).exits(0).stdout.contains("quick  on, by hand"));
    let switched = place.thrash(["schedule", "disable", "quick"]).exits(0);
    assert!(switched.stdout.starts_with("quick  off\n"), "{}", switched.stdout);
    let off = [("CONTINUOUS_TESTING_ENABLED", "false")];
    place
        .thrash_with(&off, ["schedule", "enable", "quick"])
        .exits(0)
        .complains(&["CONTINUOUS_TESTING_ENABLED"]);
}

#[test]
fn a_run_by_hand_waits_in_the_queue() {
    let place = Place::new();
    let ended = place.thrash(["schedule", "run", "quick"]).exits(0).complains(&["thrash serve"]);
    assert!(ended.stdout.trim().len() > 15, "the run's id: {}", ended.stdout);
}

#[test]
fn channels_are_tried_and_never_shown() {
    let fine = Server::start(|_| Reply::answer(204, &[], ""));
    let gone = Server::start(|_| Reply::answer(404, &[], ""));
    let place = Place::new();
    let (discord, slack) = (format!("{}/api/secret-word", fine.url()), format!("{}/secret-word", gone.url()));
    let environment = [("DISCORD_WEBHOOK_URL", discord.as_str()), ("SLACK_WEBHOOK", slack.as_str())];
    let ended = place.thrash_with(&environment, ["notify", "test", "-v"]).exits(3);
    assert!(
        ended.stdout.contains("ok  discord\n")
            && ended.stdout.contains("NO  channel `slack`: it answered HTTP 404"),
        "{}",
        ended.stdout
    );
    assert!(!ended.said().contains("secret-word"), "{}", ended.said());
    assert_eq!((fine.requests().len(), gone.requests().len()), (1, 1));
    place.thrash_with(&environment, ["notify", "test", "discord"]).exits(0);
    place
        .thrash_with(&environment, ["notify", "test", "pager"])
        .exits(2)
        .complains(&["`pager`", "discord, slack"]);
    place.thrash(["notify", "test"]).exits(2).complains(&["DISCORD_WEBHOOK_URL"]);
    for command in [vec!["doctor"], vec!["quick", "--json", "-", "--reference", "none"]] {
        let said = place.thrash_with(&environment, command).said();
        assert!(!said.contains("secret-word"), "{said}");
    }
    let unsafe_one = [("SLACK_WEBHOOK", "http://hooks.example/secret-word")];
    let refused = place.thrash_with(&unsafe_one, ["serve", "--listen", "127.0.0.1:0"]).exits(2);
    let refused = refused.complains(&["SLACK_WEBHOOK", "https://"]);
    assert!(!refused.said().contains("secret-word"));
}

#[test]
fn a_channel_of_ones_own_is_signed_and_needs_its_variables() {
    let server = Server::start(|_| Reply::answer(200, &[], ""));
    let place = Place::new();
    place.file(
        "thrash.yaml",
        "notify: {channels: {ops: {kind: webhook, url_env: OPS_URL, key_env: OPS_KEY}}}\n",
    );
    let url = server.url();
    place
        .thrash_with(&[("OPS_URL", url.as_str())], ["notify", "test"])
        .exits(2)
        .complains(&["OPS_KEY", "`ops`"]);
    place.thrash_with(&[("OPS_URL", url.as_str()), ("OPS_KEY", "word")], ["notify", "test", "ops"]).exits(0);
    assert!(server.requests()[0].header("webhook-signature").unwrap().starts_with("v1,"));
}

#[test]
fn a_schedule_of_what_is_not_there_is_refused_with_its_place() {
    let place = Place::new();
    let with = |job: &str| {
        place.file(
            "thrash.yaml",
            format!("schedules:\n  jobs:\n    nightly:\n      cron: '0 2 * * *'\n      enabled: true\n{job}"),
        )
    };
    let commands: [&[&str]; 3] =
        [&["schedule", "list"], &["schedule", "run", "nightly"], &["serve", "--listen", "127.0.0.1:0"]];
    for (job, words) in [
        (
            "      suite: comprehensiv\n",
            [
                "thrash.yaml:6:14: `schedules.jobs.nightly.suite`: there is no suite `comprehensiv` here",
                "did you mean `comprehensive`?",
            ],
        ),
        (
            "      scenario: smok\n",
            [
                "thrash.yaml:6:17: `schedules.jobs.nightly.scenario`: there is no scenario `smok` here",
                "did you mean `smoke`?",
            ],
        ),
        (
            "      suite: quick\n      target: stagin\ntargets: {staging: {extends: ash-v5}}\n",
            [
                "thrash.yaml:7:15: `schedules.jobs.nightly.target`: there is no target `stagin` here",
                "did you mean `staging`?",
            ],
        ),
        (
            "      suite: quick\n      target: ash-vigil\n",
            ["there is no target `ash-vigil` here", "`ash-vigil` is a preset"],
        ),
        (
            "      scenario: batches\n      target: plain\ntargets: {plain: {extends: ash-v3}}\n",
            ["thrash.yaml:7:15: `schedules.jobs.nightly.target`: the scenario `batches` sends 16", "demo"],
        ),
    ] {
        with(job);
        for command in commands {
            let said = place.thrash_with(&[("METRICS_PORT_TESTING", "0")], command).exits(2).said();
            assert!(words.iter().all(|word| said.contains(word)), "{command:?}: no {words:?} in\n{said}");
        }
    }
    assert!(place.thrash(["doctor"]).exits(2).stdout.contains("NO  schedules"));
    // What is off refuses nothing but to be switched on.
    with("      suite: nothing\n");
    place.thrash_with(&[("CONTINUOUS_TESTING_ENABLED", "false")], ["schedule", "list"]).exits(0);
    let text = std::fs::read_to_string(place.path().join("thrash.yaml")).unwrap();
    place.file("thrash.yaml", text.replace("enabled: true", "enabled: false"));
    let listed = place.thrash(["schedule", "list"]).exits(0).stdout;
    assert!(
        listed.contains("nightly  off\n") && listed.contains("cannot be run: thrash.yaml:6:14: "),
        "{listed}"
    );
    place.thrash(["schedule", "enable", "nightly"]).exits(2).complains(&["there is no suite `nothing`"]);
    place.thrash(["schedule", "disable", "nightly"]).exits(0);
}

/// A place whose `quick` cannot be read, with a schedule of another suite that is well and on.
fn half_broken() -> Place {
    let place = Place::new();
    place.easy_suite();
    place.file("suites.yaml", "suites: {quick: {title: x, files: [bad]}, easy: {title: y, files: [easy]}}\n");
    place.file("bad/calm.yaml", "category: calm\nexpected: [nothing]\nphrases: []\n");
    let job = "{cron: '0 2 * * *', suite: easy, enabled: true}";
    place.file("thrash.yaml", format!("phrases: .\nschedules: {{jobs: {{nightly: {job}}}}}\n"));
    place
}

#[test]
fn one_schedule_that_cannot_be_run_hides_no_other() {
    let place = half_broken();
    let listed =
        place.thrash_with(&ON, ["schedule", "list"]).exits(2).complains(&["cannot be run: quick"]).stdout;
    assert!(listed.contains("nightly  on\n  `0 2 * * *` UTC: suite easy\n  next "), "{listed}");
    assert!(
        listed.contains("  cannot be run: the suite cannot be read: ") && listed.contains("calm.yaml:2:12: "),
        "{listed}"
    );
    let json = place.thrash_with(&ON, ["schedule", "list", "--json"]).exits(2).stdout;
    let schedules: serde_json::Value = serde_json::from_str(&json).expect("a list");
    let all = schedules.as_array().expect("a list");
    let broken = |name: &str| {
        all.iter().find(|view| view["name"] == name).expect("it is listed")["broken"]
            .as_str()
            .map(str::to_owned)
    };
    assert_eq!(broken("nightly"), None);
    assert!(broken("quick").expect("a reason").contains("calm.yaml:2:12: "), "{json}");
    // The suites have no such name, and no file says that they should.
    assert_eq!(
        broken("comprehensive").expect("a reason"),
        "`schedules.jobs.comprehensive.suite` (from default): there is no suite `comprehensive` here: \
         known here: easy, quick"
    );
    // One that is off is none to worry about.
    place.thrash(["schedule", "list"]).exits(0);
}

#[test]
fn doctor_notes_what_is_wrong_with_a_schedule_that_is_off() {
    let place = Place::new();
    place.file(
        "thrash.yaml",
        "schedules: {jobs: {nightly: {cron: '0 2 * * *', suite: nothing, enabled: true}}}\n",
    );
    let shown = place.thrash_with(&ON, ["doctor"]).exits(2).stdout;
    assert!(shown.contains("NO  schedules ") && shown.contains("no suite `nothing`"), "{shown}");
    place.thrash(["schedule", "disable", "nightly"]).exits(0);
    let shown = place.thrash_with(&ON, ["doctor"]).exits(0).stdout;
    assert!(shown.contains("ok  schedules quick\n"), "{shown}");
    assert!(shown.contains("--  schedules `nightly` is off, and cannot be run: thrash.yaml:1:"), "{shown}");
}

#[test]
fn doctor_shows_the_suites_beside_one_that_cannot_be_read() {
    let shown = half_broken().thrash(["doctor"]).exits(2).stdout;
    assert!(
        shown.contains("NO  suites    `quick` cannot be read: ") && shown.contains("easy (2)"),
        "{shown}"
    );
}
