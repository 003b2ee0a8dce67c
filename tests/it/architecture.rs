//! The map of `src/lib.rs`, held: who may use whom, and who may touch the outside world.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Each layer, lowest first, with the layers that it uses. A layer uses only what stands above it in this list; a
/// new arrow is a decision, and is written down here.
const LAYERS: &[(&str, &[&str])] = &[
    ("stats", &[]),
    ("domain", &[]),
    ("document", &[]),
    ("suite", &["document", "domain"]),
    ("judge", &["domain", "stats"]),
    ("gate", &["document", "domain", "stats"]),
    ("audit", &["domain", "gate", "judge", "stats", "suite"]),
    ("target", &["document", "domain"]),
    ("reference", &["document", "domain", "target"]),
    ("load", &["document", "domain", "gate", "judge", "stats", "suite", "target"]),
    ("schedule", &[]),
    ("store", &["domain"]),
    ("report", &["domain", "stats"]),
    ("demo", &["domain"]),
    ("notify", &["domain", "report", "schedule", "store", "target"]),
    ("run", &["domain", "gate", "judge", "load", "reference", "stats", "suite", "target"]),
    ("config", &["document", "domain", "gate", "notify", "reference", "schedule", "suite", "target"]),
    (
        "dispatch",
        &[
            "config",
            "demo",
            "document",
            "domain",
            "gate",
            "judge",
            "load",
            "reference",
            "run",
            "store",
            "suite",
            "target",
        ],
    ),
    (
        "service",
        &[
            "config",
            "dispatch",
            "domain",
            "gate",
            "judge",
            "load",
            "notify",
            "reference",
            "report",
            "stats",
            "store",
        ],
    ),
    (
        "cli",
        &[
            "audit",
            "config",
            "demo",
            "dispatch",
            "document",
            "domain",
            "gate",
            "judge",
            "load",
            "notify",
            "reference",
            "report",
            "run",
            "service",
            "store",
            "suite",
            "target",
        ],
    ),
];

/// Files that may be longer than the limit, and why.
const LONG_FILES: &[(&str, &str)] = &[("target/contract.rs", "the format and its compiler; to be split")];

const LONGEST: usize = 500;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// Every source file below `src` with its path there, tests within them left out.
fn sources() -> Vec<(String, String)> {
    fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                walk(&path, found);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                found.push(path);
            }
        }
    }
    let mut files = Vec::new();
    walk(&root(), &mut files);
    files.sort();
    assert!(files.len() > 50, "only {} files found", files.len());
    files
        .into_iter()
        .map(|path| {
            let text = std::fs::read_to_string(&path).expect("UTF-8");
            let name = path.strip_prefix(root()).expect("below src").display().to_string();
            (name, text)
        })
        .collect()
}

/// The file without its comments, and without the tests at its end.
fn code(text: &str) -> String {
    let text = text.split("#[cfg(test)]").next().unwrap_or_default();
    text.lines().map(|line| line.split("//").next().unwrap_or_default()).collect::<Vec<_>>().join("\n")
}

/// The layer of a file; none for `main.rs`, `lib.rs` and the build script.
fn layer(file: &str) -> Option<&str> {
    match file.split_once('/') {
        Some((layer, _)) => Some(layer),
        None => Some(file.trim_end_matches(".rs")).filter(|name| !["main", "lib", "build"].contains(name)),
    }
}

/// The layers that a text names, as `crate::x` and as `crate::{x, y::z}`.
fn named(code: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for (at, _) in code.match_indices("crate::") {
        let before = code[..at].chars().next_back();
        if before.is_some_and(|c| c.is_alphanumeric() || c == '_') {
            continue;
        }
        let rest = &code[at + "crate::".len()..];
        match rest.strip_prefix('{') {
            None => names.extend(word(rest)),
            Some(group) => names.extend(group_heads(group)),
        }
    }
    names
}

fn word(text: &str) -> Option<String> {
    let word: String = text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
    (!word.is_empty()).then_some(word)
}

