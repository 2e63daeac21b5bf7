//! The list of experiments.

use axum::extract::State;
use axum::response::Response;
use evalhouse_model::ExperimentList;

use super::parameters::PROJECT;
use crate::app::App;
use crate::auth::Caller;
use crate::error::ApiError;
use crate::given::{Given, Parameter};
use crate::route::Route;

const WHERE: Parameter = Parameter::text("where", "Only experiments for which this is true: metadata.model = 'gpt-4o'");

pub(super) fn routes() -> Vec<Route> {
    let about = "Lists experiments, newest first, with the mean of each score";
    vec![Route::get("/api/v1/experiments", about, list).takes(&[&PROJECT, &WHERE]).answers::<ExperimentList>()]
}

async fn list(State(app): State<App>, caller: Caller, given: Given) -> Result<Response, ApiError> {
    app.ask(&caller, |session| async move {
        Ok(evalhouse_analysis::list(&session, given.text(&PROJECT), given.text(&WHERE)).await?)
    })
    .await
}
