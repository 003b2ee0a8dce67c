//! `thrash phrases check|stats|plan`, and variants of phrases in a run.

use serde_json::Value;

use crate::support::command::Place;

fn json(text: &str) -> Value {
    serde_json::from_str(text).expect("JSON")
}

#[test]
fn the_shipped_suites_are_accepted() {
    let place = Place::new();
    for suite in ["quick", "comprehensive"] {
        let ended = place.thrash(["phrases", "check", suite]).exits(0);
        assert!(ended.stdout.contains("accepted: suite"), "{}", ended.stdout);
    }
}

#[test]
fn the_shipped_suite_holds_what_it_claims() {
    let place = Place::new();
    let stats = json(&place.thrash(["phrases", "stats", "--json"]).exits(0).stdout);
    let least = [
        ("figurative_idiom", 36),
        ("gaming_slang", 36),
        ("sarcasm", 24),
        ("negated_risk", 22),
        ("resolved_past", 22),
        ("quoted_text", 26),
        ("topic_talk", 20),
        ("counter_speech", 20),
        ("identity_statement", 36),
        ("venting", 24),
        ("everyday", 20),
        ("homonym", 18),
        ("explicit_ideation", 36),
        ("passive_ideation", 28),
        ("self_harm", 20),
        ("veiled", 24),
        ("preparation", 20),
        ("third_person", 20),
        ("help_seeking", 16),
        ("masked_by_humour", 16),
        ("misspelt", 24),
        ("negation_keeps_risk", 14),
        ("lgbtqia_crisis", 24),
        ("code_switching", 20),
        ("buried_disclosure", 12),
        ("acute_distress", 20),
        ("ambiguous", 40),
        ("multi_turn", 24),
    ];
    for (capability, count) in least {
        let found = stats["capabilities"][capability].as_u64().unwrap_or(0);
        assert!(found >= count, "{capability}: {found} of {count}");
    }
}

#[test]
fn a_suite_that_a_constant_answer_passes_is_refused() {
    let place = Place::new();
    let texts =
        ["the kettle is on", "nobody came to the match", "rain again over the whole valley", "new shoes!"];
    let phrases: Vec<String> =
        texts.iter().enumerate().map(|(i, text)| format!("  - {{id: p-{i}, text: \"{text}\"}}\n")).collect();
    let phrases = phrases.concat();
    let file = place.file("all-none.yaml", format!("category: calm\nexpected: [none]\nphrases:\n{phrases}"));
    let ended = place.thrash(["phrases", "check", file.to_str().unwrap(), "--json"]).exits(2);
    let found = json(&ended.stdout);
    assert_eq!(found["accepted"], false);
    let kinds: Vec<&str> =
        found["findings"].as_array().unwrap().iter().filter_map(|f| f["kind"].as_str()).collect();
    assert!(kinds.contains(&"null_service_passes"), "{kinds:?}");
}

#[test]
fn near_duplicates_are_found_unless_they_are_linked() {
    let place = Place::new();
    let suite = |link: &str| {
        format!(
            "category: calm\nexpected: [none]\nphrases:\n  - {{id: a, text: \"my train was cancelled again this morning\"}}\n  \
             - {{id: b, text: \"my train was cancelled again this evening\"{link}}}\n"
        )
    };
    let kinds = |text: String| -> Vec<String> {
        let file = place.file("twins.yaml", text);
        let found = json(&place.thrash(["phrases", "check", file.to_str().unwrap(), "--json"]).stdout);
        let findings = found["findings"].as_array().unwrap().iter();
        findings.filter_map(|finding| finding["kind"].as_str().map(str::to_owned)).collect()
    };
    assert!(kinds(suite("")).contains(&"near_duplicate".to_owned()));
    assert!(!kinds(suite(", seed_of: a")).contains(&"near_duplicate".to_owned()));
}

#[test]
fn a_gate_that_the_suite_can_never_pass_is_refused_before_any_request() {
    let place = Place::new();
    let bound = "false_positive_rate <= 4% (bound 95%)";
    let ended = place.thrash(["phrases", "check", "quick", "--gate", bound]).exits(2);
    assert!(ended.stdout.contains("can never pass: 6 cases; it needs 74"), "{}", ended.stdout);
}

