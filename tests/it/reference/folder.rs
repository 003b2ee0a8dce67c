//! What a model folder may hold, and how one that does not fit is refused.

use std::path::Path;
use std::process::Command;

use thrash::reference::{ModelSource, ReferenceOptions};

use super::support::{change, copy, fixture, load, onnxruntime, refusal, rten};
use crate::support::command::Place;

#[test]
fn a_variant_is_named_by_its_file_also_below_onnx() {
    let model = load(&fixture("classify/model_fp16.onnx"));
    assert_eq!(model.facts().file, "model_fp16.onnx");
    assert_eq!(model.facts().name, "tiny-words");
    let model = load(&fixture("multi_label/onnx/model.onnx"));
    assert_eq!(model.facts().file, "onnx/model.onnx");
    assert_eq!(model.facts().name, "multi_label");
}

#[test]
fn the_hash_is_that_of_every_file_that_decides() {
    let folder = copy("classify");
    let before = load(folder.path()).facts().clone();
    assert_eq!(before.hash.len(), 64);
    assert_eq!(
        before.files.keys().map(String::as_str).collect::<Vec<_>>(),
        ["config.json", "model.onnx", "thrash.yaml", "tokenizer.json"]
    );
    assert_eq!(load(folder.path()).facts().hash, before.hash);
    change(&folder, "thrash.yaml", "tiny-words", "tiny-words-2");
    assert_ne!(load(folder.path()).facts().hash, before.hash);
}

#[test]
fn the_hash_leaves_out_no_file_that_was_read_by_its_usual_name() {
    let hash = |folder: &tempfile::TempDir| load(folder.path()).facts().hash.clone();
    let embedding = copy("embedding");
    let before = hash(&embedding);
    assert!(load(embedding.path()).facts().files.contains_key("head.json"));
    change(&embedding, "head.json", "[0.5,", "[0.501,");
    assert_ne!(hash(&embedding), before);

    let below = copy("classify");
    let (top, inner) = (below.path().join("tokenizer.json"), below.path().join("onnx/tokenizer.json"));
    std::fs::rename(top, inner).expect("moved");
    let before = hash(&below);
    change(&below, "onnx/tokenizer.json", "\"coffee\"", "\"coffeee\"");
    assert_ne!(hash(&below), before);

    // Of any name, where the model says that its weights are.
    let external = copy("classify");
    let file = external.path().join("onnx/model_external.onnx");
    let facts = load(&file).facts().clone();
    assert!(facts.files.contains_key("onnx/vectors.onnx_data"), "{:?}", facts.files);
    let weights = external.path().join("onnx/vectors.onnx_data");
    let mut bytes = std::fs::read(&weights).expect("the weights");
    bytes[0] ^= 1;
    std::fs::write(&weights, bytes).expect("written");
    assert_ne!(load(&file).facts().hash, facts.hash);

    // What is not read decides nothing.
    let characters = copy("characters");
    let before = hash(&characters);
    std::fs::write(characters.path().join("tokenizer.json"), "{}").expect("written");
    assert_eq!(hash(&characters), before);
}

#[test]
fn a_file_that_is_not_the_one_of_the_side_file_is_refused() {
    let folder = copy("classify");
    let hash = load(folder.path()).facts().files["model.onnx"].clone();
    change(&folder, "thrash.yaml", "name: tiny-words", &format!("sha256: {{model.onnx: {hash}}}"));
    load(folder.path());
    change(&folder, "thrash.yaml", &hash, &"0".repeat(64));
    let refused = refusal(&rten(folder.path()));
    assert!(
        refused.contains("expected `model.onnx` with SHA-256 0000") && refused.contains(&hash),
        "{refused}"
    );
}

#[test]
fn a_pipe_is_not_waited_for() {
    for (model, file, words) in [
        ("", "thrash.yaml", "`thrash.yaml` cannot be read: it is no plain file"),
        ("", "model.onnx", "expected an ONNX model in `model.onnx`; found a pipe"),
        ("model.onnx", "model.onnx", "it is neither a folder nor an ONNX file, but a pipe"),
        (
            "onnx/model_external.onnx",
            "onnx/vectors.onnx_data",
            "expected `vectors.onnx_data` beside `onnx/model_external.onnx`, with its weights; found a pipe",
        ),
    ] {
        let folder = copy("classify");
        let path = folder.path().join(file);
        std::fs::remove_file(&path).expect("it was there");
        assert!(Command::new("mkfifo").arg(&path).status().expect("mkfifo runs").success());
        let refused = refusal(&rten(&folder.path().join(model)));
        assert!(refused.contains(words), "{refused}");
    }
}

