//! Laws that hold for every phrase, kind and seed.

use std::collections::HashSet;

use proptest::prelude::*;
use thrash::domain::{Expectation, Level, PerturbationGroup, PerturbationKind as Kind, Phrase, Variant};
use thrash::suite::Catalog;
use thrash::suite::perturb::{Kinds, fold, perturb, variants};

use super::phrase;

const NEGATIONS: [&str; 5] = ["not", "never", "nothing", "can't", "without"];

/// What else stands between words.
const ODD: [&str; 12] =
    ["i'm", "don’t", "köln", "3.5", "@you", "#tag", "https://a.b/c", "💀", ":(", "…", "她", "GG"];

/// Sentences as people type them: words of every kind, some punctuation, some emoji.
fn texts() -> impl Strategy<Value = String> {
    let word = prop_oneof![
        8 => "[a-z]{1,10}",
        2 => "[A-Z][a-z]{2,7}",
        1 => prop::sample::select(NEGATIONS.to_vec()).prop_map(str::to_owned),
        1 => prop::sample::select(ODD.to_vec()).prop_map(str::to_owned),
        1 => prop::sample::select(vec!["sister", "he's", "her", "gay", "a", "Muslim", "trans"]).prop_map(str::to_owned),
    ];
    let mark = prop::sample::select(vec!["", "", "", "", ",", ".", "!", "?", "..."]);
    prop::collection::vec((word, mark), 1..25).prop_map(|words| {
        words.into_iter().map(|(word, mark)| format!("{word}{mark}")).collect::<Vec<_>>().join(" ")
    })
}

/// Anything at all.
fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![3 => texts(), 1 => any::<String>()]
}

fn kinds() -> impl Strategy<Value = Kind> {
    prop::sample::select(Kind::ALL.to_vec())
}

fn of(text: &str) -> Phrase {
    phrase("p", text, Level::High)
}

fn squeezed(text: &str) -> String {
    let chars: Vec<char> = text.to_lowercase().chars().collect();
    chars.chunk_by(|a, b| a == b).map(|run| run[0]).collect()
}

fn letters(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace()).collect()
}

