//! The history of a suite against a target, as the command line shows it.

use serde_json::Value;

use crate::support::command::{DemoProcess, Ended, Place};
use crate::support::html::Html;

fn run(place: &Place, demo: &DemoProcess) -> Ended {
    place.thrash(["run", place.easy_suite(), "--url", &demo.url])
}

#[test]
fn a_service_that_went_blind_is_seen_with_the_run_that_it_began_with_and_the_test_that_says_so() {
    let place = Place::new();
    let (good, blind) = (DemoProcess::start(&[]), DemoProcess::start(&["--constant", "safe"]));
    for _ in 0..5 {
        run(&place, &good).exits(0);
    }
    let ended = place.thrash(["history"]).exits(0);
    assert!(
        ended.stdout.contains("5 counted runs are too few to tell a shift from chance"),
        "{}",
        ended.stdout
    );
    for _ in 0..5 {
        run(&place, &blind).exits(1);
    }
    place.thrash(["baseline", "set", "latest"]).exits(0);
    let runs = place.runs();
    let id = |newest: usize| runs[newest]["id"].as_str().unwrap();

    let page = place.thrash(["history", "--json", "h.json"]).exits(0).stdout;
    for line in page.lines() {
        assert!(line.chars().count() <= 80, "{line}");
    }
    let flat = page.split_whitespace().collect::<Vec<_>>().join(" ");
    for words in [
        "History 10 runs of `easy` against `ash-v5`",
        "█████▁▁▁▁▁ 50.0 % to 100.0 %",
        &format!("accuracy shifted with run {}: 100.0 % on average in the 5 runs before, 50.0 %", id(4)),
        "largest standardised CUSUM",
        "9999 permutations",
        &format!("= {}", id(0)),
    ] {
        assert!(flat.contains(words), "no `{words}`:\n{page}");
    }

    let text = std::fs::read_to_string(place.path().join("h.json")).unwrap();
    let history: Value = serde_json::from_str(&text).unwrap();
    let told: Vec<&str> =
        history["runs"].as_array().unwrap().iter().map(|run| run["id"].as_str().unwrap()).collect();
    let oldest_first: Vec<&str> = (0..10).rev().map(id).collect();
    assert_eq!(told, oldest_first);
    let shift = &history["trends"][0]["shift"]["tested"];
    assert_eq!((shift["from"].as_str(), shift["significant"].as_bool()), (Some(id(4)), Some(true)));
    let schema = place.thrash(["schema", "history"]).exits(0).stdout;
    let schema: Value = serde_json::from_str(&schema).unwrap();
    assert!(jsonschema::is_valid(&schema, &history));

    let ended = place.thrash(["history", "--html", "h.html"]).exits(0);
    assert!(ended.stdout.contains("HTML") && ended.stdout.contains("h.html"), "{}", ended.stdout);
    let html = Html::parse(&std::fs::read(place.path().join("h.html")).unwrap());
    assert!(html.id("drift").text.contains(&format!("accuracy shifted with run {}", id(4))));
    place.thrash(["history", "--html", "one", "--json", "one"]).exits(2).complains(&["one"]);

    // As text on stdout the JSON, and the page beside it.
    let both =
        place.thrash(["history", "--limit", "9", "--json", "-"]).exits(0).complains(&["History  9 runs"]);
    let nine: Value = serde_json::from_str(&both.stdout).unwrap();
    assert_eq!(nine["runs"][0]["id"], id(8));
}

#[test]
fn the_history_of_a_suite_and_a_target_is_chosen() {
    let place = Place::new();
    let good = DemoProcess::start(&[]);
    place.thrash(["history"]).exits(2).complains(&["no run is stored", "thrash quick"]);
    run(&place, &good).exits(0);
    place.thrash(["quick"]).exits(1);
    let newest = place.thrash(["history"]).exits(0).stdout;
    assert!(newest.contains("1 run of `quick` against `demo` (the built-in demo)"), "{newest}");
    let chosen = place.thrash(["history", "--suite", "easy", "--target", "ash-v5"]).exits(0).stdout;
    assert!(chosen.contains("1 run of `easy` against `ash-v5`\n"), "{chosen}");
    assert!(!chosen.contains("--suite"), "{chosen}");
    place
        .thrash(["history", "--suite", "easy", "--target", "x"])
        .exits(2)
        .complains(&["no run of `easy` against `x` is stored"]);
    place.thrash(["history", "--since", "1min"]).exits(0);
    place.thrash(["history", "--since", "2999-01-01"]).exits(2).complains(&["since 2999-01-01"]);
    place.thrash(["history", "--since", "soon"]).exits(2);
    place.thrash(["history", "--limit", "0"]).exits(2);
}

#[test]
fn runs_against_another_url_are_no_history_of_the_configured_target() {
    let place = Place::new();
    let (here, there) = (DemoProcess::start(&[]), DemoProcess::start(&[]));
    place.file("thrash.yaml", format!("target: ash-v5\nurl: {}\n", here.url));
    run(&place, &there).exits(0);
    place
        .thrash(["history"])
        .exits(2)
        .complains(&["no run is stored; 1 run is left out: against another URL"]);
    run(&place, &here).exits(0);
    run(&place, &there).exits(0);
    let own = place.runs()[1]["id"].clone();
    let page = place.thrash(["history", "--json", "h.json", "--html", "h.html"]).exits(0).stdout;
    assert!(page.contains("1 run of `easy`"), "{page}");
    assert!(page.contains("2 runs are left out: against another URL"), "{page}");
    let text = std::fs::read_to_string(place.path().join("h.json")).unwrap();
    let history: Value = serde_json::from_str(&text).unwrap();
    assert_eq!((history["runs"].as_array().unwrap().len(), &history["runs"][0]["id"]), (1, &own));
    assert_eq!(history["elsewhere"], 2);
    let html = Html::parse(&std::fs::read(place.path().join("h.html")).unwrap());
    let text = &html.all("body").next().expect("a body").text;
    assert!(text.contains("2 runs are left out: against another URL"), "{text}");
    // Nor are they in the trend of a run's page, and its own are.
    let page = |name: &str| {
        place.thrash(["report", "latest", "--html", name]).exits(0);
        Html::parse(&std::fs::read(place.path().join(name)).unwrap())
    };
    assert!(page("there.html").id("trend").text.contains("the last 2 runs"));
    run(&place, &here).exits(0);
    assert!(page("here.html").id("trend").text.contains("the last 2 runs"));
}
