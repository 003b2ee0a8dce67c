//! The engines: the same answers from both, and what happens when one cannot be used.

use std::path::Path;

use thrash::reference::{
    Apart, Device, EngineChoice, EngineError, Model, ModelSource, ReferenceOptions, RuntimeOptions,
};

use super::support::{EVERY_MODEL, TEXTS, change, copy, fixture, load, onnxruntime, refusal, rten, suite};

#[test]
fn both_engines_load_every_tiny_model_and_agree() {
    for name in EVERY_MODEL {
        let path = fixture(name);
        let mut here = load(&path);
        let mut there = Model::load(&onnxruntime(&path)).expect("ONNX Runtime loads the model");
        assert!(here.facts().engine.starts_with("rten "), "{}", here.facts().engine);
        assert_eq!(there.facts().engine, "ONNX Runtime 1.31.1");
        for (one, other) in [(&mut here, &mut there)] {
            let (one, other) = (one.opinions(&TEXTS).expect(name), other.opinions(&TEXTS).expect(name));
            assert_eq!(one.len(), TEXTS.len());
            for (index, (one, other)) in one.iter().zip(&other).enumerate() {
                assert_eq!(one.level, other.level, "{name}, text {index}");
                // Eight bits are rounded by the range of the whole batch, each engine in its own way.
                let tolerance = if name.contains("quantized") { 0.05 } else { 1e-4 };
                assert!(
                    (one.score - other.score).abs() < tolerance,
                    "{name}, text {index}: {one:?} {other:?}"
                );
            }
        }
    }
}

/// The shipped models over every phrase, in both engines.
#[test]
#[expect(clippy::print_stdout, reason = "what is left out is said")]
fn both_engines_agree_on_the_shipped_models_over_the_whole_suite() {
    let mut models = vec![ModelSource::Builtin];
    match std::env::var("THRASH_TEST_STANDARD") {
        Ok(folder) => models.push(ModelSource::Path(folder.into())),
        Err(_) => println!("the standard model is left out: THRASH_TEST_STANDARD names no folder with it"),
    }
    let texts = suite();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    assert!(texts.len() >= 749);
    for model in models {
        let opinions = |options: ReferenceOptions| {
            let options = ReferenceOptions { model: model.clone(), ..options };
            Model::load(&options).expect("it loads").opinions(&texts).expect("opinions")
        };
        let nowhere = Path::new("");
        let apart = Apart::between(&opinions(rten(nowhere)), &opinions(onnxruntime(nowhere)));
        assert_eq!((apart.texts, apart.levels), (texts.len(), 0), "{model}: {apart:?}");
        assert!(apart.scores < 1e-3, "{model}: {apart:?}");
    }
}

#[test]
fn answers_that_one_side_lacks_are_no_agreement() {
    let opinions = load(&fixture("classify")).opinions(&TEXTS).expect("opinions");
    let few = Apart::between(&opinions, &opinions[..5]);
    assert_eq!((few.texts, few.levels), (TEXTS.len(), TEXTS.len() - 5));
    assert_eq!(Apart::between(&[], &opinions).levels, TEXTS.len());
    assert_eq!(Apart::between(&opinions, &opinions), Apart { texts: TEXTS.len(), levels: 0, scores: 0.0 });
}

#[test]
fn golden_phrases_are_checked_at_every_load_and_counted() {
    for name in ["classify", "nli", "characters"] {
        assert!(load(&fixture(name)).facts().golden >= 4, "{name}");
    }
    let folder = copy("classify");
    change(&folder, "thrash.yaml", "0.72027", "0.62027");
    for options in [rten(folder.path()), onnxruntime(folder.path())] {
        let refused = refusal(&options);
        for words in ["golden phrase 1 should score [0.620,", "scores [0.720,", "tolerance 0.02"] {
            assert!(refused.contains(words), "no `{words}` in {refused}");
        }
        assert!(!refused.contains("morning"), "a phrase is quoted: {refused}");
    }
}

#[test]
fn a_model_without_golden_phrases_says_that_nothing_was_checked() {
    let folder = copy("classify");
    std::fs::remove_file(folder.path().join("thrash.yaml")).expect("removed");
    let model = load(folder.path());
    assert_eq!(model.facts().golden, 0);
    assert!(model.facts().notes.iter().any(|note| note.contains("no golden phrases")), "{:?}", model.facts());
}

#[test]
fn onnx_runtime_says_which_provider_ran_the_nodes() {
    let model = Model::load(&onnxruntime(&fixture("classify"))).expect("ONNX Runtime loads the model");
    let placement = &model.facts().placement;
    assert_eq!(placement.keys().collect::<Vec<_>>(), ["CPUExecutionProvider"]);
    assert!(placement["CPUExecutionProvider"] >= 3, "{placement:?}");
    assert_eq!(model.facts().device, Device::Cpu);
}

