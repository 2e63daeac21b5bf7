//! Queries that have a name.

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use evalhouse_analysis::{find_query, named_queries, query_values};
use evalhouse_model::{NamedQuery, QueryList};

use super::sql::run;
use crate::app::App;
use crate::auth::Caller;
use crate::error::ApiError;
use crate::given::{Given, Parameter};
use crate::route::Route;
use crate::rows::{FORMAT, SPREADSHEET_SAFE};

/// What is no parameter of the query itself.
const OWN: [&Parameter; 2] = [&FORMAT, &SPREADSHEET_SAFE];

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get("/api/v1/queries", "Lists the queries that have a name", list).answers::<QueryList>(),
        Route::get("/api/v1/queries/{query}", "Shows a query: what it asks, takes and gives", show)
            .answers::<NamedQuery>(),
        Route::get("/api/v1/queries/{query}/rows", "Runs a query with the parameters it takes", rows)
            .takes_also(&[&FORMAT, &SPREADSHEET_SAFE])
            .answers_rows(),
    ]
}

async fn list(_: Caller) -> Result<Json<QueryList>, ApiError> {
    Ok(Json(QueryList { queries: named_queries(&[])? }))
}

async fn show(given: Given) -> Result<Json<NamedQuery>, ApiError> {
    Ok(Json(find_query(&named_queries(&[])?, given.path("query"))?.clone()))
}

async fn rows(State(app): State<App>, caller: Caller, given: Given) -> Result<Response, ApiError> {
    let queries = named_queries(&[])?;
    let query = find_query(&queries, given.path("query"))?;
    let pairs: Vec<String> = given.others(&OWN).map(|(name, value)| format!("{name}={value}")).collect();
    let values = query_values(query, &pairs)?;
    run(&app, &caller, &given, query.sql.clone(), values).await
}
