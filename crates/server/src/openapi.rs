//! The OpenAPI description, made from the tables that the router is made from.

use axum::Json;
use serde_json::{Map, Value, json};

use crate::auth::Access;
use crate::error::ErrorAnswer;
use crate::given::Parameter;
use crate::route::{Answer, Query, Route};
use crate::router;
use crate::rows::media_types;
use crate::schema::Components;

/// The routes of this resource.
pub(crate) fn routes() -> Vec<Route> {
    vec![
        Route::get("/openapi.json", "This description", show)
            .access(Access::Open)
            .answers_with(|_| json!({"type": "object", "required": ["openapi", "paths"]})),
    ]
}

async fn show() -> Json<Value> {
    Json(description())
}

/// The description of every route.
pub fn description() -> Value {
    let mut components = Components::default();
    let error = components.of::<ErrorAnswer>();
    let mut paths: Map<String, Value> = Map::new();
    for route in router::routes() {
        let operation = operation(&route, &mut components);
        let path = paths.entry(route.path).or_insert_with(|| json!({}));
        path[route.method.as_str().to_ascii_lowercase()] = operation;
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "evalhouse",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Every answer of the engine over HTTP. Answers are the JSON that the command line \
                            prints; parameters have the names of its options.",
        },
        "paths": paths,
        "components": {
            "schemas": components.into_schemas(),
            "responses": {
                "Error": {
                    "description": "What is wrong with the request, or with the server",
                    "content": {"application/json": {"schema": error}},
                },
            },
            "securitySchemes": {
                "key": {"type": "http", "scheme": "bearer", "description": "An API key of `evalhouse keys create`"},
            },
        },
    })
}

fn operation(route: &Route, components: &mut Components) -> Value {
    let in_path = route.path_parameters().map(|name| {
        json!({"name": name, "in": "path", "required": true, "description": about_path(name),
               "schema": {"type": "string", "minLength": 1}})
    });
    let in_query = route.query.parameters().iter().map(|parameter| query_parameter(parameter));
    let mut parameters: Vec<Value> = in_path.chain(in_query).collect();
    if let Query::AtLeast(_) = route.query {
        parameters.push(json!({
            "name": "parameters", "in": "query", "style": "form", "explode": true,
            "description": "Further parameters, by name",
            "schema": {"type": "object"},
        }));
    }
    let mut operation = json!({
        "operationId": operation_id(route),
        "summary": route.summary,
        "parameters": parameters,
        "responses": {
            "200": {"description": "The answer", "content": content(route, components)},
            "default": {"$ref": "#/components/responses/Error"},
        },
        // Where no keys are in use, none is needed.
        "security": if route.access == Access::Open { json!([]) } else { json!([{"key": []}, {}]) },
    });
    if let Some(body) = route.body {
        let schema = body(components);
        operation["requestBody"] = json!({"required": true, "content": {"application/json": {"schema": schema}}});
    }
    operation
}

fn content(route: &Route, components: &mut Components) -> Value {
    match route.answer {
        Answer::Json(schema) => json!({"application/json": {"schema": schema(components)}}),
        Answer::Rows => {
            let json_rows = json!({"schema": {"type": "array", "items": {"type": "object"}}});
            let other = |media_type: &str| (media_type.to_string(), json!({}));
            let [_, others @ ..] = media_types();
            let mut content = Map::from_iter(others.map(other));
            content.insert("application/json".into(), json_rows);
            Value::Object(content)
        }
        Answer::Text(media_type) => {
            Value::Object(Map::from_iter([(media_type.to_string(), json!({"schema": {"type": "string"}}))]))
        }
    }
}

fn query_parameter(parameter: &Parameter) -> Value {
    json!({
        "name": parameter.name,
        "in": "query",
        "required": parameter.required,
        "description": parameter.about,
        "schema": parameter.schema(),
    })
}

fn about_path(name: &str) -> &'static str {
    match name {
        "experiment" => {
            "An experiment: id, name, PROJECT/NAME (with %2F), or a rule: latest, latest:BRANCH, baseline, baseline:NAME"
        }
        "case" => "A case: the id of its row, span or trace, or the beginning of one",
        "project" => "A project's name",
        _ => "A name or id",
    }
}

/// `get_api_v1_experiments_experiment_summary`.
fn operation_id(route: &Route) -> String {
    let words = route.path.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let method = route.method.as_str().to_ascii_lowercase();
    std::iter::once(method.as_str()).chain(words).collect::<Vec<_>>().join("_")
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_route_is_described_once() {
        let description = description();
        let mut ids = HashSet::new();
        for route in router::routes() {
            let operation = &description["paths"][route.path][route.method.as_str().to_ascii_lowercase()];
            assert!(operation["summary"].as_str().is_some_and(|summary| !summary.is_empty()), "{}", route.path);
            assert!(ids.insert(operation["operationId"].to_string()), "{}", route.path);
        }
        let described: usize =
            description["paths"].as_object().unwrap().values().map(|p| p.as_object().unwrap().len()).sum();
        assert_eq!(described, router::routes().len());
    }

    #[test]
    fn every_reference_resolves() {
        let description = description();
        let text = description.to_string();
        for reference in text.split("\"$ref\":\"#/").skip(1) {
            let path = reference.split('"').next().unwrap();
            let found = path.split('/').fold(&description, |value, part| &value[part]);
            assert!(found.is_object(), "{path}");
        }
    }
}
