//! The scheme `folded-1` against the vectors that the Python of `docs/reference.md` makes.

use serde_json::Value;
use thrash::reference::{CharacterScheme, SchemeName, fold};

fn scheme() -> CharacterScheme {
    CharacterScheme { scheme: SchemeName::Folded1, buckets: 1024, length: 256, step: 128 }
}

fn vectors(kind: &str) -> Vec<Value> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/reference/characters.json");
    let text = std::fs::read_to_string(path).expect("the vectors");
    let vectors: Value = serde_json::from_str(&text).expect("JSON");
    let vectors = vectors[kind].as_array().expect("a list").clone();
    assert!(!vectors.is_empty());
    vectors
}

fn text(vector: &Value) -> &str {
    vector["text"].as_str().expect("a text")
}

fn size(vector: &Value, key: &str) -> usize {
    usize::try_from(vector[key].as_u64().expect("a number")).expect("small")
}

#[test]
fn text_folds_and_becomes_the_numbers_that_python_makes() {
    for vector in vectors("folded") {
        assert_eq!(fold(text(&vector)), vector["folded"].as_str().expect("a text"));
        assert_eq!(serde_json::json!(scheme().windows(text(&vector))[0]), vector["ids"], "{vector}");
    }
    for vector in vectors("buckets") {
        let scheme =
            CharacterScheme { buckets: u32::try_from(size(&vector, "buckets")).expect("small"), ..scheme() };
        assert_eq!(serde_json::json!(scheme.windows(text(&vector))[0]), vector["ids"], "{vector}");
    }
}

#[test]
fn a_long_text_is_seen_whole_in_windows_and_the_last_one_ends_with_it() {
    for vector in vectors("windows") {
        let scheme =
            CharacterScheme { length: size(&vector, "length"), step: size(&vector, "step"), ..scheme() };
        assert_eq!(serde_json::json!(scheme.windows(text(&vector))), vector["windows"], "{vector}");
    }
}

proptest::proptest! {
    #[test]
    fn any_text_gives_windows_that_fit_the_model(text in "\\PC{0,600}") {
        let windows = scheme().windows(&text);
        proptest::prop_assert!(!windows.is_empty());
        for window in windows {
            proptest::prop_assert!(!window.is_empty() && window.len() <= 256);
            proptest::prop_assert!(window.iter().all(|number| (2..1024).contains(number)));
        }
    }

    #[test]
    fn folding_twice_is_folding_once(text in "[a-zA-Z‘’“”…—ﬁÀ-ÿ\\s!]{0,40}") {
        let once = fold(&text);
        proptest::prop_assert_eq!(fold(&once), once);
    }
}
