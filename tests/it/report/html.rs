//! A run as an HTML page: what it holds, in which order, and that it needs nothing else.

use std::collections::{BTreeMap, HashSet};

use chrono::Duration;
use thrash::domain::{
    BaselineRecord, Change, ComparisonRecord, ReferenceRecord, RunId, RunRecord, Slice, SliceKind, TextPolicy,
};
use thrash::report::{
    Format, RenderOptions, TerminalOptions, TrendPoint, render, render_comparison_html,
    render_comparison_markdown, render_comparison_terminal, render_history_html,
};

use super::extras::{apart, comparison, rich, second_opinion, sized};
use crate::history::shifted;
use crate::support::html::{Element, Html};
use crate::support::sample::{self, Sample};

pub(super) fn page(record: &RunRecord) -> Html {
    page_with(record, &RenderOptions::default())
}

fn page_with(record: &RunRecord, options: &RenderOptions) -> Html {
    Html::parse(&render(Format::Html, record, options).expect("it renders"))
}

/// A run with everything that a page can show, and options that tell of two runs before it.
pub(super) fn whole() -> (RunRecord, RenderOptions) {
    let mut record = rich();
    for result in &mut record.results {
        result.capability = Some("ideation".to_owned());
    }
    let slice = record.slices[0].clone();
    record.slices.push(Slice { kind: SliceKind::Capability, name: "ideation".to_owned(), ..slice });
    let earlier = |days| TrendPoint {
        id: RunId::from_stored(format!("earlier-{days}")),
        started_at: record.started_at - Duration::days(days),
        ..TrendPoint::from(&Sample::all_right().record())
    };
    let trend = vec![earlier(1), earlier(2)];
    (record, RenderOptions { trend, ..RenderOptions::default() })
}

/// Pages of every kind of run, and of a comparison.
fn pages() -> Vec<(&'static str, Html)> {
    let compared = comparison(&sample::record());
    vec![
        ("quick", page(&Sample::quick().record())),
        ("all right", page(&Sample::all_right().record())),
        ("comprehensive", page(&Sample::comprehensive().record())),
        ("target down", page(&Sample::target_down().record())),
        ("interrupted", page(&Sample::interrupted().record())),
        ("empty", page(&Sample::empty().record())),
        ("whole", page_with(&whole().0, &whole().1)),
        ("comparison", Html::parse(&render_comparison_html(&compared, &sample::record().verdict))),
        ("apart", Html::parse(&render_comparison_html(&apart(&sample::record()), &sample::record().verdict))),
        ("history", Html::parse(&render_history_html(&shifted()))),
    ]
}

/// What may name another place, or run something, in any element.
pub(super) fn dangers(html: &Html) -> Vec<String> {
    let names_a_place = [
        "src",
        "srcset",
        "action",
        "formaction",
        "poster",
        "ping",
        "data",
        "background",
        "style",
        "xlink:href",
        "srcdoc",
        "manifest",
    ];
    let tags =
        ["iframe", "object", "embed", "link", "base", "img", "image", "video", "audio", "use", "template"];
    let is_danger = |element: &Element| {
        tags.contains(&element.tag.as_str())
            || element.attributes.iter().any(|(name, value)| {
                names_a_place.contains(&name.as_str())
                    || name.starts_with("on")
                    || (name == "href" && !value.starts_with('#'))
                    || (name == "http-equiv" && value != "Content-Security-Policy")
            })
    };
    let found = html.elements().iter().filter(|element| is_danger(element));
    found.map(|element| format!("<{} {:?}>", element.tag, element.attributes)).collect()
}

#[test]
fn every_page_is_html_without_an_error() {
    for (name, html) in pages() {
        assert_eq!(html.errors, [""; 0], "{name}");
        assert_eq!(html.all("h1").count(), 1, "{name}");
        assert!(html.all("html").all(|root| root.attribute("lang") == Some("en")), "{name}");
    }
}

#[test]
fn no_page_names_another_place() {
    for (name, html) in pages() {
        assert_eq!(dangers(&html), [""; 0], "{name}");
        let style = &html.all("style").next().expect("a style sheet").text;
        for fetches in ["url(", "@import", "//", "image-set("] {
            assert!(!style.contains(fetches), "{name}: {fetches}");
        }
        for fetches in ["fetch(", "XMLHttpRequest", "import(", "://", "innerHTML", "eval("] {
            assert!(html.script().is_none_or(|script| !script.text.contains(fetches)), "{name}: {fetches}");
        }
    }
}

