//! Writes of the SDKs: rows of any object in one request.

use axum::Json;
use axum::extract::State;
use evalhouse_journal::{Incoming, Limits, ObjectKind, ObjectRef, Row, RowFault, format_xact, split_request};
use serde_json::value::to_raw_value;
use serde_json::{Value, json};

use super::{objects, shapes};
use crate::app::App;
use crate::auth::{Access, Caller};
use crate::body::Payload;
use crate::error::ApiError;
use crate::keys::Role;
use crate::route::Route;

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::post("/logs3", "Writes rows to experiments, datasets and project logs", log)
            .access(Access::Needs(Role::Write))
            .body_with(|_| shapes::list("rows")),
    ]
}

/// The Python SDK sends no `Content-Type`; what comes is JSON.
async fn log(State(app): State<App>, caller: Caller, Payload(body): Payload) -> Result<Json<Value>, ApiError> {
    let split = tokio::task::spawn_blocking(move || split_request(&body, &Limits::default())).await;
    let rows = split.map_err(|_| ApiError::fault("splitting rows panicked"))??;
    let mut seen: Vec<&ObjectRef> = Vec::new();
    for row in &rows {
        if seen.contains(&&row.object) {
            continue;
        }
        seen.push(&row.object);
        if row.object.kind == ObjectKind::ProjectLogs {
            objects::logs_of(&app, &caller, &row.object.id).await?;
        } else if caller.projects().is_some() {
            let kind = match row.object.kind {
                ObjectKind::Dataset => evalhouse_model::ObjectKind::Dataset,
                _ => evalhouse_model::ObjectKind::Experiment,
            };
            objects::object(&app, &caller, kind, &row.object.id).await?;
        }
    }
    let ids: Vec<String> = rows.iter().map(|row| row.id.clone()).collect();
    let receipt = app.live().log(rows).await?;
    Ok(Json(json!({ "ids": ids, "xact_id": format_xact(receipt.xact) })))
}

/// Feedback on a row as the rows that the SDKs make of it: a merge, and a comment.
pub(super) fn feedback_rows(object: &ObjectRef, item: &Row) -> Result<Vec<Incoming>, RowFault> {
    let mut rows = Vec::new();
    let raw = |value: &Value| to_raw_value(value).ok();
    let target = item.name("id")?;
    let source = item.name("source")?.unwrap_or_else(|| "external".into());
    let mut merge = Row::default();
    let mut set = |row: &mut Row, name: &str, value: &Value| {
        if let Some(raw) = raw(value) {
            row.set(name, raw);
        }
    };
    set(&mut merge, "id", &json!(target));
    let mut changes = false;
    for name in ["scores", "expected", "tags"] {
        if let Some(value) = item.get(name).filter(|value| value.get() != "null") {
            merge.set(name, value.to_owned());
            changes = true;
        }
    }
    let about = |row: &mut Row, set: &mut dyn FnMut(&mut Row, &str, &Value)| {
        set(row, "_audit_source", &json!(source));
        if let Some(metadata) = item.get("metadata").filter(|metadata| metadata.get() != "null") {
            row.set("_audit_metadata", metadata.to_owned());
        }
    };
    if changes {
        set(&mut merge, "_is_merge", &json!(true));
        about(&mut merge, &mut set);
        rows.push(Incoming::new(object.clone(), merge)?);
    }
    if let Some(text) = item.name("comment")? {
        let mut comment = Row::default();
        let now = chrono::Utc::now().to_rfc3339_opts(chrono::SecondsFormat::Millis, true);
        set(&mut comment, "created", &json!(now));
        set(&mut comment, "origin", &json!({ "id": target }));
        set(&mut comment, "comment", &json!({ "text": text }));
        about(&mut comment, &mut set);
        rows.push(Incoming::new(object.clone(), comment)?);
    }
    Ok(rows)
}