#[test]
fn what_stands_where_the_model_should_be_is_named() {
    let refused = |file: &str, make: &dyn Fn(&Path)| {
        let folder = copy("classify");
        let path = folder.path().join(file);
        std::fs::remove_file(&path).expect("it was there");
        make(&path);
        let model = if file == "model.onnx" { "" } else { "onnx/model_external.onnx" };
        refusal(&rten(&folder.path().join(model)))
    };
    let write = |text: &'static str| move |path: &Path| std::fs::write(path, text).expect("written");
    let empty = refused("model.onnx", &write(""));
    assert!(empty.contains("expected an ONNX model in `model.onnx`; found an empty file"), "{empty}");
    let pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 90000000\n";
    let pointer = refused("model.onnx", &write(pointer));
    assert!(pointer.contains("found a pointer of Git LFS") && pointer.contains("git lfs pull"), "{pointer}");
    let folder = refused("model.onnx", &|path| std::fs::create_dir(path).expect("a folder"));
    assert!(folder.contains("in `model.onnx`; found a folder"), "{folder}");
    let link = refused("model.onnx", &|path| {
        std::os::unix::fs::symlink("../blobs/none", path).expect("a link");
    });
    assert!(link.contains("found a link to a file that is not there"), "{link}");
    let missing = refused("onnx/vectors.onnx_data", &|_| {});
    assert!(missing.contains("expected `vectors.onnx_data` beside `onnx/model_external.onnx`"), "{missing}");
}

#[test]
fn weights_outside_the_folder_are_refused() {
    let folder = copy("classify");
    let path = folder.path().join("onnx/model_external.onnx");
    let bytes = std::fs::read(&path).expect("the model");
    std::fs::write(&path, replace(&bytes, b"vectors.onnx_data", b"../tokenizer.json")).expect("written");
    let refused = refusal(&rten(&path));
    assert!(refused.contains("found `../tokenizer.json`, which lies outside its folder"), "{refused}");
}

#[test]
fn a_damaged_model_is_told_before_what_the_machine_lacks() {
    let place = Place::new();
    let folder = copy("classify");
    std::fs::write(folder.path().join("model.onnx"), "this is no model").expect("written");
    let none = place.path().display().to_string();
    let path = folder.path().display().to_string();
    for variables in [vec![], vec![("ORT_DYLIB_PATH", none.as_str())]] {
        let refused = place.thrash_with(&variables, ["model", "info", &path]).exits(2);
        let (model, lacking) = ("rten cannot load the model", "no ONNX Runtime can be used");
        let text = &refused.stderr;
        // A machine may have a library in the system's places.
        let is_later = text.find(lacking).is_none_or(|at| text.find(model).is_some_and(|first| first < at));
        assert!(text.contains(model) && is_later && !text.contains("hint:"), "{text}");
    }
}

#[test]
fn what_is_missing_is_named_with_what_to_do() {
    let missing = refusal(&rten(Path::new("/no/such/folder")));
    assert!(missing.contains("cannot read `/no/such/folder`: No such file"), "{missing}");

    let folder = copy("classify");
    std::fs::remove_file(folder.path().join("tokenizer.json")).expect("removed");
    let refused = refusal(&rten(folder.path()));
    assert!(refused.contains("expected `tokenizer.json` beside the model; found none"), "{refused}");
    assert!(
        refused.contains("AutoTokenizer.from_pretrained") && refused.contains("save_pretrained"),
        "{refused}"
    );

    let folder = copy("classify");
    std::fs::remove_file(folder.path().join("model.onnx")).expect("removed");
    let refused = refusal(&rten(folder.path()));
    assert!(
        refused.contains("not clear which model is meant: model_fp16.onnx, model_quantized.onnx"),
        "{refused}"
    );
    let refused = refusal(&rten(&fixture("classify/head.json")));
    assert!(refused.contains("cannot read"), "{refused}");
    let refused = refusal(&rten(&fixture("classify/config.json")));
    assert!(refused.contains("neither a folder nor an ONNX file"), "{refused}");

    let folder = tempfile::tempdir().expect("a folder");
    let refused = refusal(&rten(folder.path()));
    assert!(refused.contains("no ONNX file") && refused.contains("optimum-cli"), "{refused}");
}

