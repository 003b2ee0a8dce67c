//! The tiny models of `tests/fixtures/reference`, and ways to load them.

use std::path::{Path, PathBuf};

use crate::support::command::Place;
use thrash::reference::{
    Device, EngineChoice, Model, ModelSource, ReferenceError, ReferenceOptions, RuntimeOptions,
};

pub(crate) const EVERY_MODEL: [&str; 9] = [
    "classify",
    "classify/model_fp16.onnx",
    "classify/model_quantized.onnx",
    "multi_label",
    "nli",
    "nli_bands",
    "score",
    "embedding",
    "characters",
];

/// Texts of many kinds and lengths; none of them is golden.
pub(crate) const TEXTS: [&str; 12] = [
    "I want to disappear, goodbye everyone",
    "what a great game, such a win",
    "crying and hopeless, I hate myself",
    "tired",
    "",
    "pills. tonight. now.",
    "the bridge is lovely in the morning",
    "so so so so so bored",
    "I AM FINE!!!",
    "plan: kill the boss, win the game, coffee with a friend",
    "мне плохо",
    "nothing here is in the vocabulary of anybody",
];

pub(crate) fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/reference").join(name)
}

/// The library that the test script fetched.
pub(crate) fn library() -> PathBuf {
    let path = std::env::var("THRASH_TEST_ONNXRUNTIME").expect(
        "THRASH_TEST_ONNXRUNTIME is not set: run `./.ci/test`, or `.ci/onnxruntime cargo test`, \
         which fetch the library for the tests",
    );
    PathBuf::from(path)
}

pub(crate) fn rten(model: &Path) -> ReferenceOptions {
    ReferenceOptions {
        model: ModelSource::Path(model.to_owned()),
        engine: EngineChoice::Rten,
        device: Device::Auto,
        threads: 1,
        batch: None,
        is_unsorted: false,
        runtime: RuntimeOptions::default(),
    }
}

pub(crate) fn onnxruntime(model: &Path) -> ReferenceOptions {
    let runtime = RuntimeOptions { library: Some(library()), folders: Vec::new() };
    ReferenceOptions { engine: EngineChoice::OnnxRuntime, runtime, ..rten(model) }
}

pub(crate) fn load(model: &Path) -> Model {
    Model::load(&rten(model)).expect("rten loads the model")
}

/// Why a model is refused, in whole: the error and its causes, then the hint.
pub(crate) fn refusal(options: &ReferenceOptions) -> String {
    let error: ReferenceError = Model::load(options).expect_err("the model is refused");
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(&error);
    while let Some(next) = cause {
        text = format!("{text}: {next}");
        cause = next.source();
    }
    format!("{text}\nhint: {}", error.hint().unwrap_or_default())
}

/// The texts of the comprehensive suite.
pub(crate) fn suite() -> Vec<String> {
    let lines = Place::new().thrash(["phrases", "export", "comprehensive"]).exits(0).stdout;
    let phrases = lines.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).expect("JSON"));
    phrases.map(|phrase| phrase["text"].as_str().expect("a text").to_owned()).collect()
}

/// A copy of a tiny model that a test may change.
pub(crate) fn copy(name: &str) -> tempfile::TempDir {
    fn copy_into(from: &Path, to: &Path) {
        for entry in std::fs::read_dir(from).expect("a folder") {
            let from = entry.expect("an entry").path();
            let to = to.join(from.file_name().expect("a name"));
            if from.is_dir() {
                std::fs::create_dir(&to).expect("a folder");
                copy_into(&from, &to);
            } else {
                std::fs::copy(&from, &to).expect("the file is copied");
            }
        }
    }
    let folder = tempfile::tempdir().expect("a temporary folder");
    copy_into(&fixture(name), folder.path());
    folder
}

/// Replaces words in a file of a copied model.
pub(crate) fn change(folder: &tempfile::TempDir, file: &str, from: &str, to: &str) {
    let path = folder.path().join(file);
    let text = std::fs::read_to_string(&path).expect("the file");
    assert!(text.contains(from), "no `{from}` in {file}");
    std::fs::write(path, text.replace(from, to)).expect("the file is written");
}
