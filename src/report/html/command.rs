//! The command that repeats a run, without secrets.

use crate::domain::{CheckMode, CheckSource, Comparison, LoadRecord, RunRecord, Share, TextPolicy};

/// A command, and what it cannot say.
#[derive(Debug, Default)]
pub(super) struct ToRepeat {
    /// The line, as a shell reads it.
    pub(super) line: String,
    /// What a reader has to see to, in sentences.
    pub(super) notes: Vec<&'static str>,
}

/// What stands where a setting has no value.
const UNSET: &str = "–";
/// What stands in the place of a secret.
const MASKED: &str = "•••";

/// The command for a record.
pub(super) fn to_repeat(record: &RunRecord) -> ToRepeat {
    let mut command = ToRepeat::default();
    let setting = |key: &str| {
        record.configuration.get(key).map(String::as_str).filter(|value| *value != UNSET && *value != "none")
    };
    let mut words: Vec<String> = Vec::new();
    if let Some(load) = &record.load {
        return of_load(record, load, setting("url"));
    }
    for (variable, key) in [("THRASH_PHRASES", "phrases"), ("TEST_ENVIRONMENT", "environment")] {
        words.extend(setting(key).map(|value| format!("{variable}={}", quoted(value))));
    }
    words.extend(["thrash".to_owned()]);
    words.extend(suite(&record.suite.name));
    target(record, setting("url"), &mut words, &mut command.notes);
    sending(record, &mut words);
    selection(record, setting("run.perturb").is_some(), &mut words, &mut command.notes);
    if let Some(kinds) = setting("run.perturb") {
        let kinds: Vec<&str> =
            kinds.split(['[', ']', '"', ',', ' ']).filter(|kind| !kind.is_empty()).collect();
        flag(&mut words, "--perturb", &kinds.join(","));
        flag(&mut words, "--perturb-per-phrase", setting("run.perturb_per_phrase").unwrap_or("5"));
    }
    gates(record, setting("gates").is_some(), &mut words, &mut command.notes);
    if let Some(file) = setting("waivers.file") {
        flag(&mut words, "--waivers", file);
    }
    let compared = record.baseline.as_ref().and_then(|baseline| baseline.comparison());
    if let Some(baseline) = compared.map(|found| found.baseline.id.as_str()).or(setting("baseline")) {
        flag(&mut words, "--baseline", baseline);
    }
    if record.options.text != TextPolicy::Full {
        flag(
            &mut words,
            "--text",
            if record.options.text == TextPolicy::Redacted { "redacted" } else { "none" },
        );
    }
    command.line = words.join(" ");
    command
}

/// The command of a load run: all else stands in the scenario.
fn of_load(record: &RunRecord, load: &LoadRecord, url: Option<&str>) -> ToRepeat {
    let mut command = ToRepeat::default();
    let scenario = &load.scenario;
    let mut words = vec!["thrash".to_owned(), "load".to_owned(), quoted(&scenario.name)];
    target(record, url, &mut words, &mut command.notes);
    if scenario.time_scale.to_bits() != 1.0_f64.to_bits() {
        flag(&mut words, "--scale-time", &scenario.time_scale.to_string());
    }
    for (key, value) in &scenario.overrides {
        flag(&mut words, &format!("--{}", key.replace('_', "-")), value);
    }
    flag(&mut words, "--seed", &scenario.seed.to_string());
    if !load.shards.is_empty() {
        flag(&mut words, "--workers", &load.shards.len().to_string());
    }
    command
        .notes
        .push("Everything else stands in the scenario. One that is a file is named with its ending.");
    command.line = words.join(" ");
    command
}

fn flag(words: &mut Vec<String>, name: &str, value: &str) {
    words.push(name.to_owned());
    words.push(quoted(value));
}

/// `quick`, `comprehensive`, or `run` with what was joined.
fn suite(name: &str) -> Vec<String> {
    match name {
        "quick" | "comprehensive" => vec![name.to_owned()],
        _ => std::iter::once("run".to_owned()).chain(name.split('+').map(quoted)).collect(),
    }
}