#[test]
fn a_plan_tells_what_gates_against_a_baseline_could_see() {
    let place = Place::new();
    let planned = |phrases: usize, gate: &str| -> Value {
        let lines: Vec<String> =
            (0..phrases).map(|i| format!("  - {{id: p-{i}, text: Number {i}}}\n")).collect();
        let lines = lines.concat();
        let file = place.file("s.yaml", format!("category: calm\nexpected: [none]\nphrases:\n{lines}"));
        let args = ["phrases", "plan", file.to_str().unwrap(), "--gate", gate, "--json"];
        json(&place.thrash(args).exits(0).stdout)["baseline_gates"][0].clone()
    };
    // The mid-p test: three new failures are chance, four are not; the power is the published one.
    let many = planned(350, "accuracy no_regression");
    assert_eq!((&many["seen_from"], &many["cases"]), (&4.into(), &350.into()));
    let power = many["chances"][1]["power"].as_f64().unwrap();
    assert!((power - 0.71).abs() < 0.01, "{power}");
    assert_eq!(planned(350, "accuracy no_regression (max 1 new failure)")["seen_from"], 2);
    assert_eq!(planned(350, "accuracy drop <= 2 points")["seen_from"], 8);
    // What could never fail cannot pass, and what asks for more cases neither.
    assert_eq!(planned(3, "accuracy no_regression")["seen_from"], 0);
    assert_eq!(planned(350, "accuracy no_regression (min 400 cases)")["seen_from"], 0);
    let checked =
        place.thrash(["phrases", "check", "quick", "--gate", "accuracy[definite_low] no_regression"]);
    assert!(checked.said().contains("can never pass"), "{}", checked.said());
    let page =
        place.thrash(["phrases", "plan", "comprehensive", "--gate-profile", "regression"]).exits(0).stdout;
    assert!(page.contains("accuracy drop <= 2 points"), "{page}");
}

#[test]
fn a_plan_gives_the_exact_acceptance_numbers() {
    let place = Place::new();
    let phrases: Vec<String> =
        (0..200).map(|i| format!("  - {{id: n-{i}, text: \"number {i}\"}}\n")).collect();
    let phrases = phrases.concat();
    let file = place.file("negatives.yaml", format!("category: calm\nexpected: [none]\nphrases:\n{phrases}"));
    let gate = "false_positive_rate <= 4% (bound 95%)";
    let args = ["phrases", "plan", file.to_str().unwrap(), "--gate", gate, "--json"];
    let plan = json(&place.thrash(args).exits(0).stdout);
    let planned =
        plan["gates"].as_array().unwrap().iter().find(|planned| planned["gate"] == gate).expect("the gate");
    // statistics: 3 of 200, passed with .981 at a true rate of 0.5 % and .858 at 1 %.
    assert_eq!(planned["allowed_errors"], 3);
    let chance = |i: usize| planned["chances"][i]["passes"].as_f64().unwrap();
    assert!((chance(0) - 0.981).abs() < 5e-4 && (chance(1) - 0.858).abs() < 5e-4);
}

#[test]
fn variants_are_sent_after_the_phrases_and_counted_apart() {
    let place = Place::new();
    let args = ["quick", "--perturb", "unicode,typo", "--perturb-per-phrase", "4", "--json", "-"];
    let record = json(&place.thrash(args).exits(1).stdout);
    let total = &record["perturbations"]["total"];
    assert_eq!(record["metrics"]["phrases"], 25);
    assert_eq!(record["results"].as_array().unwrap().len(), 25);
    assert!(total["variants"].as_u64().unwrap() > 50, "{total}");
    assert_eq!(total["unanswered"], 0);
    assert!(record["perturbations"]["kinds"]["typo"]["variants"].as_u64().unwrap() > 0);
    let again = json(&place.thrash(args).exits(1).stdout);
    assert_eq!(again["perturbations"], record["perturbations"], "the same texts every time");
}

#[test]
fn an_unknown_kind_of_variant_names_the_nearest() {
    let place = Place::new();
    place.thrash(["quick", "--perturb", "zero_widht"]).exits(2).complains(&["zero_width"]);
}