#[test]
fn the_policy_allows_the_pages_own_style_and_script_by_their_hashes_and_nothing_else() {
    for (name, html) in pages() {
        let style = html.all("style").next().expect("a style sheet").hash();
        let script = html.script().map_or("'none'".to_owned(), Element::hash);
        let expected = [
            vec!["default-src", "'none'"],
            vec!["style-src", &style],
            vec!["script-src", &script],
            vec!["base-uri", "'none'"],
            vec!["form-action", "'none'"],
            vec!["require-trusted-types-for", "'script'"],
        ];
        assert_eq!(html.policy(), expected, "{name}");
        assert_eq!(html.all("style").count(), 1, "{name}");
        assert!(html.all("script").count() <= 2, "{name}");
        // What stands before the policy is not bound by it.
        let at = |tag| html.elements().iter().position(|element| element.tag == tag).unwrap_or(usize::MAX);
        let policy = html.elements().iter().position(|element| element.attribute("http-equiv").is_some());
        assert!(policy.expect("a policy") < at("style").min(at("script")), "{name}");
    }
}

#[test]
fn every_link_leads_somewhere_and_every_id_is_there_once() {
    for (name, html) in pages() {
        let ids: Vec<&str> = html.elements().iter().filter_map(|element| element.attribute("id")).collect();
        let distinct: HashSet<&str> = ids.iter().copied().collect();
        assert_eq!(ids.len(), distinct.len(), "{name}: an id stands twice");
        // Rows that the script builds when they are led to.
        let later: HashSet<String> = match html.script() {
            Some(_) => html.data()["rows"]
                .as_array()
                .expect("rows")
                .iter()
                .map(|row| format!("p-{}", row[9].as_str().expect("an id")))
                .collect(),
            None => HashSet::new(),
        };
        for link in html.all("a") {
            let to = link.attribute("href").expect("a place").trim_start_matches('#');
            let is_there =
                to.contains('=') && html.script().is_some() || distinct.contains(to) || later.contains(to);
            assert!(is_there, "{name}: nothing at #{to}");
        }
    }
}

#[test]
fn the_verdict_comes_first_and_the_sections_in_their_order() {
    let (record, options) = whole();
    let html = page_with(&record, &options);
    let sections: Vec<&str> = html.all("section").filter_map(|section| section.attribute("id")).collect();
    let expected = [
        "gates",
        "flips",
        "integrity",
        "reference",
        "failures",
        "categories",
        "confusion",
        "capabilities",
        "steadiness",
        "scores",
        "latency",
        "trend",
        "provenance",
    ];
    assert_eq!(sections, expected);
    let header = html.all("header").next().expect("a header");
    for word in ["Failed", "20 of 25 right", "80.0 %", "at least 92.0 %"] {
        assert!(header.text.contains(word), "no `{word}` in: {}", header.text);
    }
    assert!(html.all("title").next().is_some_and(|title| title.text.contains("Failed")));
}

#[test]
fn every_conclusion_is_said_in_the_first_heading() {
    let cases = [
        (Sample::quick(), "Failed", "bad"),
        (Sample::all_right(), "Passed", "good"),
        (Sample::target_down(), "Target failed", "bad"),
        (Sample::interrupted(), "Interrupted", "unsure"),
        (Sample::empty(), "Could not tell", "unsure"),
    ];
    for (sample, word, tone) in cases {
        let html = page(&sample.record());
        let heading = html.all("h1").next().expect("a heading");
        assert!(heading.text.contains(word), "{}", heading.text);
        assert!(html.all("body").all(|body| body.attribute("class") == Some(tone)), "{word}");
    }
    let demo = page(&Sample { demo: true, ..Sample::all_right() }.record());
    assert!(demo.all("header").all(|header| header.text.contains("Only the demo")));
}

#[test]
fn failed_gates_tell_number_interval_and_what_was_allowed() {
    let html = page(&sample::record());
    let gates = &html.id("gates").text;
    for word in [
        "accuracy >= 92%",
        "84.0 % [65.3, 93.6]",
        "4 of 25 wrong, 2 allowed",
        "must pass: explicit_ideation-003",
    ] {
        assert!(gates.contains(word), "no `{word}` in: {gates}");
    }
}

#[test]
fn a_page_shows_what_changed_what_is_waived_and_what_was_flaky() {
    let (record, options) = whole();
    let html = page_with(&record, &options);
    for (section, words) in [
        (
            "flips",
            vec!["2 regressed", "1 fixed", "2 still wrong", "gaming_slang-004", "contract is another one"],
        ),
        (
            "gates",
            vec!["Known failures", "gaming_slang-004", "@org/nlp", "2026-04-01", "expired: waives nothing"],
        ),
        ("integrity", vec!["2 requests went unanswered", "fail-open", "self_harm-003"]),
        ("steadiness", vec!["everyday_benign-001", "none ×1, critical ×1, no answer ×1"]),
        ("trend", vec!["the last 3 runs"]),
        ("scores", vec!["It is chosen on the very phrases that it is judged on"]),
        ("latency", vec!["p95", "are too few for a two-sided interval"]),
    ] {
        let text = &html.id(section).text;
        for word in words {
            assert!(text.contains(word), "no `{word}` in {section}: {text}");
        }
    }
    let row = &html.id("p-gaming_slang-004").text;
    assert!(row.contains("none (exact), 1.00 ms: regressed"), "{row}");
}

