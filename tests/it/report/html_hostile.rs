//! Words from phrase files and services that want to be more than words.

use proptest::prelude::*;
use thrash::domain::{Answer, Estimate, LatencyReport, NoAnswer, NoAnswerReason, RunRecord, Violation};
use thrash::report::{Format, RenderOptions, render};

use super::extras::with_words;
use super::html::{dangers, page, whole};
use crate::support::html::Html;
use crate::support::sample::Sample;

/// What would run, load, end an element or turn the text around it, if it got the chance.
const HOSTILE: [&str; 14] = [
    "<script>alert(1)</script>",
    "</script><script>alert(1)</script>",
    "</style><img src=x onerror=alert(1)>",
    "\" onmouseover=\"alert(1)",
    "' onfocus='alert(1)' autofocus='",
    "<!--<script>",
    "--><iframe src=\"https://elsewhere.example\">",
    "]]></title></svg><svg onload=alert(1)>",
    "javascript:alert(1)",
    "&lt;b&gt; &amp; &#x202e; &quot;",
    "\u{202e}txt.exe\u{2066}\u{200f}\u{061c}",
    "nul \0 bell \u{7} escape \u{1b}[31m delete \u{7f} c1 \u{9b}",
    "\u{fdd0}\u{fffe}\u{1ffff}\u{feff}\u{2028}\u{2029}\r\n\t",
    "%00%3Cscript%3E#show=all&q=</a>{{}}${x}`",
];

/// A record with everything in it, whose every word from outside is this one.
pub(super) fn with_word(word: &str) -> RunRecord {
    let next = || word.to_owned();
    let mut record = with_words(whole().0, word);
    record.suite.selection.categories = vec![next()];
    (record.tool.version, record.tool.commit) = (next(), Some(next()));
    (record.host.os, record.host.arch) = (next(), next());
    record.configuration = [(next(), next())].into();
    record.integrity.violations = vec![Violation { phrase: next(), repeat: 0, invariant: next() }];
    for result in &mut record.results {
        (result.language, result.pair, result.seed_of) = (Some(next()), Some(next()), Some(next()));
        for seen in &mut result.observations {
            seen.violations = vec![next()];
            match &mut seen.answer {
                Answer::Prediction(prediction) => {
                    (prediction.label, prediction.version) = (next(), Some(next()));
                }
                Answer::NoAnswer(none) => {
                    *none = NoAnswer { reason: NoAnswerReason::Malformed, detail: next() };
                }
            }
        }
    }
    for check in &mut record.verdict.checks {
        check.slice = Some(next());
    }
    for waiver in record.waivers.iter_mut().flat_map(|report| &mut report.waivers) {
        waiver.phrase = next();
    }
    record
}

/// The elements of a page and the names of their attributes.
fn shape(html: &Html) -> Vec<String> {
    let elements = html.elements().iter();
    elements
        .map(|element| {
            let names: Vec<&str> = element.attributes.iter().map(|(name, _)| name.as_str()).collect();
            format!("{} {}", element.tag, names.join(" "))
        })
        .collect()
}

#[track_caller]
fn is_harmless(html: &Html, word: &str) {
    assert_eq!(html.errors, [""; 0], "{word:?}");
    assert_eq!(dangers(html), [""; 0], "{word:?}");
    assert!(html.all("script").count() == 2 && html.all("style").count() == 1, "{word:?}");
    let root = html.all("html").next().expect("a root");
    let everything = format!("{}{}", root.text, html.data());
    let deceives = |c: char| {
        (c.is_control() && c != '\n')
            || matches!(c, '\u{200e}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{61c}')
    };
    assert_eq!(everything.chars().find(|c| deceives(*c)), None, "{word:?}");
}

#[test]
fn words_from_outside_stay_words_in_every_place() {
    let tame = page(&with_word("tame"));
    is_harmless(&tame, "tame");
    for word in HOSTILE {
        let html = page(&with_word(word));
        is_harmless(&html, word);
        assert!(shape(&html) == shape(&tame), "{word:?} makes another page");
        assert_eq!(html.policy(), tame.policy(), "{word:?} changes the policy");
    }
}

#[test]
fn words_are_shown_as_they_are() {
    for word in &HOSTILE[..10] {
        let html = page(&with_word(word));
        assert!(html.all("q").all(|phrase| phrase.text == *word), "{word:?}");
        let rows = html.data()["rows"].as_array().expect("rows").clone();
        assert!(!rows.is_empty() && rows.iter().all(|row| row[10] == *word), "{word:?}");
    }
}

#[test]
fn a_megabyte_of_anything_stays_small_on_the_page() {
    for word in
        ["<".repeat(1 << 20), "\u{1b}".repeat(1 << 20), "漢".repeat(350_000), "</script>".repeat(120_000)]
    {
        let record = with_word(&word);
        let bytes = render(Format::Html, &record, &RenderOptions::default()).expect("it renders");
        assert!(bytes.len() < 300_000, "{} bytes", bytes.len());
        let html = Html::parse(&bytes);
        is_harmless(&html, &word[..3]);
        let said = &html.id("failures").text;
        let rows = html.data().to_string();
        assert!(
            said.contains("characters in all)") || rows.contains("characters in all)"),
            "it says what it left out"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_word_makes_another_page(word in prop_oneof![any::<String>(), "[<>&\"'/=!a\\-\u{202e}\u{0}\u{fdd0} ]{0,60}"]) {
        is_harmless(&page(&with_word(&word)), &word);
    }

    #[test]
    fn odd_numbers_break_nothing(number: f64) {
        let mut record = whole().0;
        let odd = Some(number);
        record.metrics.accuracy.value = odd;
        record.metrics.accuracy.wilson = Some([number, number]);
        record.metrics.lift = odd;
        record.metrics.scores.kappa_quadratic = Some(Estimate { value: number, lower: odd, upper: odd });
        record.metrics.confusion.truncate(3);
        record.metrics.confusion[0].truncate(2);
        record.latency = LatencyReport { count: 1, p50_ms: odd, max_ms: odd, ..LatencyReport::default() };
        for result in &mut record.results[..5] {
            result.observations.clear();
        }
        for seen in record.results.iter_mut().flat_map(|result| &mut result.observations) {
            seen.latency_ms = number;
            if let Answer::Prediction(prediction) = &mut seen.answer {
                prediction.score = odd;
            }
        }
        for check in &mut record.verdict.checks {
            (check.value, check.interval) = (odd, Some([number, number]));
        }
        let html = page(&record);
        prop_assert!(html.errors.is_empty(), "{:?}", html.errors);
        for element in html.elements().iter().filter(|element| element.tag != "script") {
            for (name, value) in &element.attributes {
                prop_assert!(!value.contains("NaN") && !value.contains("inf"), "{} {name}={value}", element.tag);
            }
        }
    }
}

#[test]
fn an_empty_run_and_one_without_answers_are_pages_too() {
    for sample in [Sample::empty(), Sample::target_down()] {
        let mut record = sample.record();
        record.verdict.checks.clear();
        let html = page(&record);
        assert_eq!(html.errors, [""; 0]);
        assert!(html.id("gates").text.contains("There is no gate, so nothing could pass."));
    }
}
