//! Datasets: the records that experiments run on.

use axum::Json;
use axum::extract::State;
use evalhouse_model::{Experiment, ObjectKind};
use serde_json::{Map, Value, json};

use super::experiments::{given_feedback, inserted};
use super::objects::{self, Project, dataset_json, needed, objects, page, text};
use super::shapes::{DESCRIBED, TEXT, body, list as list_of};
use crate::app::App;
use crate::auth::{Access, Caller};
use crate::body::{JsonBody, Payload};
use crate::error::ApiError;
use crate::given::{Given, Parameter};
use crate::keys::Role;
use crate::route::Route;

const NAME: Parameter = Parameter::text("dataset_name", "Only the dataset of this name");
const PROJECT_NAME: Parameter = Parameter::text("project_name", "Only datasets of this project");
const PROJECT_ID: Parameter = Parameter::text("project_id", "Only datasets of this project");
const IDS: Parameter = Parameter::text("ids", "Only these ids").repeats();
const LIMIT: Parameter = Parameter::count("limit", "Most objects to give", 100_000);
const AFTER: Parameter = Parameter::text("starting_after", "Only what comes after the object of this id");
const BEFORE: Parameter = Parameter::text("ending_before", "Only what comes before the object of this id");
const SUMMARIZE: Parameter = Parameter::flag("summarize_data", "Counts the records");
const DATASET: Parameter = Parameter::text("dataset_id", "The dataset").required();

const KIND: ObjectKind = ObjectKind::Dataset;

pub(super) fn routes() -> Vec<Route> {
    let write = Access::Needs(Role::Write);
    vec![
        Route::post("/v1/dataset", "Gives the dataset of a name, made where there is none", create)
            .access(write)
            .body_with(|_| body(&["name"], [("project_id", TEXT), ("project_name", TEXT)].iter().chain(&DESCRIBED))),
        Route::get("/v1/dataset", "Lists datasets, newest first", list).takes_also(&[
            &NAME,
            &PROJECT_NAME,
            &PROJECT_ID,
            &IDS,
            &LIMIT,
            &AFTER,
            &BEFORE,
        ]),
        Route::get("/v1/dataset/{dataset}", "Gives a dataset", show),
        Route::patch("/v1/dataset/{dataset}", "Changes what is said of a dataset", change)
            .access(write)
            .body_with(|_| body(&[], [("name", TEXT)].iter().chain(&DESCRIBED))),
        Route::delete("/v1/dataset/{dataset}", "Deletes a dataset and its records", delete)
            .access(Access::Needs(Role::Admin)),
        Route::post("/v1/dataset/{dataset}/insert", "Writes records to a dataset", insert)
            .access(write)
            .body_with(|_| list_of("events")),
        Route::post("/v1/dataset/{dataset}/feedback", "Writes feedback on records", feedback)
            .access(write)
            .body_with(|_| list_of("feedback")),
        Route::get("/v1/dataset/{dataset}/summarize", "Counts the records of a dataset", summarize)
            .takes_also(&[&SUMMARIZE]),
        Route::get("/dataset-summary", "Counts the records of a dataset", count).takes_also(&[&DATASET]),
        Route::post("/api/dataset/register", "Makes a project and a dataset", register).access(write).body_with(|_| {
            body(&["dataset_name"], [("project_id", TEXT), ("project_name", TEXT)].iter().chain(&DESCRIBED))
        }),
        Route::post("/api/self/get_object_info", "Says in which projects objects are", info).body_with(|_| {
            json!({
                "type": "object",
                "required": ["object_type", "object_ids"],
                "properties": {
                    "object_type": {"enum": ["dataset", "experiment"]},
                    "object_ids": {"type": "array", "items": {"type": "string"}},
                },
            })
        }),
    ]
}

type Body = JsonBody<Map<String, Value>>;

async fn create(State(app): State<App>, caller: Caller, JsonBody(body): Body) -> Result<Json<Value>, ApiError> {
    let (project, _) = objects::project_of(&app, &caller, &body).await?;
    Ok(Json(dataset_json(&made(&app, &project, needed(&body, "name")?, &body).await?)))
}

async fn register(State(app): State<App>, caller: Caller, JsonBody(body): Body) -> Result<Json<Value>, ApiError> {
    let (project, snapshot) = objects::project_of(&app, &caller, &body).await?;
    let dataset = made(&app, &project, needed(&body, "dataset_name")?, &body).await?;
    Ok(Json(json!({ "project": project.json(&snapshot), "dataset": dataset_json(&dataset) })))
}

async fn made(app: &App, project: &Project, name: String, body: &Map<String, Value>) -> Result<Experiment, ApiError> {
    // The body is checked, also where there is such a dataset already.
    let dataset = objects::new_object(KIND, project, name.clone(), body)?;
    let _one_at_a_time = app.making().lock().await;
    let snapshot = app.live().store().snapshot().await?;
    if let Some(known) = snapshot.datasets().iter().find(|d| d.project == project.name && d.name == name) {
        return Ok(known.clone());
    }
    app.live().store().describe(&dataset).await?;
    Ok(dataset)
}

