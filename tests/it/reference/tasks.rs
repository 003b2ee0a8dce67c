//! What each kind of model says: its numbers become levels as the side file asks.

use std::sync::atomic::{AtomicUsize, Ordering};

use thrash::domain::Level;
use thrash::reference::{Model, ReferenceOptions};

use super::support::{TEXTS, change, copy, fixture, load, onnxruntime, refusal, rten};
use crate::support::command::Place;

fn levels(model: &str, texts: &[&str]) -> Vec<Level> {
    let opinions = load(&fixture(model)).opinions(texts).expect("opinions");
    opinions.into_iter().map(|opinion| opinion.level).collect()
}

const CLEAR: [&str; 5] = ["lovely game", "sad and tired", "hopeless crying", "die", "suicide tonight"];

#[test]
fn every_kind_of_model_orders_clear_texts() {
    for model in [
        "classify",
        "classify/model_fp16.onnx",
        "classify/model_quantized.onnx",
        "nli",
        "nli_bands",
        "embedding",
    ] {
        assert_eq!(levels(model, &CLEAR), Level::ALL, "{model}");
    }
    assert_eq!(levels("score", &["lovely game", "suicide tonight"]), [Level::None, Level::Critical]);
}

#[test]
fn a_score_is_the_mean_level_of_labels_that_exclude_one_another() {
    let mut model = load(&fixture("classify"));
    let opinion = &model.opinions(&["good morning everyone"]).expect("an opinion")[0];
    // 0.72027, 0.06233, 0.07282, 0.06553 and 0.07905 at 0, 1/4, 2/4, 3/4 and 1.
    let mean = 0.06233 * 0.25 + 0.07282 * 0.5 + 0.06553 * 0.75 + 0.07905;
    assert!((opinion.score - mean).abs() < 1e-4, "{opinion:?}");
    assert_eq!(opinion.label, "none");
    assert!((opinion.confidence.expect("a confidence") - 0.72027).abs() < 1e-4, "{opinion:?}");
}

#[test]
fn the_operating_point_is_where_the_side_file_puts_it() {
    let text = ["die"];
    let level = |decide: &str| {
        let folder = copy("classify");
        std::fs::write(folder.path().join("thrash.yaml"), format!("decide: {decide}\n")).expect("written");
        load(folder.path()).opinions(&text).expect("an opinion")[0].level
    };
    assert_eq!(level("top"), Level::High);
    // The sum of `high` and `critical` is above one half; that of `critical` alone is far below 0.99.
    assert_eq!(level("{at_least: {low: 0.5, medium: 0.5, high: 0.5, critical: 0.5}}"), Level::High);
    assert_eq!(level("{at_least: {low: 0.5, critical: 0.0001}}"), Level::Critical);
    assert_eq!(level("{at_least: {high: 0.99999}}"), Level::None);
    assert_eq!(level("{bands: {low: 0.1, medium: 0.2}}"), Level::Medium);
}

#[test]
fn weighed_candidates_of_an_entailment_model_make_a_score_and_bands_make_it_a_level() {
    for options in [rten(&fixture("nli_bands")), onnxruntime(&fixture("nli_bands"))] {
        let mut model = Model::load(&options).expect("it loads");
        let opinion = &model.opinions(&["i want to die"]).expect("an opinion")[0];
        // What make.py computed of each candidate, by its weight in `thrash.yaml`.
        let sum = 0.0015 + 0.39945 * 0.8 + 0.57916 * 0.75 + 0.00673 * 0.55 + 0.00285 * 0.35;
        assert!((opinion.score - sum).abs() < 1e-4, "{opinion:?}");
        assert_eq!((opinion.level, opinion.label.as_str()), (Level::High, "die"));
        let just = |number: f64| {
            let folder = copy("nli_bands");
            let golden = std::fs::read_to_string(folder.path().join("thrash.yaml")).expect("the side file");
            let (side, _) = golden.split_once("golden:").expect("golden phrases");
            let side = side.replace("high: 0.7", &format!("high: {number}"));
            std::fs::write(folder.path().join("thrash.yaml"), side).expect("written");
            load(folder.path()).opinions(&["i want to die"]).expect("an opinion")[0].level
        };
        assert_eq!((just(sum - 0.001), just(sum + 0.001)), (Level::High, Level::Medium));
    }
    // Weights of two candidates exchanged come out with the golden phrases.
    let folder = copy("nli_bands");
    change(&folder, "thrash.yaml", "sad: 0.35, lovely: 0.0", "sad: 0.0, lovely: 0.35");
    let refused = refusal(&rten(folder.path()));
    assert!(
        refused.contains("golden phrase 2 scores what it should") && refused.contains("`none`"),
        "{refused}"
    );
}

