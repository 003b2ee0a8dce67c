//! The document of all this, in OpenAPI 3.1, made from the same table as the router; and a page of it for people.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::header::CONTENT_SECURITY_POLICY;
use axum::response::{IntoResponse, Response};
use maud::{DOCTYPE, html};
use schemars::generate::SchemaSettings;
use schemars::{Schema, SchemaGenerator};
use serde_json::{Map, Value, json};

use super::endpoint::{Endpoint, schema_of};
use super::endpoints;
use crate::config::Scope;
use crate::dispatch::{Work, takers};
use crate::load::scenario_names;
use crate::service::Service;
use crate::service::lately::blocking;
use crate::service::problem::{PROBLEM_JSON, Problem};

/// What text in a query may be: all that a database takes.
const NO_NUL: &str = "^[^\\u0000]*$";

pub(super) fn own_endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::get("/api/openapi.json", document)
            .open()
            .says("This document")
            .gives::<Map<String, Value>>(200, "OpenAPI 3.1"),
        Endpoint::get("/api/docs", page).open().says("This document as a page").gives_media(
            200,
            "text/html; charset=utf-8",
            "A page",
        ),
    ]
}

async fn document(State(service): State<Arc<Service>>) -> Result<Json<Value>, Problem> {
    // Files are read for it.
    blocking(move || Json(service.openapi())).await
}

impl Service {
    /// What can be asked here, and what is answered. Names that are known here stand in it.
    pub(super) fn openapi(&self) -> Value {
        let settings = SchemaSettings::draft2020_12().with(|settings| {
            settings.definitions_path = "/components/schemas".into();
            settings.meta_schema = None;
        });
        let mut generator = settings.into_generator();
        let problem = schema_of::<Problem>(&mut generator);
        let mut paths: Map<String, Value> = Map::new();
        for endpoint in endpoints() {
            let mut operation = operation(&endpoint, &problem, &mut generator);
            if self.keys.required() && endpoint.scope.is_some() {
                operation["security"] = json!([{"key": []}, {"bearer": []}]);
            }
            let path = paths.entry(endpoint.path).or_insert_with(|| json!({}));
            path[endpoint.method] = operation;
        }
        let mut schemas = Value::Object(generator.take_definitions(true));
        self.name_what_is_known(&mut schemas);
        let header = &self.config.settings.service.key_header;
        json!({
            "openapi": "3.1.0",
            "info": {
                "title": "thrash",
                "version": env!("CARGO_PKG_VERSION"),
                "description": "Runs of labelled phrases against detection services: asked for, watched, read.",
                "license": {"name": "MIT OR Apache-2.0"},
            },
            "servers": [{"url": if self.path("").is_empty() { "/".to_owned() } else { self.path("") }}],
            "paths": paths,
            "components": {
                "schemas": schemas,
                "securitySchemes": {
                    "key": {"type": "apiKey", "in": "header", "name": header},
                    "bearer": {"type": "http", "scheme": "bearer"},
                },
            },
        })
    }

    /// Writes the names of suites, scenarios and targets into what asks for one.
    fn name_what_is_known(&self, schemas: &mut Value) {
        let suites: Vec<String> =
            self.config.catalog().names().unwrap_or_default().into_iter().map(|(name, _)| name).collect();
        let properties = &mut schemas["RunAsk"]["properties"];
        // One that no target takes could only be refused.
        let is_taken = |name: &String| !takers(&self.config, &Work::Scenario(name.clone())).is_empty();
        let scenarios: Vec<String> =
            scenario_names().into_iter().map(str::to_owned).filter(is_taken).collect();
        for (member, names) in
            [("test_type", suites), ("scenario", scenarios), ("target", self.config.served_targets())]
        {
            // Null is the same as nothing.
            properties[member]["enum"] = names.into_iter().map(Value::from).chain([Value::Null]).collect();
        }
    }
}

fn operation(endpoint: &Endpoint, problem: &Schema, generator: &mut SchemaGenerator) -> Value {
    let mut responses = Map::new();
    for answer in &endpoint.answers {
        let mut response = json!({"description": answer.says});
        if let Some(schema) = answer.schema {
            response["content"] = json!({answer.media: {"schema": schema(generator)}});
        } else if !answer.media.is_empty() {
            // A stream of events is text, and some who read this take each event for an object.
            let is_text = !answer.media.ends_with("json") && !answer.media.ends_with("event-stream");
            let schema = if is_text { json!({"type": "string"}) } else { json!({}) };
            response["content"] = json!({answer.media: {"schema": schema}});
        }
        if answer.located {
            response["headers"] =
                json!({"Location": {"description": "The run", "schema": {"type": "string"}}});
        }
        if let Some((below, place)) = answer.leads {
            response["links"] = links(below, place);
        }
        responses.insert(answer.status.to_string(), response);
    }
    let mut problems = vec![421, 429, 500, 503];
    problems.extend(&endpoint.problems);
    if endpoint.scope.is_some() {
        problems.extend([401, 403]);
    }
    if endpoint.body.is_some() {
        problems.extend([403, 408]);
    }
    problems.sort_unstable();
    problems.dedup();
    for status in problems {
        let reason =
            axum::http::StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason());
        responses.entry(status.to_string()).or_insert_with(|| {
            let mut response = json!({
                "description": reason.unwrap_or_default(),
                "content": {PROBLEM_JSON: {"schema": problem}},
            });
            if [429, 503].contains(&status) {
                let says = "Seconds until asking again is worth it, where that is known";
                response["headers"] =
                    json!({"Retry-After": {"description": says, "schema": {"type": "integer"}}});
            }
            response
        });
    }
    let mut operation = json!({
        "summary": endpoint.summary,
        "operationId": operation_id(endpoint),
        "parameters": parameters(endpoint, generator),
        "responses": responses,
    });
    if let Some(body) = endpoint.body {
        let schema = body(generator);
        operation["requestBody"] =
            json!({"required": true, "content": {"application/json": {"schema": schema}}});
    }
    if let Some(scope) = endpoint.scope {
        operation["x-scope"] = scope.as_str().into();
    }
    operation
}