#[test]
fn labels_without_a_level_are_listed_with_lines_to_fill_in() {
    let folder = copy("multi_label");
    std::fs::remove_file(folder.path().join("thrash.yaml")).expect("removed");
    let refused = refusal(&rten(folder.path()));
    assert!(
        refused.contains("expected a level for each label; found none for `grief`, `tiredness`"),
        "{refused}"
    );
    assert!(refused.contains("levels: {grief: none, tiredness: none,"), "{refused}");
}

#[test]
fn a_model_of_entailment_without_a_task_is_refused() {
    let folder = copy("nli");
    std::fs::remove_file(folder.path().join("thrash.yaml")).expect("removed");
    assert!(refusal(&rten(folder.path())).contains("expected `task: zero_shot`"));
}

#[test]
fn a_score_without_bands_is_refused() {
    let folder = copy("score");
    std::fs::write(folder.path().join("thrash.yaml"), "task: score\n").expect("written");
    let refused = refusal(&rten(folder.path()));
    assert!(
        refused.contains("a score alone is no level") && refused.contains("bands: {low: 0.3"),
        "{refused}"
    );
}

#[test]
fn an_output_of_another_size_than_the_labels_is_refused() {
    let folder = copy("classify");
    std::fs::write(folder.path().join("thrash.yaml"), "labels: [none, low]\n").expect("written");
    let refused = refusal(&rten(folder.path()));
    assert!(refused.contains("expected `logits` of 1 × 2, a number a label; found 1 × 5"), "{refused}");
}

#[test]
fn a_model_with_other_inputs_or_outputs_is_refused() {
    // The embedding's output is no `logits`, and it is the only one: read as logits it has an axis too many.
    let folder = copy("embedding");
    std::fs::write(folder.path().join("thrash.yaml"), "task: classify\nlabels: [none, high]\n")
        .expect("written");
    let refused = refusal(&rten(folder.path()));
    assert!(refused.contains("`last_hidden_state` of 1 × 2") && refused.contains("found 1 × "), "{refused}");

    let folder = copy("classify");
    let path = folder.path().join("model.onnx");
    let bytes = std::fs::read(&path).expect("the model");
    // The same length, so that nothing else in the file has to change.
    let renamed = replace(&bytes, b"attention_mask", b"attention_xxxx");
    std::fs::write(path, renamed).expect("written");
    let refused = refusal(&rten(folder.path()));
    assert!(refused.contains("inputs `input_ids` and") && refused.contains("`attention_xxxx`"), "{refused}");
}

fn replace(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    let places: Vec<usize> =
        (0..=bytes.len() - from.len()).filter(|at| bytes[*at..].starts_with(from)).collect();
    assert!(!places.is_empty());
    for at in places {
        bytes[at..at + to.len()].copy_from_slice(to);
    }
    bytes
}

#[test]
fn the_side_file_is_read_as_strictly_as_every_other_file() {
    let cases = [
        ("taks: classify", "unknown key `taks`", "task"),
        ("task: classifying", "classifying", "zero_shot"),
        ("input: characters", "`input: characters` needs `characters: {scheme: folded-1}`", ""),
        ("input: characters\ncharacters: {scheme: folded-1, step: 300}", "`step` is from 1 to `length`", ""),
        ("decide: {at_least: {none: 0.5}}", "`none` is what is left", ""),
        ("decide: {bands: {low: 30}}", "the number of `low` is above 0 and at most 1, not 30", ""),
        ("decide: {bands: {low: 0}}", "the number of `low` is above 0 and at most 1, not 0", ""),
        ("decide: {at_least: {high: 0.0}}", "the number of `high` is above 0 and at most 1, not 0", ""),
        ("decide: {threshold: 0.0}", "a threshold is above 0 and at most 1, not 0", ""),
        (
            "decide: {bands: {low: 0.3, medium: 0.7, high: 0.5}}",
            "`high` begins at 0.5 and `medium` at 0.7: nothing would be `medium`",
            "",
        ),
        (
            "decide: {bands: {low: 0.3, critical: 0.3}}",
            "`critical` begins at 0.3 and `low` at 0.3: nothing would be `low`",
            "",
        ),
        ("decide: sometimes", "expected `top`, or a mapping", ""),
        ("hypothesis: about it", "the hypothesis holds `{}` once", ""),
        ("levels: {a: bad}", "level `bad` is not one of", ""),
    ];
    for (text, words, more) in cases {
        let folder = copy("classify");
        std::fs::write(folder.path().join("thrash.yaml"), text).expect("written");
        let refused = refusal(&rten(folder.path()));
        assert!(refused.contains(words) && refused.contains(more), "{text}: {refused}");
    }
}

