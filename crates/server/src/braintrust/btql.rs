//! Queries in BTQL or SQL, as text or as the syntax trees that the SDKs send.

use arrow::array::{AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use axum::extract::State;
use axum::response::Response;
use evalhouse_journal::format_xact;
use evalhouse_language::{Node, Query, Step, is_sql, parse_query, query_from_json};
use evalhouse_model::{Experiment, ObjectKind};
use evalhouse_report::{BatchOptions, Format, batch_writer};
use evalhouse_session::{PAGINATION_KEY, Session, SessionError};
use serde_json::{Map, Value, json};

use super::events::{Owner, write_events};
use super::fetch::transaction;
use super::objects::{self, project_id, text};
use crate::app::App;
use crate::auth::Caller;
use crate::body::JsonBody;
use crate::error::ApiError;
use crate::route::Route;
use crate::rows::{self, JSON, slices};

/// What the SDKs are told of the rows.
const SCHEMA: &str = "{\"type\":\"array\",\"items\":{\"type\":\"object\"}}";
/// Rows of an answer without a `limit`.
const LIMIT_DEFAULT: u64 = 1_000;

pub(super) fn routes() -> Vec<Route> {
    vec![Route::post("/btql", "Answers a BTQL or SQL query", answer).body_with(|_| {
        json!({
            "type": "object",
            "required": ["query"],
            "properties": {
                "query": {"type": ["string", "object"]},
                "fmt": {"enum": ["json", "parquet", null]},
                "version": {"type": ["string", "null"]},
            },
        })
    })]
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
        Some(Value::String(text)) if is_sql(text) => return sql(&app, &caller, text.clone(), parquet).await,
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
    let session = app.engine().stored(&caller).await?;
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
    let is_key = |expr: &Node| {
        matches!(expr, Node::Path(steps) if matches!(steps.as_slice(),
        [Step::Key { name, .. }] if name == PAGINATION_KEY))
    };
    let shows_key = is_star || query.select.iter().any(|item| is_key(&item.expr.node));
    let is_listed = query.dimensions.is_empty() && query.measures.is_empty() && query.pivot.is_empty();
    if parquet {
        return rows::answer_as(&app, session, Format::Parquet, BatchOptions::default(), move |session| async move {
            let frame = session.btql_as_of(&query, as_of).await?;
            Ok(frame.execute_stream().await.map_err(|error| session.run_error(error))?)
        })
        .await;
    }
    rows::stream(&app, JSON, move |mut out| async move {
        let frame = out.within(session.btql_as_of(&query, as_of)).await??;
        let mut stream = out.within(frame.execute_stream()).await?.map_err(|error| session.run_error(error))?;
        let events = owner.filter(|_| is_star && !is_summary && is_listed);
        let mut page = Page::default();
        out.write(b"{\"data\":[").await?;
        while let Some(batch) = out.next(&session, &mut stream).await? {
            page.see(&batch);
            for slice in slices(&batch) {
                let mut text = Vec::new();
                match &events {
                    Some(owner) => write_events(&slice, owner, &mut page.any_before, &mut text)
                        .map_err(|_| ApiError::fault("events: Arrow"))?,
                    None => write_objects(&shown(&slice, shows_key)?, &mut page.any_before, &mut text)?,
                }
                out.write(&text).await?;
            }
        }
        let cursor = page.last.filter(|_| is_listed && page.rows >= limit);
        let cursor = cursor.map(|key| format!("{}|{key}", format_xact(pinned)));
        out.write(format!("],\"schema\":{SCHEMA},\"cursor\":{}}}", Value::from(cursor)).as_bytes()).await?;
        out.finish().await
    })
    .await
}

/// Runs SQL, over everything that was written: it says itself what it reads.
async fn sql(app: &App, caller: &Caller, sql: String, parquet: bool) -> Result<Response, ApiError> {
    let session = app.engine().session(caller).await?;
    if parquet {
        return rows::answer_as(app, session, Format::Parquet, BatchOptions::default(), move |session| async move {
            Ok(session.sql(&sql).await?.execute_stream().await.map_err(|error| session.run_error(error))?)
        })
        .await;
    }
    rows::stream(app, JSON, move |mut out| async move {
        let frame = out.within(session.sql(&sql)).await??;
        let mut stream = out.within(frame.execute_stream()).await?.map_err(|error| session.run_error(error))?;
        let mut any_before = false;
        out.write(b"{\"data\":[").await?;
        while let Some(batch) = out.next(&session, &mut stream).await? {
            for slice in slices(&batch) {
                let mut text = Vec::new();
                write_objects(&slice, &mut any_before, &mut text)?;
                out.write(&text).await?;
            }
        }
        out.write(format!("],\"schema\":{SCHEMA},\"cursor\":null}}").as_bytes()).await?;
        out.finish().await
    })
    .await
}

/// What is known of the rows that were written.
#[derive(Default)]
struct Page {
    any_before: bool,
    rows: usize,
    /// The key of the last row.
    last: Option<String>,
}

impl Page {
    fn see(&mut self, batch: &RecordBatch) {
        self.rows += batch.num_rows();
        self.last = last_key(batch).or(self.last.take());
    }
}

/// The columns that were asked for: the key of the pages is there in any case.
fn shown(batch: &RecordBatch, with_key: bool) -> Result<RecordBatch, ApiError> {
    let schema = batch.schema();
    let columns: Vec<usize> =
        (0..schema.fields().len()).filter(|i| with_key || schema.field(*i).name() != PAGINATION_KEY).collect();
    batch.project(&columns).map_err(|_| ApiError::fault("rows: Arrow"))
}

/// Writes rows as JSON objects, with commas between them.
fn write_objects(batch: &RecordBatch, any_before: &mut bool, out: &mut Vec<u8>) -> Result<(), ApiError> {
    let mut list: Vec<u8> = Vec::new();
    let mut writer = batch_writer(Format::Json, &batch.schema(), BatchOptions::default(), Box::new(&mut list))?;
    writer.write(batch)?;
    writer.finish()?;
    drop(writer);
    let text = list.trim_ascii();
    let objects = text.strip_prefix(b"[").and_then(|text| text.strip_suffix(b"]")).unwrap_or(text);
    if batch.num_rows() > 0 {
        if std::mem::replace(any_before, true) {
            out.push(b',');
        }
        out.extend_from_slice(objects);
    }
    Ok(())
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

fn last_key(batch: &RecordBatch) -> Option<String> {
    let row = batch.num_rows().checked_sub(1)?;
    let keys = cast(batch.column_by_name(PAGINATION_KEY)?, &DataType::Utf8View).ok()?;
    Some(keys.as_string_view().value(row).to_string())
}
