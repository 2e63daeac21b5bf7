//! Experiments: made, found, described, written to.

use axum::Json;
use axum::extract::State;
use evalhouse_journal::{Incoming, Limits, split_events};
use evalhouse_model::{Experiment, ObjectKind};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::objects::{self, Project, experiment_json, flag, objects, page, reference, text};
use super::organisation::ORG_ID;
use super::shapes::{DESCRIBED, FLAG, TEXT, body, list as list_of};
use super::{logs, summary};
use crate::app::App;
use crate::auth::{Access, Caller};
use crate::body::{JsonBody, Payload};
use crate::error::ApiError;
use crate::given::{Given, Parameter};
use crate::keys::Role;
use crate::route::Route;

const NAME: Parameter = Parameter::text("experiment_name", "Only the experiment of this name");
const PROJECT_NAME: Parameter = Parameter::text("project_name", "Only experiments of this project");
const PROJECT_ID: Parameter = Parameter::text("project_id", "Only experiments of this project");
const ORG: Parameter = Parameter::text("org_name", "Not used: a store has one organisation");
const IDS: Parameter = Parameter::text("ids", "Only these ids").repeats();
const LIMIT: Parameter = Parameter::count("limit", "Most objects to give", 100_000);
const AFTER: Parameter = Parameter::text("starting_after", "Only what comes after the object of this id");
const BEFORE: Parameter = Parameter::text("ending_before", "Only what comes before the object of this id");

const KIND: ObjectKind = ObjectKind::Experiment;

pub(super) fn routes() -> Vec<Route> {
    let write = Access::Needs(Role::Write);
    vec![
        Route::post("/v1/experiment", "Makes an experiment", create).access(write).body_with(|_| {
            let named = [("project_id", TEXT), ("project_name", TEXT), ("name", TEXT), ("ensure_new", FLAG)];
            body(&[], named.iter().chain(&DESCRIBED))
        }),
        Route::get("/v1/experiment", "Lists experiments, newest first", list).takes_also(&[
            &NAME,
            &PROJECT_NAME,
            &PROJECT_ID,
            &ORG,
            &IDS,
            &LIMIT,
            &AFTER,
            &BEFORE,
        ]),
        Route::get("/v1/experiment/{experiment}", "Gives an experiment", show),
        Route::patch("/v1/experiment/{experiment}", "Changes what is said of an experiment", change)
            .access(write)
            .body_with(|_| body(&[], [("name", TEXT)].iter().chain(&DESCRIBED))),
        Route::delete("/v1/experiment/{experiment}", "Deletes an experiment and its rows", delete)
            .access(Access::Needs(Role::Admin)),
        Route::post("/v1/experiment/{experiment}/insert", "Writes rows to an experiment", insert)
            .access(write)
            .body_with(|_| list_of("events")),
        Route::post("/v1/experiment/{experiment}/feedback", "Writes feedback on rows", feedback)
            .access(write)
            .body_with(|_| list_of("feedback")),
        Route::post("/api/experiment/register", "Makes a project and an experiment", register).access(write).body_with(
            |_| {
                let named = [
                    ("project_id", TEXT),
                    ("project_name", TEXT),
                    ("experiment_name", TEXT),
                    ("update", FLAG),
                    ("base_experiment", TEXT),
                ];
                body(&[], named.iter().chain(&DESCRIBED))
            },
        ),
        Route::post("/api/experiment/get", "Finds experiments by name", find)
            .body_with(|_| body(&[], &[("experiment_name", TEXT), ("project_name", TEXT), ("project_id", TEXT)])),
        Route::post("/api/base_experiment/get_id", "Finds what an experiment is compared with", base)
            .body_with(|_| body(&["id"], [])),
    ]
}

type Body = JsonBody<Map<String, Value>>;

async fn create(State(app): State<App>, caller: Caller, JsonBody(body): Body) -> Result<Json<Value>, ApiError> {
    let (project, _) = objects::project_of(&app, &caller, &body).await?;
    let reuse = !flag(&body, "ensure_new")?;
    let experiment = made(&app, &project, text(&body, "name")?, reuse, &body).await?;
    Ok(Json(experiment_json(&experiment)))
}

