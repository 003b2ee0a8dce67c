//! The demo detector, asked through real sockets.

use std::time::{Duration, Instant};

use reqwest::{Client, Response, StatusCode};
use serde_json::{Value, json};
use thrash::demo::{
    Behaviour, Demo, DemoError, DemoOptions, Earlier, InternalKey, Latency, Severity, analyse, demo,
};

fn start(behaviour: Behaviour) -> Demo {
    Demo::start(DemoOptions { behaviour, ..DemoOptions::default() }).expect("a free loopback port")
}

fn behaviour(switches: Value) -> Behaviour {
    serde_json::from_value(switches).expect("valid switches")
}

async fn ask(demo: &Demo, body: &Value) -> Response {
    Client::new().post(format!("{}/analyze", demo.url())).json(body).send().await.expect("an answer")
}

async fn answer(demo: &Demo, message: &str) -> Value {
    let response = ask(demo, &json!({"message": message})).await;
    assert_eq!(response.status(), StatusCode::OK);
    response.json().await.expect("JSON")
}

fn band(score: &Value) -> &'static str {
    Severity::of_score(score.as_f64().expect("a score")).as_str()
}

/// A level, and texts that get it: what nobody should get wrong.
const PLAIN: [(&[Severity], &[&str]); 5] = [
    (
        &[Severity::High, Severity::Critical],
        &[
            "I want to die",
            "i'm going to kill myself tonight",
            "I don't want to be alive anymore",
            "Everyone would be better off without me",
            "I keep thinking about ending my life",
            "I can't stop cutting myself",
            "I took a whole bottle of sleeping pills",
        ],
    ),
    (
        &[Severity::Medium],
        &[
            "I'm having a panic attack and can't breathe",
            "My mom died last week",
            "I feel so hopeless",
            "He hits me when he is drunk",
            "I feel like a burden to everyone",
        ],
    ),
    (
        &[Severity::Low],
        &[
            "I'm so stressed about exams",
            "had a really bad day",
            "feeling kinda down today",
            "work has been overwhelming lately",
        ],
    ),
    (
        &[Severity::Safe],
        &[
            "What time is the meeting?",
            "I'm dying of laughter",
            "My phone died",
            "I died to the final boss again",
            "this homework is killing me lol",
            "I could kill for a coffee",
            "We should hang out this weekend",
            "I'm dying to see that movie",
            "can you shoot me an email",
            "I love this song",
        ],
    ),
    (
        &[Severity::Safe, Severity::Low],
        &["I would never kill myself", "She said \"I want to die\" in the play", "I'm not suicidal"],
    ),
];

#[test]
fn plain_messages_get_the_level_that_anyone_would_give_them() {
    for (levels, texts) in PLAIN {
        for text in texts {
            let found = analyse(text, &[]);
            assert!(levels.contains(&found.severity), "`{text}` got {} ({found:?})", found.severity);
        }
    }
}

#[test]
fn a_disguised_message_gets_the_level_of_the_plain_one() {
    let plain = analyse("I want to kill myself", &[]).severity;
    for disguised in [
        "i WANT to KILL myself",
        "I want to k1ll mys3lf",
        "i want to ki\u{200b}ll my\u{200d}self",
        "I wanna killlll myself",
        "I want to kіll mуself",
        "I want to k i l l m y s e l f",
        "I want to 𝐤𝐢𝐥𝐥 𝐦𝐲𝐬𝐞𝐥𝐟",
        "I want to k*ll myself",
        "I want to kíll mysélf",
        "I want to unalive myself 🥀",
        "i want to kill my\u{ad}self 😔",
    ] {
        assert_eq!(analyse(disguised, &[]).severity, plain, "{disguised}");
    }
}

#[test]
fn emphasis_never_makes_a_message_milder() {
    for (plain, emphatic) in [
        ("I am sad", "I am really so very sad"),
        ("I feel hopeless", "I literally feel so completely hopeless"),
        ("I want to die", "I honestly just fucking want to die"),
    ] {
        assert!(analyse(emphatic, &[]).score >= analyse(plain, &[]).score, "{emphatic}");
    }
}

