//! Settings that decode and still make no sense: each is refused with where it stands, what it is and what would do.

use serde_yaml::Value;
use thrash::config::{Config, ConfigError, Environment};

use crate::support::command::Place;

fn load(file: Option<&str>, environment: &[(&str, &str)]) -> Result<Config, ConfigError> {
    let place = Place::new();
    let file = file.map(|text| place.file("config.yaml", text));
    Config::load(file, Environment::of_pairs(environment.iter().copied()), Vec::new())
}

#[track_caller]
fn refused(file: &str) -> String {
    match load(Some(file), &[]) {
        Ok(_) => panic!("it was taken: {file}"),
        Err(error) => error.to_string(),
    }
}

/// A section of the file, the setting in it, where that stands, and what is said.
const IN_A_FILE: [(&str, &str, &str, &str); 68] = [
    ("service", "base_path: /a/../b", "2:14: `service.base_path`", "such as `/thrash`"),
    ("service", "base_path: //evil", "2:14: `service.base_path`", "such as `/thrash`"),
    ("service", "base_path: /a?b", "2:14: `service.base_path`", "such as `/thrash`"),
    ("service", "base_path: '/a#b'", "2:14: `service.base_path`", "such as `/thrash`"),
    ("service", "base_path: '/a b'", "2:14: `service.base_path`", "such as `/thrash`"),
    ("service", "base_path: ' '", "2:14: `service.base_path`", "it is empty"),
    ("service", "hosts: [thrash.example, '.']", "2:27: `service.hosts[1]`", "the name of one host"),
    ("service", "hosts: ['-']", "2:11: `service.hosts[0]`", "the name of one host"),
    ("service", "hosts: ['']", "2:11: `service.hosts[0]`", "the name of one host"),
    ("service", "hosts: ['a..b']", "2:11: `service.hosts[0]`", "the name of one host"),
    ("service", "hosts: ['10.0.0.999']", "2:11: `service.hosts[0]`", "the name of one host"),
    ("service", "public_url: 'https://a b.example'", "2:15: `service.public_url`", "http or https"),
    ("service", "public_url: 'https://a.example/x y'", "2:15: `service.public_url`", "http or https"),
    ("service", "public_url: 'https://a.example/<script>'", "2:15: `service.public_url`", "http or https"),
    ("service", "public_url: 'javascript://a.example'", "2:15: `service.public_url`", "http or https"),
    ("service", "public_url: 'https://me:hunter2@a.example'", "2:15: `service.public_url`", "no user"),
    ("service", "public_url: 'https://@a.example'", "2:15: `service.public_url`", "no user"),
    ("service", "public_url: 'https://a.example:0'", "2:15: `service.public_url`", "http or https"),
    ("service", "public_url: 'https://a.example/../b'", "2:15: `service.public_url`", "http or https"),
    (
        "service",
        "{base_path: /thrash, public_url: 'https://a.example/'}",
        "2:",
        "it must end in `service.base_path`, which is `/thrash`",
    ),
    (
        "service",
        "lease: 9999999years",
        "2:10: ",
        "`9999999years` is beyond every clock: the longest time is 1000years",
    ),
    ("service", "lease: 99999999999999999999999years", "2:10: ", "beyond every clock"),
    ("service", "lease: 900years", "2:10: `service.lease`", "it must be from 1s to 1h"),
    ("service", "stop_within: 900years", "2:16: `service.stop_within`", "it must be from 0s to 1day"),
    ("service", "header_timeout: 0s", "2:19: `service.header_timeout`", "it must be from 1ms to 1h"),
    (
        "service",
        "request_timeout: 900years",
        "2:20: `service.request_timeout`",
        "it must be from 1ms to 1day",
    ),
    ("service", "rate_limit: {max: 0}", "2:21: `service.rate_limit.max`", "at least 1"),
    ("service", "rate_limit: {max: -1}", "2:21: ", "a whole number from 0 to 4294967295"),
    (
        "service",
        "rate_limit: {window: 900years}",
        "2:24: `service.rate_limit.window`",
        "it must be from 1ms to",
    ),
    ("service", "listen: 127.0.0.1:70000", "2:11: ", "such as `127.0.0.1:8884`"),
    ("service", "listen: 8884", "2:11: ", "address"),
    ("service", "metrics_port: 70000", "2:17: ", "a whole number from 0 to 65535"),
    (
        "service",
        "metrics_port: 8884",
        "2:17: `service.metrics_port`",
        "the service itself listens on 127.0.0.1:8884",
    ),
    (
        "service",
        "listen: 127.0.0.1:9094",
        "2:11: `service.listen`",
        "its metrics are shown on 127.0.0.1:9094",
    ),
    ("service", "internal_key: ''", "2:17: `service.internal_key`", "it is empty"),
    ("service", "tls: {key: a.pem}", "2:8: `service.tls`", "a certificate needs its key"),
    ("service", "connections: -1", "2:16: ", "a whole number, 0 or more"),
    ("retention", "runs: crises", "2:9: `retention.runs`: `crises` names none", "did you mean `crisis`?"),
    ("retention", "classes: {debug: 1min}", "2:20: `retention.classes.debug`", "for a day at least"),
    ("retention", "classes: {debug: soon}", "2:20: ", "length of time"),
    ("retention", "classes: {'': 1year}", "2:13: `retention.classes.`", "1 to 40 letters"),
    (
        "retention",
        "most_runs: 99",
        "2:14: `retention.most_runs`",
        "fewer than the 100 that `keep_last` keeps",
    ),
    ("retention", "most_answers: 1", "2:17: `retention.most_answers`", "fewer than the 100"),
    ("retention", "{keep_last: 0, most_runs: 0}", "2:29: `retention.most_runs`", "at least 1 stays"),
    (
        "service",
        "keys: [{name: ci, hash: 'sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855', scopes: [run]}]",
        "2:27: `service.keys[0].hash`",
        "the hash of an empty key",
    ),
    (
        "service",
        "{listen: '0.0.0.0:8884', metrics_listen: '127.0.0.1:8884'}",
        "2:44: `service.metrics_listen`",
        "the service itself listens on",
    ),
    ("retention", "classes: null", "2:3: `retention.classes`", "there is nothing below this key"),
    (
        "schedules",
        "jobs: {a b: {cron: '@daily', suite: quick}}",
        "2:10: `schedules.jobs.a b`",
        "1 to 40 letters",
    ),
    (
        "schedules",
        "jobs: {mine: {cron: '@daily'}}",
        "2:10: `schedules.jobs.mine`",
        "either a `suite` or a `scenario`",
    ),
    (
        "schedules",
        "jobs: {mine: {cron: '@daily', suite: ''}}",
        "2:40: `schedules.jobs.mine.suite`",
        "it is empty",
    ),
    ("schedules", "jobs: {quick: {jitter: 2days}}", "2:26: `schedules.jobs.quick.jitter`", "at most a day"),
    ("schedules", "jobs: {quick: {jitter: 31min}}", "2:26: `schedules.jobs.quick.jitter`", "less than 30m"),
    (
        "schedules",
        "jobs: {quick: {catch_up: 2months}}",
        "2:28: `schedules.jobs.quick.catch_up`",
        "at most 31 days",
    ),
    ("schedules", "jobs: {quick: {zone: Mars}}", "2:24: ", "no time zone"),
    ("schedules", "jobs: {quick: {cron: '0 0 30 2 *'}}", "2:24: ", "no day is like that"),
    ("schedules", "jobs: {quick: {suit: a}}", "2:18: unknown key `suit`", "did you mean `suite`?"),
    ("schedules", "jobs: {quick: {}, quick: {}}", "", "duplicate"),
    ("schedules", "jobs:", "2:3: `schedules.jobs`", "there is nothing below this key"),
    (
        "notify",
        "quiet: {from: '22:00', to: '22:00', zone: UTC}",
        "2:10: `notify.quiet`",
        "it ends when it begins",
    ),
    (
        "notify",
        "channels: {ops: {kind: slack, url_env: 'file:///hunter2'}}",
        "2:42: `notify.channels.ops.url_env`",
        "the name of an environment variable",
    ),
    (
        "notify",
        "channels: {ops: {kind: slack, url_env: A, per_minute: 0}}",
        "2:57: `notify.channels.ops.per_minute`",
        "at least 1",
    ),
    ("notify", "give_up_after: 900years", "2:18: `notify.give_up_after`", "it must be from 1ms to"),
    ("run", "rate: 1.0e-300", "2:9: `run.rate`", "from 0.001 to 1000000"),
    ("run", "rate: .inf", "2:9: `run.rate`", "from 0.001 to 1000000"),
    ("run", "timeout: 900years", "2:12: `run.timeout`", "it must be from 1ms to 1day"),
    ("run", "batch: 99999999999", "2:10: `run.batch`", "from 1 to 10000"),
    ("store", "connect_timeout: 0s", "2:20: `store.connect_timeout`", "it must be from 1ms to 1h"),
    ("reference", "model: ' '", "2:10: `reference.model`", "it is empty"),
];

