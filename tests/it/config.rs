//! Settings: their layers, where each came from, and what is refused.

use serde_yaml::Value;
use thrash::config::{Config, ConfigError, Environment, Meaning, Origin, variables};
use thrash::domain::TextPolicy;

use crate::support::command::Place;

fn load(
    place: &Place,
    file: Option<&str>,
    environment: &[(&str, &str)],
    flags: Vec<(&str, Value)>,
) -> Result<Config, ConfigError> {
    let file = file.map(|text| place.file("config.yaml", text));
    Config::load(file, Environment::of_pairs(environment.iter().copied()), flags)
}

fn origin(config: &Config, key: &str) -> Origin {
    config.effective.iter().find(|value| value.key == key).expect("a setting").origin
}

#[test]
fn a_later_layer_wins_and_says_where_it_came_from() {
    let place = Place::new();
    let file = "run: {concurrency: 2, retries: 3, repeat: 4}\nenvironment: file\ntext: none\n";
    let environment = [("TEST_ENVIRONMENT", "from the environment"), ("TARGET_ACCURACY", "85")];
    let flags = vec![("run.repeat", Value::from(5)), ("environment", Value::from("flag"))];
    let config = load(&place, Some(file), &environment, flags).unwrap();
    assert_eq!(config.settings.run.concurrency, 2);
    assert_eq!(config.settings.run.repeat, 5);
    assert_eq!(config.settings.run.batch, 1);
    assert_eq!(config.settings.environment.as_deref(), Some("flag"));
    assert_eq!(config.settings.text, TextPolicy::None);
    assert_eq!(config.settings.thresholds.accuracy.to_string(), "85%");
    for (key, expected) in [
        ("run.batch", Origin::Default),
        ("run.concurrency", Origin::File),
        ("run.retries", Origin::File),
        ("run.repeat", Origin::Flag),
        ("environment", Origin::Flag),
        ("thresholds.accuracy", Origin::Environment("TARGET_ACCURACY")),
    ] {
        assert_eq!(origin(&config, key), expected, "{key}");
    }
}

#[test]
fn the_environment_wins_over_the_file() {
    let place = Place::new();
    let config = load(
        &place,
        Some("url: http://file.example\n"),
        &[("NLP_SERVER_URL", "http://env.example")],
        Vec::new(),
    );
    assert_eq!(config.unwrap().settings.url.as_deref(), Some("http://env.example"));
}

#[test]
fn an_empty_file_or_variable_changes_nothing() {
    let place = Place::new();
    for file in ["", "# nothing\n", "---\n", "{}\n"] {
        let config =
            load(&place, Some(file), &[("TARGET_ACCURACY", "  "), ("LOG_LEVEL", "")], Vec::new()).unwrap();
        assert!(config.effective.iter().all(|value| value.origin == Origin::Default), "{file:?}");
    }
}

#[test]
fn a_url_alone_selects_ash_v5_and_nothing_selects_the_demo() {
    let place = Place::new();
    let name = |environment: &[(&str, &str)]| {
        let config = load(&place, None, environment, Vec::new()).unwrap();
        (config.target_name().to_owned(), config.wants_demo())
    };
    assert_eq!(name(&[]), ("demo".to_owned(), true));
    assert_eq!(name(&[("NLP_SERVER_URL", "http://h")]), ("ash-v5".to_owned(), false));
    let both = [("NLP_SERVER_URL", "http://h"), ("THRASH_TARGET", "ash-v3")];
    assert_eq!(name(&both), ("ash-v3".to_owned(), false));
    assert_eq!(name(&[("THRASH_TARGET", "demo")]), ("demo".to_owned(), true));
    let elsewhere = [("NLP_SERVER_URL", "http://h"), ("THRASH_TARGET", "demo")];
    assert_eq!(name(&elsewhere), ("demo".to_owned(), false));
}

