//! SQL over all experiments that the caller may see.

use axum::extract::State;
use axum::response::Response;
use datafusion::common::ScalarValue;
use serde::{Deserialize, Serialize};

use crate::app::App;
use crate::auth::Caller;
use crate::body::JsonBody;
use crate::error::ApiError;
use crate::given::Given;
use crate::route::Route;
use crate::rows::{self, FORMAT, SPREADSHEET_SAFE};

/// A query.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SqlRequest {
    /// One `SELECT`.
    query: String,
    /// Values of its parameters: `{"score": 0.5}` for `$score`.
    #[serde(default)]
    parameters: serde_json::Map<String, serde_json::Value>,
}

pub(super) fn routes() -> Vec<Route> {
    let about = "Runs SQL over all experiments; it reads, and names no files";
    vec![
        Route::post("/api/v1/sql", about, query)
            .takes(&[&FORMAT, &SPREADSHEET_SAFE])
            .body::<SqlRequest>()
            .answers_rows(),
    ]
}

async fn query(
    State(app): State<App>,
    caller: Caller,
    given: Given,
    JsonBody(request): JsonBody<SqlRequest>,
) -> Result<Response, ApiError> {
    let values = request.parameters.into_iter().map(|(name, value)| Ok((name.clone(), scalar(&name, &value)?)));
    let values = values.collect::<Result<Vec<_>, ApiError>>()?;
    run(&app, &caller, &given, request.query, values).await
}

fn scalar(name: &str, value: &serde_json::Value) -> Result<ScalarValue, ApiError> {
    use serde_json::Value;
    match value {
        Value::Null => Ok(ScalarValue::Utf8(None)),
        Value::Bool(flag) => Ok(ScalarValue::from(*flag)),
        Value::String(text) => Ok(ScalarValue::from(text.as_str())),
        Value::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(whole), _) => Ok(ScalarValue::from(whole)),
            (None, Some(number)) => Ok(ScalarValue::from(number)),
            (None, None) => Err(ApiError::bad_request(format!("the parameter `{name}` is beyond the numbers of SQL"))),
        },
        Value::Array(_) | Value::Object(_) => {
            Err(ApiError::bad_request(format!("the parameter `{name}` is no text, number, boolean or null")))
        }
    }
}

/// Runs a query and answers its rows.
pub(super) async fn run(
    app: &App,
    caller: &Caller,
    given: &Given,
    sql: String,
    values: Vec<(String, ScalarValue)>,
) -> Result<Response, ApiError> {
    let session = app.engine().session(caller).await?;
    let query = |session: evalhouse_session::Session| async move {
        let frame = session.sql_with(&sql, &values).await?;
        Ok(frame.execute_stream().await.map_err(|error| session.run_error(error))?)
    };
    rows::answer(app, session, given, query).await
}