async fn list(State(app): State<App>, caller: Caller, given: Given) -> Result<Json<Value>, ApiError> {
    let snapshot = app.live().store().snapshot().await?;
    let ids = given.texts(&IDS);
    let mut found: Vec<&Experiment> = objects(&snapshot, &caller, KIND)
        .filter(|d| given.text(&NAME).is_none_or(|name| d.name == name))
        .filter(|d| given.text(&PROJECT_NAME).is_none_or(|name| d.project == name))
        .filter(|d| given.text(&PROJECT_ID).is_none_or(|id| objects::project_id(&d.project) == id))
        .filter(|d| ids.is_empty() || ids.contains(&d.id))
        .collect();
    found.sort_by(|a, b| b.created.cmp(&a.created).then_with(|| a.id.cmp(&b.id)));
    let found: Vec<Value> = found.into_iter().map(dataset_json).collect();
    Ok(Json(page(found, given.count(&LIMIT), given.text(&AFTER), given.text(&BEFORE))))
}

async fn show(State(app): State<App>, caller: Caller, given: Given) -> Result<Json<Value>, ApiError> {
    let (dataset, _) = objects::object(&app, &caller, KIND, given.path("dataset")).await?;
    Ok(Json(dataset_json(&dataset)))
}

async fn change(
    State(app): State<App>,
    caller: Caller,
    given: Given,
    JsonBody(body): Body,
) -> Result<Json<Value>, ApiError> {
    let (mut dataset, _) = objects::object(&app, &caller, KIND, given.path("dataset")).await?;
    if text(&body, "name")?.is_some_and(|name| name != dataset.name) {
        return Err(ApiError::bad_request("a dataset keeps its name: every record of it says so"));
    }
    objects::describe(&mut dataset, &body)?;
    app.live().store().describe(&dataset).await?;
    Ok(Json(dataset_json(&dataset)))
}

async fn delete(State(app): State<App>, caller: Caller, given: Given) -> Result<Json<Value>, ApiError> {
    let (dataset, _) = objects::object(&app, &caller, KIND, given.path("dataset")).await?;
    objects::settle(app.live(), KIND, &dataset.id).await?;
    app.live().store().delete(&dataset).await?;
    Ok(Json(objects::deleted(dataset_json(&dataset))))
}

async fn insert(
    State(app): State<App>,
    caller: Caller,
    given: Given,
    Payload(body): Payload,
) -> Result<Json<Value>, ApiError> {
    let (dataset, _) = objects::object(&app, &caller, KIND, given.path("dataset")).await?;
    inserted(&app, &dataset, &body).await
}

async fn feedback(
    State(app): State<App>,
    caller: Caller,
    given: Given,
    Payload(body): Payload,
) -> Result<Json<Value>, ApiError> {
    let (dataset, _) = objects::object(&app, &caller, KIND, given.path("dataset")).await?;
    given_feedback(&app, &dataset, &body).await
}

async fn summarize(State(app): State<App>, caller: Caller, given: Given) -> Result<Json<Value>, ApiError> {
    let (dataset, _) = objects::object(&app, &caller, KIND, given.path("dataset")).await?;
    let url = format!("{}/app/evalhouse/p", app.public_url());
    let project = super::summary::encoded(&dataset.project);
    let mut answer = json!({
        "project_name": dataset.project,
        "dataset_name": dataset.name,
        "project_url": format!("{url}/{project}"),
        "dataset_url": format!("{url}/{project}/datasets/{}", super::summary::encoded(&dataset.name)),
        "data_summary": null,
    });
    if given.flag(&SUMMARIZE) {
        // The SDK takes no other key here.
        answer["data_summary"] = json!({ "total_records": records(&app, &caller, &dataset).await? });
    }
    Ok(Json(answer))
}

async fn count(State(app): State<App>, caller: Caller, given: Given) -> Result<Json<Value>, ApiError> {
    let (dataset, _) = objects::object(&app, &caller, KIND, given.text(&DATASET).unwrap_or_default()).await?;
    Ok(Json(json!({ "total_records": records(&app, &caller, &dataset).await? })))
}

/// How many records a dataset has: what the store counted when it last put rows there.
async fn records(app: &App, caller: &Caller, dataset: &Experiment) -> Result<i64, ApiError> {
    objects::settle(app.live(), KIND, &dataset.id).await?;
    let (dataset, _) = objects::object(app, caller, KIND, &dataset.id).await?;
    Ok(dataset.spans)
}

async fn info(State(app): State<App>, caller: Caller, JsonBody(body): Body) -> Result<Json<Value>, ApiError> {
    let kind = match needed(&body, "object_type")?.as_str() {
        "dataset" => ObjectKind::Dataset,
        "experiment" => ObjectKind::Experiment,
        other => return Err(ApiError::bad_request(format!("`object_type` is dataset or experiment, not `{other}`"))),
    };
    let ids: Vec<String> = body
        .get("object_ids")
        .and_then(|ids| serde_json::from_value(ids.clone()).ok())
        .ok_or_else(|| ApiError::bad_request("`object_ids` is a list of ids"))?;
    let snapshot = app.live().store().snapshot().await?;
    let found = objects(&snapshot, &caller, kind).filter(|object| ids.contains(&object.id));
    let described = found.map(|object| {
        let project = json!({ "id": objects::project_id(&object.project), "name": object.project });
        json!({
            "object_id": object.id,
            "object_name": object.name,
            "parent_cols": { "project": project, "organization": { "id": super::organisation::ORG_ID, "name": super::organisation::ORG_NAME } },
        })
    });
    Ok(Json(described.collect()))
}