#[test]
fn earlier_messages_raise_a_score_a_little() {
    let (text, grave) = ("I can't sleep", "I want to die");
    let alone = analyse(text, &[]);
    let after_grave = analyse(text, &[Earlier { text: grave, score: None }]);
    let after_calm = analyse(text, &[Earlier { text: "nice weather", score: None }]);
    let after_scored = analyse(text, &[Earlier { text: "nice weather", score: Some(0.9) }]);
    assert!(after_grave.score > alone.score && after_grave.score < alone.score + 0.12);
    assert!((after_calm.score - alone.score).abs() < f64::EPSILON);
    assert!(after_scored.score > alone.score);
    assert_eq!(after_grave.earlier_scores.len(), 1);
}

#[tokio::test]
async fn an_answer_has_every_field_of_the_contract() {
    let demo = start(Behaviour::default());
    let answer = answer(&demo, "I want to die").await;
    for field in [
        "crisis_detected",
        "severity",
        "confidence",
        "crisis_score",
        "requires_intervention",
        "recommended_action",
        "signals",
        "processing_time_ms",
        "models_used",
        "is_degraded",
        "request_id",
        "timestamp",
        "vigil",
        "requires_review",
        "explanation",
        "conflict_analysis",
        "consensus",
        "context_analysis",
    ] {
        assert!(!answer[field].is_null(), "{field}");
    }
    for signal in ["bart", "sentiment", "irony", "emotions"] {
        let signal = &answer["signals"][signal];
        assert!(signal["label"].is_string() && signal["score"].is_f64() && signal["crisis_signal"].is_f64());
    }
    assert_eq!(answer["models_used"], json!(["demo-rules"]));
    assert_eq!(answer["crisis_detected"], json!(true));
    assert_eq!(answer["requires_intervention"], json!(true));
    demo.stop().await;
}

#[tokio::test]
async fn severity_score_and_action_agree_for_every_text() {
    let demo = start(Behaviour::default());
    for (_, texts) in PLAIN {
        for text in texts {
            let answer = answer(&demo, text).await;
            assert_eq!(answer["severity"], band(&answer["crisis_score"]), "{text}");
            let action = match answer["severity"].as_str() {
                Some("critical") => "immediate_outreach",
                Some("high") => "priority_response",
                Some("medium") => "standard_monitoring",
                Some("low") => "passive_monitoring",
                _ => "none",
            };
            assert_eq!(answer["recommended_action"], action, "{text}");
        }
    }
    demo.stop().await;
}

#[tokio::test]
async fn the_same_message_gets_the_same_verdict_every_time() {
    let demo = start(Behaviour::default());
    let (first, second) = (answer(&demo, "I feel hopeless").await, answer(&demo, "I feel hopeless").await);
    assert_eq!(first["crisis_score"], second["crisis_score"]);
    assert_ne!(first["request_id"], second["request_id"]);
    demo.stop().await;
}

#[tokio::test]
async fn what_the_caller_leaves_out_is_null() {
    let demo = start(Behaviour::default());
    let body = json!({"message": "hello", "include_explanation": false, "include_context_analysis": false});
    let answer: Value = ask(&demo, &body).await.json().await.expect("JSON");
    let fields = answer.as_object().expect("an object");
    assert!(fields["explanation"].is_null() && fields["context_analysis"].is_null());
    demo.stop().await;
}

#[tokio::test]
async fn verbosity_decides_how_much_is_explained() {
    let demo = start(Behaviour::default());
    let mut explanations = Vec::new();
    for verbosity in ["minimal", "standard", "detailed"] {
        let body = json!({"message": "I feel hopeless", "verbosity": verbosity});
        let answer: Value = ask(&demo, &body).await.json().await.expect("JSON");
        assert_eq!(answer["explanation"]["verbosity"], verbosity);
        explanations.push(answer["explanation"].clone());
    }
    assert_eq!(explanations[0]["key_factors"], json!([]));
    assert_eq!(explanations[1]["key_factors"], json!(["hopelessness"]));
    assert!(explanations[1]["model_contributions"].is_null());
    assert_eq!(explanations[2]["model_contributions"][0]["model"], "demo-rules");
    demo.stop().await;
}