#[test]
fn a_value_in_a_file_is_refused_where_it_stands() {
    for (section, setting, place, words) in IN_A_FILE {
        let said = refused(&format!("{section}:\n  {setting}\n"));
        assert!(said.contains(&format!("config.yaml:{place}")), "{setting}: no `{place}` in\n{said}");
        assert!(said.contains(words), "{setting}: no `{words}` in\n{said}");
        assert!(!said.contains("hunter2") && !said.contains("from default"), "{setting}: {said}");
    }
}

#[test]
fn all_of_a_file_is_told_at_once() {
    let said = refused(
        "environment: ''\nurl: ftp://a.example\nrun: {repeat: 0}\nservice: {workers: 0, hosts: ['.', '-']}\n",
    );
    for place in [
        "1:14: `environment`",
        "2:6: `url`",
        "3:15: `run.repeat`",
        "4:20: `service.workers`",
        "4:31: ",
        "4:36: ",
    ] {
        assert!(said.contains(&format!("config.yaml:{place}")), "no `{place}` in\n{said}");
    }
}

#[test]
fn two_keys_of_one_name_or_one_hash_are_refused_without_being_shown() {
    let hash = |digit: char| format!("sha256:{}", String::from(digit).repeat(64));
    for (second, words) in [
        (format!("{{name: ci, hash: '{}', scopes: [read]}}", hash('b')), "`service.keys[1].name`: two keys"),
        (
            format!("{{name: cd, hash: '{}', scopes: [read]}}", hash('A')),
            "`service.keys[1].hash`: this key is listed twice",
        ),
    ] {
        let said = refused(&format!(
            "service:\n  keys:\n    - {{name: ci, hash: '{}', scopes: [run]}}\n    - {second}\n",
            hash('a')
        ));
        assert!(said.contains("config.yaml:4:") && said.contains(words), "{said}");
        assert!(!said.contains("aaaa") && !said.contains("AAAA"), "{said}");
    }
}

