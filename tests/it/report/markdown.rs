//! Markdown, read as GitHub reads it.

use markdown::{CompileOptions, Constructs, Options, ParseOptions};
use proptest::prelude::*;
use thrash::domain::{BaselineRecord, Conclusion, ReferenceRecord, RunRecord, RunVerdict, TextPolicy};
use thrash::report::{Format, RenderOptions, render, render_comparison_markdown};

use super::extras::{self, comparison, hostile, rich, with_words};
use super::terminal::assert_snapshot;
use crate::support::sample::Sample;

fn markdown(record: &RunRecord) -> String {
    let options = RenderOptions { text: Some(TextPolicy::Full), ..RenderOptions::default() };
    String::from_utf8(render(Format::Markdown, record, &options).expect("it renders")).expect("UTF-8")
}

fn compared(record: &RunRecord) -> String {
    render_comparison_markdown(&comparison(record), &record.verdict)
}

/// As HTML: GitHub's dialect, with links by themselves and HTML let through, so that what gets through shows.
fn html(markdown: &str) -> String {
    let constructs = Constructs { math_text: true, math_flow: true, ..Constructs::gfm() };
    let options = Options {
        parse: ParseOptions { constructs, ..ParseOptions::gfm() },
        compile: CompileOptions { allow_dangerous_html: true, ..CompileOptions::gfm() },
    };
    markdown::to_html_with_options(markdown, &options).expect("Markdown without MDX has no errors")
}

/// The elements, in their order, closing ones and attributes left out.
fn elements(html: &str) -> Vec<&str> {
    let opened = html.split('<').skip(1).filter(|rest| !rest.starts_with('/'));
    opened.map(|rest| rest.split([' ', '>', '\n']).next().unwrap_or_default()).collect()
}

/// What stands outside of code, where GitHub looks for mentions and references.
fn outside_of_code(html: &str) -> String {
    let pieces = html.split("<code>");
    pieces.map(|piece| piece.split_once("</code>").map_or(piece, |(_, after)| after)).collect()
}

/// Whether GitHub would mention somebody or refer to something: a sign with a word directly after it.
fn mentions(text: &str) -> bool {
    let mut pairs = text.chars().zip(text.chars().skip(1));
    pairs.any(|(sign, next)| (sign == '@' || sign == '#') && next.is_alphanumeric())
}

#[test]
fn a_failed_run_with_everything_reads_well() {
    assert_snapshot("markdown", &markdown(&rich()));
}

#[test]
fn a_comparison_reads_well() {
    assert_snapshot("markdown_comparison", &compared(&rich()));
}

#[test]
fn the_verdict_comes_first() {
    for (conclusion, start) in [
        (Conclusion::Passed, "## ✅ Passed: `quick` against `ash-nlp`"),
        (Conclusion::GateFailed, "## ❌ Failed: "),
        (Conclusion::TargetFailed, "## ❌ Target failed: "),
        (Conclusion::Inconclusive, "## ⚠️ Could not tell: "),
        (Conclusion::Interrupted, "## ⚠️ Interrupted: "),
    ] {
        let record = Sample { conclusion: Some(conclusion), ..Sample::all_right() }.record();
        assert!(markdown(&record).starts_with(start), "{}", markdown(&record));
        assert!(compared(&record).starts_with(start.split(':').next().expect("a word")));
    }
    assert!(markdown(&Sample { demo: true, ..Sample::quick() }.record()).contains("**built-in demo**"));
}

#[test]
fn a_baseline_that_could_not_be_used_is_told() {
    let mut record = Sample::quick().record();
    record.baseline =
        Some(BaselineRecord::Missing { wanted: "latest".to_owned(), reason: "no run is stored".to_owned() });
    assert!(markdown(&record).contains("Could not be compared with `latest`: no run is stored"));
}

#[test]
fn a_reference_without_an_opinion_is_told() {
    let mut record = Sample::quick().record();
    record.reference =
        Some(ReferenceRecord::Missing { wanted: "mine".to_owned(), reason: "it is away".to_owned() });
    assert!(markdown(&record).contains("`mine` gave no opinion: it is away"));
}

#[test]
fn a_gate_that_only_warns_is_told_apart() {
    let mut record = Sample::quick().record();
    extras::warn(&mut record);
    assert!(markdown(&record).contains("| ⚠️ warns | `accuracy >= 92%` |"));
}

#[test]
fn many_failures_are_cut_and_counted_the_worst_kept() {
    let mut sample = Sample::empty();
    sample.add("everyday_benign", &[thrash::domain::Level::None], 60);
    sample.add("self_harm", &[thrash::domain::Level::High], 2);
    for phrase in &mut sample.phrases {
        phrase.said = crate::support::sample::Said::Nothing(thrash::domain::NoAnswerReason::Timeout);
    }
    let text = markdown(&sample.record());
    assert!(text.contains("### 62 failures"), "{text}");
    assert!(text.contains("| `self_harm-002` |") && !text.contains("`everyday_benign-060`"));
    assert!(text.contains("… and 37 more"), "{text}");
}