#[tokio::test]
async fn history_is_analysed_unless_context_is_turned_off() {
    let demo = start(Behaviour::default());
    let history = json!([
        {"message": "not a great day", "timestamp": "2026-01-02T16:00:00Z", "crisis_score": 0.2},
        {"message": "I feel hopeless", "timestamp": "2026-01-02T18:00:00"},
    ]);
    let mut body = json!({"message": "I want to die", "message_history": history});
    let with: Value = ask(&demo, &body).await.json().await.expect("JSON");
    let context = &with["context_analysis"];
    assert_eq!(context["history_analyzed"]["message_count"], 2);
    assert_eq!(context["history_analyzed"]["time_span_hours"], 2.0);
    assert_eq!(context["escalation_detected"], true);
    assert_eq!(context["trajectory"]["scores"].as_array().map(Vec::len), Some(3));

    body["include_context_analysis"] = json!(false);
    let without: Value = ask(&demo, &body).await.json().await.expect("JSON");
    assert!(without["crisis_score"].as_f64() < with["crisis_score"].as_f64());
    demo.stop().await;
}

#[tokio::test]
async fn a_wrong_body_is_refused_as_fastapi_refuses_it() {
    let demo = start(Behaviour::default());
    let past = json!({"message": "x", "timestamp": "2026-01-02T16:00:00Z"});
    for (body, kind, loc) in [
        (json!({}), "missing", json!(["body", "message"])),
        (json!({"message": ""}), "string_too_short", json!(["body", "message"])),
        (json!({"message": "  \n"}), "value_error", json!(["body", "message"])),
        (json!({"message": "x".repeat(20_000)}), "string_too_long", json!(["body", "message"])),
        (json!({"message": 5}), "string_type", json!(["body", "message"])),
        (json!({"message": null}), "string_type", json!(["body", "message"])),
        (json!(["hello"]), "model_attributes_type", json!(["body"])),
        (json!({"message": "x", "verbosity": "loud"}), "enum", json!(["body", "verbosity"])),
        (
            json!({"message": "x", "include_explanation": 7}),
            "bool_type",
            json!(["body", "include_explanation"]),
        ),
        (
            json!({"message": "x", "message_history": vec![past; 21]}),
            "too_long",
            json!(["body", "message_history"]),
        ),
        (
            json!({"message": "x", "message_history": [{"message": "y"}]}),
            "missing",
            json!(["body", "message_history", 0, "timestamp"]),
        ),
    ] {
        let response = ask(&demo, &body).await;
        assert_eq!(response.status(), StatusCode::UNPROCESSABLE_ENTITY, "{kind}");
        let refusal: Value = response.json().await.expect("JSON");
        let details = refusal["detail"].as_array().expect("a list");
        assert_eq!(details.len(), 1, "{refusal}");
        assert_eq!(details[0]["type"], kind);
        assert_eq!(details[0]["loc"], loc);
        assert!(details[0]["msg"].as_str().is_some_and(|msg| !msg.is_empty()));
    }
    let both: Value = ask(&demo, &json!({"user_id": 1})).await.json().await.expect("JSON");
    assert_eq!(
        both["detail"].as_array().map(Vec::len),
        Some(2),
        "every problem is told, not the first alone"
    );
    assert_eq!(demo.stop().await.refused, 12);
}

#[tokio::test]
async fn malformed_json_is_refused_with_the_place_of_the_mistake() {
    let demo = start(Behaviour::default());
    let post = |body: &'static str, media_type: &'static str| {
        Client::new()
            .post(format!("{}/analyze", demo.url()))
            .header("content-type", media_type)
            .body(body)
            .send()
    };
    for (body, media_type, kind) in [
        ("{\"message\": ", "application/json", "json_invalid"),
        ("", "application/json", "missing"),
        ("{\"message\": \"hello\"}", "text/plain", "model_attributes_type"),
    ] {
        let response = post(body, media_type).await.expect("an answer");
        assert_eq!(response.status(), StatusCode::UNPROCESSABLE_ENTITY, "{kind}");
        let refusal: Value = response.json().await.expect("JSON");
        assert_eq!(refusal["detail"][0]["type"], kind);
        assert_eq!(refusal["detail"][0]["loc"][0], "body");
    }
    demo.stop().await;
}