#[test]
fn a_row_has_all_that_is_known_of_its_phrase() {
    let html = page(&sample::record());
    let row = &html.id("p-explicit_ideation-003").text;
    for word in
        ["high|critical", "low", "2 under", "0.31", "in 1 attempt", "must pass", "explicit_ideation.yaml:14"]
    {
        assert!(row.contains(word), "no `{word}` in: {row}");
    }
    let unanswered = &html.id("p-self_harm-002").text;
    assert!(
        unanswered.contains("timed out") && unanswered.contains("nothing came within 5 s"),
        "{unanswered}"
    );
}

#[test]
fn the_references_answer_stands_in_its_row_and_its_groups_lead_into_the_list() {
    let html = page(&rich());
    let row = &html.id("p-explicit_ideation-003").text;
    for word in ["high (exact), label “LABEL_3”, score 0.72", "target wrong, reference right (read first)"]
    {
        assert!(row.contains(word), "no `{word}` in: {row}");
    }
    let section = html.id("reference");
    for word in [
        "second r7 in rten 0.27.0 on cpu, 5000 phrases/s",
        "1 target wrong, reference right (read first)",
        "1 both wrong with the same level",
        "1 both wrong with different levels",
        "1 target right, reference wrong",
        "19 both right",
        "2 unanswered by the target, so not compared",
        "20 of 23 with the same level",
    ] {
        assert!(section.text.contains(word), "no `{word}` in: {}", section.text);
    }
    let links: Vec<&str> = html.all("a").filter_map(|link| link.attribute("href")).collect();
    for to in ["#show=all&reference=only_target_wrong", "#show=all&opinion=high&got=medium"] {
        assert!(links.contains(&to), "nothing leads to {to}");
    }
    let without = page(&sample::record());
    assert!(without.all("section").all(|section| section.attribute("id") != Some("reference")));
    let names = |html: &Html| {
        let selects = html.all("select").filter_map(|select| select.attribute("name").map(str::to_owned));
        selects.collect::<Vec<_>>()
    };
    assert!(
        names(&html).contains(&"reference".to_owned()) && !names(&without).contains(&"reference".to_owned())
    );
}

#[test]
fn a_page_is_small_enough_to_be_sent_around() {
    for (phrases, most) in [(350, 150_000), (4000, 1_500_000)] {
        let mut record = sized(phrases);
        for (at, result) in record.results.iter_mut().enumerate() {
            result.capability = Some(format!("capability-{}", at % 28));
        }
        second_opinion(&mut record);
        let bytes = render(Format::Html, &record, &RenderOptions::default()).expect("it renders").len();
        assert!(bytes < most, "{bytes} bytes for {phrases} phrases");
    }
}

#[test]
fn a_reference_without_an_opinion_is_told() {
    let mut record = sample::record();
    let reason = "cannot read `no-such-folder`".to_owned();
    record.reference = Some(ReferenceRecord::Missing { wanted: "mine".to_owned(), reason });
    let text = &page(&record).id("reference").text.clone();
    assert!(text.contains("mine gave no opinion: cannot read `no-such-folder`."), "{text}");
}

#[test]
fn the_command_repeats_the_run() {
    let mut record = sample::record();
    record.suite.name = "my phrases".to_owned();
    record.suite.selection.categories = vec!["it's".to_owned()];
    record.options.repeat = 3;
    record.options.repeat_doubtful = Some(9);
    record.configuration.insert("thresholds.accuracy".to_owned(), "92%".to_owned());
    let html = page(&record);
    let command = &html.all("pre").next().expect("a command").text;
    assert_eq!(
        command,
        "thrash run 'my phrases' --target ash-nlp --concurrency 4 --timeout 5000ms --retries 2 --repeat 3 \
         --repeat-doubtful 9 --category 'it'\\''s' --seed 42 --min-accuracy 92% --gate 'severe_miss_rate <= 5%' \
         --gate 'false_positive_rate <= 10%' --gate 'latency_p95 <= 500ms'"
    );
}

