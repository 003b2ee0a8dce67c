//! `thrash model`: what a model is, whether every engine computes it alike, and the library.

use super::support::{copy, fixture, library, load, suite};
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
fn a_model_in_the_data_folder_is_named_by_its_name() {
    let place = Place::new();
    let models = place.data().join("models/tiny");
    std::fs::create_dir_all(&models).expect("a folder");
    for file in ["model.onnx", "config.json", "tokenizer.json", "thrash.yaml"] {
        std::fs::copy(fixture("classify").join(file), models.join(file)).expect("copied");
    }
    let info = place.thrash(["model", "info", "tiny", "--engine", "rten"]).exits(0).stdout;
    assert!(info.contains("model      tiny-words"), "{info}");
    let suite = place.easy_suite();
    place.thrash(["run", suite, "--reference", "tiny", "--engine", "rten"]);
    assert_eq!(place.latest()["reference"]["answered"]["model"]["name"], "tiny-words");
    // What stands here goes first.
    std::fs::create_dir(place.path().join("tiny")).expect("a folder");
    place.thrash(["model", "info", "tiny"]).exits(2).complains(&["there is no ONNX file in it"]);
    place.thrash(["model", "info", "tinny"]).exits(2).complains(&["there is no model `tinny`"]);
}

#[test]
fn a_model_that_was_not_put_together_yet_is_refused_with_what_does_it_and_where_it_belongs() {
    let place = Place::new();
    let kept = place.data().join("models").join("standard").display().to_string();
    let words = ["there is no model `standard`", &kept, "src/reference/training/build_standard.py"];
    for command in ["info", "check"] {
        place.thrash(["model", command, "standard"]).exits(2).complains(&words);
    }
    let suite = place.easy_suite();
    place.thrash(["run", suite, "--reference", "standard"]);
    let reason = place.latest()["reference"]["missing"]["reason"].to_string();
    for word in words {
        assert!(reason.contains(word), "no `{word}` in {reason}");
    }
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
    for name in ["classify", "nli_bands", "characters", "embedding", "classify/model_quantized.onnx"] {
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
fn check_with_one_engine_and_no_golden_phrases_could_not_tell() {
    let place = Place::new();
    let folder = copy("classify");
    std::fs::remove_file(folder.path().join("thrash.yaml")).expect("removed");
    let path = folder.path().display().to_string();
    let checked = place.thrash(["model", "check", &path, "--engine", "rten"]).exits(4).stdout;
    assert!(checked.contains("??  one engine and no golden phrases"), "{checked}");
    assert!(checked.contains("    rten: it has no golden phrases"), "{checked}");
    let library = library().display().to_string();
    place.thrash_with(&[("ORT_DYLIB_PATH", &library)], ["model", "check", &path]).exits(0);
}

#[test]
fn check_refuses_a_card_in_rten() {
    let place = Place::new();
    let folder = fixture("classify").display().to_string();
    let refused = place.thrash(["model", "check", &folder, "--engine", "rten", "--device", "cuda"]).exits(2);
    refused.complains(&["device `cuda` cannot be used: rten runs on the processor only"]);
}

#[test]
fn eight_bits_are_seen_in_the_graph_and_not_in_the_name() {
    let allowed = |folder: &tempfile::TempDir, file: &str| {
        let path = folder.path().join(file).display().to_string();
        let checked = Place::new().thrash(["model", "check", &path, "--engine", "rten"]).exits(0).stdout;
        checked
            .split_once("at most (")
            .and_then(|(_, rest)| rest.split_once(' '))
            .expect("a bar")
            .0
            .to_owned()
    };
    let folder = copy("classify");
    assert_eq!(allowed(&folder, "model_quantized.onnx"), "0.35");
    std::fs::rename(folder.path().join("model_quantized.onnx"), folder.path().join("plain.onnx"))
        .expect("renamed");
    std::fs::rename(folder.path().join("model.onnx"), folder.path().join("model_int8_q8.onnx"))
        .expect("renamed");
    assert_eq!(allowed(&folder, "plain.onnx"), "0.35");
    assert_eq!(allowed(&folder, "model_int8_q8.onnx"), "0.02");
}

#[test]
fn a_level_that_depends_on_batch_mates_is_never_ok() {
    let place = Place::new();
    let texts = suite();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let folder = copy("classify");
    let file = folder.path().join("model_quantized.onnx");
    let golden = std::fs::read_to_string(folder.path().join("thrash.yaml")).expect("the side file");
    // Where an answer that the batch moves a little is just at the line, it gets another level.
    let mut alone = load(&file);
    let lines = texts.iter().map(|text| alone.opinions(&[text]).expect("an opinion")[0].score);
    let is_moved = lines.step_by(texts.len() / 24).take(24).any(|line| {
        let decide = format!("{golden}decide: {{bands: {{low: {line}}}}}\n");
        std::fs::write(folder.path().join("thrash.yaml"), decide).expect("written");
        load(&file).batch_effect(&texts).expect("it answers").levels > 0
    });
    assert!(is_moved, "no answer is moved by its batch mates");
    let path = file.display().to_string();
    let checked = place.thrash(["model", "check", &path, "--engine", "rten"]).exits(4).stdout;
    assert!(checked.contains("??  rten: alone or beside longer texts: "), "{checked}");
    assert!(checked.contains("of 24 levels differ") && checked.contains("eight bits"), "{checked}");
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
    let without = place.thrash(["model", "runtime"]).exits(0).stdout;
    // A machine may have one in the system's places.
    if !without.starts_with("ONNX Runtime ") {
        for words in ["can be used", "--fetch cpu", "pip install onnxruntime", "ORT_DYLIB_PATH"] {
            assert!(without.contains(words), "no `{words}` in\n{without}");
        }
    }
    // What is named is not there, and fetching would be refused.
    let none = place.path().display().to_string();
    let wrong = place.thrash_with(&[("ORT_DYLIB_PATH", &none)], ["model", "runtime"]).exits(2).stdout;
    for words in ["no ONNX Runtime library can be used", &none, "ORT_DYLIB_PATH names it", "unset it"] {
        assert!(wrong.contains(words), "no `{words}` in\n{wrong}");
    }
    assert!(!wrong.contains("--fetch"), "{wrong}");
    let both = place.thrash_with(&[("ORT_DYLIB_PATH", &none)], ["model", "runtime", "--fetch"]).exits(2);
    both.complains(&["nothing else is used"]);
}