#[test]
fn a_golden_phrase_that_would_pass_by_any_answer_is_refused_with_its_place() {
    for (from, to, words) in [
        ("[0.72027,", "[.nan,", "thrash.yaml:6:11: a score is from 0 to 1, not NaN"),
        ("[0.13681,", "[.inf,", "thrash.yaml:10:11: a score is from 0 to 1, not inf"),
        ("[0.57288,", "[-0.5,", "a score is from 0 to 1, not -0.5"),
        ("revision: '1'", "tolerance: 1", "the tolerance is above 0 and at most 0.35"),
        ("revision: '1'", "tolerance: .nan", "the tolerance is above 0 and at most 0.35"),
        ("revision: '1'", "tolerance: 0.2", "thrash.yaml:3:12: the tolerance is at most 0.05"),
    ] {
        let folder = copy("classify");
        change(&folder, "thrash.yaml", from, to);
        let refused = refusal(&rten(folder.path()));
        assert!(refused.contains(words), "{to}: {refused}");
    }
}

#[test]
fn labels_in_another_order_than_the_outputs_are_refused() {
    for (side, words) in [
        (
            "labels: [critical, high, medium, low, none]",
            "thrash.yaml:1:10: `critical` is output 4 in `config.json`, and output 0 here",
        ),
        ("labels: [none, low, Medium, critical, high]", "thrash.yaml:1:29: `critical` is output 4"),
        ("labels: [high, high, high, high, high]", "`high` is output 3 in `config.json`, and output 0 here"),
        ("labels: [a, b, c, b, d]\nlevels: {a: none, b: low, c: low, d: high}", "`b` stands here twice"),
    ] {
        let folder = copy("classify");
        std::fs::write(folder.path().join("thrash.yaml"), side).expect("written");
        let refused = refusal(&rten(folder.path()));
        assert!(refused.contains(words), "{side}: {refused}");
    }
    let folder = copy("classify");
    std::fs::write(folder.path().join("thrash.yaml"), "labels: [None, LOW, medium, high, critical]\n")
        .expect("written");
    load(folder.path());
    change(&folder, "config.json", "\"low\"", "\"none\"");
    std::fs::write(folder.path().join("thrash.yaml"), "").expect("written");
    assert!(refusal(&rten(folder.path())).contains("expected labels that differ; found `none` twice"));
}

#[test]
fn golden_phrases_catch_labels_in_a_wrong_order() {
    // Nothing but the side file names these outputs.
    let folder = copy("characters");
    load(folder.path());
    let order = "labels: [none, low, medium, high, critical]";
    change(&folder, "thrash.yaml", order, "labels: [critical, high, medium, low, none]");
    for options in [rten(folder.path()), onnxruntime(folder.path())] {
        let refused = refusal(&options);
        assert!(refused.contains("golden phrase 1 should score ["), "{refused}");
    }
    let folder = copy("characters");
    change(&folder, "thrash.yaml", order, "labels: [none, low, medium, critical, high]");
    assert!(refusal(&rten(folder.path())).contains("golden phrase 1 should score ["));
    // By place such a swap would go unseen, so that is refused.
    let folder = copy("characters");
    let placed = format!(
        "input: characters\ncharacters: {{scheme: folded-1, buckets: 128, length: 64, step: 32}}\n{order}\n"
    );
    let golden = "golden:\n- {text: tired, scores: [0.2, 0.2, 0.2, 0.2, 0.2]}\n";
    std::fs::write(folder.path().join("thrash.yaml"), format!("{placed}{golden}")).expect("written");
    let refused = refusal(&rten(folder.path()));
    for words in
        ["thrash.yaml:5:25: without names", "as `scores: {none: …, low: …, medium: …, high: …, critical: …}`"]
    {
        assert!(refused.contains(words), "no `{words}` in {refused}");
    }
    // Where the model's own files name them in this order, it would be seen.
    let folder = copy("classify");
    change(&folder, "thrash.yaml", "revision: '1'", order);
    load(folder.path());
}

