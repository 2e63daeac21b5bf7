//! Projects, experiments and datasets as the protocol knows them: found by id or name, or made.

use evalhouse_live::Live;
use evalhouse_model::{Experiment, ObjectKind};
use evalhouse_store::{Document, Snapshot};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::organisation::ORG_ID;
use crate::app::App;
use crate::auth::Caller;
use crate::error::ApiError;

/// Kind of the document that says that a project exists before anything is in it.
const PROJECT: &str = "project";
/// Fields that evalhouse keeps with an experiment and gives back.
const DETAILS: [&str; 8] = [
    "repo_info",
    "public",
    "internal_metadata",
    "parameters_id",
    "parameters_version",
    "ancestor_commits",
    "url_slug",
    "baseline_experiment_id",
];

/// A project.
#[derive(Debug, Clone)]
pub(crate) struct Project {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) description: Option<String>,
    pub(crate) created: Option<i64>,
}

impl Project {
    fn named(name: &str) -> Self {
        Self { id: project_id(name), name: name.into(), description: None, created: None }
    }

    pub(crate) fn json(&self, snapshot: &Snapshot) -> Value {
        let settings = snapshot.settings(&self.name);
        let baseline = settings.baseline.experiment.clone();
        json!({
            "id": self.id,
            "org_id": ORG_ID,
            "name": self.name,
            "description": self.description,
            "created": self.created.and_then(time),
            "deleted_at": null,
            "user_id": null,
            "settings": { "comparison_key": settings.comparison_key, "baseline_experiment_id": baseline },
        })
    }
}

/// A project's id. It follows from the name, so that projects which were imported have one too.
pub(crate) fn project_id(name: &str) -> String {
    Uuid::new_v5(&Uuid::NAMESPACE_URL, format!("evalhouse:project:{name}").as_bytes()).to_string()
}

/// All projects that the caller may see, by name.
pub(crate) async fn projects(app: &App, caller: &Caller) -> Result<(Vec<Project>, Snapshot), ApiError> {
    let store = app.live().store();
    let snapshot = store.snapshot().await?;
    let mut all: std::collections::BTreeMap<String, Project> = std::collections::BTreeMap::new();
    for document in store.documents(PROJECT).await? {
        let description = document.body["description"].as_str().map(str::to_string);
        let created = document.body["created"].as_i64();
        all.insert(document.name.clone(), Project { description, created, ..Project::named(&document.name) });
    }
    let stored = [snapshot.experiments(), snapshot.datasets(), snapshot.logs()].into_iter().flatten();
    for name in stored
        .map(|object| object.project.as_str())
        .chain(snapshot.all_settings().iter().map(|(name, _)| name.as_str()))
    {
        all.entry(name.to_string()).or_insert_with(|| Project::named(name));
    }
    let visible = all.into_values().filter(|project| caller.permit(&project.name).is_ok()).collect();
    Ok((visible, snapshot))
}

/// The project of an id.
pub(super) async fn project(app: &App, caller: &Caller, id: &str) -> Result<(Project, Snapshot), ApiError> {
    let (all, snapshot) = projects(app, caller).await?;
    let found = all.into_iter().find(|project| project.id == id);
    let missing = || ApiError::not_found(format!("there is no project with the id `{id}`"));
    Ok((found.ok_or_else(missing)?, snapshot))
}

/// The project of a name, made where there is none.
pub(super) async fn project_named(
    app: &App,
    caller: &Caller,
    name: &str,
    description: Option<&str>,
) -> Result<(Project, Snapshot), ApiError> {
    check_name("project", name)?;
    caller.permit(name)?;
    let _one_at_a_time = app.making().lock().await;
    let (all, snapshot) = projects(app, caller).await?;
    if let Some(known) = all.into_iter().find(|project| project.name == name) {
        return Ok((known, snapshot));
    }
    let created = chrono::Utc::now().timestamp_micros();
    let project =
        Project { description: description.map(str::to_string), created: Some(created), ..Project::named(name) };
    put_project(app, &project).await?;
    Ok((project, snapshot))
}

/// Stores what is said of a project.
pub(super) async fn put_project(app: &App, project: &Project) -> Result<(), ApiError> {
    let document = Document {
        id: project.id.clone(),
        project: project.name.clone(),
        name: project.name.clone(),
        written: 0,
        body: json!({ "description": project.description, "created": project.created }),
    };
    Ok(app.live().store().put_document(PROJECT, document).await?)
}

/// Forgets that a project exists.
pub(super) async fn delete_project(app: &App, project: &Project) -> Result<(), ApiError> {
    Ok(app.live().store().delete_document(PROJECT, &project.id).await?)
}

