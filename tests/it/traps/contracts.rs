//! Contracts that are right, and what is said of those that are wrong.

use insta::assert_snapshot;
use serde_json::json;
use thrash::domain::Level;
use thrash::target::{PRESET_NAMES, preset, preset_text, schema};

use super::scripted::read;

/// A whole contract; the tests break it.
const GOOD: &str = r#"title: A target
base_url: http://127.0.0.1:8881
health:
  path: /health
request:
  path: /analyze
  headers:
    X-Key: {env: KEY, optional: true}
  body: {message: "${text}"}
response:
  level: body.level
  score: body.score
invariants:
  - name: score_fits
    rule: score == null || score >= 0.0
examples:
  - reads: low
    body: {level: low, score: 0.3}
"#;

/// What is said of the contract with a part replaced.
fn wrong(part: &str, by: &str) -> String {
    assert!(GOOD.contains(part), "`{part}` is not there");
    said(&GOOD.replacen(part, by, 1))
}

fn said(yaml: &str) -> String {
    match read(yaml) {
        Ok(_) => "nothing".to_owned(),
        Err(error) => error.to_string(),
    }
}

#[test]
fn every_preset_compiles_and_reads_its_own_examples() {
    for name in PRESET_NAMES {
        let contract = preset(name).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(contract.name, name);
        assert_eq!(contract.alert_level, Level::Low);
        assert!(preset_text(name).is_some_and(|text| text.starts_with('#')), "{name} explains itself");
        assert!(!contract.allow_load, "{name}: no preset knows whose service it is");
    }
    assert!(preset("ash-v55").unwrap_err().to_string().contains("did you mean `ash-v5`?"));
}

#[test]
fn the_schema_accepts_every_preset_and_refuses_what_the_program_refuses() {
    let validator = jsonschema::validator_for(&schema()).unwrap();
    for name in PRESET_NAMES.into_iter().filter(|name| *name != "demo") {
        let value: serde_json::Value = serde_yaml::from_str(preset_text(name).unwrap()).unwrap();
        assert!(
            validator.is_valid(&value),
            "{name}: {:?}",
            validator.iter_errors(&value).next().map(|e| e.to_string())
        );
    }
    let mut value: serde_json::Value = serde_yaml::from_str(GOOD).unwrap();
    assert!(validator.is_valid(&value));
    value["respones"] = json!({});
    assert!(!validator.is_valid(&value));
}

#[test]
fn a_good_contract_is_good() {
    assert_eq!(said(GOOD), "nothing");
}

