//! One experiment in numbers.

use axum::extract::State;
use axum::response::Response;
use evalhouse_analysis::{SummaryOptions, select, summary};
use evalhouse_model::Summary;

use super::parameters::{KEY, PROJECT, REDUCER, WHERE, reducer};
use super::phrase;
use crate::app::App;
use crate::auth::Caller;
use crate::error::ApiError;
use crate::given::Given;
use crate::route::Route;

pub(super) fn routes() -> Vec<Route> {
    let about = "Sums up one experiment: scores, metrics, where it came from";
    vec![
        Route::get("/api/v1/experiments/{experiment}/summary", about, show)
            .takes(&[&KEY, &WHERE, &REDUCER, &PROJECT])
            .answers::<Summary>(),
    ]
}

async fn show(State(app): State<App>, caller: Caller, given: Given) -> Result<Response, ApiError> {
    let mut options = SummaryOptions { key: given.owned(&KEY), filter: given.owned(&WHERE), reducer: reducer(&given)? };
    app.ask(&caller, |session| async move {
        let experiment = select(&session, given.path("experiment"), given.text(&PROJECT))?;
        phrase::resolve(&session, &mut options.filter, &[&experiment]).await?;
        Ok(summary(&session, &experiment, &options).await?)
    })
    .await
}
