//! The reference beside a run: what is shown, kept and gated, and that the run never depends on it.

use serde_json::Value;

use super::support::{copy, fixture, library};
use crate::support::command::{DemoProcess, Ended, Place};

fn model() -> String {
    fixture("classify").display().to_string()
}

/// Runs the quick suite against the demo with these flags, and gives its record.
fn quick(place: &Place, flags: &[&str]) -> (Ended, Value) {
    let args = ["quick", "--json", "run.json", "--min-accuracy", "10%", "--max-fpr", "100%"];
    let ended = place.thrash(args.iter().chain(flags));
    let record = std::fs::read_to_string(place.path().join("run.json")).expect("the record");
    (ended, serde_json::from_str(&record).expect("JSON"))
}

#[test]
fn a_second_opinion_is_shown_and_kept() {
    let place = Place::new();
    let (ended, record) = quick(&place, &["--reference", &model(), "--engine", "rten"]);
    for words in
        ["Reference  tiny-words", "in rten 0.27.0 on cpu", "agreement", "weighted kappa", "McNemar p"]
    {
        assert!(ended.stdout.contains(words), "no `{words}` in\n{}", ended.stdout);
    }
    let report = &record["reference"]["answered"];
    let answers = report["answers"].as_array().expect("answers");
    assert_eq!(answers.len(), 25);
    let kinds = report["comparison"]["disagreements"].as_object().expect("kinds");
    assert_eq!(kinds.values().filter_map(Value::as_u64).sum::<u64>(), 25);
    // The groups are what the verdicts of both say, phrase by phrase.
    for answer in answers {
        let result = record["results"].as_array().expect("results");
        let result = result.iter().find(|result| result["id"] == answer["id"]).expect("the phrase");
        let passes = |verdict: &Value| ["exact", "tolerated"].contains(&verdict.as_str().expect("a verdict"));
        let kind = match (passes(&result["verdict"]), passes(&answer["verdict"])) {
            (true, true) => "both_right",
            (false, true) => "only_target_wrong",
            (true, false) => "only_reference_wrong",
            (false, false) if result["level"] == answer["level"] => "both_wrong_alike",
            (false, false) => "both_wrong",
        };
        assert_eq!(answer["disagreement"], kind, "{answer}");
    }
    let first = answers.iter().find(|answer| answer["disagreement"] == "only_target_wrong");
    if let Some(first) = first {
        assert!(ended.stdout.contains("target wrong, reference right (read first): "), "{}", ended.stdout);
        assert!(ended.stdout.contains(first["id"].as_str().expect("an id")), "{}", ended.stdout);
    }
    matrix_is_shown(&ended.stdout, &report["comparison"]);
    let same = answers.iter().filter(|answer| {
        let results = record["results"].as_array().expect("results");
        results.iter().any(|result| result["id"] == answer["id"] && result["level"] == answer["level"])
    });
    assert_eq!(report["comparison"]["agreement"]["count"], same.count());
    assert_eq!(report["model"]["device"], "cpu");
    assert_eq!(report["model"]["engine"], "rten 0.27.0");
    assert_eq!(report["model"]["hash"].as_str().map(str::len), Some(64));
    // No text of a phrase is in the opinion.
    assert!(!report.to_string().contains("\"text\""));
}

/// The matrix of levels and the capabilities that need reading, as the record has them, in 80 columns.
fn matrix_is_shown(page: &str, comparison: &Value) {
    let (_, rest) =
        page.split_once("  Levels  rows: the reference's, columns: the target's\n").expect("a matrix");
    let mut lines = rest.lines();
    let cells = |line: &str| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    let header = ["none", "low", "medium", "high", "critical", "no", "answer"];
    assert_eq!(cells(lines.next().expect("a header")), header);
    for (name, counts) in header.iter().zip(comparison["levels"].as_array().expect("rows")) {
        let counts = counts.as_array().expect("counts").iter().map(|count| match count.as_u64() {
            Some(0) => "·".to_owned(),
            count => count.expect("a count").to_string(),
        });
        let row: Vec<String> = std::iter::once((*name).to_owned()).chain(counts).collect();
        assert_eq!(cells(lines.next().expect("a row")), row);
    }
    let header = lines.next().expect("a header");
    assert_eq!(
        cells(header),
        ["Capabilities", "phrases", "same", "target", "wrong", "ref.", "wrong", "both"]
    );
    let worst = cells(lines.next().expect("a row"));
    let slices = comparison["slices"].as_array().expect("slices");
    let slice = slices.iter().find(|slice| slice["kind"] == "capability" && slice["name"] == worst[0]);
    let slice = slice.expect("the capability");
    let (agreement, test) = (&slice["agreement"], &slice["test"]);
    let counts =
        [&agreement["of"], &agreement["count"], &test["regressed"], &test["improved"], &test["both_wrong"]];
    assert_eq!(worst[1..], counts.map(ToString::to_string));
    assert!(page.lines().all(|line| line.chars().count() <= 80), "{page}");
}

