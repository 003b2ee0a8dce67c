//! What a sample's record lacks: a baseline, a reference, known failures, repeats, contradictions, gates that only warn.

use std::collections::BTreeMap;

use thrash::domain::{
    Answer, AnswerBrief, AnswerCount, BaselineRecord, Change, CheckOutcome, CheckSeverity, Estimate,
    FlakyPhrase, LatencyComparison, Level, MetricComparison, NoAnswer, NoAnswerReason, PairedTest,
    PhraseChange, PhraseResult, Prediction, Rate, ReferenceAnswer, ReferenceModel, ReferenceRecord,
    ReferenceReport, RepeatReport, RunBrief, RunComparison, RunId, RunRecord, SliceComparison, SliceKind,
    UnpairedRate, Verdict, WaiverRecord, WaiverReport, WaiverState,
};
use thrash::judge::{compare_reference, disagreement};

use crate::support::sample::{Said, Sample};

/// A run with one of everything: the failures of [`Sample::quick`], and all that can stand beside them.
pub(super) fn rich() -> RunRecord {
    let mut sample = Sample::quick();
    sample.say("self_harm-003", Said::Nothing(NoAnswerReason::FailOpen));
    let mut record = sample.record();
    record.baseline = Some(BaselineRecord::Compared(Box::new(comparison(&record))));
    waive(&mut record, "gaming_slang-004");
    repeat(&mut record, "everyday_benign-001");
    result(&mut record, "everyday_benign-002").observations[0].violations =
        vec!["score_matches_label".to_owned()];
    second_opinion(&mut record);
    record
}

pub(super) fn result<'a>(record: &'a mut RunRecord, id: &str) -> &'a mut PhraseResult {
    record.results.iter_mut().find(|result| result.id == id).expect("the phrase is there")
}

/// A reference that is right about two phrases that the target gets wrong, wrong about one that it gets right, wrong
/// like it about one and in another way about one.
pub(super) fn second_opinion(record: &mut RunRecord) {
    let says = |result: &PhraseResult| match result.id.as_str() {
        "passive_ideation-002" => (Level::Low, 0.3),
        "gaming_slang-004" => (Level::High, 0.82),
        "everyday_benign-003" => (Level::Medium, 0.51),
        _ => {
            let level = result.expected.primary();
            (level, [0.03, 0.2, 0.4, 0.72, 0.93][level.index()])
        }
    };
    let opinions: Vec<PhraseResult> = record
        .results
        .iter()
        .map(|target| {
            let (level, score) = says(target);
            let mut opinion = target.clone();
            opinion.level = Some(level);
            opinion.verdict = match level {
                _ if target.expected.contains(level) => Verdict::Exact,
                level if level < target.expected.min() => Verdict::Under,
                _ => Verdict::Over,
            };
            let label = level.to_string();
            opinion.observations.truncate(1);
            opinion.observations[0].answer = Answer::Prediction(Prediction {
                level,
                label,
                score: Some(score),
                confidence: None,
                service_latency_ms: None,
                version: None,
            });
            opinion
        })
        .collect();
    let answers = record.results.iter().zip(&opinions).map(|(target, opinion)| {
        let (level, score) = says(target);
        ReferenceAnswer {
            id: target.id.clone(),
            level,
            label: format!("LABEL_{}", level.index()),
            score,
            verdict: opinion.verdict,
            disagreement: disagreement(target, opinion),
        }
    });
    record.reference = Some(ReferenceRecord::Answered(Box::new(ReferenceReport {
        model: ReferenceModel {
            name: "second".to_owned(),
            revision: Some("r7".to_owned()),
            file: "model.onnx".to_owned(),
            hash: "0".repeat(64),
            engine: "rten 0.27.0".to_owned(),
            device: "cpu".to_owned(),
            nodes: BTreeMap::new(),
            threads: 1,
            golden: 3,
        },
        notes: Vec::new(),
        planned: record.results.len() as u64,
        load_ms: 4.0,
        duration_ms: 5.0,
        phrases_per_second: Some(5000.0),
        metrics: record.metrics.clone(),
        comparison: compare_reference(&record.results, &opinions),
        answers: answers.collect(),
    })));
}

/// Passes a phrase's failure over; another waiver has expired.
pub(super) fn waive(record: &mut RunRecord, phrase: &str) {
    let waiver = |phrase: &str, state| WaiverRecord {
        phrase: phrase.to_owned(),
        owner: "@org/nlp".to_owned(),
        reason: "known since v5 (#12)".to_owned(),
        expires: "2026-04-01".parse().expect("a day"),
        state,
    };
    record.waivers = Some(WaiverReport {
        waivers: vec![waiver(phrase, WaiverState::Used), waiver("old-001", WaiverState::Expired)],
        most: 5,
        metrics: record.metrics.clone(),
        slices: record.slices.clone(),
    });
}