#[test]
fn without_text_there_is_none_and_redacted_text_is_redacted() {
    let record = sample::record();
    let with = |text| page_with(&record, &RenderOptions { text, ..RenderOptions::default() });
    let everything = |html: &Html| {
        let root = html.all("html").next().expect("a root").text.clone();
        format!("{root}{}", html.data())
    };
    for text in [None, Some(TextPolicy::Full)] {
        let shown = everything(&with(text));
        // A failure, which is HTML, and a phrase that passed, which is data.
        assert!(shown.contains("The text of self_harm-002.") && shown.contains("The text of self_harm-001."));
    }
    let redacted = everything(&with(Some(TextPolicy::Redacted)));
    assert!(redacted.contains("••• •••• •• ••••_••••-•••.") && !redacted.contains("The text of"));
    let none = with(Some(TextPolicy::None));
    assert!(!everything(&none).contains("The text of") && !everything(&none).contains("•••"));
    assert!(none.id("failures").text.contains("The phrases are not in this report."));
    assert_eq!(none.all("q").count(), 0);
}

#[test]
fn a_comparison_tells_the_change_of_what_it_shows() {
    let mut compared = comparison(&sample::record());
    let verdict = &sample::record().verdict;
    let html = Html::parse(&render_comparison_html(&compared, verdict));
    let numbers = &html.id("numbers").text;
    // Worse by 4 points: fewer are right, and more are false positives.
    assert!(numbers.contains("false_positive_rate") && numbers.contains("+4.0 [-7.2, +15.1]"), "{numbers}");
    let flips = &html.id("flips").text;
    assert!(flips.contains("accuracy -4.0 [-15.1, +7.2] points"), "{flips}");
    compared.accuracy.difference = None;
    let html = Html::parse(&render_comparison_html(&compared, verdict));
    assert!(html.id("flips").text.contains("accuracy –. The chance"), "{}", html.id("flips").text);
}

#[test]
fn a_comparison_says_what_makes_it_less_than_it_seems_and_what_it_left_out() {
    let mut record = sample::record();
    let mut compared = comparison(&record);
    for (at, change) in [Change::New, Change::Gone, Change::Gone, Change::Flaky].into_iter().enumerate() {
        compared.changes[at].change = change;
    }
    let told = ["1 flaky", "1 new", "2 gone", "the target's contract is another one"];
    let verdict = record.verdict.clone();
    let alone = Html::parse(&render_comparison_html(&compared, &verdict));
    record.baseline = Some(BaselineRecord::Compared(Box::new(compared.clone())));
    let of_run = page(&record);
    for (name, html) in [("compare", &alone), ("run", &of_run)] {
        let flips = &html.id("flips").text;
        for words in told {
            assert!(flips.contains(words), "{name}: no `{words}` in {flips}");
        }
    }
    let markdown =
        String::from_utf8(render(Format::Markdown, &record, &RenderOptions::default()).unwrap()).unwrap();
    for (name, text) in [("compare", render_comparison_markdown(&compared, &verdict)), ("run", markdown)] {
        for words in told {
            assert!(text.contains(words), "{name}: no `{words}` in {text}");
        }
    }
    // More warnings than a comment has room for are counted.
    compared.warnings = (0..13).map(|at| format!("warning number {at}")).collect();
    let text = render_comparison_markdown(&compared, &verdict);
    assert!(
        text.contains("warning number 9") && text.contains("… and 3 more warnings in the record."),
        "{text}"
    );
    let html = Html::parse(&render_comparison_html(&compared, &verdict));
    assert!(html.id("flips").text.contains("warning number 12"));
}

#[test]
fn runs_of_other_phrases_stand_beside_each_other_and_are_called_weaker() {
    let record = sample::record();
    let compared = apart(&record);
    let html = Html::parse(&render_comparison_html(&compared, &record.verdict));
    let markdown = render_comparison_markdown(&compared, &record.verdict);
    let judged =
        ComparisonRecord { schema_version: 1, comparison: compared, verdict: record.verdict.clone() };
    let terminal = render_comparison_terminal(&judged, &BTreeMap::new(), &TerminalOptions::default());
    let flat = terminal.split_whitespace().collect::<Vec<_>>().join(" ");
    for (name, text) in
        [("html", html.id("flips").text.as_str()), ("markdown", &markdown), ("terminal", &flat)]
    {
        for words in [
            "Unpaired",
            "Weaker than",
            "Fisher's exact test",
            "-20.0 [-33.4, -5.2]",
            "0.006",
            "No gate reads",
        ] {
            assert!(text.contains(words), "{name}: no `{words}` in {text}");
        }
        for lie in
            ["nothing changed", "no answer changed", "Of 0 phrases", "over 0 phrases", "got worse or better"]
        {
            assert!(!text.contains(lie), "{name}: `{lie}` in {text}");
        }
    }
}
