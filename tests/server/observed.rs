//! What operators see: health, counters, the description.

use std::collections::HashSet;

use evalhouse_server::{openapi_description, routes};
use reqwest::Method;
use serde_json::Value;

use super::{Answer, Running};

#[tokio::test(flavor = "multi_thread")]
async fn the_server_is_well_and_counts() {
    let server = Running::with_bundled_data().await;
    assert_eq!(server.get("/healthz").await.ok()["status"], "ok");
    assert_eq!(server.get("/readyz").await.ok()["status"], "ok");
    server.get("/api/v1/experiments/secret-name/summary").await.refused(404);
    let metrics = server.get("/metrics").await;
    assert!(metrics.content_type.starts_with("application/openmetrics-text"));
    let text = metrics.text();
    for line in [
        "evalhouse_http_requests_total{method=\"GET\",route=\"/healthz\",status=\"200\"} 1",
        "evalhouse_http_requests_total{method=\"GET\",route=\"/api/v1/experiments/{experiment}/summary\",status=\"404\"} 1",
        "evalhouse_http_request_duration_seconds_count{method=\"GET\",route=\"/healthz\"} 1",
        "evalhouse_queries_running 0",
        "evalhouse_build_info{version=",
    ] {
        assert!(text.contains(line), "{line} in {text}");
    }
    assert!(!text.contains("secret-name"));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_has_the_id_that_the_log_has() {
    let server = Running::with_bundled_data().await;
    let mut ids = HashSet::new();
    for path in ["/healthz", "/nothing", "/api/v1/experiments"] {
        let response = server.request(Method::GET, path).send().await.unwrap();
        ids.insert(response.headers()["x-request-id"].to_str().unwrap().to_string());
    }
    assert_eq!(ids.len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_route_is_described_as_it_is() {
    let server = Running::with_bundled_data().await;
    let served = server.get("/openapi.json").await.ok();
    assert_eq!(served, openapi_description());
    for path in served["paths"].as_object().unwrap().keys() {
        // A route that is described is there: it says something else than "nothing at this path".
        let at = path.replace("{experiment}", "x").replace("{project}", "x").replace("{case}", "x");
        let at = at.replace("{query}", "x");
        let answer = Answer::of(server.request(Method::GET, &at)).await;
        assert!(!answer.text().contains("nothing at this path"), "{path}");
    }
    assert_eq!(routes().len(), operations(&served).count());
}

/// Answers have the shape that the description says.
#[tokio::test(flavor = "multi_thread")]
async fn answers_have_the_shape_that_is_described() {
    let server = Running::with_bundled_data().await;
    let description = openapi_description();
    for (path, at) in [
        ("/api/v1/experiments", "/api/v1/experiments"),
        ("/api/v1/experiments/{experiment}/summary", "/api/v1/experiments/baseline/summary"),
        ("/api/v1/experiments/{experiment}/trials", "/api/v1/experiments/baseline/trials"),
        ("/api/v1/experiments/{experiment}/fields", "/api/v1/experiments/baseline/fields"),
        ("/api/v1/leaderboard", "/api/v1/leaderboard"),
        ("/api/v1/projects/{project}/history", "/api/v1/projects/support-assistant/history"),
        ("/api/v1/projects/{project}/settings", "/api/v1/projects/support-assistant/settings"),
        ("/api/v1/queries", "/api/v1/queries"),
        ("/api/v1/explain", "/api/v1/explain?base=baseline&candidate=prompt-v2&score=Factuality"),
        ("/api/v1/groups", "/api/v1/groups?experiment=baseline&experiment=prompt-v2&group-by=metadata.category"),
        ("/healthz", "/healthz"),
    ] {
        let schema = &description["paths"][path]["get"]["responses"]["200"]["content"]["application/json"]["schema"];
        let answer = server.get(at).await.ok();
        fits(&answer, schema, &description, path);
    }
    let schema = serde_json::json!({"$ref": "#/components/schemas/ErrorAnswer"});
    fits(&server.get("/nothing").await.json(), &schema, &description, "error");
}

fn operations(description: &Value) -> impl Iterator<Item = &Value> {
    description["paths"].as_object().unwrap().values().flat_map(|path| path.as_object().unwrap().values())
}

/// Checks a value against the part of JSON schema that the description uses.
fn fits(value: &Value, schema: &Value, description: &Value, place: &str) {
    if let Some(reference) = schema["$ref"].as_str() {
        let name = reference.rsplit('/').next().unwrap();
        return fits(value, &description["components"]["schemas"][name], description, &format!("{place} {name}"));
    }
    if let Some(choices) = schema["anyOf"].as_array() {
        // References here are to what may be null.
        let chosen = choices.iter().find(|choice| value.is_null() == (choice["type"] == "null")).unwrap();
        return fits(value, chosen, description, place);
    }
    let is_of = |name: &str| match name {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        other => panic!("{place}: type {other}"),
    };
    match &schema["type"] {
        Value::Null => {}
        Value::String(name) => assert!(is_of(name), "{place}: {value} is no {name}"),
        names => {
            let names = names.as_array().unwrap();
            assert!(names.iter().any(|name| is_of(name.as_str().unwrap())), "{place}: {value} is no {names:?}");
        }
    }
    for required in schema["required"].as_array().into_iter().flatten() {
        assert!(value.get(required.as_str().unwrap()).is_some(), "{place}: {required} is missing in {value}");
    }
    for (name, value) in value.as_object().into_iter().flatten() {
        let known = schema["properties"].get(name).unwrap_or(&schema["additionalProperties"]);
        assert!(schema.get("properties").is_none() || schema["properties"].get(name).is_some(), "{place}: {name}");
        fits(value, known, description, &format!("{place}.{name}"));
    }
    for value in value.as_array().into_iter().flatten() {
        fits(value, &schema["items"], description, &format!("{place}[]"));
    }
}