fn target(record: &RunRecord, url: Option<&str>, words: &mut Vec<String>, notes: &mut Vec<&'static str>) {
    flag(words, "--target", &record.target.name);
    match url {
        // The demo and most targets know where they are.
        None => {}
        Some(url) if url.contains(MASKED) => {
            words.extend(["--url".to_owned(), "\"$NLP_SERVER_URL\"".to_owned()]);
            notes.push("The URL holds a password: put it into NLP_SERVER_URL.");
        }
        Some(_) => flag(words, "--url", &record.target.url),
    }
}

fn sending(record: &RunRecord, words: &mut Vec<String>) {
    let options = &record.options;
    flag(words, "--concurrency", &options.concurrency.to_string());
    if let Some(rate) = options.rate {
        flag(words, "--rate", &rate.to_string());
    }
    flag(words, "--timeout", &format!("{}ms", options.timeout_ms));
    flag(words, "--retries", &options.retries.to_string());
    if options.repeat != 1 {
        flag(words, "--repeat", &options.repeat.to_string());
    }
    if let Some(most) = options.repeat_doubtful {
        flag(words, "--repeat-doubtful", &most.to_string());
    }
    if options.batch != 1 {
        flag(words, "--batch", &options.batch.to_string());
    }
}

fn selection(record: &RunRecord, perturbed: bool, words: &mut Vec<String>, notes: &mut Vec<&'static str>) {
    let selection = &record.suite.selection;
    for category in &selection.categories {
        flag(words, "--category", category);
    }
    for tag in &selection.tags {
        flag(words, "--tag", tag);
    }
    if let Some(split) = selection.split {
        flag(words, "--split", split.as_str());
    }
    if let Some(limit) = selection.limit {
        flag(words, "--limit", &limit.to_string());
    }
    // One flag sets both seeds. Where the phrases were drawn with another one than the order, the phrases matter more.
    let drawn = selection.limit.is_some() || perturbed;
    if !drawn || selection.seed == record.options.seed {
        flag(words, "--seed", &record.options.seed.to_string());
    } else {
        if selection.seed != 0 {
            flag(words, "--seed", &selection.seed.to_string());
        }
        notes.push("It sends the same phrases; their order, which had a seed of its own, will be another.");
    }
}

/// The two limits that have flags, and every gate that was asked for beside the usual ones.
fn gates(record: &RunRecord, configured: bool, words: &mut Vec<String>, notes: &mut Vec<&'static str>) {
    let limit = |key: &str| record.configuration.get(key).and_then(|value| value.parse::<Share>().ok());
    let (accuracy, false_positives) = (limit("thresholds.accuracy"), limit("thresholds.false_positive_rate"));
    for (name, share) in [("--min-accuracy", accuracy), ("--max-fpr", false_positives)] {
        if let Some(share) = share {
            flag(words, name, &share.to_string());
        }
    }
    let usual = |metric: &str, limit: f64| match metric {
        "accuracy" => accuracy.is_some_and(|share| near(share.value(), limit)),
        "false_positive_rate" => false_positives.is_some_and(|share| near(share.value(), limit)),
        "unanswered_rate" | "invariant_violations" | "fail_open_answers" | "changed_answers" => true,
        _ => false,
    };
    for check in &record.verdict.checks {
        let is_gate = matches!(check.source, CheckSource::Gate | CheckSource::Integrity);
        let sign = match check.comparison {
            Comparison::AtLeast => " >= ",
            Comparison::AtMost => " <= ",
        };
        let plain = check.mode == CheckMode::Point && check.slice.is_none();
        let is_written = check.name.contains(sign) || check.mode.is_against_baseline();
        if is_gate && is_written && !(plain && usual(&check.metric, check.limit)) {
            flag(words, "--gate", &check.name);
        }
    }
    if configured {
        notes.push(
            "Some of these gates may stand in the configuration file as well: then leave the flags out.",
        );
    }
}

fn near(one: f64, other: f64) -> bool {
    (one - other).abs() < 1e-9
}

/// A word as a POSIX shell takes it for one.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-./:=,%+@".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', "'\\''"))
}
