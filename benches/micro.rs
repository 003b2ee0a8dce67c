//! What one phrase costs apart from the network: reading a suite, judging, measuring, rendering.

use criterion::{Criterion, criterion_group, criterion_main};
use std::hint::black_box;
use thrash::domain::{Answer, Level, Observation, Prediction, TextPolicy};
use thrash::judge::{judge_phrase, measure};
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
            .map(|phrase| judge_phrase(phrase, Level::Low, TextPolicy::None, vec![observation.clone()]))
            .collect()
    };
    criterion.bench_function("judge 350 answers", |bencher| bencher.iter(judge));
    let results = judge();
    criterion.bench_function("measure 350 results", |bencher| {
        bencher.iter(|| measure(black_box(&results), Level::Low));
    });
}

criterion_group!(benches, suites);
criterion_main!(benches);