#[test]
fn an_entailment_model_in_a_folder_answers_beside_a_target() {
    let place = Place::new();
    let phrases: Vec<String> = CLEAR
        .iter()
        .zip(Level::ALL)
        .map(|(text, level)| format!("  - {{id: {level}-1, text: {text}, expected: [{level}]}}\n"))
        .collect();
    place.file("all.yaml", format!("category: all\nexpected: [none]\nphrases:\n{}", phrases.concat()));
    let model = fixture("nli_bands").display().to_string();
    place.thrash(["run", "all.yaml", "--reference", &model, "--engine", "rten"]);
    let record = place.latest();
    let answers = record["reference"]["answered"]["answers"].as_array().expect("answers").clone();
    assert_eq!(answers.len(), 5);
    for answer in answers {
        let id = answer["id"].as_str().expect("an id");
        assert_eq!(answer["level"].as_str(), id.strip_suffix("-1"), "{answer}");
    }
    let info = place.thrash(["model", "info", &model, "--engine", "rten"]).exits(0).stdout;
    assert!(info.contains("task       zero_shot: suicide, goodbye, die"), "{info}");
}

#[test]
fn of_several_labels_the_worst_that_is_probable_enough_decides() {
    let mut model = load(&fixture("multi_label"));
    let opinions = model.opinions(&["tired", "qwerty"]).expect("opinions");
    assert_eq!((opinions[0].level, opinions[0].label.as_str()), (Level::Low, "tiredness"));
    let sum: f64 = opinions[0].scores.iter().sum();
    assert!((sum - 1.0).abs() > 0.1, "independent labels do not make 1: {sum}");
}

#[test]
fn a_long_text_is_seen_whole_and_its_worst_part_counts() {
    // The tokenizer file cuts at 32 tokens and the model takes 64.
    let (calm, bad) = ("lovely ".repeat(300), "suicide tonight ".repeat(40));
    let texts = [calm.clone(), format!("{calm}{bad}"), format!("{calm}{bad}{calm}"), format!("{bad}{calm}")];
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    for model in ["classify", "nli"] {
        let expected = [Level::None, Level::Critical, Level::Critical, Level::Critical];
        assert_eq!(levels(model, &texts), expected, "{model}");
    }
    let mut loaded = load(&fixture("characters"));
    let tail = "I want to disappear, goodbye everyone";
    let alone = loaded.opinions(&[tail]).expect("an opinion")[0].clone();
    // Windows of 64 characters, 32 apart: this text makes many, and the tail fills the last one.
    let filled = format!("{}{tail}", "x y ".repeat(50));
    let worst = &loaded.opinions(&[&filled]).expect("an opinion")[0];
    let windows: Vec<String> = (0..6).map(|_| "x y ".repeat(16)).collect();
    assert_ne!(worst.scores, alone.scores);
    let calm = &loaded.opinions(&[&windows.concat()]).expect("an opinion")[0];
    assert_ne!(worst.scores, calm.scores, "the tail is seen");
}

#[test]
fn an_answer_depends_neither_on_padding_nor_on_batch_mates() {
    for model in
        ["classify", "classify/model_fp16.onnx", "multi_label", "nli", "score", "embedding", "characters"]
    {
        let mut loaded = load(&fixture(model));
        let together = loaded.opinions(&TEXTS).expect("opinions");
        for (text, together) in TEXTS.iter().zip(together) {
            let alone = &loaded.opinions(&[text]).expect("an opinion")[0];
            assert_eq!(alone.level, together.level, "{model}");
            assert!((alone.score - together.score).abs() < 1e-5, "{model}: {alone:?} {together:?}");
        }
    }
}