#[test]
fn what_the_target_got_is_the_same_with_and_without_a_reference() {
    let place = Place::new();
    let levels = |record: &Value| {
        let results = record["results"].as_array().expect("results").clone();
        let of = |result: &Value| (result["id"].to_string(), result["level"].to_string());
        results.iter().map(of).collect::<Vec<_>>()
    };
    let (_, with) = quick(&place, &["--reference", &model(), "--engine", "rten"]);
    let (_, without) = quick(&place, &["--no-reference"]);
    assert_eq!(levels(&with), levels(&without));
    assert!(without.get("reference").is_none());
    assert_eq!(with["metrics"], without["metrics"]);
}

#[test]
fn a_reference_that_cannot_be_used_costs_the_run_nothing_and_is_told() {
    let place = Place::new();
    let suite = place.easy_suite();
    let run =
        |more: &[&str]| place.thrash(["run", suite, "--reference", "no-such-folder"].iter().chain(more));
    let ended = run(&[]).exits(0);
    for words in ["`no-such-folder` gave no opinion", "there is no model `no-such-folder`"] {
        assert!(ended.stdout.contains(words), "{}", ended.stdout);
    }
    assert_eq!(place.latest()["reference"]["missing"]["wanted"], "no-such-folder");
    run(&["--quiet"]).complains(&["no second opinion from the reference `no-such-folder`"]);
}

#[test]
fn a_gate_that_needs_a_reference_cannot_tell_without_one() {
    let place = Place::new();
    for (flags, why) in [
        (["--reference", "none"], "no reference model was asked"),
        (["--reference", "no-such-folder"], "the reference model could not be used"),
    ] {
        let gates = ["--gate", "reference_agreement >= 0%", "--gate", "target_minus_reference >= -1"];
        let (ended, record) = quick(&place, &[&flags[..], &gates].concat());
        let checks = record["verdict"]["checks"].as_array().expect("checks").clone();
        for metric in ["reference_agreement", "target_minus_reference"] {
            let check = checks.iter().find(|check| check["metric"] == metric).expect("the check");
            assert_eq!(check["outcome"], "inconclusive", "{check}");
            assert!(check["reason"].as_str().is_some_and(|reason| reason.contains(why)), "{check}");
        }
        assert_ne!(ended.code, Some(0));
    }
}

#[test]
fn agreement_and_difference_are_gated() {
    let place = Place::new();
    let gates = [
        ("reference_agreement >= 0%", "pass"),
        ("reference_agreement >= 99%", "fail"),
        ("target_minus_reference >= -1", "pass"),
        ("target_minus_reference >= 0.99", "fail"),
        ("reference_agreement >= 99% (bound 95%)", "fail"),
    ];
    let flags: Vec<&str> = gates.iter().flat_map(|(gate, _)| ["--gate", gate]).collect();
    let model = model();
    let (_, record) =
        quick(&place, &[&["--reference", model.as_str(), "--engine", "rten"][..], &flags].concat());
    let checks = record["verdict"]["checks"].as_array().expect("checks");
    for (gate, outcome) in gates {
        let check = checks.iter().find(|check| check["name"] == gate).unwrap_or_else(|| panic!("{gate}"));
        assert_eq!(check["outcome"], outcome, "{check}");
    }
}

#[test]
fn what_the_target_left_unanswered_is_compared_with_nothing() {
    let place = Place::new();
    let (model, gate) = (model(), "reference_agreement >= 0%");
    let quick = |rate: &str| {
        let demo = DemoProcess::start(&["--fail-open-rate", rate, "--seed", "3"]);
        let flags = ["--url", &demo.url, "--reference", &model, "--engine", "rten", "--gate", gate];
        quick(&place, &flags)
    };
    let checked = |record: &Value| {
        let checks = record["verdict"]["checks"].as_array().expect("checks");
        checks.iter().find(|check| check["name"] == gate).expect("the check").clone()
    };
    // Nearly all of them: not the reference's fault.
    for rate in ["100%", "85%"] {
        let (ended, record) = quick(rate);
        let check = checked(&record);
        assert_eq!(check["outcome"], "inconclusive", "{check}");
        let reason = check["reason"].as_str().expect("a reason");
        assert!(reason.starts_with("the target answered ") && reason.contains("of the 2"), "{reason}");
        assert_ne!(ended.code, Some(0));
    }
    // Some of them: a group of their own, in no table.
    let (ended, record) = quick("30%");
    let report = &record["reference"]["answered"];
    let results = record["results"].as_array().expect("results");
    let missing = results.iter().filter(|result| result["level"].is_null()).count();
    assert!(missing > 0 && missing < results.len(), "{missing}");
    let comparison = &report["comparison"];
    assert_eq!(comparison["disagreements"]["unanswered"], missing);
    assert_eq!(comparison["compared"], results.len() - missing);
    assert_eq!(comparison["agreement"]["of"], results.len() - missing);
    let test = &comparison["test"];
    let cells = ["both_right", "improved", "regressed", "both_wrong"].map(|cell| test[cell].as_u64());
    assert_eq!(cells.iter().flatten().sum::<u64>(), (results.len() - missing) as u64, "{test}");
    for answer in report["answers"].as_array().expect("answers") {
        let result = results.iter().find(|result| result["id"] == answer["id"]).expect("the phrase");
        assert_eq!(answer["disagreement"] == "unanswered", result["level"].is_null(), "{answer}");
    }
    assert!(ended.stdout.contains("unanswered by the target, so not compared"), "{}", ended.stdout);
}

