//! The OpenAPI document: it and the routes say the same.

use reqwest::Method;
use serde_json::{Value, json};

use super::process::{Serve, quick_place};

/// Every place in the document that refers to another one.
fn references<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
    match value {
        Value::Object(fields) => {
            found.extend(fields.get("$ref").and_then(Value::as_str));
            fields.values().for_each(|value| references(value, found));
        }
        Value::Array(items) => items.iter().for_each(|value| references(value, found)),
        _ => {}
    }
}

/// The answer's schema with everything that it refers to.
fn schema(document: &Value, path: &str, method: &str, status: u16) -> Option<Value> {
    let answer = &document["paths"][path][method]["responses"][status.to_string()];
    let media = answer["content"].as_object()?.values().next()?;
    Some(json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "components": document["components"],
        "allOf": [media["schema"]],
    }))
}

#[track_caller]
fn fits(document: &Value, path: &str, method: &str, status: u16, body: &Value) {
    let schema = schema(document, path, method, status)
        .unwrap_or_else(|| panic!("{method} {path} does not say that it answers {status}"));
    let validator = jsonschema::validator_for(&schema).expect("a schema");
    if let Err(error) = validator.validate(body) {
        panic!("{method} {path} {status}: {error} at {}: {body}", error.instance_path());
    }
}

#[tokio::test]
async fn the_document_and_the_routes_say_the_same() {
    let place = quick_place("");
    let serve = Serve::start(&place, &[]);
    let id = serve.ask().await;
    serve.over(&id).await;
    let document = serve.get("/api/openapi.json").await.is(200).json();
    assert_eq!(document["openapi"], "3.1.0");
    let mut found = Vec::new();
    references(&document, &mut found);
    assert!(!found.is_empty());
    for reference in found {
        let pointer = reference.strip_prefix('#').expect("it is in the document");
        assert!(document.pointer(pointer).is_some(), "{reference}");
    }

    let paths = document["paths"].as_object().unwrap();
    let mut operations = 0;
    for (path, methods) in paths {
        let here = path.replace("{id}", &id);
        for method in ["get", "post", "put", "delete"] {
            let verb = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
            let reply = serve.send(serve.request(verb.clone(), &here)).await;
            let status = reply.status.as_u16();
            if methods.get(method).is_none() {
                assert_eq!(status, 405, "{method} {path} is answered, and not in the document");
                continue;
            }
            operations += 1;
            assert!(status != 405, "{method} {path} is in the document, and not answered");
            assert!(!reply.text.contains("there is nothing at"), "{method} {path}: {}", reply.text);
            let said = &methods[method]["responses"];
            assert!(
                said.get(status.to_string()).is_some(),
                "{method} {path}: {status} is not in the document"
            );
            let is_described = schema(&document, path, method, status).is_some();
            if reply.header("content-type").ends_with("json") && is_described {
                fits(&document, path, method, status, &reply.json());
            }
        }
    }
    assert!(operations >= 22, "{operations}");
    // Problems too, and what stands in no list above.
    let latest = serve.get("/api/test/results/latest").await.is(200).json();
    fits(&document, "/api/test/results/latest", "get", 200, &latest);
    let asked = serve.post("/api/test/run", &json!({"test_type": "quick"})).await.is(202).json();
    fits(&document, "/api/test/run", "post", 202, &asked);
    let unknown = serve.get("/api/test/runs/nope").await.is(404).json();
    fits(&document, "/api/test/runs/{id}", "get", 404, &unknown);
    assert_eq!(
        document["components"]["schemas"]["RunAsk"]["properties"]["test_type"]["enum"],
        json!(["quick", null])
    );
    // What the document allows is taken, and a stream of events is no string to whoever reads them one by one.
    let asked = json!({"test_type": "quick", "scenario": null, "target": null});
    let ask = &document["components"]["schemas"]["RunAsk"];
    assert!(jsonschema::is_valid(ask, &asked), "{ask}");
    serve.post("/api/test/run", &asked).await.is(202);
    let links = &document["paths"]["/api/test/run"]["post"]["responses"]["202"]["links"];
    let operations: Vec<&Value> =
        paths.values().flat_map(|methods| methods.as_object().expect("methods").values()).collect();
    for (name, link) in links.as_object().expect("links") {
        assert!(operations.iter().any(|operation| operation["operationId"] == link["operationId"]), "{name}");
    }
    for name in ["get_test_runs_id", "get_test_runs_id_events", "post_test_runs_id_cancel"] {
        assert_eq!(links[name]["parameters"]["id"], "$response.body#/id", "{links}");
    }
    for (path, name, place) in [
        ("/api/schedules", "post_schedules_id_run", "$response.body#/schedules/0/name"),
        ("/api/test/runs", "post_test_runs_id_cancel", "$response.body#/runs/0/id"),
        ("/api/test/results", "get_test_results_id", "$response.body#/results/0/id"),
    ] {
        assert_eq!(
            paths[path]["get"]["responses"]["200"]["links"][name]["parameters"]["id"], place,
            "{path}"
        );
    }
    let parameters = paths["/api/test/runs"]["get"]["parameters"].as_array().expect("parameters");
    let requester =
        parameters.iter().find(|parameter| parameter["name"] == "requester").expect("it is there");
    assert!(jsonschema::is_valid(&requester["schema"], &json!("api:ci ü")), "{requester}");
    assert!(!jsonschema::is_valid(&requester["schema"], &json!("api:\0")), "{requester}");
    let stream = &document["paths"]["/api/test/runs/{id}/events"]["get"]["responses"]["200"];
    assert_eq!(stream["content"]["text/event-stream"]["schema"], json!({}));
}

#[tokio::test]
async fn a_load_that_no_target_takes_is_not_in_the_document() {
    // It has no batch endpoint.
    let place = quick_place("targets: {a: {extends: ash-v3, base_url: 'http://127.0.0.1:9'}}\ntarget: a\n");
    let serve = Serve::start(&place, &[]);
    let document = serve.get("/api/openapi.json").await.is(200).json();
    let ask = &document["components"]["schemas"]["RunAsk"];
    for (scenario, status) in [("smoke", 202), ("batches", 422)] {
        let asked = json!({"scenario": scenario});
        serve.post("/api/test/run", &asked).await.is(status);
        assert_eq!(jsonschema::is_valid(ask, &asked), status == 202, "{scenario}: {ask}");
    }
}

#[tokio::test]
async fn the_page_of_the_document_needs_nothing_from_elsewhere() {
    let place = quick_place("");
    let serve = Serve::start(&place, &[]);
    let page = serve.get("/api/docs").await.is(200);
    assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
    assert!(page.header("content-security-policy").starts_with("default-src 'none'"));
    for word in ["src=", "http://", "https://", "<script", "<style"] {
        assert!(!page.text.contains(word), "{word}");
    }
    let document = serve.get("/api/openapi.json").await.is(200).json();
    for path in document["paths"].as_object().unwrap().keys() {
        assert!(page.text.contains(path.as_str()), "{path}");
    }
}
