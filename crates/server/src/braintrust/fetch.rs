//! Pages of an object's rows, whole traces at a time.

use arrow::record_batch::RecordBatch;
use axum::extract::State;
use axum::response::Response;
use datafusion::common::JoinType;
use datafusion::dataframe::DataFrame;
use datafusion::error::Result as Planned;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::functions_aggregate::expr_fn::max;
use datafusion::logical_expr::{ident, lit};
use datafusion::prelude::coalesce;
use evalhouse_journal::{format_xact, parse_xact};
use evalhouse_model::{Experiment, ObjectKind, schema};
use evalhouse_session::Session;
use serde_json::{Map, Value, json};

use super::events::{EVENT_COLUMNS, Owner, write_events};
use super::objects::{self, project_id, text};
use super::shapes::{TEXT, body};
use crate::app::App;
use crate::auth::Caller;
use crate::body::JsonBody;
use crate::error::ApiError;
use crate::given::{Given, Parameter};
use crate::route::Route;
use crate::rows::{self, JSON, Out, slices};
use crate::schema::Components;

const LIMIT: Parameter = Parameter::count("limit", "Most traces of a page", LIMIT_MAX);
const VERSION: Parameter = Parameter::text("version", "Rows as of this transaction");
const MAX_XACT: Parameter = Parameter::text("max_xact_id", "Only traces before this transaction");
const MAX_ROOT: Parameter = Parameter::text("max_root_span_id", "With max_xact_id: only traces after this one");

/// Traces of a page when none are asked for.
const LIMIT_DEFAULT: usize = 1_000;
const LIMIT_MAX: usize = 100_000;

pub(super) fn routes() -> Vec<Route> {
    let query: &[&Parameter] = &[&LIMIT, &VERSION, &MAX_XACT, &MAX_ROOT];
    let (post, get) = ("Gives a page of rows, newest traces first", "Gives the newest rows");
    let fields = |_: &mut Components| {
        let texts = ["cursor", "version", "max_xact_id", "max_root_span_id"].map(|name| (name, TEXT));
        let mut shape = body(&[], &texts);
        shape["properties"]["limit"] = json!({"type": ["integer", "null"], "minimum": 1});
        shape
    };
    vec![
        Route::post("/v1/experiment/{id}/fetch", post, experiment_page).body_with(fields),
        Route::get("/v1/experiment/{id}/fetch", get, experiment_newest).takes_also(query),
        Route::post("/v1/dataset/{id}/fetch", post, dataset_page).body_with(fields),
        Route::get("/v1/dataset/{id}/fetch", get, dataset_newest).takes_also(query),
        Route::post("/v1/project_logs/{id}/fetch", post, logs_page).body_with(fields),
        Route::get("/v1/project_logs/{id}/fetch", get, logs_newest).takes_also(query),
    ]
}

type Body = JsonBody<Map<String, Value>>;

async fn experiment_page(
    State(app): State<App>,
    caller: Caller,
    given: Given,
    JsonBody(body): Body,
) -> Result<Response, ApiError> {
    page(&app, &caller, ObjectKind::Experiment, given.path("id"), Asked::of_body(&body)?).await
}

async fn experiment_newest(State(app): State<App>, caller: Caller, given: Given) -> Result<Response, ApiError> {
    page(&app, &caller, ObjectKind::Experiment, given.path("id"), Asked::of_query(&given)?).await
}

async fn dataset_page(
    State(app): State<App>,
    caller: Caller,
    given: Given,
    JsonBody(body): Body,
) -> Result<Response, ApiError> {
    page(&app, &caller, ObjectKind::Dataset, given.path("id"), Asked::of_body(&body)?).await
}

async fn dataset_newest(State(app): State<App>, caller: Caller, given: Given) -> Result<Response, ApiError> {
    page(&app, &caller, ObjectKind::Dataset, given.path("id"), Asked::of_query(&given)?).await
}

async fn logs_page(
    State(app): State<App>,
    caller: Caller,
    given: Given,
    JsonBody(body): Body,
) -> Result<Response, ApiError> {
    page(&app, &caller, ObjectKind::Logs, given.path("id"), Asked::of_body(&body)?).await
}

