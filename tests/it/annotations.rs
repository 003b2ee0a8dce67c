//! What people called the phrases: in files, in tables, and how far they agree.

use serde_json::{Value, json};

use crate::support::command::Place;

const HEAD: &str = "category: c\nexpected: [high]\nphrases:\n";

/// A suite of two files, so that it has both sides.
fn suite(place: &Place, annotations: &[&str]) -> String {
    let words = ["kettle", "giraffe", "umbrella", "violin", "mountain", "sparrow"];
    let phrase = |(i, annotations): (usize, &&str)| {
        format!("  - {{id: p-{i}, text: my {} is lost{annotations}}}\n", words[i])
    };
    let phrases: String = annotations.iter().enumerate().map(phrase).collect();
    place.file("s/high.yaml", format!("{HEAD}{phrases}")).parent().unwrap().display().to_string()
}

fn json_of(place: &Place, args: &[&str], code: i32) -> Value {
    serde_json::from_str(&place.thrash(args).exits(code).stdout).expect("JSON")
}

#[test]
fn a_list_and_a_map_say_the_same_to_statistics() {
    let place = Place::new();
    let listed =
        suite(&place, &[", annotations: [high, medium, null]", ", annotations: [low, low, low]", ""]);
    let lists = json_of(&place, &["phrases", "stats", &listed, "--json"], 0);
    let mapped = suite(
        &place,
        &[", annotations: {ann: high, ben: medium}", ", annotations: {ann: low, ben: low, cid: low}", ""],
    );
    let maps = json_of(&place, &["phrases", "stats", &mapped, "--json"], 0);
    assert_eq!(lists["human_agreement"], maps["human_agreement"]);
    assert_eq!(
        (&lists["human_agreement"]["phrases"], &lists["human_agreement"]["annotations"]),
        (&json!(2), &json!(5))
    );
    // krippendorff 0.9.0, ordinal.
    let alpha = lists["human_agreement"]["alpha"].as_f64().unwrap();
    assert!((alpha - 0.9).abs() < 1e-9, "{alpha}");
    let shown = place.thrash(["phrases", "stats", &mapped]).exits(0).stdout;
    assert!(shown.contains("Krippendorff's alpha 0.") && shown.contains("5 labels on 2 phrases"), "{shown}");
}

#[test]
fn what_is_no_level_is_refused_with_its_place() {
    let place = Place::new();
    for bad in [", annotations: [hihg]", ", annotations: {ann: 3}", ", annotations: high"] {
        let suite = suite(&place, &[bad]);
        let found = json_of(&place, &["phrases", "check", &suite, "--json"], 2);
        assert_eq!(
            (&found["findings"][0]["kind"], &found["findings"][0]["line"]),
            (&json!("invalid"), &json!(4)),
            "{bad}"
        );
    }
}

#[test]
fn labels_that_fewer_than_four_of_five_would_give_are_warned_of() {
    let place = Place::new();
    let suite = suite(
        &place,
        &[
            ", annotations: [high, high, high, high, medium]",
            ", annotations: [high, high, high, medium, medium]",
            // Two of three within the set that is expected, and then all.
            ", annotations: [high, high, medium]",
            ", annotations: [high, high, medium], expected: [medium, high]",
            // All agree, on something else than what is expected.
            ", annotations: [low, low, low]",
            ", annotations: []",
        ],
    );
    let found = json_of(&place, &["phrases", "check", &suite, "--json"], 2);
    let doubted: Vec<&str> = found["findings"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|finding| finding["kind"] == "annotators_disagree" && finding["gravity"] == "warning")
        .map(|finding| finding["message"].as_str().unwrap().split('`').nth(1).unwrap())
        .collect();
    assert_eq!(doubted, ["p-1", "p-2", "p-4"]);
    assert!(found.to_string().contains("3 of 5 annotators are within `high`"), "{found}");
}

#[test]
fn columns_of_annotators_are_imported_and_exported() {
    let place = Place::new();
    place.file("t.csv", "text,level,Ann B,ben\nokapi one,high,high,medium\nokapi two,low,,low\nokapi three,low,dunno,low|medium\n");
    let args = [
        "phrases",
        "import",
        "t.csv",
        "--out",
        "s",
        "--annotator-column",
        "Ann B",
        "--annotator-column",
        "ben",
    ];
    let told = place.thrash(args).exits(0).stdout;
    assert!(told.contains("2 annotations stand for no level"), "{told}");
    assert!(!told.contains("not read") && !told.contains("okapi"), "{told}");
    let rows = |format: &str, out: &str| {
        place.thrash(["phrases", "export", "s", "--format", format, "--out", out]).exits(0);
        std::fs::read_to_string(place.path().join(out)).unwrap()
    };
    let lines = rows("jsonl", "s.jsonl");
    let said = |text: &str| {
        let row = lines
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).unwrap())
            .find(|row| row["text"] == text);
        row.unwrap()["annotations"].clone()
    };
    assert_eq!(said("okapi one"), json!({"Ann B": "high", "ben": "medium"}));
    assert_eq!(said("okapi two"), json!({"ben": "low"}));
    assert_eq!(said("okapi three"), json!({}));
    assert!(rows("csv", "s.csv").contains("Ann B=high|ben=medium"));
    place.thrash(["phrases", "import", "missing.csv", "--out", "x", "--annotator-column", "cid"]).exits(2);
    place
        .thrash(["phrases", "import", "t.csv", "--out", "x", "--annotator-column", "bne"])
        .exits(2)
        .complains(&["no column `bne`", "did you mean `ben`?"]);
}

#[test]
fn a_run_holds_the_service_against_what_people_agree_on() {
    let place = Place::new();
    place.easy_suite();
    place.file(
        "easy/unclear.yaml",
        "category: unclear\nexpected: [none]\nphrases:\n  - {id: u-1, text: The tea is cold, annotations: [none, low]}\n  \
         - {id: u-2, text: The bus was late, annotations: [low, low]}\n",
    );
    let shown = place.thrash(["run", "easy"]).stdout;
    assert!(shown.contains("people agree with each other α = "), "{shown}");
    assert!(shown.contains("a service\n    cannot be asked to agree more"), "{shown}");
    assert_eq!(place.latest()["human_agreement"]["annotations"], 4);
    assert!(place.latest()["human_agreement"]["alpha"].as_f64().is_some());
    let without = place.thrash(["run", "easy/calm.yaml"]).stdout;
    assert!(!without.contains("people agree"), "{without}");
}
