//! The manifests of docs/kubernetes: what Kubernetes takes, and what the program makes of them.

use serde::Deserialize;
use serde_json::{Value, json};

use super::root;
use crate::support::command::Place;

/// The config map, the job that begins the run, and the workers.
fn manifests() -> [Value; 3] {
    let text = std::fs::read_to_string(root().join("docs/kubernetes/load.yaml")).expect("the manifests");
    let documents = serde_yaml::Deserializer::from_str(&text);
    let values: Vec<Value> = documents.map(|document| Value::deserialize(document).expect("YAML")).collect();
    values.try_into().expect("three documents")
}

fn pod(job: &Value) -> &Value {
    &job["spec"]["template"]["spec"]
}

fn container(job: &Value) -> &Value {
    &pod(job)["containers"][0]
}

fn problems(manifest: &Value) -> Vec<String> {
    let file = root().join("tests/fixtures/formats/kubernetes-1.37.schema.json");
    let schema: Value =
        serde_json::from_str(&std::fs::read_to_string(file).expect("a schema")).expect("JSON");
    let kind = manifest["kind"].as_str().expect("a kind");
    let own = json!({"$ref": format!("#/$defs/{kind}"), "$defs": schema["$defs"]});
    let validator = jsonschema::validator_for(&own).expect("a schema");
    validator.iter_errors(manifest).map(|error| format!("{}: {error}", error.instance_path())).collect()
}

#[test]
fn kubernetes_takes_the_manifests() {
    for manifest in manifests() {
        assert_eq!(problems(&manifest), [] as [String; 0], "{}", manifest["metadata"]["name"]);
    }
    // And would not take any.
    let [_, _, mut workers] = manifests();
    workers["spec"]["completionMod"] = json!("Indexed");
    assert_eq!(problems(&workers).len(), 1);
    let [_, mut job, _] = manifests();
    job["spec"]["template"]["spec"]["containers"][0]["resources"]["limits"] = json!(3);
    assert_eq!(problems(&job).len(), 1);
}

#[test]
fn the_pods_may_do_nothing_that_they_need_not() {
    let [_, job, workers] = manifests();
    for job in [&job, &workers] {
        let (pod, container) = (pod(job), container(job));
        assert_eq!(pod["automountServiceAccountToken"], false, "nothing speaks to Kubernetes");
        assert!(pod.get("serviceAccountName").is_none());
        assert_eq!(pod["securityContext"]["runAsNonRoot"], true);
        assert_eq!(pod["securityContext"]["seccompProfile"]["type"], "RuntimeDefault");
        assert_eq!(
            container["securityContext"],
            json!({"allowPrivilegeEscalation": false, "readOnlyRootFilesystem": true, "capabilities": {"drop": ["ALL"]}})
        );
        assert!(container["resources"]["limits"]["memory"].is_string());
        assert!(container["resources"]["requests"]["cpu"].is_string());
        // A run that is tried until it passes shows nothing, nor does a worker that comes back in its middle.
        assert_eq!((&job["spec"]["backoffLimit"], &pod["restartPolicy"]), (&json!(0), &json!("Never")));
        // No secret stands in the file.
        let variables = container["env"].as_array().unwrap();
        let database = variables.iter().find(|variable| variable["name"] == "DATABASE_URL").unwrap();
        assert_eq!(database["valueFrom"]["secretKeyRef"]["key"], "url");
        assert!(database.get("value").is_none());
    }
}

#[test]
fn both_jobs_speak_of_the_same_number_of_workers() {
    let [config, job, workers] = manifests();
    let count = config["data"]["THRASH_SHARDS"].as_str().unwrap().parse::<u64>().unwrap();
    let spec = &workers["spec"];
    assert_eq!(spec["completionMode"], "Indexed");
    assert_eq!((spec["completions"].as_u64(), spec["parallelism"].as_u64()), (Some(count), Some(count)));
    let args: Vec<&str> =
        container(&job)["args"].as_array().unwrap().iter().map(|arg| arg.as_str().unwrap()).collect();
    assert!(args.windows(2).any(|pair| pair == ["--workers", "$(THRASH_SHARDS)"]), "{args:?}");
}

#[test]
fn the_program_takes_what_the_manifests_give_it() {
    let [config, job, workers] = manifests();
    let data = config["data"].as_object().unwrap();
    let place = Place::new();
    for file in ["thrash.yaml", "scenario.yaml"] {
        place.file(file, data[file].as_str().unwrap());
    }
    let shown = place.thrash(["scenarios", "check", "scenario.yaml"]).exits(0);
    assert!(shown.stdout.starts_with("ok  scenario.yaml"), "{}", shown.stdout);
    let target = place.thrash(["targets", "show", "staging"]).exits(0);
    let target: Value = serde_yaml::from_str(&target.stdout).expect("a contract");
    let scenario: Value = serde_yaml::from_str(data["scenario.yaml"].as_str().unwrap()).expect("a scenario");
    // What it extends bears less at once, and would make all of them wait.
    assert!(target["limits"]["concurrency"].as_u64() >= scenario["max_in_flight"].as_u64(), "{target}");

    let variables = |job: &Value| -> Vec<(String, String)> {
        let own = container(job)["env"].as_array().unwrap().iter().filter_map(|variable| {
            let value = match variable["name"].as_str()? {
                "THRASH_CONFIG" => place.path().join("thrash.yaml").display().to_string(),
                "THRASH_DATA" => place.data().display().to_string(),
                _ => return None,
            };
            Some((variable["name"].as_str()?.to_owned(), value))
        });
        let shared = data.iter().filter(|(name, _)| name.starts_with("THRASH_"));
        own.chain(shared.map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned()))).collect()
    };
    let run = |job: &Value, more: &[(&str, &str)]| {
        let variables = variables(job);
        let mut environment: Vec<(&str, &str)> =
            variables.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        environment.extend(more);
        let args = container(job)["args"].as_array().unwrap().iter().map(|arg| {
            let arg =
                arg.as_str().unwrap().replace("$(THRASH_SHARDS)", data["THRASH_SHARDS"].as_str().unwrap());
            arg.replace("/etc/thrash/", "")
        });
        place.thrash_with(&environment, args.collect::<Vec<_>>())
    };
    // All that is missing is the database.
    run(&workers, &[("JOB_COMPLETION_INDEX", "3")]).exits(2).complains(&["workers meet in PostgreSQL"]);
    run(&job, &[]).exits(2).complains(&["workers meet in PostgreSQL"]);
}