#[test]
fn percentages_of_existing_installations_are_read_and_ambiguous_ones_refused() {
    let place = Place::new();
    let accuracy = |text: &str| {
        load(&place, None, &[("TARGET_ACCURACY", text)], Vec::new())
            .map(|config| config.settings.thresholds.accuracy.value())
    };
    for (text, value) in [
        ("92.0", 0.92),
        ("92", 0.92),
        ("92%", 0.92),
        (" 85.5 % ", 0.855),
        ("0", 0.0),
        ("100", 1.0),
        ("0.5%", 0.005),
    ] {
        assert!((accuracy(text).unwrap() - value).abs() < 1e-12, "{text}");
    }
    // As a percentage this gate would let everything pass; nobody means that.
    for text in ["0.92", "1", "1.0", "0.04"] {
        let error = accuracy(text).unwrap_err().to_string();
        assert!(error.contains("TARGET_ACCURACY") && error.contains("write the `%`"), "{text}: {error}");
    }
    for text in ["-1", "101", "nan", "inf", "ninety", "9 2", "%"] {
        let error = accuracy(text).unwrap_err().to_string();
        assert!(error.contains("`TARGET_ACCURACY`") && error.contains("no percentage"), "{text}: {error}");
    }
}

#[test]
fn phrase_counts_are_whole_numbers_above_zero() {
    let place = Place::new();
    for name in ["TEST_PHRASES_COUNT", "QUICK_TEST_PHRASES"] {
        let config = load(&place, None, &[(name, "18446744073709551615")], Vec::new()).unwrap();
        let suite = if name == "QUICK_TEST_PHRASES" { "quick" } else { "comprehensive" };
        assert_eq!(config.suite_size(suite), Some(usize::MAX));
        assert_eq!(config.suite_size("another"), None);
        for text in ["0", "-5", "25.0", "many", "99999999999999999999999"] {
            let error = load(&place, None, &[(name, text)], Vec::new()).unwrap_err().to_string();
            assert!(error.contains(name), "{name}={text}: {error}");
        }
    }
}

#[test]
fn values_that_make_no_sense_are_refused_with_their_key_and_origin() {
    let place = Place::new();
    let cases: [(&str, Value); 8] = [
        ("run.concurrency", Value::from(0)),
        ("run.concurrency", Value::from(100_000)),
        ("run.rate", Value::from(-1.0)),
        ("run.rate", Value::from(f64::INFINITY)),
        ("run.timeout", Value::from("0s")),
        ("run.repeat", Value::from(101)),
        ("run.batch", Value::from(0)),
        ("run.give_up_after", Value::from(0)),
    ];
    for (key, value) in cases {
        let shown = format!("{value:?}");
        let error = load(&place, None, &[], vec![(key, value)]).unwrap_err().to_string();
        assert!(error.contains(&format!("`{key}` (from flag)")), "{key}: {shown}: {error}");
    }
}

#[test]
fn a_file_is_refused_with_every_problem_and_its_place() {
    let place = Place::new();
    let file = "run:\n  concurency: 3\n  timeout: 30\nthresholds: {accuracy: 92}\ngates:\n  - acuracy >= 92%\nnope: 1\n";
    let error = load(&place, Some(file), &[], Vec::new()).unwrap_err().to_string();
    for expected in [
        "config.yaml:2:3: unknown key `concurency`",
        "did you mean `concurrency`?",
        "config.yaml:3:12: ",
        "config.yaml:4:24: ",
        "did you mean `accuracy`?",
        "config.yaml:7:1: unknown key `nope`",
    ] {
        assert!(error.contains(expected), "no `{expected}` in\n{error}");
    }
    for file in ["- a\n", "words\n", "run: [\n", "run: 3\n", "targets: [a]\n", "\u{0}"] {
        let error = load(&place, Some(file), &[], Vec::new()).unwrap_err().to_string();
        assert!(error.contains("config.yaml:"), "{file:?}: {error}");
    }
}