/// Where an answer leads: to every request below a path that names a thing, whose name stands in this place.
fn links(below: &str, place: &str) -> Value {
    let is_meant = |endpoint: &Endpoint| endpoint.path.starts_with(below) && endpoint.path.contains("{id}");
    let link = |endpoint: &Endpoint| {
        let id = operation_id(endpoint);
        (id.clone(), json!({"operationId": id, "parameters": {"id": place}}))
    };
    Value::Object(endpoints().iter().filter(|endpoint| is_meant(endpoint)).map(link).collect())
}

/// `post /api/test/runs/{id}/cancel` becomes `post_test_runs_id_cancel`.
fn operation_id(endpoint: &Endpoint) -> String {
    let words = endpoint
        .path
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty() && *word != "api");
    words.fold(endpoint.method.to_owned(), |id, word| format!("{id}_{word}"))
}

fn parameters(endpoint: &Endpoint, generator: &mut SchemaGenerator) -> Vec<Value> {
    let mut parameters = Vec::new();
    if endpoint.path.contains("{id}") {
        parameters.push(json!({
            "name": "id", "in": "path", "required": true, "description": "A run's name",
            "schema": {"type": "string", "pattern": "^[0-9a-z-]{1,100}$"},
        }));
    }
    for (name, pattern, says) in &endpoint.headers {
        parameters.push(json!({
            "name": name, "in": "header", "required": false, "description": says,
            "schema": {"type": "string", "pattern": pattern},
        }));
    }
    if let Some(query) = endpoint.query {
        // The query's type is written out here, member by member.
        let schema = resolved(query(generator), generator);
        let properties = schema.get("properties").and_then(Value::as_object).cloned().unwrap_or_default();
        for (name, mut schema) in properties {
            let says =
                schema.as_object_mut().and_then(|schema| schema.remove("description")).unwrap_or_default();
            let mut schema = not_null(schema);
            if schema["type"] == "string" && schema.get("pattern").is_none() && schema.get("enum").is_none() {
                schema["pattern"] = NO_NUL.into();
            }
            parameters.push(
                json!({"name": name, "in": "query", "required": false, "description": says, "schema": schema}),
            );
        }
    }
    parameters
}

/// What a reference stands for.
fn resolved(schema: Schema, generator: &mut SchemaGenerator) -> Value {
    let value = schema.to_value();
    let name =
        value.get("$ref").and_then(Value::as_str).and_then(|path| path.rsplit('/').next()).map(str::to_owned);
    match name {
        Some(name) => generator.definitions_mut().shift_remove(&name).unwrap_or(value),
        None => value,
    }
}

/// A member that may be left out is never null in a query.
fn not_null(mut schema: Value) -> Value {
    if let Some(types) = schema.get("type").and_then(Value::as_array) {
        let kept: Vec<&Value> = types.iter().filter(|word| *word != "null").collect();
        if let [one] = kept.as_slice() {
            schema["type"] = (*one).clone();
        }
    }
    if let Some(one) = schema.get("anyOf").and_then(Value::as_array).and_then(|all| all.first()) {
        return one.clone();
    }
    schema
}

async fn page(State(service): State<Arc<Service>>) -> Response {
    let endpoints = endpoints();
    let needs = |scope: Option<Scope>| scope.map_or("nothing", Scope::as_str);
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { "thrash: the HTTP API" }
            }
            body {
                h1 { "The HTTP API of thrash " (env!("CARGO_PKG_VERSION")) }
                p { "Everything below as a document for programs: " a href=(service.path("/api/openapi.json")) { "OpenAPI 3.1" } "." }
                p {
                    "A key goes into the header " code { (service.config.settings.service.key_header) }
                    " or " code { "Authorization: Bearer" } ". What goes wrong is told as " code { (PROBLEM_JSON) } "."
                }
                table border="1" cellpadding="6" {
                    caption { "What can be asked" }
                    thead { tr { th scope="col" { "Request" } th scope="col" { "What it does" } th scope="col" { "Scope" } th scope="col" { "Answers" } } }
                    tbody {
                        @for endpoint in &endpoints {
                            tr {
                                th scope="row" align="left" { code { (endpoint.method.to_uppercase()) " " (endpoint.path) } }
                                td { (endpoint.summary) }
                                td { (needs(endpoint.scope)) }
                                td { @for answer in &endpoint.answers { div { (answer.status) ": " (answer.says) } } }
                            }
                        }
                    }
                }
            }
        }
    };
    let policy = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";
    ([(CONTENT_SECURITY_POLICY, policy)], axum::response::Html(page.into_string())).into_response()
}