#[test]
fn the_text_of_a_phrase_is_never_there() {
    assert!(!markdown(&rich()).contains("The text"));
    assert!(!compared(&rich()).contains("The text"));
}

/// Words that would do something, if they were let.
const HOSTILE: [&str; 16] = [
    "a|b|c",
    "\\|a\\\\|b",
    "`a``b```c",
    "</code><script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<!-- gone -->",
    "</details><h1>Passed</h1>",
    "@everyone and @org/team",
    "see #12, GH-12 and me@example.com",
    "https://evil.example/x www.evil.example HTTP://evil.example",
    "[click](https://evil.example) ![x](https://evil.example/x.png)",
    "a\n\n# Passed\n\n| x |\n|---|\n| y |",
    "a\r\n- [x] done\u{2028}\u{85}> quote",
    "**bold** _it_ ~~gone~~ $x^2$ [^1] :tada:",
    "&lt;b&gt; &#64;me &amp;#124;",
    "\u{202e}dessaP\u{1b}[31m\u{0}",
];

#[test]
fn hostile_words_change_nothing_but_themselves() {
    let mut plain = rich();
    plain.integrity.fail_open = vec!["x".to_owned()];
    let expected = html(&markdown(&with_words(plain.clone(), "word")));
    let shape: Vec<&str> = elements(&expected);
    let compared_expected = {
        let mut comparison = comparison(&plain);
        hostile(&mut comparison, "word");
        html(&render_comparison_markdown(&comparison, &verdict(&plain, "word")))
    };
    for word in HOSTILE {
        let record = with_words(plain.clone(), word);
        let page = html(&markdown(&record));
        assert_eq!(elements(&page), shape, "{word:?}:\n{page}");
        assert!(!mentions(&outside_of_code(&page)), "{word:?}:\n{page}");
        let mut comparison = comparison(&plain);
        hostile(&mut comparison, word);
        let page = html(&render_comparison_markdown(&comparison, &verdict(&plain, word)));
        assert_eq!(elements(&page), elements(&compared_expected), "{word:?}:\n{page}");
        assert!(!mentions(&outside_of_code(&page)), "{word:?}:\n{page}");
    }
}

fn verdict(record: &RunRecord, word: &str) -> RunVerdict {
    with_words(record.clone(), word).verdict
}

#[test]
fn a_page_is_never_longer_than_a_comment_holds() {
    let mut sample = Sample::comprehensive();
    for number in 0..300 {
        sample.add(&format!("category{number}"), &[thrash::domain::Level::None], 2);
    }
    for phrase in &mut sample.phrases {
        phrase.said = crate::support::sample::Said::Level(thrash::domain::Level::Critical, 1.0);
    }
    let mut record = sample.record();
    let extra = rich();
    (record.baseline, record.waivers, record.repeats) = (extra.baseline, extra.waivers, extra.repeats);
    if let Some(waivers) = &mut record.waivers {
        waivers.waivers = vec![waivers.waivers[0].clone(); 500];
    }
    if let Some(repeats) = &mut record.repeats {
        repeats.flaky = vec![repeats.flaky[0].clone(); 500];
    }
    if let Some(BaselineRecord::Compared(comparison)) = &mut record.baseline {
        comparison.changes = vec![comparison.changes[0].clone(); 5_000];
        comparison.slices = vec![comparison.slices[0].clone(); 500];
        comparison.warnings = vec!["x".to_owned(); 500];
    }
    for word in ["|", "😀", "`\\|", "漢"].map(|sign| sign.repeat(500)) {
        let record = with_words(record.clone(), &word);
        let text = markdown(&record);
        let length = text.chars().count();
        assert!(length <= 65_100 && text.len() < 1 << 20, "{length} characters");
        assert!(text.starts_with("## ❌ Failed"));
        assert_eq!(text.matches("<details>").count(), text.matches("</details>").count());
        let Some(BaselineRecord::Compared(comparison)) = &record.baseline else { panic!("it is there") };
        assert!(render_comparison_markdown(comparison, &record.verdict).chars().count() <= 65_100);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_word_changes_the_page(word in prop_oneof![any::<String>(), "[|`\\\\<>&@#a-c\\[\\]()*_~:/.! \n-]{1,24}"]) {
        // A word of blanks alone is shown as a dash.
        let named = |word: &str| with_words(rich(), &format!("a{word}a"));
        let (plain, page) = (html(&markdown(&named("b"))), html(&markdown(&named(&word))));
        prop_assert_eq!(elements(&page), elements(&plain), "{}", page);
        prop_assert!(!mentions(&outside_of_code(&page)), "{}", page);
    }
}
