//! What an experiment is held against when nobody says otherwise.

use axum::extract::State;
use axum::response::Response;
use evalhouse_analysis::{AnalysisError, baseline_of, select, side};
use evalhouse_model::Baseline;

use super::parameters::PROJECT;
use crate::app::App;
use crate::auth::Caller;
use crate::error::ApiError;
use crate::given::Given;
use crate::route::Route;

pub(super) fn routes() -> Vec<Route> {
    let about = "Says what the project's rule holds an experiment against";
    vec![Route::get("/api/v1/experiments/{experiment}/baseline", about, show).takes(&[&PROJECT]).answers::<Baseline>()]
}

async fn show(State(app): State<App>, caller: Caller, given: Given) -> Result<Response, ApiError> {
    app.ask(&caller, |session| async move {
        let experiment = select(&session, given.path("experiment"), given.text(&PROJECT))?;
        let baseline = match baseline_of(&session, &experiment.experiment) {
            Ok(found) => Some(side(&found)),
            Err(AnalysisError::NoExperiment { .. }) => None,
            Err(error) => return Err(error.into()),
        };
        Ok(Baseline { baseline })
    })
    .await
}