#[test]
fn golden_phrases_catch_levels_and_bands_in_a_wrong_order() {
    let folder = copy("multi_label");
    change(&folder, "thrash.yaml", "# Made by make.py.", "decide: {threshold: 0.4}");
    let golden = "- text: i am so tired and sad\n";
    change(&folder, "thrash.yaml", golden, &format!("{golden}  level: low\n"));
    load(folder.path());
    change(&folder, "thrash.yaml", "tiredness: low", "tiredness: high");
    let refused = refusal(&rten(folder.path()));
    let words = "golden phrase 2 scores what it should, and that makes it `high` instead of `low`";
    assert!(refused.contains(words), "{refused}");
}

#[test]
fn golden_scores_are_of_the_labels() {
    for (from, to, words, hint) in [
        ("low: 0.", "lwo: 0.", "a score is of no label", "did you mean `low`?"),
        (", critical: 0.02348", "", "there is no score of `critical`", ""),
    ] {
        let folder = copy("characters");
        change(&folder, "thrash.yaml", from, to);
        let refused = refusal(&rten(folder.path()));
        for words in ["thrash.yaml:9:11: ", words, hint] {
            assert!(refused.contains(words), "{to}: no `{words}` in {refused}");
        }
    }
}

#[test]
fn a_model_that_could_say_only_one_thing_is_refused() {
    for (side, words) in [
        ("levels: {grief: none, tiredness: none, self_hate: none, danger: none, plan: none}", "only `none`"),
        (
            "decide: {bands: {low: 0.3, critical: 0.85}}\n\
             weights: {grief: 0, tiredness: 0.2, self_hate: 0.4, danger: 0.5, plan: 0.7}",
            "`critical` begins at 0.85, and no text scores above 0.7, the greatest weight",
        ),
        (
            "decide: {bands: {low: 0.3}}\ntask: classify\n\
             weights: {grief: 0.4, tiredness: 0.5, self_hate: 0.6, danger: 0.8, plan: 1}",
            "`low` begins at 0.3, and every text scores 0.4, the least weight, or more",
        ),
        (
            "task: classify\nlevels: {grief: high, tiredness: high, self_hate: high, danger: high, plan: high}",
            "only `high`, whatever it reads",
        ),
        (
            "task: classify\ndecide: {at_least: {low: 0.2, critical: 0.5}}\n\
             levels: {grief: none, tiredness: low, self_hate: low, danger: medium, plan: high}",
            "a number for `critical`, and no label above `high`: it is never reached",
        ),
        (
            "task: classify\ndecide: {at_least: {low: 0.9}}\n\
             levels: {grief: medium, tiredness: medium, self_hate: high, danger: high, plan: high}",
            "a number for `low`, and no label below `medium`: every text reaches it",
        ),
    ] {
        let folder = copy("multi_label");
        std::fs::write(folder.path().join("thrash.yaml"), side).expect("written");
        let refused = refusal(&rten(folder.path()));
        assert!(refused.contains("expected labels that can say how badly; found"), "{side}: {refused}");
        assert!(refused.contains(words), "{side}: {refused}");
    }
    let folder = copy("multi_label");
    let bands = "decide: {bands: {low: 0.3}}\nweights: {grief: 0, tiredness: 0.2, self_hate: 0.4, danger: 1}";
    std::fs::write(folder.path().join("thrash.yaml"), bands).expect("written");
    let refused = refusal(&rten(folder.path()));
    assert!(
        refused.contains("expected a level or a weight for each label; found none for `plan`"),
        "{refused}"
    );
}

#[test]
fn contradiction_is_needed_only_where_it_is_read() {
    let folder = copy("nli");
    change(&folder, "config.json", "\"contradiction\"", "\"other\"");
    load(folder.path());
    change(&folder, "thrash.yaml", "task: zero_shot", "task: zero_shot\nindependent: true");
    let refused = refusal(&rten(folder.path()));
    assert!(refused.contains("an output called `contradiction`"), "{refused}");
}