/// The project that a body names, by `project_id` or `project_name`; made where a name is new.
pub(super) async fn project_of(
    app: &App,
    caller: &Caller,
    body: &Map<String, Value>,
) -> Result<(Project, Snapshot), ApiError> {
    match (text(body, "project_id")?, text(body, "project_name")?) {
        (Some(id), _) => project(app, caller, &id).await,
        (None, Some(name)) => project_named(app, caller, &name, None).await,
        (None, None) => Err(ApiError::bad_request("the body names no project: give `project_id` or `project_name`")),
    }
}

/// An experiment, dataset or logs by id.
pub(super) async fn object(
    app: &App,
    caller: &Caller,
    kind: ObjectKind,
    id: &str,
) -> Result<(Experiment, Snapshot), ApiError> {
    let snapshot = app.live().store().snapshot().await?;
    let found = snapshot.record(id).filter(|object| object.kind == kind && caller.permit(&object.project).is_ok());
    let missing = || ApiError::not_found(format!("there is no {} with the id `{id}`", noun(kind)));
    let found = found.cloned().ok_or_else(missing)?;
    Ok((found, snapshot))
}

/// The records of a kind that the caller may see.
pub(super) fn objects<'a>(
    snapshot: &'a Snapshot,
    caller: &'a Caller,
    kind: ObjectKind,
) -> impl Iterator<Item = &'a Experiment> {
    let all = match kind {
        ObjectKind::Experiment => snapshot.experiments(),
        ObjectKind::Dataset => snapshot.datasets(),
        ObjectKind::Logs => snapshot.logs(),
    };
    all.iter().filter(|object| caller.permit(&object.project).is_ok())
}

/// Makes the logs of a project, where they are new, so that rows can be logged to them.
pub(super) async fn logs_of(app: &App, caller: &Caller, project_id: &str) -> Result<(), ApiError> {
    let _one_at_a_time = app.making().lock().await;
    let (project, snapshot) = project(app, caller, project_id).await?;
    if snapshot.record(&project.id).is_none() {
        let logs = Experiment {
            id: project.id.clone(),
            kind: ObjectKind::Logs,
            project: project.name.clone(),
            name: "logs".into(),
            created: Some(chrono::Utc::now().timestamp_micros()),
            format: "braintrust".into(),
            ..Experiment::default()
        };
        app.live().store().describe(&logs).await?;
    }
    Ok(())
}

/// A new object with what a body says of it.
pub(super) fn new_object(
    kind: ObjectKind,
    project: &Project,
    name: String,
    body: &Map<String, Value>,
) -> Result<Experiment, ApiError> {
    check_name(noun(kind), &name)?;
    let mut object = Experiment {
        id: Uuid::new_v4().to_string(),
        kind,
        project: project.name.clone(),
        name,
        created: Some(chrono::Utc::now().timestamp_micros()),
        format: "braintrust".into(),
        ..Experiment::default()
    };
    describe(&mut object, body)?;
    Ok(object)
}

/// Takes over what a body says of an object.
pub(super) fn describe(object: &mut Experiment, body: &Map<String, Value>) -> Result<(), ApiError> {
    let set = |name: &str, field: &mut Option<String>| -> Result<(), ApiError> {
        if body.contains_key(name) {
            *field = text(body, name)?;
        }
        Ok(())
    };
    set("description", &mut object.description)?;
    set("base_exp_id", &mut object.base_experiment_id)?;
    set("dataset_id", &mut object.dataset)?;
    set("dataset_version", &mut object.dataset_version)?;
    if let Some(given) = body.get("metadata") {
        object.metadata = match (object.metadata.take(), given) {
            (_, Value::Null) => None,
            (Some(known), given @ Value::Object(_)) => Some(merged(known, given)),
            (None, given @ Value::Object(_)) => Some(given.clone()),
            _ => return Err(ApiError::bad_request("`metadata` is an object")),
        };
    }
    if let Some(tags) = body.get("tags").filter(|tags| !tags.is_null()) {
        let tags = serde_json::from_value(tags.clone());
        object.tags = tags.map_err(|_| ApiError::bad_request("`tags` is a list of texts"))?;
    }
    for name in DETAILS {
        match body.get(name) {
            None => {}
            Some(Value::Null) => {
                object.details.remove(name);
            }
            Some(value) => {
                object.details.insert(name.into(), value.clone());
            }
        }
    }
    if let Some(repository) = object.details.get("repo_info") {
        let part = |name: &str| repository[name].as_str().map(str::to_string);
        (object.commit, object.branch) = (part("commit"), part("branch"));
    }
    Ok(())
}

fn merged(known: Value, given: &Value) -> Value {
    match (known, given) {
        (Value::Object(mut known), Value::Object(given)) => {
            for (name, value) in given {
                let value = match known.remove(name) {
                    Some(before) => merged(before, value),
                    None => value.clone(),
                };
                known.insert(name.clone(), value);
            }
            Value::Object(known)
        }
        (_, given) => given.clone(),
    }
}