/// The first word of each member of a group, groups within it passed over.
fn group_heads(group: &str) -> Vec<String> {
    let (mut depth, mut heads, mut member) = (0, Vec::new(), String::new());
    for c in group.chars() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => heads.extend(word(std::mem::take(&mut member).trim())),
            c if depth == 0 => member.push(c),
            _ => {}
        }
    }
    heads.extend(word(member.trim()));
    heads
}

#[test]
fn the_reader_of_imports_reads_every_form() {
    let code =
        "use crate::alpha::X; use crate::{beta, gamma::{a, b}, delta as d}; fn f() { crate::eps::g(); }";
    let names: Vec<String> = named(code).into_iter().collect();
    assert_eq!(names, ["alpha", "beta", "delta", "eps", "gamma"]);
    assert!(named("use mycrate::alpha;").is_empty());
}

#[test]
fn the_table_itself_points_downwards() {
    for (i, (layer, uses)) in LAYERS.iter().enumerate() {
        for used in *uses {
            let place = LAYERS.iter().position(|(name, _)| name == used);
            assert!(
                place.is_some_and(|place| place < i),
                "`{layer}` uses `{used}`, which does not stand above it"
            );
        }
    }
}

#[test]
fn every_layer_is_in_the_table_and_uses_what_it_may() {
    let mut wrong = Vec::new();
    for (file, text) in sources() {
        let Some(layer) = layer(&file) else { continue };
        let Some((_, allowed)) = LAYERS.iter().find(|(name, _)| *name == layer) else {
            wrong.push(format!("{file}: the layer `{layer}` is not in the table"));
            continue;
        };
        for used in named(&code(&text)) {
            if used != layer && !allowed.contains(&used.as_str()) {
                wrong.push(format!("{file}: `{layer}` uses `{used}`"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_map_in_lib_rs_names_every_layer() {
    let lib = std::fs::read_to_string(root().join("lib.rs")).expect("lib.rs");
    for (file, _) in sources() {
        let Some(layer) = layer(&file) else { continue };
        assert!(lib.contains(&format!("pub mod {layer};")), "lib.rs does not declare `{layer}`");
        assert!(lib.contains(&format!("[`{layer}`]")), "the map in lib.rs does not name `{layer}`");
    }
}

/// Words and the only files that may hold them.
#[test]
fn only_those_who_may_touch_the_outside_world_do() {
    let rules: [(&str, &[&str], &str); 9] = [
        ("std::env::var", &["config/environment.rs", "build.rs"], "settings come through `config`"),
        ("env::args", &[], "arguments come through clap"),
        ("println!", &["build.rs"], "`cli::output` is the only writer"),
        ("print!(", &[], "`cli::output` is the only writer"),
        ("dbg!", &[], "left over from looking for a bug"),
        ("todo!", &[], "not done"),
        ("io::stdout", &["cli/output.rs", "report/sink.rs"], "`cli::output` is the only writer"),
        ("io::stderr", &["cli/output.rs", "cli/mod.rs"], "`cli::output` is the only writer"),
        ("process::exit", &["cli/signals.rs"], "the exit code is a value all the way up"),
    ];
    let mut wrong = Vec::new();
    for (file, text) in sources() {
        let code = code(&text);
        for (word, allowed, why) in rules {
            let uses = code.match_indices(word).any(|(at, _)| {
                // `print!(` is also the end of `eprint!(`; a longer macro's name is another macro.
                !code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_') || word.starts_with("print")
            });
            if uses && !allowed.contains(&file.as_str()) {
                wrong.push(format!("{file}: `{word}`: {why}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn no_file_grows_beyond_what_one_reads_in_a_sitting() {
    let mut wrong = Vec::new();
    for (file, text) in sources() {
        let lines = text.lines().count();
        if lines > LONGEST && !LONG_FILES.iter().any(|(known, _)| *known == file) {
            wrong.push(format!("{file}: {lines} lines"));
        }
    }
    assert!(wrong.is_empty(), "longer than {LONGEST} lines:\n{}", wrong.join("\n"));
}