#[test]
fn a_configured_target_is_a_contract_and_its_mistakes_have_places() {
    let place = Place::new();
    let file = "targets:\n  mine: {extends: ash-v5, base_url: 'http://mine.example'}\n  bad:\n    extends: ash-v9\n  odd: {extends: ash-v5, reqest: {}}\n";
    let config = load(&place, Some(file), &[], Vec::new()).unwrap();
    assert_eq!(config.contract("mine").unwrap().shown_url(), "http://mine.example");
    assert!(config.target_names().contains(&"mine".to_owned()));
    let problem = |name: &str| config.contract(name).unwrap_err().to_string();
    assert!(problem("bad").contains("config.yaml:4:14: `extends` names no preset"), "{}", problem("bad"));
    assert!(
        problem("odd").contains("config.yaml:5:") && problem("odd").contains("`request`"),
        "{}",
        problem("odd")
    );
    assert!(problem("mien").contains("did you mean `mine`?"), "{}", problem("mien"));
    let file = "target: nowhere\n";
    let config = load(&place, Some(file), &[], Vec::new()).unwrap();
    let problem = config.contract(config.target_name()).unwrap_err().to_string();
    assert!(problem.contains("config.yaml:1:9: there is no target `nowhere`"), "{problem}");
}

#[test]
fn every_setting_of_the_default_file_is_a_setting_and_every_variable_sets_one() {
    let place = Place::new();
    let config = load(&place, None, &[], Vec::new()).unwrap();
    for variable in variables() {
        if let Meaning::Sets(key) = variable.meaning {
            assert!(config.effective.iter().any(|value| value.key == key), "{} sets `{key}`", variable.name);
        }
    }
    // Of `targets.md` §1; an installation that sets one is not to be surprised.
    let known = [
        "NLP_SERVER_URL",
        "DATABASE_URL",
        "TEST_ENVIRONMENT",
        "COMPREHENSIVE_TEST_ENABLED",
        "QUICK_TEST_ENABLED",
        "CONTINUOUS_TESTING_ENABLED",
        "TEST_PHRASES_COUNT",
        "QUICK_TEST_PHRASES",
        "TARGET_ACCURACY",
        "MAX_FALSE_POSITIVE_RATE",
        "COMPREHENSIVE_TEST_SCHEDULE",
        "QUICK_TEST_SCHEDULE",
        "LOG_LEVEL",
        "METRICS_PORT_TESTING",
        "ENABLE_API_AUTHENTICATION",
        "API_KEY_HEADER",
        "INTERNAL_API_KEY",
        "ENABLE_RATE_LIMITING",
        "RATE_LIMIT_WINDOW",
        "RATE_LIMIT_MAX",
        "DISCORD_WEBHOOK_URL",
        "SLACK_WEBHOOK",
    ];
    for name in known {
        assert!(variables().iter().any(|variable| variable.name == name), "{name} is not known");
    }
}

#[test]
fn doctor_shows_every_setting_with_its_origin_and_what_can_be_reached() {
    let place = Place::new();
    place.file("thrash.yaml", "run: {retries: 7}\n");
    let environment = [("MAX_FALSE_POSITIVE_RATE", "3.5"), ("QUICK_TEST_SCHEDULE", "*/15 * * * *")];
    let ended = place.thrash_with(&environment, ["doctor", "--target", "demo"]).exits(0);
    let line = |key: &str| {
        let found = ended.stdout.lines().find(|line| line.trim_start().starts_with(key));
        found
            .unwrap_or_else(|| panic!("no `{key}` in\n{}", ended.stdout))
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ")
    };
    assert_eq!(line("run.retries"), "run.retries 7 (file)");
    assert_eq!(line("run.repeat"), "run.repeat 1");
    assert_eq!(line("target "), "target demo (flag)");
    assert_eq!(
        line("thresholds.false_positive_rate"),
        "thresholds.false_positive_rate 3.5% (MAX_FALSE_POSITIVE_RATE)"
    );
    assert!(line("configuration file").ends_with("thrash.yaml"));
    assert!(line("schedules.jobs.quick.cron").ends_with("*/15 * * * * (QUICK_TEST_SCHEDULE)"));
    assert!(ended.stdout.contains("quick (25)"), "{}", ended.stdout);
    assert!(!place.data().exists(), "looking leaves nothing behind");
    place.thrash(["doctor", "--url", "http://127.0.0.1:1"]).exits(3);
}