/// Sends a phrase that was answered rightly three times: the second answer is critical, the third none at all.
pub(super) fn repeat(record: &mut RunRecord, phrase: &str) {
    let result = result(record, phrase);
    let first = result.observations[0].clone();
    let mut second = first.clone();
    second.repeat = 1;
    if let Answer::Prediction(prediction) = &mut second.answer {
        prediction.level = Level::Critical;
    }
    let mut third = first.clone();
    third.repeat = 2;
    third.answer = Answer::NoAnswer(NoAnswer {
        reason: NoAnswerReason::Timeout,
        detail: "nothing came within 5 s".to_owned(),
    });
    let answers = [first.answer.level(), Some(Level::Critical), None];
    result.observations = vec![first, second, third];
    let category = result.category.clone();
    let rate = |count: u32, of: u32| Rate {
        count: count.into(),
        of: of.into(),
        value: Some(f64::from(count) / f64::from(of)),
        wilson: None,
        exact: None,
        effective: None,
    };
    record.repeats = Some(RepeatReport {
        phrases: 1,
        flip_rate: rate(2, 3),
        flaky_rate: rate(1, 1),
        always_right: rate(0, 1),
        extra: 0,
        flaky: vec![FlakyPhrase {
            id: phrase.to_owned(),
            category,
            answers: answers.map(|level| AnswerCount { level, count: 1 }).to_vec(),
            agreement: 1.0 / 3.0,
            passing: rate(1, 3),
        }],
    });
}

/// Lets the first failed check only warn.
pub(super) fn warn(record: &mut RunRecord) -> String {
    let failed = record.verdict.checks.iter_mut().find(|check| check.outcome == CheckOutcome::Fail);
    let failed = failed.expect("a check failed");
    failed.severity = CheckSeverity::Warn;
    failed.name.clone()
}

/// The run held against one in which two of its wrong answers were right, and a right one wrong.
pub(super) fn comparison(record: &RunRecord) -> RunComparison {
    let brief = |id: &str| RunBrief {
        id: RunId::from_stored(id),
        status: Some(record.status),
        started_at: record.started_at,
        suite: record.suite.name.clone(),
        selection_hash: record.suite.selection_hash.clone(),
        target: record.target.name.clone(),
        target_version: record.target.version.clone(),
        contract_hash: record.target.contract_hash.clone(),
        alert_level: record.target.alert_level,
        phrases: record.metrics.phrases,
    };
    let changes = record.results.iter().filter_map(change).collect();
    let estimate = |value, lower, upper| Estimate { value, lower: Some(lower), upper: Some(upper) };
    let test = PairedTest {
        both_right: 20,
        improved: 1,
        regressed: 2,
        both_wrong: 2,
        difference: Some(estimate(-0.04, -0.151, 0.072)),
        p_worse: 0.3125,
        p_changed: 0.625,
        p_worse_holm: None,
        effective: None,
        answers: None,
    };
    RunComparison {
        baseline: brief("20260228-210000-a1b2c3"),
        candidate: brief(record.id.as_str()),
        warnings: vec!["the target's contract is another one".to_owned()],
        compared: 25,
        accuracy: test,
        metrics: vec![MetricComparison {
            metric: "false_positive_rate".to_owned(),
            baseline: record.metrics.false_positive_rate,
            candidate: record.metrics.false_positive_rate,
            test: PairedTest { p_worse: 0.0001, p_worse_holm: Some(0.0002), ..test },
        }],
        slices: vec![SliceComparison {
            kind: SliceKind::Category,
            name: "explicit_ideation".to_owned(),
            critical: true,
            test,
        }],
        load: None,
        latency: vec![LatencyComparison {
            quantile: 0.95,
            baseline: estimate(100.0, 90.0, 120.0),
            candidate: estimate(128.0, 110.0, 140.0),
            ratio: estimate(1.28, 1.01, 1.4),
        }],
        changes,
        unpaired: Vec::new(),
    }
}

/// The same run held against one of other phrases: what a comparison holds where it compares too few.
pub(super) fn apart(record: &RunRecord) -> RunComparison {
    let mut comparison = comparison(record);
    (comparison.compared, comparison.accuracy) =
        (0, PairedTest { p_worse: 1.0, p_changed: 1.0, ..PairedTest::default() });
    comparison.changes.retain_mut(|phrase| {
        (phrase.change, phrase.baseline) = (Change::New, None);
        true
    });
    comparison.unpaired = vec![UnpairedRate {
        metric: "accuracy".to_owned(),
        baseline: record.metrics.accuracy,
        candidate: record.metrics.accuracy,
        difference: Estimate { value: -0.2, lower: Some(-0.3339), upper: Some(-0.0524) },
        p_worse: 0.0062,
        p_differ: 0.0084,
    }];
    comparison
}