async fn logs_newest(State(app): State<App>, caller: Caller, given: Given) -> Result<Response, ApiError> {
    page(&app, &caller, ObjectKind::Logs, given.path("id"), Asked::of_query(&given)?).await
}

/// Which page.
struct Asked {
    limit: usize,
    version: Option<u64>,
    after: Option<Place>,
}

/// The last trace of a page: its newest transaction, and its id.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Place {
    xact: u64,
    trace: String,
}

impl Asked {
    fn of_body(body: &Map<String, Value>) -> Result<Self, ApiError> {
        let limit = match body.get("limit") {
            None | Some(Value::Null) => LIMIT_DEFAULT,
            Some(limit) => {
                let count = limit.as_u64().filter(|limit| *limit > 0).and_then(|limit| usize::try_from(limit).ok());
                let wrong =
                    || ApiError::bad_request(format!("`limit` is `{limit}`, expected a whole number from 1 on"));
                count.ok_or_else(wrong)?.min(LIMIT_MAX)
            }
        };
        let version = text(body, "version")?.map(|version| transaction("version", &version)).transpose()?;
        let asked = Self { limit, version, after: None };
        match text(body, "cursor")? {
            Some(cursor) => asked.continuing(&cursor),
            None => asked.before(text(body, "max_xact_id")?, text(body, "max_root_span_id")?),
        }
    }

    fn of_query(given: &Given) -> Result<Self, ApiError> {
        let version = given.text(&VERSION).map(|version| transaction("version", version)).transpose()?;
        let limit = given.count(&LIMIT).filter(|limit| *limit > 0).unwrap_or(LIMIT_DEFAULT);
        let asked = Self { limit, version, after: None };
        asked.before(given.owned(&MAX_XACT), given.owned(&MAX_ROOT))
    }

    fn before(self, xact: Option<String>, trace: Option<String>) -> Result<Self, ApiError> {
        let Some(xact) = xact else { return Ok(self) };
        let xact = transaction("max_xact_id", &xact)?;
        Ok(Self { after: Some(Place { xact, trace: trace.unwrap_or_default() }), ..self })
    }

    /// A cursor says where a page ended and as of which transaction it was read, so that the next is of
    /// the same rows, whatever is written meanwhile.
    fn continuing(self, cursor: &str) -> Result<Self, ApiError> {
        let wrong = || ApiError::bad_request("`cursor` is not one that this server gave");
        let mut parts = cursor.splitn(3, ':');
        let (version, xact, trace) = (parts.next(), parts.next(), parts.next());
        let (Some(version), Some(xact), Some(trace)) = (version, xact, trace) else { return Err(wrong()) };
        let version = parse_xact(version).map_err(|_| wrong())?;
        let xact = parse_xact(xact).map_err(|_| wrong())?;
        Ok(Self { version: Some(version), after: Some(Place { xact, trace: trace.into() }), ..self })
    }
}

pub(super) fn transaction(name: &str, text: &str) -> Result<u64, ApiError> {
    let wrong = |_| {
        ApiError::bad_request(format!("`{name}` is `{text}`, expected a transaction id such as 1000196943423914000"))
    };
    parse_xact(text).map_err(wrong)
}

async fn page(app: &App, caller: &Caller, kind: ObjectKind, id: &str, asked: Asked) -> Result<Response, ApiError> {
    // Taken before rows are put into the store: what is written from now on is not of this page.
    let now = app.live().last_xact();
    objects::settle(app.live(), kind, id).await?;
    let (object, _) = objects::object(app, caller, kind, id).await?;
    let session = app.engine().stored(caller).await?;
    let version = asked.version.unwrap_or(now);
    rows::stream(app, JSON, move |out| async move { write_page(out, &session, &object, &asked, version).await }).await
}

