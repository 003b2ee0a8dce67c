//! What a model learns from shares nothing with the suite that it is tested with.

use std::path::Path;

use serde_json::Value;

use crate::support::command::Place;

const PHRASES: &str = "category: c\nexpected: [high]\nphrases:\n  \
    - {id: kettle, text: My kettle whistles three tunes before breakfast.}\n  \
    - {id: later, text: ok, history: [The second giraffe has borrowed my umbrella again]}\n";

/// What a check of the suite finds to be shared with these files: kind, place, and the line of the phrase.
fn found(place: &Place, code: i32, from: &[&str]) -> Vec<(String, String, u64)> {
    place.file("s/c.yaml", PHRASES);
    let mut args = vec!["phrases", "check", "s", "--json"];
    args.extend(from.iter().flat_map(|name| ["--disjoint-from", name]));
    let ended = place.thrash(args).exits(code);
    assert!(
        !ended.said().contains("kettle whistles") && !ended.said().contains("giraffe has"),
        "{}",
        ended.said()
    );
    let found: Value = serde_json::from_str(&ended.stdout).expect("JSON");
    let shared = found["findings"].as_array().unwrap().iter().filter(|finding| finding.get("with").is_some());
    shared
        .map(|finding| {
            assert_eq!(finding["gravity"], "error");
            assert!(finding["with"]["file"].as_str().is_some_and(|file| file.starts_with("s/")), "{finding}");
            let place = format!("{}:{}", finding["file"].as_str().unwrap(), finding["line"]);
            (finding["kind"].as_str().unwrap().to_owned(), place, finding["with"]["line"].as_u64().unwrap())
        })
        .collect()
}

fn one(kind: &str, place: &str, line: u64) -> (String, String, u64) {
    (kind.to_owned(), place.to_owned(), line)
}

#[test]
fn the_same_text_a_near_duplicate_and_a_template_are_found_in_every_kind_of_file() {
    let place = Place::new();
    // Level, kind, text, as the reference model's phrases are; a lone quote swallows nothing.
    place.file(
        "t/a.tsv",
        "none\tx\ta calm \"evening\nhigh\tx\tMY KETTLE whistles three tunes before breakfast!!\nhigh\tx\tthe second giraffe has borrowed your umbrella again\n",
    );
    place.file("t/b.csv", "id,text,comment\n1,\"quiet,\nand long\",\"my kettle whistles three tunes before breakfast\"\n2,my kettle sings 3 tunes before breakfast,\n");
    place.file(
        "t/c.jsonl",
        "\n{\"text\": \"nothing alike\"}\n\"My kettle whistles three tunes before breakfast\"\n",
    );
    place.file("t/d.txt", "one two\nMy kettle whistles many tunes before lunch\nMy camera whistles three tunes before breakfast\n");
    place.file("t/e.yaml", "category: e\nexpected: [none]\nphrases:\n  - {id: e, text: OK}\n");
    place.file("t/ignored.md", "My kettle whistles three tunes before breakfast\n");
    assert_eq!(
        found(&place, 2, &["t"]),
        [
            one("shared_text", "t/a.tsv:2", 4),
            one("shared_nearly", "t/a.tsv:3", 5),
            one("shared_text", "t/c.jsonl:3", 4),
            one("shared_nearly", "t/d.txt:3", 4),
            one("shared_text", "t/e.yaml:4", 5),
        ]
    );
}

#[test]
fn a_template_is_six_words_or_more_that_differ_in_one() {
    let place = Place::new();
    let lines = [
        // Numbers are one word, whichever they are; one more word may differ.
        "we met 12 owls on extraordinarily windy hill 7",
        "we met 9 owls on icy hill 30",
        "we met nine owls on icy hill thirty",
        "i am so extraordinarily thirsty",
    ];
    place.file("t.txt", lines.join("\n"));
    place.file(
        "s/d.yaml",
        "category: d\nexpected: [none]\nphrases:\n  - {id: owls, text: we met 4 owls on ridiculously hill 1}\n  \
         - {id: owl-2, text: \"We met 100 owls, on unbelievably windy hill 2\"}\n  - {id: short, text: i am so tremendously thirsty}\n",
    );
    let found = found(&place, 2, &["t.txt"]);
    let of = |line: &str| {
        found
            .iter()
            .filter(|(_, place, _)| place == line)
            .map(|(kind, _, _)| kind.as_str())
            .collect::<Vec<_>>()
    };
    assert_eq!(of("t.txt:1").last(), Some(&"shared_template"), "{found:?}");
    assert_eq!(of("t.txt:2"), ["shared_template"], "{found:?}");
    assert!(of("t.txt:3").is_empty() && of("t.txt:4").is_empty(), "{found:?}");
}

#[test]
#[expect(clippy::print_stderr, reason = "whoever runs it must see that nothing was checked")]
fn what_the_reference_model_learns_from_shares_nothing_with_the_shipped_suites() {
    let training = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/reference/training");
    if !training.exists() {
        eprintln!("NOT CHECKED: nothing is trained yet in {}", training.display());
        return;
    }
    // From here on a folder that is missing or empty fails.
    let phrases = training.join("phrases");
    let phrases = phrases.to_str().expect("a path in UTF-8");
    let lines: usize = std::fs::read_dir(phrases)
        .unwrap_or_else(|error| panic!("{phrases}: {error}"))
        .map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap().lines().count())
        .sum();
    for suite in ["comprehensive", "quick"] {
        let ended =
            Place::new().thrash(["phrases", "check", suite, "--disjoint-from", phrases, "--json"]).exits(0);
        let found: Value = serde_json::from_str(&ended.stdout).expect("JSON");
        assert_eq!(found["others"], lines, "a line was not looked at");
    }
}

#[test]
fn a_folder_to_be_disjoint_from_that_is_missing_or_empty_is_no_proof() {
    let place = Place::new();
    place.file("s/c.yaml", PHRASES);
    place.file("empty/readme.md", "nothing to read\n");
    for folder in ["empty", "missing"] {
        let ended = place.thrash(["phrases", "check", "s", "--disjoint-from", folder]).exits(2);
        assert!(ended.stderr.contains(folder), "{}", ended.stderr);
    }
}
