//! The spans of one case.

use axum::extract::State;
use axum::response::Response;
use evalhouse_analysis::{select, trace};
use evalhouse_model::Trace;

use super::parameters::PROJECT;
use crate::app::App;
use crate::auth::Caller;
use crate::error::ApiError;
use crate::given::Given;
use crate::route::Route;

pub(super) fn routes() -> Vec<Route> {
    let about = "Shows what happened in one case: the tree of its spans";
    vec![
        Route::get("/api/v1/experiments/{experiment}/traces/{case}", about, show).takes(&[&PROJECT]).answers::<Trace>(),
    ]
}

async fn show(State(app): State<App>, caller: Caller, given: Given) -> Result<Response, ApiError> {
    app.ask(&caller, |session| async move {
        let experiment = select(&session, given.path("experiment"), given.text(&PROJECT))?;
        Ok(trace(&session, &experiment, given.path("case")).await?)
    })
    .await
}