/// Writes a page: where the next one starts, and the events as they come.
async fn write_page(
    mut out: Out,
    session: &Session,
    object: &Experiment,
    asked: &Asked,
    version: u64,
) -> Result<(), ApiError> {
    // An object that was not written to since is as it was.
    let as_of = object.xact.is_some_and(|xact| xact > version).then_some(version);
    let wrong = |error| session.run_error(error);
    let rows = session.rows_of(object.kind, std::slice::from_ref(&object.id), as_of).await?;
    let traces = traces_of(rows.clone(), asked).map_err(wrong)?;
    let found = out.within(traces.collect()).await?.map_err(wrong)?;
    let count: usize = found.iter().map(RecordBatch::num_rows).sum();
    let last = match found.iter().rev().find(|batch| batch.num_rows() > 0) {
        Some(batch) if count == asked.limit => place_of(batch),
        _ => None,
    };
    let cursor = last.map(|last| format!("{}:{}:{}", format_xact(version), format_xact(last.xact), last.trace));
    out.write(format!("{{\"cursor\":{},\"events\":[", Value::from(cursor)).as_bytes()).await?;
    if count > 0 {
        let owner = Owner::of(object, project_id(&object.project));
        let events = events_of(rows, session.frame_of_batches(found)?).map_err(wrong)?;
        let mut stream = out.within(events.execute_stream()).await?.map_err(wrong)?;
        write_rows(&mut out, session, &mut stream, &owner).await?;
    }
    out.write(b"]}").await?;
    out.finish().await
}

/// Writes rows as events, with commas between them.
pub(super) async fn write_rows(
    out: &mut Out,
    session: &Session,
    stream: &mut SendableRecordBatchStream,
    owner: &Owner,
) -> Result<(), ApiError> {
    let mut any_before = false;
    while let Some(batch) = out.next(session, stream).await? {
        for slice in slices(&batch) {
            let mut events = Vec::new();
            write_events(&slice, owner, &mut any_before, &mut events).map_err(|_| ApiError::fault("events: Arrow"))?;
            out.write(&events).await?;
        }
    }
    Ok(())
}

/// The traces of a page: newest transaction first, then by id.
fn traces_of(rows: DataFrame, asked: &Asked) -> Planned<DataFrame> {
    let xact = coalesce(vec![ident(schema::XACT), lit(0_i64)]);
    let mut traces =
        rows.aggregate(vec![ident(schema::ROOT_SPAN_ID).alias("__trace")], vec![max(xact).alias("__newest")])?;
    if let Some(after) = &asked.after {
        let xact = lit(i64::try_from(after.xact).unwrap_or(i64::MAX));
        let same = ident("__newest").eq(xact.clone()).and(ident("__trace").gt(lit(after.trace.as_str())));
        traces = traces.filter(ident("__newest").lt(xact).or(same))?;
    }
    let order = vec![ident("__newest").sort(false, false), ident("__trace").sort(true, false)];
    traces.sort(order)?.limit(0, Some(asked.limit))
}

/// The rows of some traces, trace by trace.
fn events_of(rows: DataFrame, traces: DataFrame) -> Planned<DataFrame> {
    let columns = EVENT_COLUMNS.iter().chain([&schema::XACT]).map(|name| ident(*name));
    let joined = rows.join(traces, JoinType::Inner, &[schema::ROOT_SPAN_ID], &["__trace"], None)?;
    let order = vec![
        ident("__newest").sort(false, false),
        ident(schema::ROOT_SPAN_ID).sort(true, false),
        ident(schema::POSITION).sort(true, false),
    ];
    joined.sort(order)?.select(columns.collect::<Vec<_>>())
}

fn place_of(batch: &arrow::record_batch::RecordBatch) -> Option<Place> {
    use arrow::array::AsArray;
    let row = batch.num_rows().checked_sub(1)?;
    let traces = arrow::compute::cast(batch.column_by_name("__trace")?, &arrow::datatypes::DataType::Utf8View).ok()?;
    let newest = batch.column_by_name("__newest")?.as_primitive_opt::<arrow::datatypes::Int64Type>()?;
    let xact = u64::try_from(newest.value(row)).ok()?;
    Some(Place { xact, trace: traces.as_string_view().value(row).to_string() })
}
