//! The files under `docs/deploy`, as far as they can be tried without a container: what they name exists.

use std::collections::BTreeSet;

use serde_yaml::Value;
use thrash::config::variables;

const COMPOSE: &str = include_str!("../../docs/deploy/compose.yaml");
const ENVIRONMENT: &str = include_str!("../../docs/deploy/thrash.env.example");
const DOCKERFILE: &str = include_str!("../../docs/deploy/Dockerfile");
const UNIT: &str = include_str!("../../docs/deploy/thrash.service");

fn known() -> BTreeSet<&'static str> {
    variables().iter().map(|variable| variable.name).collect()
}

#[test]
fn every_variable_of_the_examples_means_something() {
    let known = known();
    let compose: Value = serde_yaml::from_str(COMPOSE).expect("YAML");
    let service = &compose["services"]["ash-thrash"];
    let given = service["environment"].as_mapping().expect("a mapping").keys();
    let given: Vec<&str> = given.map(|name| name.as_str().expect("a name")).collect();
    let listed = ENVIRONMENT.lines().filter_map(|line| line.trim_start_matches('#').split_once('='));
    let listed: Vec<&str> = listed.map(|(name, _)| name).filter(|name| !name.contains(' ')).collect();
    assert!(!given.is_empty() && listed.len() >= 15, "{given:?} {listed:?}");
    for name in
        given.into_iter().chain(listed).filter(|name| !["POSTGRES_PASSWORD", "THRASH_BIND"].contains(name))
    {
        assert!(known.contains(name), "{name} is no variable");
    }
    let unit = UNIT.lines().filter_map(|line| line.strip_prefix("Environment=")?.split_once('='));
    let image = DOCKERFILE.lines().filter_map(|line| line.strip_prefix("ENV ")?.split_once('='));
    for (name, _) in unit.chain(image) {
        assert!(known.contains(name), "{name} is no variable");
    }
}

#[test]
fn the_image_runs_as_nobody_and_copies_what_the_build_needs() {
    assert!(
        DOCKERFILE.contains("FROM gcr.io/distroless/cc-debian12:nonroot"),
        "the last stage is not root's"
    );
    let ignored = include_str!("../../docs/deploy/Dockerfile.dockerignore");
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let kept: Vec<&str> = ignored.lines().filter_map(|line| line.strip_prefix('!')).collect();
    for path in &kept {
        assert!(root.join(path).exists(), "{path} is not there");
    }
    // And nothing of it is left out again: `**/target` would take the sources in `src/target` with it.
    let rules = ignored.lines().filter(|line| !line.is_empty() && !line.starts_with(['#', '!']));
    assert_eq!(rules.collect::<Vec<_>>(), ["*"]);
    // What the sources include from outside `src` has to be sent to the builder.
    let included = files(&root.join("src")).into_iter().flat_map(|file| {
        let text = std::fs::read_to_string(file).unwrap_or_default();
        let places = text.split("$CARGO_MANIFEST_DIR/").skip(1);
        places.filter_map(|rest| rest.split('"').next().map(str::to_owned)).collect::<Vec<_>>()
    });
    for path in included {
        assert!(kept.iter().any(|kept| path.starts_with(kept)), "{path} is not sent to the builder");
    }
}

#[test]
fn the_container_answers_on_the_ports_that_are_published() {
    let compose: Value = serde_yaml::from_str(COMPOSE).expect("YAML");
    let service = &compose["services"]["ash-thrash"];
    // With nothing but a key in the environment, as in many a stack before this one.
    let place = crate::support::command::Place::new();
    let doctor = place.thrash_with(&[("INTERNAL_API_KEY", "0123456789abcdef")], ["doctor"]).said();
    assert!(doctor.contains("would listen on 0.0.0.0:8884, metrics on 0.0.0.0:9094"), "{doctor}");
    assert!(DOCKERFILE.contains("EXPOSE 8884 9094"));
    let database = service["environment"]["DATABASE_URL"].as_str().expect("a URL");
    assert!(
        database.starts_with("${DATABASE_URL:-postgresql://"),
        "that of the environment holds: {database}"
    );
    let published = service["ports"][0].as_str();
    assert_eq!(published, Some("${THRASH_BIND:-127.0.0.1}:8884:8884"), "not to the whole network");
    assert_eq!(compose["networks"]["ash"]["external"].as_bool(), Some(true), "the stack made it");
    assert_eq!(service["read_only"].as_bool(), Some(true));
}

#[test]
fn systemd_has_nothing_to_say_to_the_unit() {
    let place = crate::support::command::Place::new();
    let program = env!("CARGO_BIN_EXE_thrash");
    let unit = place.file("thrash.service", UNIT.replace("/usr/local/bin/thrash", program));
    // Not every machine has it.
    let Ok(verified) = std::process::Command::new("systemd-analyze").arg("verify").arg(unit).output() else {
        return;
    };
    let said = String::from_utf8_lossy(&verified.stderr).into_owned();
    assert!(verified.status.success() && !said.contains("thrash.service"), "{said}");
}

fn files(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    entries
        .flat_map(|path| match path.is_dir() {
            true => files(&path),
            false if path.extension().is_some_and(|end| end == "rs") => vec![path],
            false => Vec::new(),
        })
        .collect()
}
