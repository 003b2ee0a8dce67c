//! Suites and selections, as laws.

use std::collections::BTreeMap;
use std::fmt::Write;

use proptest::prelude::*;
use thrash::domain::{Level, Phrase, Polarity, Selection, SliceKind};
use thrash::suite::{Catalog, Suite};

use crate::support::command::Place;

/// A suite with so many phrases in each category.
fn suite(place: &Place, sizes: &[usize]) -> Suite {
    for (i, size) in sizes.iter().enumerate() {
        let mut text = format!("category: c{i}\nexpected: [high]\nphrases:\n");
        for n in 0..*size {
            let _ = writeln!(text, "  - {{id: c{i}-{n}, text: phrase {n} of {i}, tags: [t{}]}}", n % 3);
        }
        place.file(&format!("s/c{i}.yaml"), text);
    }
    let folder = place.path().join("s").display().to_string();
    Catalog::shipped().load(&[folder], None).expect("a suite")
}

fn ids(suite: &Suite) -> Vec<&str> {
    suite.phrases.iter().map(|phrase| phrase.id.as_str()).collect()
}

fn by_category(phrases: &[Phrase]) -> BTreeMap<&str, usize> {
    let mut counts = BTreeMap::new();
    for phrase in phrases {
        *counts.entry(phrase.category.as_str()).or_default() += 1;
    }
    counts
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn a_stratified_draw_keeps_shares_order_and_its_promise(
        sizes in prop::collection::vec(1_usize..40, 1..8),
        limit in 1_usize..200,
        seed: u64,
    ) {
        let place = Place::new();
        let whole = suite(&place, &sizes);
        let total = whole.phrases.len();
        let selection = Selection { limit: Some(limit), seed, ..Selection::default() };
        let drawn = whole.clone().select(&selection).unwrap();

        prop_assert_eq!(drawn.phrases.len(), limit.min(total), "exactly as many as asked, or all");
        // Every category has its share, rounded down or up.
        let counts = by_category(&drawn.phrases);
        for (i, size) in sizes.iter().enumerate() {
            let drawn = counts.get(format!("c{i}").as_str()).copied().unwrap_or(0);
            let share = size * limit.min(total) / total;
            prop_assert!((share..=share + 1).contains(&drawn), "{} of {} in c{}, {} asked of {}", drawn, size, i, limit, total);
        }
        // The order is the suite's.
        let before = ids(&whole);
        let places: Vec<usize> = ids(&drawn).iter().map(|id| before.iter().position(|known| known == id).unwrap()).collect();
        prop_assert!(places.is_sorted());
        // The same seed draws the same, and the record says what was drawn.
        prop_assert_eq!(&whole.clone().select(&selection).unwrap(), &drawn);
        prop_assert_eq!(drawn.record.selected, drawn.phrases.len());
        prop_assert_eq!(drawn.record.available, total);
        prop_assert_eq!(&drawn.record.hash, &whole.record.hash);
        prop_assert_eq!(drawn.record.selection_hash == whole.record.hash, limit >= total);
        // Only categories that still have phrases remain.
        prop_assert_eq!(drawn.categories.len(), counts.len());
    }

    #[test]
    fn filters_keep_exactly_what_they_name(sizes in prop::collection::vec(3_usize..12, 2..6), tag in 0_usize..3) {
        let place = Place::new();
        let whole = suite(&place, &sizes);
        let selection = Selection {
            categories: vec!["c0".to_owned(), "c1".to_owned()],
            tags: vec![format!("t{tag}")],
            ..Selection::default()
        };
        let kept = whole.clone().select(&selection).unwrap();
        let expected: Vec<&str> = whole
            .phrases
            .iter()
            .filter(|phrase| ["c0", "c1"].contains(&phrase.category.as_str()) && phrase.tags == [format!("t{tag}")])
            .map(|phrase| phrase.id.as_str())
            .collect();
        prop_assert_eq!(ids(&kept), expected);
    }
}

#[test]
fn what_is_left_after_whole_shares_goes_to_the_largest_remainders() {
    let place = Place::new();
    let whole = suite(&place, &[10, 10, 5]);
    for (limit, shares) in [(3, [1, 1, 1]), (4, [2, 1, 1]), (6, [3, 2, 1]), (1, [1, 0, 0])] {
        let selection = Selection { limit: Some(limit), ..Selection::default() };
        let drawn = whole.clone().select(&selection).unwrap();
        let counts = by_category(&drawn.phrases);
        let found = ["c0", "c1", "c2"].map(|category| counts.get(category).copied().unwrap_or(0));
        assert_eq!(found, shares, "of {limit}");
    }
}

#[test]
fn another_seed_draws_otherwise() {
    let place = Place::new();
    let whole = suite(&place, &[30, 30]);
    let draw = |seed| {
        let selection = Selection { limit: Some(20), seed, ..Selection::default() };
        ids(&whole.clone().select(&selection).unwrap()).join(" ")
    };
    assert_ne!(draw(1), draw(2));
}