#[test]
fn a_phrase_with_earlier_messages_is_left_out_and_that_is_said() {
    let place = Place::new();
    let phrases = |history: &str| {
        let one =
            "category: calm\nexpected: [none]\nphrases:\n  - {id: a, text: good morning, history: [die]}\n";
        place.file("calm.yaml", format!("{one}{history}"));
        let gate = ["--gate", "reference_agreement >= 0%"];
        place.thrash(["run", "calm.yaml", "--reference", &model(), "--engine", "rten"].iter().chain(&gate))
    };
    let ended = phrases("  - {id: b, text: lovely day}\n");
    let record = place.latest();
    let report = &record["reference"]["answered"];
    assert_eq!((report["planned"].as_u64(), report["answers"].as_array().map(Vec::len)), (Some(1), Some(1)));
    assert_eq!(report["comparison"]["compared"], 1);
    assert_eq!(report["answers"][0]["id"], "b");
    // What it says of half of them is nothing that a gate could pass on.
    let checks = record["verdict"]["checks"].as_array().expect("checks");
    let check = checks.iter().find(|check| check["metric"] == "reference_agreement").expect("the check");
    assert_eq!(check["outcome"], "inconclusive", "{check}");
    assert!(check["reason"].to_string().contains("reads 1 of 2 phrases"), "{check}");
    assert!(ended.stdout.contains("1 phrase was left out: they have earlier messages"), "{}", ended.stdout);
    let ended = phrases("");
    assert!(ended.stdout.contains("every phrase has earlier messages"), "{}", ended.stdout);
}

#[test]
fn a_wait_that_was_over_is_named_and_how_far_the_reference_came() {
    let place = Place::new();
    let suite = place.easy_suite();
    place.file("thrash.yaml", "reference: {wait: 0ms}\n");
    // Golden phrases enough for loading to last longer than two answers of the target.
    let slow = copy("classify");
    let golden = "- {text: good morning everyone, scores: [0.72027, 0.06233, 0.07282, 0.06553, 0.07905]}\n";
    std::fs::write(slow.path().join("thrash.yaml"), format!("golden:\n{}", golden.repeat(4000)))
        .expect("written");
    let path = slow.path().display().to_string();
    place.thrash(["run", suite, "--reference", &path, "--engine", "rten"]);
    let reason = place.latest()["reference"]["missing"]["reason"].to_string();
    assert!(reason.contains("`reference.wait` of 0s was over before it "), "{reason}");
    assert!(reason.contains("was loaded") || reason.contains("had answered anything"), "{reason}");
}

#[test]
fn a_card_that_is_not_there_is_told_and_nothing_falls_back() {
    let place = Place::new();
    let suite = place.easy_suite();
    let library = library().display().to_string();
    let run = |engine: &str| {
        place.thrash_with(
            &[("ORT_DYLIB_PATH", &library)],
            ["run", suite, "--reference", &model(), "--engine", engine, "--device", "cuda"],
        )
    };
    for (engine, why) in [
        ("auto", "was built without CUDA"),
        ("ort", "was built without CUDA"),
        ("rten", "rten runs on the processor only"),
    ] {
        let ended = run(engine);
        let shown = ended.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(shown.contains("device `cuda` cannot be used") && shown.contains(why), "{}", ended.stdout);
        assert!(place.latest()["reference"]["missing"].is_object());
    }
    let wrong = place.thrash(["quick", "--device", "gpu"]).exits(2);
    wrong.complains(&["`gpu` is not one of auto, cpu, cuda, tensorrt"]);
    place
        .thrash(["quick", "--engine", "tract"])
        .exits(2)
        .complains(&["`tract` is not one of auto, ort, rten"]);
}

#[test]
fn onnx_runtime_is_used_where_it_is_and_named() {
    let place = Place::new();
    let suite = place.easy_suite();
    let library = library().display().to_string();
    let args = ["run", suite, "--reference", &model()];
    place.thrash_with(&[("ORT_DYLIB_PATH", &library)], args);
    let model = &place.latest()["reference"]["answered"]["model"];
    assert_eq!(model["engine"], "ONNX Runtime 1.31.1");
    assert!(model["nodes"]["CPUExecutionProvider"].as_u64().is_some_and(|nodes| nodes > 0), "{model}");
}

#[test]
fn without_a_wish_the_built_in_model_is_asked_if_there_is_one() {
    let place = Place::new();
    let has_one = thrash::reference::ModelSource::has_builtin();
    let (_, record) = quick(&place, &["--engine", "rten"]);
    assert_eq!(record.get("reference").is_some(), has_one);
    let (ended, record) = quick(&place, &["--reference", "builtin", "--engine", "rten"]);
    if has_one {
        assert_eq!(record["reference"]["answered"]["answers"].as_array().map(Vec::len), Some(25));
    } else {
        assert!(ended.stdout.contains("no reference model is inside this program"), "{}", ended.stdout);
    }
}
