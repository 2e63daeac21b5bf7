//! Queries in BTQL or SQL, as text or as the syntax trees that the SDKs send.

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use evalhouse_language::{Node, Query, is_sql, parse_query, query_from_json};
use evalhouse_model::{Experiment, ObjectKind};
use evalhouse_report::{Format, batch_writer};
use evalhouse_session::{PAGINATION_KEY, Session, SessionError};
use futures::TryStreamExt;
use serde_json::{Map, Value};

use super::events::{Owner, write_events, xact_text};
use super::fetch::transaction;
use super::objects::{self, project_id, text};
use crate::app::App;
use crate::auth::Caller;
use crate::body::JsonBody;
use crate::error::ApiError;
use crate::route::Route;

/// Rows of an answer without a `limit`.
const LIMIT_DEFAULT: u64 = 1_000;

pub(super) fn routes() -> Vec<Route> {
    vec![Route::post("/btql", "Answers a BTQL or SQL query", answer)]
}

async fn answer(
    State(app): State<App>,
    caller: Caller,
    JsonBody(body): JsonBody<Map<String, Value>>,
) -> Result<Response, ApiError> {
    let parquet = match text(&body, "fmt")?.as_deref() {
        None | Some("json") => false,
        Some("parquet") => true,
        Some(other) => return Err(ApiError::bad_request(format!("`fmt` is `{other}`, expected json or parquet"))),
    };
    let wrong = |text: &str| {
        let text = text.to_string();
        move |error| ApiError::from(SessionError::Language { text, error })
    };
    let mut query = match body.get("query") {
        Some(Value::String(text)) if is_sql(text) => return crate::answers::sql_of(&app, &caller, text, parquet).await,
        Some(Value::String(text)) => parse_query(text).map_err(wrong(text))?,
        Some(tree @ Value::Object(_)) => query_from_json(tree).map_err(wrong(""))?,
        _ => return Err(ApiError::bad_request("`query` is a query, in text or as a syntax tree")),
    };
    let now = app.live().last_xact();
    let mut version = text(&body, "version")?.map(|version| transaction("version", &version)).transpose()?;
    // A cursor says as of which transaction its page was read: the next page is of the same rows.
    if let Some(cursor) = query.cursor.take() {
        let wrong = || ApiError::bad_request("`cursor` is not one that this server gave");
        let (pinned, place) = cursor.split_once('|').ok_or_else(wrong)?;
        version = Some(transaction("cursor", pinned)?);
        query.cursor = Some(place.to_string());
    }
    settle_sources(&app, &query).await?;
    let session = app.engine().session(&caller).await?;
    let owner = owner_of(&session, &query);
    let is_newer = |version: &u64| {
        let objects = sources(&session, &query);
        objects.iter().any(|object| object.xact.is_some_and(|xact| xact > *version))
    };
    let pinned = version.unwrap_or(now);
    let as_of = Some(pinned).filter(is_newer);
    let limit = usize::try_from(query.limit.unwrap_or(LIMIT_DEFAULT)).unwrap_or(usize::MAX);
    let is_star = query.select.iter().all(|item| item.expr.node == Node::Star) && query.unpivot.is_empty();
    let is_summary = query.from.as_ref().is_some_and(|from| from.shape == evalhouse_language::Shape::Summary);
    let is_listed = query.dimensions.is_empty() && query.measures.is_empty() && query.pivot.is_empty();
    let body = app.gate().run(async move {
        let frame = session.btql_as_of(&query, as_of).await?;
        let mut stream = frame.execute_stream().await.map_err(|error| session.run_error(error))?;
        let schema = stream.schema();
        let mut out: Vec<u8> = Vec::new();
        let mut batches = Vec::new();
        let (mut rows, mut any_before, mut last) = (0, false, None);
        let events = owner.filter(|_| is_star && !is_summary && is_listed && !parquet);
        while let Some(batch) = stream.try_next().await.map_err(|error| session.run_error(error))? {
            rows += batch.num_rows();
            if let Some(key) = last_key(&batch) {
                last = Some(key);
            }
            match &events {
                Some(owner) => write_events(&batch, owner, &mut any_before, &mut out)
                    .map_err(|_| ApiError::fault("events: Arrow"))?,
                None => batches.push(batch),
            }
        }
        let cursor = last.filter(|_| is_listed && rows >= limit);
        let cursor = cursor.map(|key| format!("{}|{key}", xact_text(pinned)));
        if events.is_none() {
            let format = if parquet { Format::Parquet } else { Format::Json };
            let mut writer = batch_writer(format, &schema, &mut out)?;
            for batch in &batches {
                writer.write(batch)?;
            }
            writer.finish()?;
        }
        if parquet {
            return Ok(out);
        }
        let mut body = b"{\"data\":".to_vec();
        if events.is_some() {
            body.push(b'[');
            body.append(&mut out);
            body.push(b']');
        } else {
            body.append(&mut out);
        }
        body.extend_from_slice(b",\"schema\":{\"type\":\"array\",\"items\":{\"type\":\"object\"}},\"cursor\":");
        body.extend_from_slice(Value::from(cursor).to_string().as_bytes());
        body.push(b'}');
        Ok(body)
    });
    let media_type = if parquet { "application/vnd.apache.parquet" } else { "application/json" };
    Ok((StatusCode::OK, [(CONTENT_TYPE, media_type)], body.await?).into_response())
}

/// The objects that a query reads.
fn sources<'a>(session: &'a Session, query: &Query) -> Vec<&'a Experiment> {
    let Some(from) = &query.from else { return Vec::new() };
    let snapshot = session.snapshot();
    let all = match from.name.as_str() {
        "dataset" => snapshot.datasets(),
        "project_logs" => snapshot.logs(),
        _ => snapshot.experiments(),
    };
    let is_named = |object: &&Experiment, text: &String| {
        &object.id == text || &object.name == text || &format!("{}/{}", object.project, object.name) == text
    };
    all.iter().filter(|object| from.ids.iter().any(|text| is_named(object, text))).collect()
}

async fn settle_sources(app: &App, query: &Query) -> Result<(), ApiError> {
    let Some(from) = &query.from else { return Ok(()) };
    let kind = match from.name.as_str() {
        "dataset" => ObjectKind::Dataset,
        "project_logs" => ObjectKind::Logs,
        _ => ObjectKind::Experiment,
    };
    let snapshot = app.live().store().snapshot().await?;
    for text in &from.ids {
        if snapshot.record(text).is_some() {
            objects::settle(app.live(), kind, text).await?;
        } else {
            // A name: whichever object it is, it is seen as it is now.
            app.live().settle_all().await?;
        }
    }
    Ok(())
}

/// Whose rows a query gives, when they are of one object.
fn owner_of(session: &Session, query: &Query) -> Option<Owner> {
    match sources(session, query).as_slice() {
        [one] => Some(Owner::of(one, project_id(&one.project))),
        _ => None,
    }
}

fn last_key(batch: &arrow::record_batch::RecordBatch) -> Option<String> {
    use arrow::array::AsArray;
    let row = batch.num_rows().checked_sub(1)?;
    let keys = arrow::compute::cast(batch.column_by_name(PAGINATION_KEY)?, &arrow::datatypes::DataType::Utf8View).ok()?;
    Some(keys.as_string_view().value(row).to_string())
}