#[test]
fn what_nothing_would_read_is_refused_with_its_place() {
    for (model, line, words, hint) in [
        (
            "classify",
            "hypothesis: it is {}",
            "nothing reads `hypothesis` for `task: classify`",
            "`zero_shot`",
        ),
        ("classify", "independent: false", "nothing reads `independent`", "`zero_shot`"),
        ("classify", "entailment: 2", "nothing reads `entailment`", "`zero_shot`"),
        ("classify", "pooling: cls", "nothing reads `pooling`", "`embedding`"),
        ("classify", "max_length: 100000", "windows have at most 64 tokens here", ""),
        ("classify", "levels: {hihg: high}", "there is no label `hihg`", "did you mean `high`?"),
        ("classify", "weights: {hihg: 0.5}", "there is no label `hihg`", "did you mean `high`?"),
        ("classify", "characters: {scheme: folded-1}", "nothing reads `characters`", "`input: characters`"),
        ("multi_label", "activation: none", "nothing reads `activation`", "`score`"),
        ("score", "levels: {score: high}", "nothing reads `levels` for `task: score`", "`classify`"),
        ("characters", "max_length: 64", "nothing reads `max_length` for this `input`", "length of windows"),
    ] {
        let folder = copy(model);
        change(&folder, "thrash.yaml", "# Made by make.py.", line);
        let refused = refusal(&rten(folder.path()));
        for words in ["thrash.yaml:1:".to_owned(), words.to_owned(), hint.to_owned()] {
            assert!(refused.contains(&words), "{line}: no `{words}` in {refused}");
        }
        // The line itself, for no phrase is in it.
        assert!(refused.contains(&format!("1 | {line}")), "{refused}");
    }
}

#[test]
fn lines_are_shown_but_those_of_golden_phrases() {
    let folder = copy("multi_label");
    change(&folder, "thrash.yaml", "grief: none", "grief: lwo");
    let refused = refusal(&rten(folder.path()));
    assert!(refused.contains("| levels: {grief: lwo, tiredness: low"), "{refused}");
    let folder = copy("multi_label");
    std::fs::write(folder.path().join("thrash.yaml"), "levels:\n  grief: lwo\nweights:\n  plan: -1.5\n")
        .expect("written");
    let refused = refusal(&rten(folder.path()));
    assert!(refused.contains("2 |   grief: lwo"), "{refused}");
    change(&folder, "thrash.yaml", "lwo", "low");
    assert!(refusal(&rten(folder.path())).contains("4 |   plan: -1.5"), "{}", refusal(&rten(folder.path())));
    for text in [
        "golden:\n- text: I MARK\n  scores: [2.0]\n  more: I MARK\n",
        "{golden: [{text: I MARK, scores: 1}]}",
    ] {
        std::fs::write(folder.path().join("thrash.yaml"), text).expect("written");
        let refused = refusal(&rten(folder.path()));
        assert!(refused.contains("thrash.yaml:") && !refused.contains("MARK"), "{refused}");
    }
}

#[test]
fn places_of_entailment_that_cannot_be_right_are_refused() {
    for (places, words) in [
        ("entailment: 2\ncontradiction: 2", "`contradiction` is output 0 in `config.json`, not 2"),
        ("entailment: 0", "`entailment` is output 2 in `config.json`, not 0"),
    ] {
        let folder = copy("nli");
        change(&folder, "thrash.yaml", "task: zero_shot", &format!("task: zero_shot\n{places}"));
        assert!(refusal(&rten(folder.path())).contains(words), "{}", refusal(&rten(folder.path())));
    }
    let folder = copy("nli");
    change(&folder, "config.json", "\"contradiction\"", "\"LABEL_0\"");
    change(&folder, "config.json", "\"entailment\"", "\"LABEL_2\"");
    let places = |at: &str| {
        let folder = copy("nli");
        for file in ["config.json", "thrash.yaml"] {
            std::fs::remove_file(folder.path().join(file)).expect("removed");
        }
        let side = std::fs::read_to_string(fixture("nli/thrash.yaml")).expect("the side file");
        std::fs::write(folder.path().join("thrash.yaml"), format!("{side}{at}\n")).expect("written");
        folder
    };
    let same = refusal(&rten(places("entailment: 2\ncontradiction: 2").path()));
    assert!(same.contains("entailment and contradiction cannot be the same output"), "{same}");
    load(places("entailment: 2\ncontradiction: 0").path());
    change(&folder, "thrash.yaml", "task: zero_shot", "task: zero_shot\nentailment: 3\ncontradiction: 0");
    let beyond = refusal(&rten(folder.path()));
    assert!(beyond.contains("the model has 3 outputs, counted from 0"), "{beyond}");
}

#[test]
fn a_program_without_a_model_says_so() {
    let options = ReferenceOptions { model: ModelSource::Builtin, ..rten(Path::new("")) };
    if ModelSource::has_builtin() {
        thrash::reference::Model::load(&options).expect("the built-in model loads");
    } else {
        assert!(refusal(&options).contains("no reference model is inside this program"));
    }
}