#[test]
fn doctor_shows_no_password_wherever_it_stands() {
    let place = Place::new();
    for (url, shown) in [
        ("postgres://u:PaSs@db/x", "postgres://u:•••@db/x"),
        ("postgres://u:PaSs", "postgres://u:•••"),
        ("postgres://u:9PaSs/x", "postgres://u:•••/x"),
        ("u:PaSs@db", "•••"),
        ("postgres://db:5432/x", "postgres://db:5432/x"),
        ("postgres://[::1]/x", "postgres://[::1]/x"),
    ] {
        let ended = place.thrash(["doctor", "--target", "demo", "--database-url", url]);
        let line = ended.stdout.lines().find(|line| line.contains("store.database_url")).unwrap();
        assert_eq!(line.split_whitespace().nth(1), Some(shown));
        assert!(!format!("{}{}", ended.stdout, ended.stderr).contains("PaSs"), "{url}: {}", ended.stdout);
    }
}

#[test]
fn a_configuration_file_is_found_where_it_is_named() {
    let place = Place::new();
    let origin_of = |ended: crate::support::command::Ended| {
        ended.stdout.lines().find(|line| line.contains("run.retries")).unwrap_or_default().to_owned()
    };
    place.file("thrash.yaml", "run: {retries: 7}\n");
    place.file("named.yaml", "run: {retries: 8}\n");
    place.file("home/.config/thrash/config.yaml", "run: {retries: 9}\n");
    assert!(origin_of(place.thrash(["doctor"])).contains(" 7 "));
    assert!(origin_of(place.thrash_with(&[("THRASH_CONFIG", "named.yaml")], ["doctor"])).contains(" 8 "));
    assert!(
        origin_of(place.thrash_with(&[("THRASH_CONFIG", "x")], ["doctor", "--config", "named.yaml"]))
            .contains(" 8 ")
    );
    std::fs::remove_file(place.path().join("thrash.yaml")).unwrap();
    let home = place.path().join("home");
    assert!(origin_of(place.thrash_with(&[("HOME", home.to_str().unwrap())], ["doctor"])).contains(" 9 "));
    for (name, message) in [
        ("missing.yaml", "cannot read the configuration"),
        ("/dev/zero", "cannot read"),
        (".", "cannot read"),
    ] {
        place.thrash(["doctor", "--config", name]).exits(2).complains(&[message, name]);
    }
}

#[test]
fn sizes_of_the_suites_follow_the_environment_of_existing_installations() {
    let place = Place::new();
    for (size, selected) in [("10", 10), ("40", 40)] {
        let ended = place.thrash_with(&[("QUICK_TEST_PHRASES", size)], ["quick"]);
        assert_eq!(place.latest()["suite"]["selected"], selected, "QUICK_TEST_PHRASES={size}");
        assert!(!ended.stdout.contains("there are only"), "{}", ended.stdout);
    }
    // More than there are is all there are, and said.
    let ended = place.thrash_with(&[("QUICK_TEST_PHRASES", "1000000")], ["quick"]);
    assert!(ended.stdout.contains("asks for 1000000 phrases, and there are only"), "{}", ended.stdout);
    assert!(place.latest()["suite"]["selected"].as_u64().unwrap() >= 350);
    place.thrash_with(&[("TEST_PHRASES_COUNT", "70")], ["comprehensive"]);
    assert_eq!(place.latest()["suite"]["selected"], 70);
    for bad in ["0", "ten"] {
        place
            .thrash_with(&[("QUICK_TEST_PHRASES", bad)], ["quick"])
            .exits(2)
            .complains(&["QUICK_TEST_PHRASES"]);
    }
}

#[test]
fn thresholds_follow_the_environment_of_existing_installations() {
    let place = Place::new();
    place.thrash_with(&[("TARGET_ACCURACY", "12.5"), ("MAX_FALSE_POSITIVE_RATE", "7")], ["quick"]);
    let record = place.latest();
    let names: Vec<&str> = record["verdict"]["checks"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|check| check["name"].as_str())
        .collect();
    for name in ["accuracy >= 12.5%", "false_positive_rate <= 7%"] {
        assert!(names.contains(&name), "no `{name}` in {names:?}");
    }
    // A flag is a stronger wish.
    place.thrash_with(&[("TARGET_ACCURACY", "12.5")], ["quick", "--min-accuracy", "95%"]);
    let record = place.latest().to_string();
    assert!(record.contains("accuracy >= 95%") && !record.contains("accuracy >= 12.5%"));
}