#[test]
fn a_logit_is_not_taken_for_a_score() {
    let folder = copy("score");
    let bands = "decide: {bands: {low: 0.3, critical: 0.85}}";
    let side = format!("task: score\nactivation: none\n{bands}\n");
    std::fs::write(folder.path().join("thrash.yaml"), side).expect("written");
    for options in [rten(folder.path()), onnxruntime(folder.path())] {
        let refused = refusal(&options);
        assert!(refused.contains("which with `activation: none` is no score from 0 to 1"), "{refused}");
    }
}

#[test]
fn batches_that_are_not_sorted_give_the_same_answers() {
    for model in ["classify", "nli_bands", "characters"] {
        let sorted = load(&fixture(model)).opinions(&TEXTS).expect("opinions");
        let options = ReferenceOptions { is_unsorted: true, batch: Some(5), ..rten(&fixture(model)) };
        let unsorted = Model::load(&options).expect("it loads").opinions(&TEXTS).expect("opinions");
        assert_eq!(unsorted.len(), TEXTS.len());
        for (one, other) in sorted.iter().zip(unsorted) {
            assert_eq!(one.level, other.level, "{model}");
            assert!((one.score - other.score).abs() < 1e-5, "{model}: {one:?} {other:?}");
        }
    }
}

#[test]
fn several_threads_answer_what_one_does_each_text_once() {
    // Of lengths that make batches small and large.
    let texts: Vec<String> = (0..90).map(|i| "hate lovely ".repeat(i % 13 * (i % 3) + 1)).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    for model in ["classify", "nli", "characters"] {
        let one = load(&fixture(model)).opinions(&texts).expect("opinions");
        for options in [rten(&fixture(model)), onnxruntime(&fixture(model))] {
            let options = ReferenceOptions { threads: 2, batch: Some(8), ..options };
            let mut loaded = Model::load(&options).expect("it loads");
            let mut told = vec![0; texts.len()];
            loaded.answer(&texts, &|| false, &mut |text, _, _| told[text] += 1).expect("no failure");
            assert!(told.iter().all(|times| *times == 1), "{model}: {told:?}");
            let several = loaded.opinions(&texts).expect("opinions");
            for (one, several) in one.iter().zip(several) {
                assert_eq!(one.level, several.level, "{model}");
                assert!((one.score - several.score).abs() < 1e-3, "{model}: {one:?} {several:?}");
            }
        }
    }
}

#[test]
fn answers_come_one_by_one_and_end_when_they_are_told_to() {
    let texts: Vec<String> = (0..100).map(|i| "lovely ".repeat(i % 7 + 1)).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let mut model = load(&fixture("classify"));
    let answered = AtomicUsize::new(0);
    let stop = || answered.load(Ordering::Relaxed) >= 40;
    model
        .answer(&texts, &stop, &mut |_, _, _| {
            answered.fetch_add(1, Ordering::Relaxed);
        })
        .expect("no failure");
    // What was on its way is finished, no further batch begins.
    assert!((40..=80).contains(&answered.into_inner()));
}

#[test]
fn what_is_answered_before_a_stop_is_not_the_shortest_part() {
    // Ten of each length, the middling one 25 words.
    let texts: Vec<String> = (0..500).map(|i| "lovely ".repeat(i % 50 + 1)).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let mut model = load(&fixture("classify"));
    let told = std::sync::Mutex::new(Vec::new());
    let stop = || told.lock().expect("the list").len() >= 160;
    model
        .answer(&texts, &stop, &mut |index, _, _| told.lock().expect("the list").push(index))
        .expect("answers");
    let told = told.into_inner().expect("the list");
    assert!(told.len() < 250, "{}", told.len());
    let long = told.iter().filter(|index| **index % 50 >= 25).count();
    assert!((told.len() / 4..told.len() * 3 / 4).contains(&long), "{long} of {} are long", told.len());
}
