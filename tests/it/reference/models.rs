//! `thrash model`: what a model is, whether every engine computes it alike, and the library.

use super::support::{copy, fixture, library};
use crate::support::command::Place;

#[test]
fn info_tells_what_is_loaded_and_what_runs_it() {
    let place = Place::new();
    let folder = fixture("classify").display().to_string();
    let info = place.thrash(["model", "info", &folder, "--engine", "rten"]).exits(0).stdout;
    for words in [
        "model      tiny-words",
        "task       classify: none, low, medium, high, critical",
        "engine     rten 0.27.0 on cpu, 1 thread, batches of 16",
        "phrases came out as they should",
        "phrases/s over the 749 of the comprehensive suite",
        "  model.onnx",
    ] {
        assert!(info.contains(words), "no `{words}` in\n{info}");
    }
    let library = library().display().to_string();
    let with = place.thrash_with(&[("ORT_DYLIB_PATH", &library)], ["model", "info", &folder]).exits(0);
    assert!(with.stdout.contains("ONNX Runtime 1.31.1 on cpu"), "{}", with.stdout);
    assert!(with.stdout.contains("nodes: CPUExecutionProvider "), "{}", with.stdout);
}

#[test]
fn onnx_runtime_tells_nobody_and_leaves_nothing_behind() {
    let place = Place::new();
    let home = tempfile::tempdir().expect("a folder");
    let (library, home_path) = (library().display().to_string(), home.path().display().to_string());
    let variables = [("ORT_DYLIB_PATH", library.as_str()), ("HOME", &home_path)];
    let info = place.thrash_with(&variables, ["model", "info", "builtin", "--engine", "ort"]).exits(0);
    assert!(info.stdout.contains("ONNX Runtime"), "{}", info.stdout);
    // Its packages keep a database of what they will tell Microsoft there, unless they were told not to in time.
    assert!(!home.path().join(".cache/Microsoft").exists());
}

#[test]
fn a_model_that_does_not_fit_is_refused_with_what_to_do() {
    let place = Place::new();
    let folder = copy("classify");
    std::fs::remove_file(folder.path().join("tokenizer.json")).expect("removed");
    let path = folder.path().display().to_string();
    for command in ["info", "check"] {
        let refused = place.thrash(["model", command, &path, "--engine", "rten"]).exits(2);
        refused
            .complains(&["expected `tokenizer.json` beside the model; found none", "hint: this makes one"]);
    }
}

#[test]
fn check_proves_that_the_engines_agree_over_the_whole_suite() {
    let place = Place::new();
    let library = library().display().to_string();
    for name in ["classify", "nli", "characters", "embedding", "classify/model_quantized.onnx"] {
        let folder = fixture(name).display().to_string();
        let checked = place.thrash_with(&[("ORT_DYLIB_PATH", &library)], ["model", "check", &folder]);
        let checked = checked.exits(0).stdout;
        for words in ["ok  rten: rten 0.27.0", "ok  ort on cpu: ONNX Runtime 1.31.1", "of 749 levels differ"]
        {
            assert!(checked.contains(words), "{name}: no `{words}` in\n{checked}");
        }
    }
}

#[test]
fn check_without_a_library_could_not_tell() {
    let place = Place::new();
    let folder = fixture("classify").display().to_string();
    let none = place.path().display().to_string();
    let checked = place.thrash_with(&[("ORT_DYLIB_PATH", &none)], ["model", "check", &folder]).exits(4);
    assert!(checked.stdout.contains("??  ort on cpu: no ONNX Runtime can be used"), "{}", checked.stdout);
    place.thrash(["model", "check", &folder, "--engine", "rten"]).exits(0);
}

#[test]
fn a_golden_phrase_that_comes_out_otherwise_is_told_by_check() {
    let place = Place::new();
    let folder = copy("classify");
    super::support::change(&folder, "thrash.yaml", "0.72027", "0.62027");
    let path = folder.path().display().to_string();
    let checked = place.thrash(["model", "check", &path, "--engine", "rten"]).exits(2);
    checked.complains(&["golden phrase 1 should score [0.620,"]);
}

#[test]
fn runtime_names_the_library_or_how_to_get_one() {
    let place = Place::new();
    let library = library().display().to_string();
    let with = place.thrash_with(&[("ORT_DYLIB_PATH", &library)], ["model", "runtime"]).exits(0);
    assert!(with.stdout.starts_with("ONNX Runtime 1.31.1 for the processor\n"), "{}", with.stdout);
    assert!(with.stdout.contains(&library), "{}", with.stdout);
    let none = place.path().display().to_string();
    let without = place.thrash_with(&[("ORT_DYLIB_PATH", &none)], ["model", "runtime"]).exits(0);
    for words in
        ["no ONNX Runtime library can be used", "--fetch cpu", "pip install onnxruntime", "ORT_DYLIB_PATH"]
    {
        assert!(without.stdout.contains(words), "no `{words}` in\n{}", without.stdout);
    }
    let both = place.thrash_with(&[("ORT_DYLIB_PATH", &none)], ["model", "runtime", "--fetch"]).exits(2);
    both.complains(&["nothing else is used"]);
}