#[test]
fn a_selection_that_leaves_nothing_or_names_nothing_is_an_error() {
    let place = Place::new();
    let whole = suite(&place, &[3, 1]);
    let error = |selection: &Selection| whole.clone().select(selection).unwrap_err().to_string();
    let unknown = Selection { categories: vec!["c9".to_owned()], ..Selection::default() };
    assert!(error(&unknown).contains("the category `c9`"), "{}", error(&unknown));
    let nothing =
        Selection { categories: vec!["c1".to_owned()], tags: vec!["t2".to_owned()], ..Selection::default() };
    assert!(error(&nothing).contains("nothing of suite"), "{}", error(&nothing));
    let none = Selection { limit: Some(0), ..Selection::default() };
    assert!(error(&none).contains("nothing of suite"), "{}", error(&none));
    assert!(whole.check_slice(SliceKind::Tag, "t0").is_ok());
    assert!(
        whole
            .check_slice(SliceKind::Language, "fr")
            .unwrap_err()
            .hint()
            .unwrap()
            .contains("no language at all")
    );
}

#[test]
fn the_content_hash_follows_content_and_not_order_or_place() {
    let load = |text: &str, name: &str| {
        let place = Place::new();
        let path = place.file(name, text).display().to_string();
        Catalog::shipped().load(&[path], None).expect("a suite").record.hash
    };
    let one = "  - {id: a, text: one}\n";
    let two = "  - {id: b, text: two}\n";
    let head = "category: c\nexpected: [high]\nphrases:\n";
    let hash = load(&format!("{head}{one}{two}"), "x.yaml");
    assert_eq!(hash, load(&format!("# a comment\n{head}{two}{one}"), "y.yaml"));
    for other in [
        format!("{head}{one}"),
        format!("{head}{one}{}", two.replace("two", "three")),
        format!("{head}{one}{}", two.replace('}', ", history: [before]}")),
        format!("{head}{one}{}", two.replace('}', ", expected: [low]}")),
        format!("{head}{one}{}", two.replace('}', ", must_pass: true}")),
        format!("escalation: 1\n{head}{one}{two}").replace("[high]", "[medium]"),
    ] {
        assert_ne!(hash, load(&other, "x.yaml"), "{other}");
    }
}

#[test]
fn the_shipped_suites_are_sound() {
    let catalog = Catalog::shipped();
    let names: Vec<String> = catalog.names().unwrap().into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["comprehensive", "quick"]);
    let load = |name: &str| catalog.load(&[name.to_owned()], None).unwrap();
    let (quick, comprehensive) = (load("quick"), load("comprehensive"));
    assert_eq!(quick.phrases.len(), 25);
    assert!(comprehensive.phrases.len() >= 350);
    for side in [Polarity::Negative, Polarity::Positive] {
        let found =
            quick.phrases.iter().filter(|phrase| phrase.expected.polarity(Level::Low) == side).count();
        assert!(found >= 5, "{found} phrases of quick are {side:?}");
    }
    for category in &comprehensive.categories {
        assert!(category.target_accuracy.is_some(), "`{}` asks for nothing", category.name);
    }
}

/// Everything that a person could type between the lines of a file must end as a message without the texts.
mod broken {
    use super::*;

    const MARKER: &str = "zzmarkerzz";

    fn line() -> impl Strategy<Value = String> {
        let indent = prop::sample::select(vec!["", " ", "  ", "    ", "      ", "\t", "  - ", "- "]);
        let key = prop::sample::select(vec![
            "text: ",
            "history: ",
            "note: ",
            "id: ",
            "tags: ",
            "expected: ",
            "phrases: ",
            "nope: ",
            "- ",
            "",
            "? ",
            "text: |",
            "text: >-",
            "\"text\": ",
            "{text: ",
            "[",
        ]);
        let value = prop::sample::select(vec![
            "zzmarkerzz",
            "a: zzmarkerzz",
            "[zzmarkerzz",
            "\"zzmarkerzz",
            "'zzmarkerzz it's",
            "*zzmarkerzz",
            "&zzmarkerzz x",
            "!zzmarkerzz x",
            "{zzmarkerzz: 1}",
            "%zzmarkerzz",
            "@zzmarkerzz",
            "`zzmarkerzz`",
            "zzmarkerzz # x",
            "zzmarkerzz: }",
            "\"zzmarkerzz\" \"x\"",
            "- zzmarkerzz",
        ]);
        // Where the word stands as a label, a name or a number it is no text.
        (indent, key, value).prop_map(|(indent, key, value)| format!("{indent}{key}{value}\n")).prop_filter(
            "a text",
            |line| {
                let labels = ["id: ", "tags: ", "expected: "];
                !labels.iter().any(|label| line.contains(label))
            },
        )
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(600))]

        #[test]
        fn no_message_holds_a_text(lines in prop::collection::vec(line(), 1..5), good in any::<bool>()) {
            let place = Place::new();
            let mut text = "category: c\nexpected: [high]\nphrases:\n  - id: a\n".to_owned();
            if good {
                text.push_str("    text: x\n");
            }
            text.push_str(&lines.concat());
            let path = place.file("f.yaml", &text).display().to_string();
            if let Err(error) = Catalog::shipped().load(&[path], None) {
                let message = format!("{error}{}", error.hint().unwrap_or_default());
                // A key is named, because it is none; a text cannot be one and the other.
                let as_key = message.contains(&format!("unknown key `{MARKER}`"));
                prop_assert!(as_key || !message.contains(MARKER), "{}\n---\n{}", text, message);
            }
        }
    }
}
