//! Projects.

use axum::Json;
use axum::extract::State;
use serde_json::{Map, Value, json};

use super::objects::{self, needed, page, text};
use super::shapes::{OBJECT, TEXT, body};
use crate::app::App;
use crate::auth::{Access, Caller};
use crate::body::JsonBody;
use crate::error::ApiError;
use crate::given::{Given, Parameter};
use crate::keys::Role;
use crate::route::Route;

const NAME: Parameter = Parameter::text("project_name", "Only the project of this name");
const ORG: Parameter = Parameter::text("org_name", "Not used: a store has one organisation");
const ID: Parameter = Parameter::text("id", "Id of the project");
const IDS: Parameter = Parameter::text("ids", "Only these ids").repeats();
const LIMIT: Parameter = Parameter::count("limit", "Most objects to give", 100_000);
const AFTER: Parameter = Parameter::text("starting_after", "Only what comes after the object of this id");
const BEFORE: Parameter = Parameter::text("ending_before", "Only what comes before the object of this id");

pub(super) fn routes() -> Vec<Route> {
    let write = Access::Needs(Role::Write);
    vec![
        Route::post("/v1/project", "Gives the project of a name, made where there is none", create)
            .access(write)
            .body_with(|_| body(&["name"], &[("description", TEXT)])),
        Route::get("/v1/project", "Lists projects", list).takes_also(&[&NAME, &ORG, &IDS, &LIMIT, &AFTER, &BEFORE]),
        Route::get("/v1/project/{project}", "Gives a project", show),
        Route::patch("/v1/project/{project}", "Changes what is said of a project, and its settings", change)
            .access(write)
            .body_with(|_| body(&[], &[("name", TEXT), ("description", TEXT), ("settings", OBJECT)])),
        Route::delete("/v1/project/{project}", "Deletes a project and everything in it", delete)
            .access(Access::Needs(Role::Admin)),
        Route::post("/api/project/register", "Gives the project of a name, made where there is none", register)
            .access(write)
            .body_with(|_| body(&[], &[("project_name", TEXT), ("project_id", TEXT)])),
        Route::get("/api/project", "Gives the project of an id", by_id).takes_also(&[&ID]),
    ]
}

type Body = JsonBody<Map<String, Value>>;

async fn create(State(app): State<App>, caller: Caller, JsonBody(body): Body) -> Result<Json<Value>, ApiError> {
    let (name, description) = (needed(&body, "name")?, text(&body, "description")?);
    let (project, snapshot) = objects::project_named(&app, &caller, &name, description.as_deref()).await?;
    Ok(Json(project.json(&snapshot)))
}

async fn list(State(app): State<App>, caller: Caller, given: Given) -> Result<Json<Value>, ApiError> {
    let (all, snapshot) = objects::projects(&app, &caller).await?;
    let ids = given.texts(&IDS);
    let wanted = all.iter().filter(|project| {
        given.text(&NAME).is_none_or(|name| project.name == name) && (ids.is_empty() || ids.contains(&project.id))
    });
    let found: Vec<Value> = wanted.map(|project| project.json(&snapshot)).collect();
    Ok(Json(page(found, given.count(&LIMIT), given.text(&AFTER), given.text(&BEFORE))))
}

async fn show(State(app): State<App>, caller: Caller, given: Given) -> Result<Json<Value>, ApiError> {
    let (project, snapshot) = objects::project(&app, &caller, given.path("project")).await?;
    Ok(Json(project.json(&snapshot)))
}

async fn by_id(State(app): State<App>, caller: Caller, given: Given) -> Result<Json<Value>, ApiError> {
    let id = given.text(&ID).ok_or_else(|| ApiError::bad_request("`id` is missing"))?;
    let (project, snapshot) = objects::project(&app, &caller, id).await?;
    let mut answer = project.json(&snapshot);
    answer["project"] = project.json(&snapshot);
    Ok(Json(answer))
}

async fn register(State(app): State<App>, caller: Caller, JsonBody(body): Body) -> Result<Json<Value>, ApiError> {
    let (project, snapshot) = objects::project_of(&app, &caller, &body).await?;
    Ok(Json(json!({ "project": project.json(&snapshot) })))
}

async fn change(
    State(app): State<App>,
    caller: Caller,
    given: Given,
    JsonBody(body): Body,
) -> Result<Json<Value>, ApiError> {
    let (mut project, snapshot) = objects::project(&app, &caller, given.path("project")).await?;
    if text(&body, "name")?.is_some_and(|name| name != project.name) {
        let error = ApiError::bad_request("a project keeps its name: every row of it says so");
        return Err(error.with_hint("make a project of the new name and log to that"));
    }
    if let Some(settings) = body.get("settings").filter(|settings| !settings.is_null()) {
        caller.admit(Access::Needs(Role::Admin))?;
        let wrong = || ApiError::bad_request("`settings` is an object");
        let settings = settings.as_object().ok_or_else(wrong)?;
        let key = settings.contains_key("comparison_key").then(|| text(settings, "comparison_key")).transpose()?;
        let baseline = settings
            .contains_key("baseline_experiment_id")
            .then(|| text(settings, "baseline_experiment_id"))
            .transpose()?;
        if key.as_ref().is_some_and(Option::is_some) {
            let session = app.engine().stored(&caller).await?;
            let mut wanted = session.settings(&project.name);
            wanted.comparison_key = key.clone().flatten();
            if let Some(problem) = session.settings_problems(&project.name, &wanted)?.first() {
                return Err(ApiError::bad_request(format!("`settings.comparison_key`: {problem}")));
            }
        }
        let changed = app.live().store().change_settings(&project.name, |settings| {
            if let Some(key) = &key {
                settings.comparison_key.clone_from(key);
            }
            if let Some(baseline) = &baseline {
                settings.baseline.experiment.clone_from(baseline);
            }
            Ok::<(), ApiError>(())
        });
        changed.await??;
    }
    if body.contains_key("description") {
        project.description = text(&body, "description")?;
        objects::put_project(&app, &project).await?;
    }
    drop(snapshot);
    let (project, snapshot) = objects::project(&app, &caller, given.path("project")).await?;
    Ok(Json(project.json(&snapshot)))
}

async fn delete(State(app): State<App>, caller: Caller, given: Given) -> Result<Json<Value>, ApiError> {
    let (project, snapshot) = objects::project(&app, &caller, given.path("project")).await?;
    let all = [snapshot.experiments(), snapshot.datasets(), snapshot.logs()].into_iter().flatten();
    for object in all.filter(|object| object.project == project.name) {
        app.live().store().delete(object).await?;
    }
    objects::delete_project(&app, &project).await?;
    Ok(Json(objects::deleted(project.json(&snapshot))))
}