/// Edits between two words, a transposition being one.
fn edits(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut row: Vec<Vec<usize>> = vec![(0..=b.len()).collect()];
    for i in 1..=a.len() {
        row.push(vec![i]);
        for j in 1..=b.len() {
            let change = row[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut least = change.min(row[i - 1][j] + 1).min(row[i][j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                least = least.min(row[i - 2][j - 2] + 1);
            }
            row[i].push(least);
        }
    }
    row[a.len()][b.len()]
}

/// What undoes a variant, or nothing where only reading does.
fn check_restored(variant: &Variant, text: &str) {
    let made = variant.text.as_str();
    match variant.kind {
        Kind::CaseUpper | Kind::CaseLower => assert_eq!(made.to_lowercase(), text.to_lowercase()),
        Kind::ZeroWidth
        | Kind::SoftHyphen
        | Kind::Rtl
        | Kind::FullWidth
        | Kind::Homoglyph
        | Kind::Combining => {
            assert_eq!(fold(made), text);
        }
        Kind::SpaceAdd | Kind::SpaceDrop => assert_eq!(letters(made), letters(text)),
        Kind::Elongate | Kind::Double => assert_eq!(squeezed(made), squeezed(text)),
        Kind::Emoji | Kind::FillerAfter | Kind::Intensify | Kind::Resolve | Kind::Lol => {
            assert!(made.starts_with(text.trim_end()));
        }
        Kind::Prefix | Kind::FillerBefore => assert!(made.ends_with(text)),
        Kind::Typo | Kind::Swap | Kind::Delete => {
            let slips: usize =
                made.split(' ').zip(text.split(' ')).map(|(made, word)| edits(made, word)).sum();
            let allowed = (text.split_whitespace().count() / 5).clamp(1, 3);
            assert!((1..=allowed).contains(&slips), "{slips} slips");
        }
        Kind::Leet => assert_eq!(made.chars().count(), text.chars().count()),
        Kind::Punctuation => {
            let spoken = |text: &str| text.chars().filter(|c| c.is_alphanumeric()).collect::<String>();
            assert_eq!(spoken(made), spoken(text));
        }
        Kind::Identity => assert_eq!(made.split(' ').count(), text.split(' ').count()),
    }
}

proptest! {
    #[test]
    fn a_variant_depends_on_its_seed_phrase_kind_and_index_alone(
        text in any_text(),
        kind in kinds(),
        index in 0_u32..4,
        seed: u64,
    ) {
        let first = perturb(&of(&text), kind, index, seed);
        prop_assert_eq!(&first, &perturb(&of(&text), kind, index, seed));
        let others = [of("a phrase before it"), of(&text)];
        let alone = variants([&others[1]], &Kinds::all(), 9, seed);
        let mut among = variants(&others, &Kinds::all(), 9, seed);
        among.drain(..among.len() - alone.len());
        prop_assert_eq!(alone, among);
    }

    #[test]
    fn a_variant_is_never_its_phrase_nor_much_longer(
        text in any_text(),
        kind in kinds(),
        index in 0_u32..4,
        seed: u64,
    ) {
        if let Some(variant) = perturb(&of(&text), kind, index, seed) {
            prop_assert_ne!(&variant.text, &text);
            prop_assert!(!variant.text.trim().is_empty());
            let (made, length) = (variant.text.chars().count(), text.chars().count());
            prop_assert!(made <= 2 * length + 64, "{} from {}", made, length);
            prop_assert!(2 * made + 4 >= length, "{} from {}", made, length);
            prop_assert_eq!(variant.expectation, kind.expectation());
        }
    }

    #[test]
    fn a_variant_can_be_turned_back(text in texts(), kind in kinds(), index in 0_u32..4, seed: u64) {
        let text: String = text.chars().filter(char::is_ascii).collect();
        if let Some(variant) = perturb(&of(&text), kind, index, seed) {
            check_restored(&variant, &text);
        }
    }

    #[test]
    fn dodges_are_undone_by_folding_and_cases_by_lower_case(
        text in any_text(),
        kind in kinds(),
        index in 0_u32..4,
        seed: u64,
    ) {
        let lower = |text: &str| text.chars().flat_map(char::to_lowercase).collect::<String>();
        if let Some(variant) = perturb(&of(&text), kind, index, seed) {
            match kind {
                Kind::CaseUpper | Kind::CaseLower => prop_assert_eq!(lower(&variant.text), lower(&text)),
                _ if kind.group() == PerturbationGroup::Unicode => prop_assert_eq!(fold(&variant.text), fold(&text)),
                _ => {}
            }
        }
    }

    #[test]
    fn slips_spare_negations_and_short_words(text in texts(), seed: u64, index in 0_u32..4) {
        for kind in [Kind::Typo, Kind::Swap, Kind::Delete, Kind::Double, Kind::Leet] {
            let Some(variant) = perturb(&of(&text), kind, index, seed) else { continue };
            for (made, word) in variant.text.split(' ').zip(text.split(' ')) {
                let letters = word.chars().filter(|c| c.is_alphabetic()).count();
                if letters < 4 || NEGATIONS.contains(&word) || word.contains(['@', '#', '/', '\'']) {
                    prop_assert_eq!(made, word);
                }
            }
        }
    }

    #[test]
    fn variants_of_a_phrase_are_all_different_and_no_more_than_asked(
        text in any_text(),
        per_phrase in 0_usize..60,
        seed: u64,
    ) {
        let phrase = of(&text);
        let made = variants([&phrase], &Kinds::all(), per_phrase, seed);
        prop_assert!(made.len() <= per_phrase);
        let texts: HashSet<&str> = made.iter().map(|variant| variant.text.as_str()).chain([text.as_str()]).collect();
        prop_assert_eq!(texts.len(), made.len() + 1);
        let ids: HashSet<String> = made.iter().map(Variant::id).collect();
        prop_assert_eq!(ids.len(), made.len());
    }

    #[test]
    fn a_foreign_phrase_is_not_spoken_to_in_english(text in texts(), kind in kinds(), seed: u64) {
        let foreign = Phrase { language: Some("es-MX".to_owned()), ..of(&text) };
        if perturb(&foreign, kind, 0, seed).is_some() {
            let speechless = matches!(
                kind,
                Kind::CaseUpper | Kind::CaseLower | Kind::Emoji | Kind::Punctuation | Kind::ZeroWidth
                    | Kind::Homoglyph | Kind::FullWidth | Kind::SoftHyphen | Kind::Rtl
            );
            prop_assert!(speechless, "{}", kind);
        }
    }
}

#[test]
fn every_shipped_phrase_has_five_variants_and_each_kind_its_share() {
    let suite = Catalog::shipped().load(&["comprehensive".to_owned()], None).unwrap();
    let made = variants(&suite.phrases, &Kinds::all(), 5, 7);
    assert_eq!(made.len(), 5 * suite.phrases.len());
    for kind in Kind::ALL {
        let count = made.iter().filter(|variant| variant.kind == kind).count();
        assert!(count >= 10, "{count} of {kind}");
    }
    let directed = made.iter().filter(|variant| variant.kind.group() == PerturbationGroup::Direction).count();
    assert!(directed >= 60, "{directed}");
}

#[test]
fn a_kind_that_has_nothing_to_change_makes_nothing() {
    let none = |text: &str, kind| perturb(&of(text), kind, 0, 1).is_none();
    assert!(none("ALREADY LOUD", Kind::CaseUpper));
    assert!(none("already quiet", Kind::CaseLower));
    assert!(none("no, not me", Kind::Typo));
    assert!(none("word", Kind::SpaceDrop));
    assert!(none("nobody named here", Kind::Identity));
    assert!(none("她走了", Kind::ZeroWidth));
    assert!(none("...", Kind::Punctuation));
    assert!(none("my duck", Kind::Leet));
    assert!(perturb(&of("shouting"), Kind::CaseUpper, 1, 1).is_none(), "there is one upper case");
}

#[test]
fn direction_needs_a_phrase_that_can_move_that_way() {
    let made = |level, kind| perturb(&phrase("p", "some words of somebody", level), kind, 0, 1).is_some();
    for kind in [Kind::Intensify, Kind::Resolve] {
        assert!(!made(Level::Low, kind) && made(Level::Medium, kind), "{kind}");
    }
    assert!(!made(Level::Medium, Kind::Lol) && made(Level::High, Kind::Lol));
    assert_eq!(Kind::Lol.expectation(), Expectation::NotBelowBy(1));
}

#[test]
fn a_variant_is_sent_with_the_history_and_language_of_its_phrase() {
    let base = Phrase {
        history: vec!["earlier".to_owned()],
        language: Some("en-GB".to_owned()),
        must_pass: true,
        seed_of: Some("root".to_owned()),
        ..of("somebody wrote this")
    };
    let sent = perturb(&base, Kind::Typo, 2, 1).unwrap().phrase(&base);
    assert_eq!(sent.id, "p~typo.2");
    assert_eq!((&sent.history, &sent.language), (&base.history, &base.language));
    assert_eq!(sent.seed_of.as_deref(), Some("root"));
    assert!(!sent.must_pass, "a variant fails no run by itself");
    assert_ne!(sent.text, base.text);
}

#[test]
fn a_slip_does_not_make_another_word() {
    let text = "living could death think friend hoping right there help";
    let others = [
        "loving", "cold", "dearth", "thin", "fiend", "hopping", "night", "three", "thee", "hell", "heap",
        "held", "hole",
    ];
    for kind in [Kind::Typo, Kind::Swap, Kind::Delete, Kind::Double] {
        for index in 0..400 {
            let variant = perturb(&of(text), kind, index, 1).unwrap();
            let other = variant.text.split(' ').find(|word| others.contains(word));
            assert_eq!(other, None, "{kind}");
        }
    }
}
