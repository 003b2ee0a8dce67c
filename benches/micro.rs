//! What phrases cost apart from the network: reading a suite, judging, measuring, rendering, and the built-in model.

use criterion::{Criterion, criterion_group, criterion_main};
use std::hint::black_box;
use thrash::domain::{Answer, Level, Observation, PhraseResult, Prediction, RunRecord, TextPolicy};
use thrash::judge::{judge_phrase, measure};
use thrash::reference::{Device, EngineChoice, Model, ModelSource, ReferenceOptions, RuntimeOptions};
use thrash::report::{Format, RenderOptions, render};
use thrash::suite::Catalog;

fn suites(criterion: &mut Criterion) {
    let catalog = Catalog::shipped();
    let names = ["comprehensive".to_owned()];
    criterion.bench_function("load the shipped 350 phrases", |bencher| {
        bencher.iter(|| catalog.load(black_box(&names), None).map(|suite| suite.phrases.len()));
    });
    let Ok(suite) = catalog.load(&names, None) else { return };
    let observation = Observation {
        repeat: 0,
        started_ms: 0.0,
        latency_ms: 1.0,
        attempts: Vec::new(),
        answer: Answer::Prediction(Prediction {
            level: Level::Medium,
            label: "medium".to_owned(),
            score: Some(0.5),
            confidence: None,
            service_latency_ms: None,
            version: None,
        }),
        violations: Vec::new(),
        cached: false,
    };
    let judge = || -> Vec<_> {
        let judged = suite.phrases.iter();
        judged
            .map(|phrase| judge_phrase(phrase, Level::Low, TextPolicy::Full, vec![observation.clone()]))
            .collect()
    };
    criterion.bench_function("judge 350 answers", |bencher| bencher.iter(judge));
    let results = judge();
    criterion.bench_function("measure 350 results", |bencher| {
        bencher.iter(|| measure(black_box(&results), Level::Low));
    });
    let Ok(record) = large(&results) else { return };
    criterion.bench_function("render 4,000 results as HTML", |bencher| {
        bencher.iter(|| render(Format::Html, black_box(&record), &RenderOptions::default()));
    });
}

/// A run of 4,000 phrases, with as many different scores and latencies.
fn large(results: &[PhraseResult]) -> serde_json::Result<RunRecord> {
    let mut record: RunRecord = serde_json::from_str(include_str!("../tests/fixtures/record-v1.json"))?;
    let numbered = results.iter().cycle().take(4000).cloned().zip(0_u32..);
    record.results = numbered
        .map(|(mut result, number)| {
            result.id = format!("{}-{number}", result.id);
            for seen in &mut result.observations {
                seen.latency_ms = 20.0 + f64::from(number) / 40.0;
                if let Answer::Prediction(prediction) = &mut seen.answer {
                    prediction.score = Some(f64::from(number * 7 % 4000) / 4000.0);
                }
            }
            result
        })
        .collect();
    record.metrics = measure(&record.results, Level::Low);
    Ok(record)
}

/// The built-in model in rten, on one thread.
fn reference(criterion: &mut Criterion) {
    let options = ReferenceOptions {
        model: ModelSource::Builtin,
        engine: EngineChoice::Rten,
        device: Device::Cpu,
        threads: 1,
        batch: Some(32),
        is_unsorted: false,
        runtime: RuntimeOptions::default(),
    };
    criterion.bench_function("load the built-in model, its golden phrases checked", |bencher| {
        bencher.iter(|| Model::load(black_box(&options)).map(|model| model.facts().golden));
    });
    let Ok(mut model) = Model::load(&options) else { return };
    let Ok(suite) = Catalog::shipped().load(&["comprehensive".to_owned()], None) else { return };
    let texts: Vec<&str> = suite.phrases.iter().map(|phrase| phrase.text.as_str()).collect();
    // From all over the suite, so of every length.
    let batch: Vec<&str> = texts.iter().copied().step_by(texts.len() / 32).take(32).collect();
    criterion.bench_function("one phrase through the built-in model", |bencher| {
        bencher.iter(|| model.opinions(black_box(&batch[..1])).map(|opinions| opinions.len()));
    });
    criterion.bench_function("32 phrases through the built-in model", |bencher| {
        bencher.iter(|| model.opinions(black_box(&batch)).map(|opinions| opinions.len()));
    });
}

criterion_group!(benches, suites, reference);
criterion_main!(benches);
