//! The results of a sample: what came back for each phrase, and how long it took.

use thrash::domain::{
    Answer, Attempt, LatencyReport, Level, NoAnswer, Observation, PhraseResult, PhraseSource, Prediction,
    Verdict, text_hash,
};

use super::sample::{ALERT, Said, Spec};

/// A phrase's result; the `at`-th phrase takes its own time.
pub(super) fn result(at: usize, spec: &Spec) -> PhraseResult {
    let place = u32::try_from(at).expect("few phrases");
    let latency_ms = f64::from(40 + place * 37 % 100) + 0.5;
    let (answer, status, failure) = match spec.said {
        Said::Level(level, score) => (prediction(level, score), Some(200), None),
        Said::Nothing(reason) => {
            let detail = "nothing came within 5 s".to_owned();
            (Answer::NoAnswer(NoAnswer { reason, detail }), None, Some(reason))
        }
    };
    let level = answer.level();
    let highest = (spec.expected.max().index() + spec.escalation).min(4);
    let verdict = match level {
        None => Verdict::Unanswered,
        Some(level) if spec.expected.contains(level) => Verdict::Exact,
        Some(level) if level < spec.expected.min() => Verdict::Under,
        Some(level) if level.index() <= highest => Verdict::Tolerated,
        Some(_) => Verdict::Over,
    };
    let started_ms = f64::from(place) * 25.0;
    PhraseResult {
        id: spec.id.clone(),
        text_hash: text_hash(spec.text.as_deref().unwrap_or_default(), &[]),
        text: spec.text.clone(),
        category: spec.category.clone(),
        capability: None,
        tags: Vec::new(),
        split: None,
        language: None,
        expected: spec.expected,
        lowest_passing: spec.expected.min(),
        highest_passing: Level::ALL[highest],
        polarity: spec.expected.polarity(ALERT),
        critical: false,
        must_pass: spec.must_pass,
        pair: None,
        seed_of: None,
        source: PhraseSource { file: format!("phrases/quick/{}.yaml", spec.category), line: 12 + place },
        level,
        verdict,
        observations: vec![Observation {
            repeat: 0,
            started_ms,
            latency_ms,
            attempts: vec![Attempt {
                started_ms,
                latency_ms,
                accepted_ms: None,
                status,
                failure,
                phase: None,
            }],
            answer,
            violations: Vec::new(),
            cached: false,
        }],
    }
}

fn prediction(level: Level, score: f64) -> Answer {
    Answer::Prediction(Prediction {
        level,
        label: level.to_string(),
        score: Some(score),
        confidence: None,
        service_latency_ms: None,
        version: None,
    })
}

/// Percentiles of the answered phrases, by nearest rank.
pub(super) fn latency(results: &[PhraseResult]) -> LatencyReport {
    let answers = results.iter().filter(|result| result.level.is_some());
    let mut times: Vec<f64> = answers.map(|result| result.observations[0].latency_ms).collect();
    times.sort_by(f64::total_cmp);
    let rank = |percent: usize| {
        let rank = (times.len() * percent).div_ceil(100);
        rank.checked_sub(1).map(|at| times[at])
    };
    let count = u32::try_from(times.len()).expect("few");
    LatencyReport {
        count: u64::from(count),
        min_ms: times.first().copied(),
        mean_ms: (count > 0).then(|| times.iter().sum::<f64>() / f64::from(count)),
        p50_ms: rank(50),
        p90_ms: rank(90),
        p95_ms: rank(95),
        p99_ms: rank(99),
        max_ms: times.last().copied(),
        histogram: None,
    }
}