#[test]
fn who_needs_a_key_may_come_from_elsewhere_and_nobody_else() {
    let place = Place::new();
    let listens = |environment: &[(&str, &str)]| {
        let config = load(&place, None, environment, Vec::new()).unwrap();
        (config.listen().to_string(), config.metrics_listen().to_string())
    };
    let both = |service: &str, metrics: &str| (service.to_owned(), metrics.to_owned());
    let key = ("INTERNAL_API_KEY", "hunter2-hunter2-hunter2");
    assert_eq!(listens(&[]), both("127.0.0.1:8884", "127.0.0.1:9094"));
    assert_eq!(listens(&[key]), both("0.0.0.0:8884", "0.0.0.0:9094"));
    assert_eq!(listens(&[key, ("METRICS_PORT_TESTING", "9999")]), both("0.0.0.0:8884", "0.0.0.0:9999"));
    assert_eq!(listens(&[key, ("THRASH_LISTEN", "[::1]:80")]), both("[::1]:80", "[::1]:9094"));
    let off = ("ENABLE_API_AUTHENTICATION", "false");
    assert_eq!(listens(&[key, off]), both("127.0.0.1:8884", "127.0.0.1:9094"));
    // An empty value is none.
    assert_eq!(listens(&[("INTERNAL_API_KEY", "")]), both("127.0.0.1:8884", "127.0.0.1:9094"));
    let said = place.thrash_with(&[key], ["doctor"]).said();
    assert!(said.contains("would listen on 0.0.0.0:8884, metrics on 0.0.0.0:9094"), "{said}");
}

#[test]
fn the_operators_names_set_what_the_service_does() {
    let place = Place::new();
    let environment = [
        ("INTERNAL_API_KEY", "hunter2-hunter2-hunter2"),
        ("API_KEY_HEADER", "X-Ash-Key"),
        ("ENABLE_API_AUTHENTICATION", "True"),
        ("ENABLE_RATE_LIMITING", "false"),
        ("RATE_LIMIT_WINDOW", "60000"),
        ("RATE_LIMIT_MAX", "7"),
        ("METRICS_PORT_TESTING", "9999"),
        ("THRASH_LISTEN", "[::1]:80"),
    ];
    let config = load(&place, None, &environment, Vec::new()).unwrap();
    let service = &config.settings.service;
    assert_eq!((service.authentication, service.key_header.as_str()), (Some(true), "X-Ash-Key"));
    assert_eq!((service.rate_limit.enabled, service.rate_limit.max), (false, 7));
    assert_eq!(service.rate_limit.window.0.as_secs(), 60);
    assert_eq!(config.listen().to_string(), "[::1]:80");
    assert_eq!(config.metrics_listen().to_string(), "[::1]:9999");
    assert_eq!(config.internal_key().unwrap().expose(), "hunter2-hunter2-hunter2");
    let shown: Vec<&str> = config.effective.iter().map(|value| value.value.as_str()).collect();
    assert!(!shown.iter().any(|value| value.contains("hunter2")), "{shown:?}");
    assert!(place.thrash_with(&environment, ["doctor"]).said().contains("service.rate_limit.max"));
    assert!(!place.thrash_with(&environment, ["doctor"]).said().contains("hunter2"));
    for (name, value) in [
        ("ENABLE_RATE_LIMITING", "maybe"),
        ("RATE_LIMIT_WINDOW", "15m"),
        ("RATE_LIMIT_MAX", "0"),
        ("METRICS_PORT_TESTING", "99999"),
        ("THRASH_LISTEN", "8884"),
    ] {
        let error = load(&place, None, &[(name, value)], Vec::new()).unwrap_err().to_string();
        assert!(error.contains(name), "{name}={value}: {error}");
    }
}