#[test]
fn a_section_of_nothing_is_refused_unless_there_was_nothing() {
    for section in ["run", "service", "retention", "thresholds"] {
        let said = refused(&format!("text: full\n{section}:\n  # all of it is a comment\n"));
        assert!(said.contains(&format!("config.yaml:2:1: `{section}`")), "{said}");
    }
    for file in
        ["targets:\n", "notify: {channels: null}\n", "gates:\n", "retention: {classes: {debug: null}}\n"]
    {
        load(Some(file), &[]).unwrap_or_else(|error| panic!("{file}: {error}"));
    }
}

#[test]
fn a_value_of_a_variable_is_refused_with_its_name() {
    for (name, value, words) in [
        ("METRICS_PORT_TESTING", "70000", "a whole number from 0 to 65535"),
        ("METRICS_PORT_TESTING", "-1", "no whole number"),
        ("METRICS_PORT_TESTING", "8884", "the service itself listens on"),
        ("THRASH_LISTEN", "localhost", "such as `127.0.0.1:8884`"),
        ("NLP_SERVER_URL", "file:///etc/passwd", "only http and https"),
        ("NLP_SERVER_URL", "http://nlp:0", "port is 0"),
        ("NLP_SERVER_URL", "nlp", "write `http://host:port`"),
        ("RATE_LIMIT_MAX", "99999999999", "a whole number from 0 to 4294967295"),
        ("RATE_LIMIT_WINDOW", "99999999999999", "beyond every clock"),
        ("RATE_LIMIT_WINDOW", "99999999999", "it must be from 1ms to"),
        ("TEST_ENVIRONMENT", "a\nb", "control character"),
        ("QUICK_TEST_SCHEDULE", "0 0 31 2 *", "no day is like that"),
        ("API_KEY_HEADER", "X Key", "the name of a header"),
    ] {
        let said = load(None, &[(name, value)]).unwrap_err().to_string();
        assert!(said.contains(name) && said.contains(words), "{name}={value}: {said}");
    }
}