#[tokio::test]
async fn the_longest_message_is_answered_at_once() {
    let demo = start(Behaviour::default());
    for text in ["i want to ".repeat(1_000), "é".repeat(10_000), "a ".repeat(5_000), "not ".repeat(2_500)] {
        let begun = Instant::now();
        answer(&demo, text.trim()).await;
        assert!(begun.elapsed() < Duration::from_secs(2), "took {:?}", begun.elapsed());
    }
    demo.stop().await;
}

#[tokio::test]
async fn a_batch_drops_blank_messages_so_that_its_index_shifts() {
    let demo = start(Behaviour::default());
    let post = |body: Value| Client::new().post(format!("{}/analyze/batch", demo.url())).json(&body).send();
    let response = post(json!({"messages": ["hello", "  ", "I want to die"]})).await.expect("an answer");
    let batch: Value = response.json().await.expect("JSON");
    assert_eq!(batch["total_messages"], 2);
    assert_eq!(batch["results"][1]["index"], 1);
    assert_eq!(batch["results"][1]["message_preview"], "I want to die");
    assert_eq!(batch["results"][1]["severity"], band(&batch["results"][1]["crisis_score"]));
    assert_eq!(batch["crisis_count"], 1);

    for (messages, kind) in
        [(json!([]), "too_short"), (json!(vec!["x"; 101]), "too_long"), (json!([" "]), "value_error")]
    {
        let response = post(json!({"messages": messages})).await.expect("an answer");
        assert_eq!(response.status(), StatusCode::UNPROCESSABLE_ENTITY);
        let refusal: Value = response.json().await.expect("JSON");
        assert_eq!(refusal["detail"][0]["type"], kind);
    }
    let counts = demo.stop().await;
    assert_eq!((counts.batch, counts.messages, counts.refused), (4, 2, 3));
}

#[tokio::test]
async fn health_names_the_demo_and_turns_red_on_demand() {
    for (unhealthy, status) in [(false, StatusCode::OK), (true, StatusCode::SERVICE_UNAVAILABLE)] {
        let demo = start(behaviour(json!({"unhealthy": unhealthy})));
        let response = reqwest::get(format!("{}/health", demo.url())).await.expect("an answer");
        assert_eq!(response.status(), status);
        let health: Value = response.json().await.expect("JSON");
        assert_eq!(health["version"], concat!("demo-", env!("CARGO_PKG_VERSION")));
        assert_eq!(health["ready"], !unhealthy);
        assert_eq!(health["models_loaded"], u8::from(!unhealthy));
        assert_eq!(health["total_models"], 1);
        assert!(health["uptime_seconds"].is_f64() && health["degraded"].is_boolean());
        demo.stop().await;
    }
}

#[tokio::test]
async fn other_paths_and_methods_are_answered_in_json() {
    let demo = start(Behaviour::default());
    let elsewhere = reqwest::get(format!("{}/nowhere", demo.url())).await.expect("an answer");
    assert_eq!(elsewhere.status(), StatusCode::NOT_FOUND);
    assert_eq!(elsewhere.json::<Value>().await.expect("JSON"), json!({"detail": "Not Found"}));
    let method = reqwest::get(format!("{}/analyze", demo.url())).await.expect("an answer");
    assert_eq!(method.status(), StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(method.headers()["allow"], "POST");
    assert_eq!(method.json::<Value>().await.expect("JSON"), json!({"detail": "Method Not Allowed"}));
    demo.stop().await;
}

#[tokio::test]
async fn above_the_limit_a_client_is_told_when_to_come_back_and_the_key_lets_it_in() {
    let demo = Demo::start(DemoOptions {
        behaviour: behaviour(json!({"rate_limit": 2})),
        internal_keys: vec![InternalKey::new("open sesame")],
        ..DemoOptions::default()
    })
    .expect("a free loopback port");
    answer(&demo, "one").await;
    answer(&demo, "two").await;
    let limited = ask(&demo, &json!({"message": "three"})).await;
    assert_eq!(limited.status(), StatusCode::TOO_MANY_REQUESTS);
    let wait: u64 = limited.headers()["retry-after"].to_str().expect("text").parse().expect("seconds");
    assert!((1..=60).contains(&wait), "{wait}");
    assert_eq!(limited.json::<Value>().await.expect("JSON")["error"], "rate_limit_exceeded");

    let with_key = |key: &'static str| {
        let post = Client::new().post(format!("{}/analyze", demo.url())).header("X-Ash-Internal-Key", key);
        post.json(&json!({"message": "four"})).send()
    };
    assert_eq!(with_key("open sesame").await.expect("an answer").status(), StatusCode::OK);
    assert_eq!(with_key("open barley").await.expect("an answer").status(), StatusCode::TOO_MANY_REQUESTS);
    let health = reqwest::get(format!("{}/health", demo.url())).await.expect("an answer");
    assert_eq!(health.status(), StatusCode::OK, "health is not limited");
    assert_eq!(demo.stop().await.limited, 2);
}