#[test]
fn an_unknown_key_is_told_with_the_nearest_known_one() {
    assert_snapshot!(wrong("health:", "healht:"), @r#"
    target.yaml:3:1: unknown key `healht`
      3 | healht:
        | ^
      hint: did you mean `health`?
    "#);
    assert_snapshot!(wrong("  level: body.level", "  levle: body.level"), @r#"
    target.yaml:11:3: unknown key `levle`
      11 |   levle: body.level
         |   ^
      hint: did you mean `level`?
    target.yaml:11:3: the key `level` is missing
      11 |   levle: body.level
         |   ^
    "#);
    assert_snapshot!(wrong("optional: true", "optinal: true"), @r#"
    target.yaml:8:23: unknown key `optinal`
      hint: did you mean `optional`?
    "#);
}

#[test]
fn a_missing_key_is_told() {
    assert_snapshot!(wrong("base_url: http://127.0.0.1:8881\n", ""), @r#"
    target.yaml:1:1: the key `base_url` is missing
      1 | title: A target
        | ^
    "#);
    assert_snapshot!(wrong("  level: body.level\n", ""), @r#"
    target.yaml:11:3: the key `level` is missing
      11 |   score: body.score
         |   ^
    "#);
}

#[test]
fn an_expression_that_is_no_cel_is_told_with_what_is_wrong() {
    assert_snapshot!(wrong("level: body.level", "level: body.level =="), @r#"
    target.yaml:11:10: `body.level ==` is not CEL at line 1, character 14: mismatched input '<EOF>'
      11 |   level: body.level ==
         |          ^
    "#);
    assert_snapshot!(wrong("rule: score == null || score >= 0.0", "rule: '(score'"), @r#"
    target.yaml:15:11: `(score` is not CEL at line 1, character 7: missing ')' at '<EOF>'
      15 |     rule: '(score'
         |           ^
    "#);
}

#[test]
fn an_expression_that_names_what_it_cannot_see_is_told() {
    assert_snapshot!(wrong("level: body.level", "level: bdy.level"), @r#"
    target.yaml:11:10: `bdy.level` uses `bdy`; known here: status, headers, body
      11 |   level: bdy.level
         |          ^
    "#);
    assert_snapshot!(wrong("score: body.score", "score: \"level == 'low' ? 0.1 : 0.9\""), @r#"
    target.yaml:12:10: `level == 'low' ? 0.1 : 0.9` uses `level`; known here: status, headers, body
      12 |   score: "level == 'low' ? 0.1 : 0.9"
         |          ^
    "#);
    assert_snapshot!(wrong("score: body.score", "score: duoble(body.score)"), @r#"
    target.yaml:12:10: `duoble(body.score)` calls `duoble`, which is no function of CEL
      12 |   score: duoble(body.score)
         |          ^
    "#);
}

#[test]
fn a_body_without_the_text_is_told() {
    assert_snapshot!(wrong("\"${text}\"", "\"${id}\""), @r#"
    target.yaml:9:9: the body has no `${text}`, so every phrase would be sent as the same request
      9 |   body: {message: "${id}"}
        |         ^
    "#);
    assert_snapshot!(wrong("\"${text}\"", "\"${txet}\""), @r#"
    target.yaml:9:9: `${txet}` is not known; known are ${text}, ${history}, ${id}, ${nonce}, ${run}, ${timestamp}, ${items}
      9 |   body: {message: "${txet}"}
        |         ^
    "#);
    assert_snapshot!(wrong("\"${text}\"", "\"${text\""), @r#"
    target.yaml:9:9: `${text` has a `${` without its `}`
      9 |   body: {message: "${text"}
        |         ^
    "#);
}

#[test]
fn examples_that_are_missing_or_read_otherwise_are_told() {
    assert_snapshot!(said(&format!("{}examples: []\n", GOOD.split("examples:").next().unwrap())), @r#"
    target.yaml:16:11: there is no example
      16 | examples: []
         |           ^
      hint: paste one real answer as `body` and say what level it `reads`: docs/targets.md
    "#);
    assert_snapshot!(said(GOOD.split("examples:").next().unwrap()), @r#"
    target.yaml:1:1: the key `examples` is missing
      1 | title: A target
        | ^
      hint: paste one real answer as `body` and say what level it `reads`: docs/targets.md
    "#);
    assert_snapshot!(wrong("reads: low", "reads: high"), @r#"
    target.yaml:17:5: this example must read `high`, and it reads: low
      17 |   - reads: high
         |     ^
    "#);
    assert_snapshot!(wrong("reads: low", "reads: lwo"), @r#"
    target.yaml:17:12: `lwo` is not one of none, low, medium, high, critical, fail_open
      17 |   - reads: lwo
         |            ^
      hint: did you mean `low`?
    "#);
    assert_snapshot!(wrong("reads: low", "reads: fail_open"), @r#"
    target.yaml:17:5: this example must read `fail_open`, and it reads: low
      17 |   - reads: fail_open
         |     ^
    "#);
    assert_snapshot!(wrong("{level: low,", "{level: lowish,"), @r#"
    target.yaml:17:5: this example must read `low`, and it reads: the level `lowish` is not known to the contract
      17 |   - reads: low
         |     ^
    "#);
    assert_snapshot!(wrong("score: 0.3}", "score: 30}"), @r#"
    target.yaml:17:5: this example must read `low`, and it reads: `score` is 30, outside 0 to 1
      17 |   - reads: low
         |     ^
    "#);
    assert_snapshot!(wrong("    body: {level", "    breaks: [score_fits]\n    body: {level"), @r#"
    target.yaml:17:5: this example must break these invariants: score_fits; it breaks: none
      17 |   - reads: low
         |     ^
    "#);
    assert_snapshot!(wrong("score >= 0.0", "score >= 0.5"), @r#"
    target.yaml:17:5: this example must break these invariants: none; it breaks: score_fits
      17 |   - reads: low
         |     ^
    "#);
}

#[test]
fn a_method_a_path_or_a_header_that_cannot_be_sent_is_told() {
    assert_snapshot!(wrong("  path: /analyze", "  method: GET\n  path: /analyze"), @r#"
    target.yaml:6:11: `GET` is not POST or PUT
      6 |   method: GET
        |           ^
    "#);
    assert_snapshot!(wrong("  path: /analyze", "  path: analyze"), @r#"
    target.yaml:6:9: the path `analyze` does not begin with `/`
      6 |   path: analyze
        |         ^
    "#);
    assert_snapshot!(wrong("X-Key: {env: KEY, optional: true}", "\"X Key\": text"), @r#"
    target.yaml:8:14: `X Key` is no header name
    "#);
    assert_snapshot!(wrong("X-Key: {env: KEY, optional: true}", "X-Key: \"sesame\\n\""), @r#"
    target.yaml:8:12: a header holds visible ASCII only
    "#);
    assert_snapshot!(wrong("X-Key: {env: KEY, optional: true}", "X-Key: 12345"), @r#"
    target.yaml:8:12: expected text, or `{env: NAME}` for a value from the environment
    "#);
    assert_snapshot!(wrong("X-Key: {env: KEY, optional: true}", "User-Agent: Mozilla"), @r#"
    target.yaml:8:17: `User-Agent` is not for a contract to set
    "#);
    assert_snapshot!(wrong("X-Key: {env: KEY, optional: true}", "X-Phrase: \"${text}\""), @r#"
    target.yaml:8:15: the text of a phrase does not belong into a header
    "#);
}

#[test]
fn a_url_that_leads_nowhere_is_told_without_being_shown() {
    assert_snapshot!(wrong("http://127.0.0.1:8881", "http://tester:hunter2@127.0.0.1:99999"), @r#"
    target.yaml:2:11: the URL cannot be read (invalid port number); write `http://host:port`
    "#);
    assert_snapshot!(wrong("http://127.0.0.1:8881", "ftp://127.0.0.1"), @r#"
    target.yaml:2:11: the URL's scheme is `ftp`, and only http and https can be tested
    "#);
    assert_snapshot!(wrong("http://127.0.0.1:8881", "127.0.0.1:8881"), @r#"
    target.yaml:2:11: the URL cannot be read (relative URL without a base); write `http://host:port`
    "#);
    assert_snapshot!(wrong("http://127.0.0.1:8881", "7"), @r#"
    target.yaml:2:11: expected a string
    "#);
}

#[test]
fn limits_and_waits_that_make_no_sense_are_told() {
    assert_snapshot!(said(&format!("{GOOD}connection: {{timeout: 5}}\n")), @r#"
    target.yaml:19:23: expected a length of time such as `300ms`, `30s` or `5m`
      19 | connection: {timeout: 5}
         |                       ^
    "#);
    assert_snapshot!(said(&format!("{GOOD}connection: {{timeout: 0s, connect_timeout: 5 parsecs}}\n")), @r#"
    target.yaml:19:44: `5 parsecs` is not a length of time: write `300ms`, `30s` or `5m`
      19 | connection: {timeout: 0s, connect_timeout: 5 parsecs}
         |                                            ^
    "#);
    assert_snapshot!(said(&format!("{GOOD}connection: {{timeout: 0s, max_body: 0, http: '3'}}\n")), @r#"
    target.yaml:19:46: unknown variant `3`, expected one of `auto`, `1.1`, `2`
      19 | connection: {timeout: 0s, max_body: 0, http: '3'}
         |                                              ^
    "#);
    assert_snapshot!(said(&format!("{GOOD}connection: {{timeout: 0s, max_body: 0}}\nlimits: {{rate: 0, concurrency: 0}}\n")), @r#"
    target.yaml:19:23: a deadline must be above zero
      19 | connection: {timeout: 0s, max_body: 0}
         |                       ^
    target.yaml:19:37: an answer has at least one byte
      19 | connection: {timeout: 0s, max_body: 0}
         |                                     ^
    target.yaml:20:16: the rate must be above 0 requests a second
      20 | limits: {rate: 0, concurrency: 0}
         |                ^
    target.yaml:20:32: with no request in flight nothing can be sent
      20 | limits: {rate: 0, concurrency: 0}
         |                                ^
    "#);
    assert_snapshot!(wrong("response:\n", "response:\n  statuses: [200, 429]\n"), @r#"
    target.yaml:11:13: HTTP 429 can never be an answer
      11 |   statuses: [200, 429]
         |             ^
    "#);
    assert_snapshot!(wrong("response:\n", "response:\n  statuses: []\n"), @r#"
    target.yaml:11:13: without a status nothing can be an answer
      11 |   statuses: []
         |             ^
    "#);
}

#[test]
fn polls_and_batches_that_cannot_work_are_told() {
    assert_snapshot!(said(&format!("{GOOD}poll: {{url: body.url, done: bodi.done, interval: 0s, accept: [302]}}\n")), @r#"
    target.yaml:19:7: `interval` and `deadline` must be above zero
      19 | poll: {url: body.url, done: bodi.done, interval: 0s, accept: [302]}
         |       ^
    target.yaml:19:29: `bodi.done` uses `bodi`; known here: status, headers, body
      19 | poll: {url: body.url, done: bodi.done, interval: 0s, accept: [302]}
         |                             ^
    target.yaml:19:62: HTTP 302 can never be an answer
      19 | poll: {url: body.url, done: bodi.done, interval: 0s, accept: [302]}
         |                                                              ^
    "#);
    assert_snapshot!(said(&format!("{GOOD}batch: {{path: many, max: 1, body: {{all: here}}, answers: body.results}}\n")), @r#"
    target.yaml:19:8: `body` needs `${items}` and `item` needs `${text}`
      19 | batch: {path: many, max: 1, body: {all: here}, answers: body.results}
         |        ^
    target.yaml:19:15: the path `many` does not begin with `/`
      19 | batch: {path: many, max: 1, body: {all: here}, answers: body.results}
         |               ^
    target.yaml:19:26: a batch holds at least 2 phrases
      19 | batch: {path: many, max: 1, body: {all: here}, answers: body.results}
         |                          ^
    "#);
    assert_snapshot!(wrong("- name: score_fits", "- name: score_fits\n    rule: 'true'\n  - name: score_fits"), @r#"
    target.yaml:16:11: there is another invariant `score_fits`
      16 |   - name: score_fits
         |           ^
    "#);
}

#[test]
fn a_preset_that_does_not_exist_cannot_be_extended() {
    assert_snapshot!(said("extends: ash-v55\nbase_url: http://127.0.0.1:1\n"), @r#"
    target.yaml:1:10: `extends` names no preset
      1 | extends: ash-v55
        |          ^
      hint: did you mean `ash-v5`?
    "#);
    assert_snapshot!(said("extends: [ash-v5]\n"), @r#"
    target.yaml:1:10: `extends` names no preset
      1 | extends: [ash-v5]
        |          ^
      hint: presets: ash-guide, ash-v3, ash-v5, ash-vigil, demo, safety-system
    "#);
}

#[test]
fn everything_that_is_wrong_is_told_at_once() {
    let broken = GOOD
        .replace("http://127.0.0.1:8881", "gopher://127.0.0.1")
        .replace("path: /analyze", "method: GET\n  path: analyze")
        .replace("\"${text}\"", "\"${id}\"")
        .replace("score: body.score", "score: bdy.score")
        .replace("rule: score == null || score >= 0.0", "rule: level = 'low'")
        .replace("reads: low", "reads: high");
    assert_snapshot!(said(&broken), @r#"
    target.yaml:2:11: the URL's scheme is `gopher`, and only http and https can be tested
    target.yaml:6:11: `GET` is not POST or PUT
      6 |   method: GET
        |           ^
    target.yaml:7:9: the path `analyze` does not begin with `/`
      7 |   path: analyze
        |         ^
    target.yaml:10:9: the body has no `${text}`, so every phrase would be sent as the same request
      10 |   body: {message: "${id}"}
         |         ^
    target.yaml:13:10: `bdy.score` uses `bdy`; known here: status, headers, body
      13 |   score: bdy.score
         |          ^
    target.yaml:16:11: `level = 'low'` is not CEL at line 1, character 7: token recognition error at: '= '
      16 |     rule: level = 'low'
         |           ^
    target.yaml:18:5: this example must read `high`, and it reads: low
      18 |   - reads: high
         |     ^
    "#);
    let misspelt = GOOD
        .replace("health:", "helth:")
        .replace("  path: /analyze", "  paht: /analyze")
        .replace("reads:", "raeds:");
    assert_snapshot!(said(&misspelt), @r#"
    target.yaml:3:1: unknown key `helth`
      3 | helth:
        | ^
      hint: did you mean `health`?
    target.yaml:6:3: unknown key `paht`
      6 |   paht: /analyze
        |   ^
      hint: did you mean `path`?
    target.yaml:6:3: the key `path` is missing
      6 |   paht: /analyze
        |   ^
    target.yaml:17:5: unknown key `raeds`
      17 |   - raeds: low
         |     ^
      hint: did you mean `reads`?
    target.yaml:17:5: the key `reads` is missing
      17 |   - raeds: low
         |     ^
    "#);
}

#[test]
fn an_extended_preset_keeps_what_it_does_not_change() {
    let contract = read("extends: ash-v5\nbase_url: https://nlp.example/v5\nalert_level: high\n").unwrap();
    assert_eq!(
        (contract.shown_url().as_str(), contract.alert_level),
        ("https://nlp.example/v5", Level::High)
    );
    assert!(contract.sends_history() && contract.sees_caches() && contract.batch_limit() == Some(100));
    assert_ne!(contract.hash, preset("ash-v5").unwrap().hash, "another alert level means something else");
    let moved =
        read("extends: ash-v5\nbase_url: https://nlp.example/v5\nconnection: {timeout: 3s}\n").unwrap();
    assert_eq!(moved.hash, preset("ash-v5").unwrap().hash, "another place does not");
    let broken = said("extends: ash-v5\nresponse: {level: body.level}\n");
    assert!(broken.contains("this example must read"), "{broken}");
}