#[test]
fn all_wrong_variables_are_told_at_once() {
    let said = |pairs: &[(&str, &str)]| load(None, pairs).unwrap_err().to_string();
    let unread =
        said(&[("TARGET_ACCURACY", "lots"), ("QUICK_TEST_ENABLED", "perhaps"), ("THRASH_TARGET", " ")]);
    assert_eq!(unread.lines().count(), 3, "{unread}");
    let senseless =
        said(&[("TEST_ENVIRONMENT", "a\nb"), ("RATE_LIMIT_MAX", "0"), ("METRICS_PORT_TESTING", "8884")]);
    assert_eq!(senseless.lines().count(), 3, "{senseless}");
    for (all, name) in [
        (&unread, "TARGET_ACCURACY"),
        (&unread, "QUICK_TEST_ENABLED"),
        (&unread, "THRASH_TARGET"),
        (&senseless, "TEST_ENVIRONMENT"),
        (&senseless, "RATE_LIMIT_MAX"),
        (&senseless, "METRICS_PORT_TESTING"),
    ] {
        assert!(all.contains(name), "no {name} in\n{all}");
    }
    // It is nobody's, and there because of another.
    assert!(!senseless.contains("from default"), "{senseless}");
}

#[test]
fn quotes_that_a_reader_of_environment_files_kept_are_no_part_of_a_value() {
    let config =
        load(None, &[("TARGET_ACCURACY", "\"87%\""), ("QUICK_TEST_SCHEDULE", "'*/20 * * * *'")]).unwrap();
    let shown = |key: &str| config.effective.iter().find(|value| value.key == key).unwrap().value.clone();
    assert_eq!(
        (shown("thresholds.accuracy").as_str(), shown("schedules.jobs.quick.cron").as_str()),
        ("87%", "*/20 * * * *")
    );
}

#[test]
fn a_flag_is_refused_with_its_key() {
    let said = Config::load(None, Environment::default(), vec![("target", Value::from(" "))]);
    assert_eq!(
        said.unwrap_err().to_string(),
        "`target` (from flag): it is empty: leave it out, or say what is meant"
    );
}

#[test]
fn values_at_the_edge_of_sense_are_taken() {
    for file in [
        "service: {base_path: /thrash/v1.2, hosts: [localhost, a-b.example, '::1', '10.0.0.7', a_b]}\n",
        "service: {public_url: 'HTTPS://thrash.example:8443/a/b/', lease: 1h, stop_within: 0s}\n",
        "service: {listen: '127.0.0.1:0', metrics_port: 0}\n",
        "retention: {classes: {audit: 1000years, debug: null}, runs: audit}\n",
        "schedules: {jobs: {quick: {jitter: 29min}, comprehensive: {jitter: 23h, catch_up: 31days}}}\n",
        "notify: {quiet: {from: '22:00', to: '21:59', zone: Europe/Berlin}, warning_after: 0s}\n",
        "run: {rate: 0.001, timeout: 1day, patience: 0s, batch: 10000}\n",
    ] {
        load(Some(file), &[]).unwrap_or_else(|error| panic!("{file}: {error}"));
    }
}

#[test]
fn the_service_begins_with_none_of_it() {
    let place = Place::new();
    place.file("thrash.yaml", "service:\n  lease: 9999999years\n");
    let ended = place.thrash(["serve", "--listen", "127.0.0.1:0"]).exits(2);
    ended.complains(&["thrash.yaml:2:10: ", "1000years", "  2 |   lease: 9999999years"]);
}