#[test]
fn a_key_never_shows_itself() {
    let options = DemoOptions { internal_keys: vec![InternalKey::new("secret")], ..DemoOptions::default() };
    assert!(!format!("{options:?}").contains("secret"));
}

#[tokio::test]
async fn a_cached_answer_is_the_very_same_body_at_once_until_it_is_stale() {
    let demo = start(behaviour(json!({"cache_seconds": 1, "latency": "200ms"})));
    let body = json!({"message": "I feel hopeless"});
    let first = ask(&demo, &body).await.text().await.expect("text");
    let begun = Instant::now();
    let again = ask(&demo, &body).await.text().await.expect("text");
    assert!(begun.elapsed() < Duration::from_millis(200), "a cached answer takes no time");
    assert_eq!(first, again);
    let other = answer(&demo, "I feel hopeless now").await;
    assert_ne!(serde_json::from_str::<Value>(&first).expect("JSON")["request_id"], other["request_id"]);
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    assert_ne!(ask(&demo, &body).await.text().await.expect("text"), first);
    assert_eq!(demo.stop().await.cached, 1);
}

#[tokio::test]
async fn a_constant_demo_says_the_same_of_everything() {
    for severity in Severity::ALL {
        let demo = start(Behaviour { constant: Some(severity), ..Behaviour::default() });
        for text in ["I want to die", "nice weather"] {
            let answer = answer(&demo, text).await;
            assert_eq!(answer["severity"], severity.as_str());
            assert_eq!(answer["severity"], band(&answer["crisis_score"]));
        }
        demo.stop().await;
    }
}

#[tokio::test]
async fn a_contradicting_demo_gives_a_score_of_another_band() {
    let demo = start(behaviour(json!({"contradict_rate": 1.0})));
    for (_, texts) in PLAIN {
        for text in texts {
            let answer = answer(&demo, text).await;
            assert_ne!(answer["severity"], band(&answer["crisis_score"]), "{text}");
            assert_eq!(answer["severity"], band(&answer["conflict_analysis"]["original_score"]), "{text}");
            assert_eq!(answer["conflict_analysis"]["resolved_score"], answer["crisis_score"]);
        }
    }
    demo.stop().await;
}

#[tokio::test]
async fn a_flaky_demo_is_one_level_off_and_not_always_the_same_way() {
    let demo = start(behaviour(json!({"flaky_rate": 1.0, "seed": 3})));
    let honest = analyse("I feel hopeless", &[]).severity;
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..20 {
        let answer = answer(&demo, "I feel hopeless").await;
        let severity: Severity = answer["severity"].as_str().expect("a word").parse().expect("a severity");
        assert!(honest.graver() == Some(severity) || honest.milder() == Some(severity), "{severity}");
        assert_eq!(answer["severity"], band(&answer["crisis_score"]));
        seen.insert(severity);
    }
    assert_eq!(seen.len(), 2);
    demo.stop().await;
}

#[tokio::test]
async fn a_failing_open_demo_answers_200_without_having_analysed_anything() {
    let demo = start(behaviour(json!({"fail_open_rate": 1.0})));
    let answer = answer(&demo, "I want to die").await;
    assert_eq!(answer["severity"], "safe");
    assert_eq!(answer["recommended_action"], "error");
    assert_eq!(answer["models_used"], json!([]));
    assert_eq!(answer["crisis_detected"], false);
    assert!(answer.as_object().is_some_and(|fields| fields.len() == 18), "every field is there");
    assert_eq!(demo.stop().await.failed_open, 1);
}