#[test]
fn a_device_that_is_not_there_is_an_error_and_never_the_processor() {
    for device in [Device::Cuda, Device::TensorRt] {
        let options = ReferenceOptions { device, ..onnxruntime(&fixture("classify")) };
        let refused = refusal(&options);
        assert!(refused.contains(&format!("device `{}` cannot be used", device.as_str())), "{refused}");
        assert!(refused.contains("was built without CUDA"), "{refused}");
        let options = ReferenceOptions { device, ..rten(&fixture("classify")) };
        assert!(refusal(&options).contains("rten runs on the processor only"));
    }
}

#[test]
fn without_a_library_auto_takes_rten_and_says_why() {
    let folder = tempfile::tempdir().expect("a folder");
    let empty = folder.path().join("libonnxruntime.so");
    std::fs::write(&empty, "no library").expect("written");
    for library in [folder.path().to_owned(), empty, folder.path().join("missing.so"), "/".into()] {
        let runtime = RuntimeOptions { library: Some(library.clone()), folders: Vec::new() };
        let auto = ReferenceOptions { engine: EngineChoice::Auto, runtime, ..rten(&fixture("classify")) };
        let model = Model::load(&auto).expect("rten loads the model");
        assert!(model.facts().engine.starts_with("rten"));
        let notes = model.facts().notes.join("\n");
        assert!(
            notes.contains("no ONNX Runtime can be used") && notes.contains(&library.display().to_string()),
            "{notes}"
        );
        let only = ReferenceOptions { engine: EngineChoice::OnnxRuntime, ..auto };
        let refused = refusal(&only);
        assert!(refused.contains("no ONNX Runtime can be used"), "{refused}");
        assert!(refused.contains("thrash model runtime"), "{refused}");
    }
}

#[test]
fn that_a_machine_has_no_library_is_not_remarked_upon_and_that_one_is_broken_is() {
    let notes = |runtime: &RuntimeOptions| {
        let runtime = runtime.clone();
        let auto = ReferenceOptions { engine: EngineChoice::Auto, runtime, ..rten(&fixture("classify")) };
        Model::load(&auto).expect("rten loads the model").facts().notes.join("\n")
    };
    let usual = RuntimeOptions::default();
    // A machine may have one in the system's places.
    if let Err(EngineError::NoRuntime { is_there: false, .. }) = usual.open() {
        assert_eq!(notes(&usual), "");
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("libonnxruntime.so.1.31.1"), "no library").expect("written");
        let broken = RuntimeOptions { library: None, folders: vec![folder.path().to_owned()] };
        assert!(notes(&broken).contains("libonnxruntime.so.1.31.1"), "{}", notes(&broken));
    }
}

#[test]
fn why_a_library_does_not_open_is_told_in_full() {
    let folder = tempfile::tempdir().expect("a folder");
    let text = folder.path().join("libonnxruntime.so");
    std::fs::write(&text, "no library").expect("written");
    let runtime = RuntimeOptions { library: Some(text), folders: Vec::new() };
    let options =
        ReferenceOptions { engine: EngineChoice::OnnxRuntime, runtime, ..rten(&fixture("classify")) };
    // The loader's own words, which the library's error hides behind "dlopen failed".
    assert!(refusal(&options).contains("too short"), "{}", refusal(&options));
}

#[test]
fn auto_takes_the_library_and_a_second_one_is_refused_in_the_same_process() {
    let auto = ReferenceOptions { engine: EngineChoice::Auto, ..onnxruntime(&fixture("classify")) };
    let model = Model::load(&auto).expect("it loads");
    assert_eq!(model.facts().engine, "ONNX Runtime 1.31.1");
    let runtime =
        RuntimeOptions { library: Some("/elsewhere/libonnxruntime.so".into()), folders: Vec::new() };
    let other = ReferenceOptions { engine: EngineChoice::OnnxRuntime, runtime, ..auto };
    assert!(refusal(&other).contains("this process has already opened"), "{}", refusal(&other));
}

#[test]
fn a_broken_file_is_an_error_in_both_engines() {
    for (content, words) in [("", "an empty file"), ("this is no model", "cannot load the model")] {
        let folder = copy("classify");
        std::fs::write(folder.path().join("model.onnx"), content).expect("written");
        for options in [rten(folder.path()), onnxruntime(folder.path())] {
            assert!(refusal(&options).contains(words), "{}", refusal(&options));
        }
    }
    let folder = copy("classify");
    let path = folder.path().join("model.onnx");
    let bytes = std::fs::read(&path).expect("the model");
    std::fs::write(&path, &bytes[..bytes.len() / 2]).expect("written");
    for options in [rten(folder.path()), onnxruntime(folder.path())] {
        assert!(refusal(&options).contains("cannot"), "{}", refusal(&options));
    }
}

#[test]
fn threads_are_never_more_than_cores() {
    let options = ReferenceOptions { threads: 4096, ..rten(&fixture("classify")) };
    let model = Model::load(&options).expect("it loads");
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    assert_eq!(model.facts().threads, cores);
}