#[test]
fn service_settings_that_make_no_sense_are_refused() {
    let place = Place::new();
    for (setting, key) in [
        ("{base_path: thrash}", "service.base_path"),
        ("{base_path: /a/}", "service.base_path"),
        ("{key_header: 'a b'}", "service.key_header"),
        ("{keys: [{name: a, hash: secret, scopes: [read]}]}", "service.keys"),
        ("{connections: 0}", "service.connections"),
        ("{workers: 0}", "service.workers"),
        ("{lease: 10ms}", "service.lease"),
        ("{body_limit: 10}", "service.body_limit"),
        ("{public_url: 'ftp://thrash.example'}", "service.public_url"),
        ("{public_url: thrash.example}", "service.public_url"),
        ("{public_url: 'https://me:secret@thrash.example'}", "service.public_url"),
        ("{hosts: ['*']}", "service.hosts"),
        ("{hosts: ['https://thrash.example']}", "service.hosts"),
        ("{hosts: ['thrash.example:8884']}", "service.hosts"),
        ("{cors_origins: ['*']}", "service.cors_origins"),
        ("{cors_origins: ['https://status.example/']}", "service.cors_origins"),
        ("{cors_origins: [status.example]}", "service.cors_origins"),
        ("{cors_origins: ['https://status.example:443']}", "service.cors_origins"),
    ] {
        let error =
            load(&place, Some(&format!("service: {setting}\n")), &[], Vec::new()).unwrap_err().to_string();
        assert!(error.contains(key) && !error.contains("secret"), "{setting}: {error}");
    }
}

#[test]
fn service_settings_that_make_sense_are_taken() {
    let place = Place::new();
    for setting in [
        "{public_url: 'https://thrash.example/thrash/'}",
        "{public_url: 'http://10.0.0.7:8884'}",
        "{hosts: [thrash.example, thrash_service, 10.0.0.7, '::1']}",
        "{cors_origins: ['https://status.example', 'http://10.0.0.7:3000']}",
    ] {
        load(&place, Some(&format!("service: {setting}\n")), &[], Vec::new())
            .unwrap_or_else(|error| panic!("{setting}: {error}"));
    }
}

#[test]
fn a_run_against_another_address_is_told_from_one_against_the_configured_target() {
    let place = Place::new();
    let own = "targets: {ash-nlp: {extends: ash-v5, base_url: 'http://ash:secret@nlp.example:30880/?a=b'}}\n";
    let mut record = crate::support::sample::record();
    let mut is_elsewhere = |environment: &[(&str, &str)], name: &str, url: &str, demo: bool| {
        (record.target.name, record.target.url, record.target.demo) = (name.to_owned(), url.to_owned(), demo);
        load(&place, Some(own), environment, Vec::new()).unwrap().is_elsewhere(&record)
    };
    assert!(!is_elsewhere(&[], "ash-nlp", "http://nlp.example:30880", false));
    assert!(is_elsewhere(&[], "ash-nlp", "http://nlp.example:30881", false));
    assert!(!is_elsewhere(&[], "demo", "http://127.0.0.1:40000", true), "the demo has a new port each time");
    assert!(!is_elsewhere(&[], "ash-vigil", "http://nlp.example:30881", false), "nobody uses that name here");
    let named = [("NLP_SERVER_URL", "http://10.0.0.7:30880/")];
    assert!(!is_elsewhere(&named, "ash-v5", "http://10.0.0.7:30880", false));
    assert!(is_elsewhere(&named, "ash-v5", "http://10.0.0.8:30880", false));
    assert!(
        is_elsewhere(&named, "ash-nlp", "http://10.0.0.7:30880", false),
        "the URL is that of the one in use"
    );
}

#[test]
fn a_value_within_what_a_file_says_came_from_the_file() {
    let place = Place::new();
    let file = "schedules: {jobs: {nightly: {cron: '0 2 * * *', suite: quick}}}\n";
    let config = load(&place, Some(file), &[("QUICK_TEST_ENABLED", "true")], Vec::new()).unwrap();
    assert_eq!(origin(&config, "schedules.jobs.nightly.suite"), Origin::File);
    assert_eq!(origin(&config, "schedules.jobs.quick.enabled"), Origin::Environment("QUICK_TEST_ENABLED"));
    assert_eq!(origin(&config, "schedules.jobs.quick.suite"), Origin::Default);
}