#[tokio::test]
async fn an_erring_demo_answers_with_the_status_it_was_told() {
    for (switches, status) in
        [(json!({"error_rate": 1.0}), 500), (json!({"error_rate": 1.0, "error_status": 503}), 503)]
    {
        let demo = start(behaviour(switches));
        let response = ask(&demo, &json!({"message": "hello"})).await;
        assert_eq!(response.status().as_u16(), status);
        assert!(response.json::<Value>().await.expect("JSON")["detail"].is_string());
        assert_eq!(demo.stop().await.failed, 1);
    }
}

#[tokio::test]
async fn an_html_page_comes_with_200() {
    let demo = start(behaviour(json!({"html_rate": 1.0})));
    let response = ask(&demo, &json!({"message": "hello"})).await;
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.headers()["content-type"], "text/html; charset=utf-8");
    assert!(response.text().await.expect("text").starts_with("<!DOCTYPE html>"));
    demo.stop().await;
}

/// The statuses and severities of forty requests, one after the other.
async fn forty(seed: u64) -> Vec<(u16, String)> {
    let demo = start(behaviour(
        json!({"seed": seed, "error_rate": 0.2, "fail_open_rate": 0.2, "flaky_rate": 0.3, "latency": "1ms..3ms"}),
    ));
    let mut answers = Vec::new();
    for _ in 0..40 {
        let response = ask(&demo, &json!({"message": "I feel hopeless"})).await;
        let status = response.status().as_u16();
        let answer: Value = response.json().await.expect("JSON");
        answers.push((status, format!("{}{}", answer["severity"], answer["recommended_action"])));
    }
    demo.stop().await;
    answers
}

#[tokio::test]
async fn a_run_repeats_with_its_seed_and_differs_with_another() {
    let first = forty(7).await;
    assert_eq!(first, forty(7).await);
    assert_ne!(first, forty(8).await);
    let failed = first.iter().filter(|(status, _)| *status == 500).count();
    assert!((2..=16).contains(&failed), "{failed} of 40 at a rate of 20%");
}

#[tokio::test]
async fn latency_is_at_least_what_was_asked_for() {
    let demo = start(behaviour(json!({"latency": "30ms"})));
    let begun = Instant::now();
    let answer = answer(&demo, "hello").await;
    assert!(begun.elapsed() >= Duration::from_millis(30));
    assert!(answer["processing_time_ms"].as_f64() >= Some(30.0));
    demo.stop().await;
}

#[test]
fn a_latency_is_read_and_written_the_same_way() {
    for text in ["20ms", "1.5s", "20ms..200ms", "0ns"] {
        let shown = text.trim_end_matches("ns").parse::<Latency>().map(|latency| latency.to_string());
        assert_eq!(shown.as_deref(), Ok(text));
    }
    for wrong in ["", "20", "fast", "200ms..20ms", "0..20ms", "20ms..", "1h", "3000s", "-1ms", "NaNs"] {
        assert!(wrong.parse::<Latency>().is_err(), "{wrong}");
    }
}

#[test]
fn switches_survive_being_written_down_and_nonsense_is_refused() {
    let all = behaviour(json!({
        "seed": 42, "latency": "20ms..200ms", "error_rate": 0.1, "error_status": 503, "html_rate": 0.1, "fail_open_rate": 0.1,
        "contradict_rate": 0.1, "flaky_rate": 0.1, "constant": "high", "cache_seconds": 300, "rate_limit": 60,
        "unhealthy": true, "die_after": 5,
    }));
    let written = serde_json::to_value(&all).expect("JSON");
    assert_eq!(behaviour(written), all);
    for wrong in [
        json!({"error_rate": 1.5}),
        json!({"error_status": 200}),
        json!({"latency": "soon"}),
        json!({"eror_rate": 0.1}),
    ] {
        assert!(serde_json::from_value::<Behaviour>(wrong.clone()).is_err(), "{wrong}");
    }
    assert_eq!("10%".parse::<thrash::demo::Share>().map(thrash::demo::Share::get), Ok(0.1));
}