async fn register(State(app): State<App>, caller: Caller, JsonBody(body): Body) -> Result<Json<Value>, ApiError> {
    let (project, snapshot) = objects::project_of(&app, &caller, &body).await?;
    let mut given = body.clone();
    if text(&body, "base_exp_id")?.is_none()
        && let Some(name) = text(&body, "base_experiment")?
    {
        let base = objects(&snapshot, &caller, KIND).find(|e| e.project == project.name && e.name == name);
        // The SDK looks for these words, warns, and goes on without a base.
        let missing = || ApiError::bad_request(format!("there is no base experiment `{name}` in `{}`", project.name));
        given.insert("base_exp_id".into(), base.ok_or_else(missing)?.id.clone().into());
    }
    let reuse = flag(&body, "update")?;
    let experiment = made(&app, &project, text(&body, "experiment_name")?, reuse, &given).await?;
    Ok(Json(json!({ "project": project.json(&snapshot), "experiment": experiment_json(&experiment) })))
}

/// The experiment of a name: the one that there is, where that is wanted, else a new one whose name is
/// made different.
async fn made(
    app: &App,
    project: &Project,
    name: Option<String>,
    reuse: bool,
    body: &Map<String, Value>,
) -> Result<Experiment, ApiError> {
    let _one_at_a_time = app.making().lock().await;
    let snapshot = app.live().store().snapshot().await?;
    let of_name = |name: &str| snapshot.experiments().iter().find(|e| e.project == project.name && e.name == name);
    let name = match name {
        Some(name) => match of_name(&name) {
            Some(known) if reuse => {
                // The body is checked all the same.
                objects::describe(&mut known.clone(), body)?;
                return Ok(known.clone());
            }
            Some(_) => format!("{name}-{}", &Uuid::new_v4().simple().to_string()[..8]),
            None => name,
        },
        None => {
            let branch = body.get("repo_info").and_then(|repository| repository["branch"].as_str());
            let name = format!("{}-{}", branch.unwrap_or("experiment"), chrono::Utc::now().timestamp());
            match of_name(&name) {
                Some(_) => format!("{name}-{}", &Uuid::new_v4().simple().to_string()[..8]),
                None => name,
            }
        }
    };
    let experiment = objects::new_object(KIND, project, name, body)?;
    app.live().store().describe(&experiment).await?;
    Ok(experiment)
}

async fn list(State(app): State<App>, caller: Caller, given: Given) -> Result<Json<Value>, ApiError> {
    let snapshot = app.live().store().snapshot().await?;
    let ids = given.texts(&IDS);
    let mut found: Vec<&Experiment> = objects(&snapshot, &caller, KIND)
        .filter(|e| given.text(&NAME).is_none_or(|name| e.name == name))
        .filter(|e| given.text(&PROJECT_NAME).is_none_or(|name| e.project == name))
        .filter(|e| given.text(&PROJECT_ID).is_none_or(|id| objects::project_id(&e.project) == id))
        .filter(|e| ids.is_empty() || ids.contains(&e.id))
        .collect();
    found.sort_by(|a, b| b.created.cmp(&a.created).then_with(|| a.id.cmp(&b.id)));
    let found: Vec<Value> = found.into_iter().map(experiment_json).collect();
    Ok(Json(page(found, given.count(&LIMIT), given.text(&AFTER), given.text(&BEFORE))))
}

async fn find(State(app): State<App>, caller: Caller, JsonBody(body): Body) -> Result<Json<Value>, ApiError> {
    let snapshot = app.live().store().snapshot().await?;
    let (name, project) = (text(&body, "experiment_name")?, text(&body, "project_name")?);
    let project_id = text(&body, "project_id")?;
    let found = objects(&snapshot, &caller, KIND)
        .filter(|e| name.as_ref().is_none_or(|name| &e.name == name))
        .filter(|e| project.as_ref().is_none_or(|project| &e.project == project))
        .filter(|e| project_id.as_ref().is_none_or(|id| &objects::project_id(&e.project) == id));
    Ok(Json(found.map(experiment_json).collect()))
}