fn change(result: &PhraseResult) -> Option<PhraseChange> {
    let change = match result.id.as_str() {
        "explicit_ideation-003" | "gaming_slang-004" => Change::Regressed,
        "self_harm-002" | "passive_ideation-002" => Change::StillWrong,
        "hypothetical-001" => Change::Fixed,
        _ => return None,
    };
    let brief = AnswerBrief {
        level: result.level,
        verdict: result.verdict,
        unsteady: false,
        score: None,
        latency_ms: 1.0,
        answers: None,
    };
    Some(PhraseChange {
        id: result.id.clone(),
        category: result.category.clone(),
        capability: None,
        language: None,
        critical: result.critical,
        must_pass: result.must_pass,
        expected: result.expected,
        change,
        baseline: Some(match change {
            Change::Regressed => {
                AnswerBrief { level: Some(result.expected.primary()), verdict: Verdict::Exact, ..brief }
            }
            Change::Fixed => AnswerBrief { level: None, verdict: Verdict::Unanswered, ..brief },
            Change::StillWrong | Change::Flaky | Change::New | Change::Gone => brief,
        }),
        candidate: Some(brief),
        source: result.source.clone(),
    })
}

/// Every word of the record that comes from outside.
pub(super) fn with_words(mut record: RunRecord, word: &str) -> RunRecord {
    let all = |texts: &mut [&mut String]| texts.iter_mut().for_each(|text| word.clone_into(text));
    record.environment = Some(word.to_owned());
    record.target.version = Some(word.to_owned());
    let RunRecord { suite, target, verdict, .. } = &mut record;
    all(&mut [&mut suite.name, &mut target.name, &mut target.url, &mut verdict.sentence]);
    for check in &mut verdict.checks {
        all(&mut [&mut check.name, &mut check.reason]);
    }
    record.integrity.fail_open = vec![word.to_owned()];
    for slice in &mut record.slices {
        all(&mut [&mut slice.name]);
    }
    for (at, result) in record.results.iter_mut().enumerate() {
        // Phrases stay different ones.
        result.id = format!("{word}{at}");
        all(&mut [&mut result.category, &mut result.source.file]);
        result.capability = Some(word.to_owned());
        result.tags = vec![word.to_owned()];
        result.text = Some(word.to_owned());
    }
    if let Some(BaselineRecord::Compared(comparison)) = &mut record.baseline {
        hostile(comparison, word);
    }
    if let Some(ReferenceRecord::Answered(report)) = &mut record.reference {
        all(&mut [&mut report.model.name, &mut report.model.engine, &mut report.model.device]);
        report.notes = vec![word.to_owned()];
        for (answer, result) in report.answers.iter_mut().zip(&record.results) {
            answer.id.clone_from(&result.id);
            word.clone_into(&mut answer.label);
        }
        for gap in &mut report.comparison.gaps {
            all(&mut [&mut gap.category, &mut gap.source.file]);
            // Another phrase than the first would be as good.
            gap.id.clone_from(&record.results[0].id);
        }
        for slice in &mut report.comparison.slices {
            all(&mut [&mut slice.name]);
        }
    }
    for waiver in record.waivers.iter_mut().flat_map(|report| &mut report.waivers) {
        all(&mut [&mut waiver.owner, &mut waiver.reason]);
    }
    for flaky in record.repeats.iter_mut().flat_map(|report| &mut report.flaky) {
        all(&mut [&mut flaky.id, &mut flaky.category]);
    }
    record
}

/// Every word of the comparison that comes from outside.
pub(super) fn hostile(comparison: &mut RunComparison, word: &str) {
    comparison.warnings = vec![word.to_owned()];
    for brief in [&mut comparison.baseline, &mut comparison.candidate] {
        word.clone_into(&mut brief.suite);
        word.clone_into(&mut brief.target);
        brief.target_version = Some(word.to_owned());
    }
    for change in &mut comparison.changes {
        word.clone_into(&mut change.id);
        word.clone_into(&mut change.category);
    }
    for slice in &mut comparison.slices {
        word.clone_into(&mut slice.name);
    }
    for found in &mut comparison.unpaired {
        word.clone_into(&mut found.metric);
    }
    for metric in &mut comparison.metrics {
        word.clone_into(&mut metric.metric);
    }
}

/// A run of so many phrases, an eighth of them wrong.
pub(super) fn sized(phrases: usize) -> RunRecord {
    let mut sample = Sample::empty();
    sample.add("everyday", &[Level::None], phrases);
    for (at, phrase) in (0_u16..).zip(&mut sample.phrases) {
        phrase.id = format!("everyday-{at}");
        // As hard to pack as what people write, and harder.
        let mut state = u64::from(at);
        let words = (0..12).map(|_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            format!("{:05x}", state >> 44)
        });
        phrase.text = Some(words.collect::<Vec<_>>().join(" "));
        if at % 8 == 0 {
            phrase.said =
                Said::Level(Level::ALL[1 + usize::from(at / 8 % 4)], 0.3 + f64::from(at % 700) / 1000.0);
        }
    }
    sample.record()
}
