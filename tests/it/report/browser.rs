//! Pages in a real browser. What is checked there stands in `tests/browser/pages.mjs`.

use std::io::Write;
use std::path::Path;
use std::process::Command;

use thrash::domain::RunRecord;
use thrash::report::{Format, RenderOptions, render, render_comparison_html, render_history_html};

use super::extras::{comparison, second_opinion, sized};
use super::html::whole;
use super::html_hostile::with_word;
use crate::history::shifted;
use crate::support::command::Place;
use crate::support::sample;

#[test]
fn pages_work_in_a_browser() {
    let chromium = std::env::var("THRASH_TEST_BROWSER").expect(
        "THRASH_TEST_BROWSER is not set: run `./.ci/test`, or `.ci/browser cargo test`, \
         which install what is missing and set it",
    );
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, bytes: Vec<u8>| std::fs::write(folder.path().join(name), bytes).expect("a page");
    let page = |record: &RunRecord, options: &RenderOptions| {
        render(Format::Html, record, options).expect("it renders")
    };
    let mut four_thousand = sized(4000);
    second_opinion(&mut four_thousand);
    let (record, options) = whole();
    write("run.html", page(&record, &options));
    write("large.html", page(&four_thousand, &RenderOptions::default()));
    let hostile =
        with_word("</script><script>alert(1)</script>\"'><img src=x onerror=alert(1)>\u{202e}\u{0}");
    write("hostile.html", page(&hostile, &options));
    let compared = comparison(&sample::record());
    write("comparison.html", render_comparison_html(&compared, &sample::record().verdict));

    write("history.html", render_history_html(&shifted()));
    let place = Place::new();
    let load = ["load", "smoke", "--scale-time", "0.6", "--json", "load.json"];
    place.thrash(load);
    let record = std::fs::read_to_string(place.path().join("load.json")).expect("a record");
    write("load.html", page(&serde_json::from_str(&record).expect("a record"), &RenderOptions::default()));

    let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/browser");
    let mut command = Command::new("node");
    command.arg("pages.mjs").arg(chromium).arg(folder.path()).current_dir(scripts);
    let output = command.output().expect("Node.js starts");
    let said =
        [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
    assert!(output.status.success(), "{said}");
    // The time that 4,000 results took, for those who look.
    std::io::stdout().write_all(said.as_bytes()).expect("a place to say it");
}
