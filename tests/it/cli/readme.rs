//! What the README claims of a first run.

use crate::support::command::Place;

const README: &str = include_str!("../../../README.md");

#[test]
fn the_readme_gives_the_demos_real_score() {
    let readme = README.replace('\n', " ");
    let place = Place::new();
    for (suite, of) in [("quick", 25), ("comprehensive", 749)] {
        let record = serde_json::from_str::<serde_json::Value>(
            &place.thrash([suite, "--json", "-", "--quiet"]).exits(1).stdout,
        );
        let right = record.expect("a record")["metrics"]["accuracy"]["count"].as_u64().expect("a count");
        let claim = format!("{right} of the {of}");
        assert!(readme.contains(&claim), "{suite}: {claim}");
    }
}