#[tokio::test]
async fn a_demo_told_to_die_answers_so_many_requests_and_is_gone() {
    let demo = start(behaviour(json!({"die_after": 3})));
    let client = Client::new();
    let post = || client.post(format!("{}/analyze", demo.url())).json(&json!({"message": "hello"})).send();
    for _ in 0..3 {
        assert_eq!(post().await.expect("an answer").status(), StatusCode::OK);
    }
    assert!(post().await.is_err());
    demo.ended().await;
    assert!(reqwest::get(format!("{}/health", demo.url())).await.is_err());
    demo.stop().await;
}

#[tokio::test]
async fn a_demo_that_dies_under_load_answers_exactly_as_many_as_it_was_told() {
    let demo = start(behaviour(json!({"die_after": 5, "latency": "30ms"})));
    let mut asking = tokio::task::JoinSet::new();
    for _ in 0..12 {
        let post = Client::new().post(format!("{}/analyze", demo.url())).json(&json!({"message": "hello"}));
        asking.spawn(
            async move { post.send().await.is_ok_and(|response| response.status() == StatusCode::OK) },
        );
    }
    let answered = asking.join_all().await.into_iter().filter(|answered| *answered).count();
    assert_eq!(answered, 5);
    demo.stop().await;
}

#[tokio::test]
async fn two_demos_run_at_once_on_ports_of_their_own() {
    let (one, two) = (
        start(Behaviour { constant: Some(Severity::High), ..Behaviour::default() }),
        start(Behaviour::default()),
    );
    assert_ne!(one.addr().port(), two.addr().port());
    let (first, second) = tokio::join!(answer(&one, "hello"), answer(&two, "hello"));
    assert_eq!((&first["severity"], &second["severity"]), (&json!("high"), &json!("safe")));
    assert_eq!((one.requests().analyze, two.requests().analyze), (1, 1));
    tokio::join!(one.stop(), two.stop());
}

#[tokio::test]
async fn a_taken_port_is_an_error_that_names_it() {
    let demo = start(Behaviour::default());
    let error =
        Demo::start(DemoOptions { listen: demo.addr(), ..DemoOptions::default() }).expect_err("a taken port");
    assert!(matches!(error, DemoError::Listen { .. }));
    assert!(error.to_string().contains(&demo.addr().to_string()), "{error}");
    demo.stop().await;
}

#[tokio::test]
async fn a_stop_lets_requests_in_flight_finish_but_not_for_ever() {
    let demo = start(behaviour(json!({"latency": "200ms"})));
    let post =
        Client::new().post(format!("{}/analyze", demo.url())).json(&json!({"message": "hello"})).send();
    let asked = tokio::spawn(post);
    while demo.requests().analyze == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    demo.stop().await;
    assert_eq!(asked.await.expect("no panic").expect("an answer").status(), StatusCode::OK);

    let demo = Demo::start(DemoOptions {
        behaviour: behaviour(json!({"latency": "60s"})),
        grace: Duration::from_millis(50),
        ..DemoOptions::default()
    })
    .expect("a free loopback port");
    let post =
        Client::new().post(format!("{}/analyze", demo.url())).json(&json!({"message": "hello"})).send();
    let asked = tokio::spawn(post);
    while demo.requests().analyze == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let begun = Instant::now();
    demo.stop().await;
    assert!(begun.elapsed() < Duration::from_secs(2));
    assert!(asked.await.expect("no panic").is_err());
}

#[tokio::test]
async fn a_demo_in_the_foreground_runs_until_it_is_told_to_stop() {
    let (tell, told) = tokio::sync::oneshot::channel();
    let running = demo(DemoOptions::default(), |demo| assert!(tell.send(demo.url()).is_ok()), async {
        let url = told.await.expect("the demo is ready");
        let response = reqwest::get(format!("{url}/health")).await.expect("an answer");
        assert_eq!(response.status(), StatusCode::OK);
    });
    assert_eq!(running.await.expect("a free port").health, 1);
}

#[tokio::test]
async fn the_callers_own_request_id_is_kept() {
    let demo = start(Behaviour::default());
    let post = Client::new().post(format!("{}/analyze", demo.url())).header("X-Request-ID", "mine-1");
    let response = post.json(&json!({"message": "hello"})).send().await.expect("an answer");
    assert_eq!(response.headers()["x-request-id"], "mine-1");
    assert_eq!(response.json::<Value>().await.expect("JSON")["request_id"], "mine-1");
    demo.stop().await;
}