async fn show(State(app): State<App>, caller: Caller, given: Given) -> Result<Json<Value>, ApiError> {
    let (experiment, _) = objects::object(&app, &caller, KIND, given.path("experiment")).await?;
    Ok(Json(experiment_json(&experiment)))
}

async fn change(
    State(app): State<App>,
    caller: Caller,
    given: Given,
    JsonBody(body): Body,
) -> Result<Json<Value>, ApiError> {
    let (mut experiment, _) = objects::object(&app, &caller, KIND, given.path("experiment")).await?;
    if text(&body, "name")?.is_some_and(|name| name != experiment.name) {
        let error = ApiError::bad_request("an experiment keeps its name: every row of it says so");
        return Err(error.with_hint("change its description, metadata or tags instead"));
    }
    objects::describe(&mut experiment, &body)?;
    app.live().store().describe(&experiment).await?;
    Ok(Json(experiment_json(&experiment)))
}

async fn delete(State(app): State<App>, caller: Caller, given: Given) -> Result<Json<Value>, ApiError> {
    let (experiment, _) = objects::object(&app, &caller, KIND, given.path("experiment")).await?;
    objects::settle(app.live(), KIND, &experiment.id).await?;
    app.live().store().delete(&experiment).await?;
    Ok(Json(objects::deleted(experiment_json(&experiment))))
}

async fn insert(
    State(app): State<App>,
    caller: Caller,
    given: Given,
    Payload(body): Payload,
) -> Result<Json<Value>, ApiError> {
    let (experiment, _) = objects::object(&app, &caller, KIND, given.path("experiment")).await?;
    inserted(&app, &experiment, &body).await
}

/// Writes the `events` of a body to an object.
pub(super) async fn inserted(app: &App, object: &Experiment, body: &[u8]) -> Result<Json<Value>, ApiError> {
    let rows = split_events(body, "events", &reference(object.kind, &object.id), &Limits::default())?;
    let ids: Vec<String> = rows.iter().map(|row| row.id.clone()).collect();
    app.live().log(rows).await?;
    Ok(Json(json!({ "row_ids": ids })))
}

async fn feedback(
    State(app): State<App>,
    caller: Caller,
    given: Given,
    Payload(body): Payload,
) -> Result<Json<Value>, ApiError> {
    let (experiment, _) = objects::object(&app, &caller, KIND, given.path("experiment")).await?;
    given_feedback(&app, &experiment, &body).await
}

/// Writes the `feedback` of a body: a merge into each row, and its comment.
pub(super) async fn given_feedback(app: &App, object: &Experiment, body: &[u8]) -> Result<Json<Value>, ApiError> {
    let items = evalhouse_journal::read_rows(body, "feedback", &Limits::default())?;
    let mut rows: Vec<Incoming> = Vec::new();
    for (index, item) in items.iter().enumerate() {
        rows.extend(logs::feedback_rows(&reference(object.kind, &object.id), item).map_err(|fault| fault.at(index))?);
    }
    app.live().log(rows).await?;
    Ok(Json(json!({ "status": "success" })))
}

async fn base(State(app): State<App>, caller: Caller, JsonBody(body): Body) -> Result<Json<Value>, ApiError> {
    let id = objects::needed(&body, "id")?;
    let (experiment, _) = objects::object(&app, &caller, KIND, &id).await?;
    let session = app.engine().stored(&caller).await?;
    let none = || ApiError::bad_request(format!("the experiment `{}` has no base experiment", experiment.name));
    let base = summary::comparison_of(&session, &experiment, None)?.ok_or_else(none)?;
    Ok(Json(json!({ "id": ORG_ID, "base_exp_id": base.experiment.id, "base_exp_name": base.experiment.name })))
}