/// An experiment as the API gives it.
pub(super) fn experiment_json(experiment: &Experiment) -> Value {
    let detail = |name: &str| experiment.details.get(name).cloned().unwrap_or_default();
    json!({
        "id": experiment.id,
        "project_id": project_id(&experiment.project),
        "name": experiment.name,
        "description": experiment.description,
        "created": experiment.created.and_then(time),
        "deleted_at": null,
        "user_id": null,
        "repo_info": detail("repo_info"),
        "commit": experiment.commit,
        "base_exp_id": experiment.base_experiment_id,
        "dataset_id": experiment.dataset,
        "dataset_version": experiment.dataset_version,
        "parameters_id": detail("parameters_id"),
        "parameters_version": detail("parameters_version"),
        "public": experiment.details.get("public").and_then(Value::as_bool).unwrap_or_default(),
        "metadata": experiment.metadata,
        "internal_metadata": detail("internal_metadata"),
        "tags": experiment.tags,
    })
}

/// A dataset as the API gives it.
pub(super) fn dataset_json(dataset: &Experiment) -> Value {
    json!({
        "id": dataset.id,
        "project_id": project_id(&dataset.project),
        "name": dataset.name,
        "description": dataset.description,
        "created": dataset.created.and_then(time),
        "deleted_at": null,
        "user_id": null,
        "metadata": dataset.metadata,
        "tags": dataset.tags,
        "url_slug": dataset.details.get("url_slug"),
    })
}

/// The object with the time at which it was deleted.
pub(super) fn deleted(mut object: Value) -> Value {
    object["deleted_at"] = time(chrono::Utc::now().timestamp_micros()).into();
    object
}

/// A time as the API writes it.
pub(super) fn time(micros: i64) -> Option<String> {
    let time = chrono::DateTime::from_timestamp_micros(micros)?;
    Some(time.to_rfc3339_opts(chrono::SecondsFormat::Millis, true))
}

/// A text of a body; absent, null and empty are the same.
pub(super) fn text(body: &Map<String, Value>, name: &str) -> Result<Option<String>, ApiError> {
    match body.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone()).filter(|text| !text.is_empty())),
        Some(_) => Err(ApiError::bad_request(format!("`{name}` is text"))),
    }
}

/// A text of a body that must be there.
pub(super) fn needed(body: &Map<String, Value>, name: &str) -> Result<String, ApiError> {
    text(body, name)?.ok_or_else(|| ApiError::bad_request(format!("the body has no `{name}`")))
}

/// True or false in a body.
pub(super) fn flag(body: &Map<String, Value>, name: &str) -> Result<bool, ApiError> {
    match body.get(name) {
        None | Some(Value::Null) => Ok(false),
        Some(Value::Bool(flag)) => Ok(*flag),
        Some(_) => Err(ApiError::bad_request(format!("`{name}` is true or false"))),
    }
}

pub(super) fn noun(kind: ObjectKind) -> &'static str {
    match kind {
        ObjectKind::Experiment => "experiment",
        ObjectKind::Dataset => "dataset",
        ObjectKind::Logs => "project log",
    }
}

/// How the journal names an object.
pub(super) fn reference(kind: ObjectKind, id: &str) -> evalhouse_journal::ObjectRef {
    let kind = match kind {
        ObjectKind::Experiment => evalhouse_journal::ObjectKind::Experiment,
        ObjectKind::Dataset => evalhouse_journal::ObjectKind::Dataset,
        ObjectKind::Logs => evalhouse_journal::ObjectKind::ProjectLogs,
    };
    evalhouse_journal::ObjectRef { kind, id: id.to_string() }
}

/// Puts what is logged of an object into the store, so that it can be read.
pub(super) async fn settle(live: &Live, kind: ObjectKind, id: &str) -> Result<(), ApiError> {
    Ok(live.settle(&reference(kind, id)).await?)
}

const NAME_CHARS_MAX: usize = 1_024;

fn check_name(noun: &str, name: &str) -> Result<(), ApiError> {
    if name.trim().is_empty() || name.chars().count() > NAME_CHARS_MAX || name.chars().any(char::is_control) {
        let message =
            format!("a {noun} has a name of 1 to {NAME_CHARS_MAX} characters, none of them a control character");
        return Err(ApiError::bad_request(message));
    }
    Ok(())
}

/// A page of a list: newest first, cut as `limit`, `starting_after` and `ending_before` say.
pub(super) fn page(mut objects: Vec<Value>, limit: Option<usize>, after: Option<&str>, before: Option<&str>) -> Value {
    let place = |objects: &[Value], id: &str| objects.iter().position(|object| object["id"] == id);
    if let Some(end) = before.and_then(|id| place(&objects, id)) {
        objects.truncate(end);
    }
    if let Some(start) = after.and_then(|id| place(&objects, id)) {
        objects.drain(..=start);
    }
    objects.truncate(limit.unwrap_or(usize::MAX));
    json!({ "objects": objects })
}
