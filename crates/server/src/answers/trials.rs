//! How much the trials of each case agree.

use axum::extract::State;
use axum::response::Response;
use evalhouse_analysis::{TrialOptions, select, trials};
use evalhouse_model::TrialReport;

use super::parameters::{KEY, LIMIT, PROJECT, WHERE};
use super::phrase;
use crate::app::App;
use crate::auth::Caller;
use crate::error::ApiError;
use crate::given::{Given, Parameter};
use crate::route::Route;

const THRESHOLD: Parameter = Parameter::number("threshold", "The score from which a trial passes; 1 without");

pub(super) fn routes() -> Vec<Route> {
    let about = "Shows how much the trials of each case agree, flaky cases first";
    vec![
        Route::get("/api/v1/experiments/{experiment}/trials", about, show)
            .takes(&[&KEY, &WHERE, &THRESHOLD, &LIMIT, &PROJECT])
            .answers::<TrialReport>(),
    ]
}

async fn show(State(app): State<App>, caller: Caller, given: Given) -> Result<Response, ApiError> {
    let mut options = TrialOptions {
        key: given.owned(&KEY),
        filter: given.owned(&WHERE),
        threshold: given.number(&THRESHOLD),
        limit: given.count(&LIMIT),
    };
    app.ask(&caller, |session| async move {
        let experiment = select(&session, given.path("experiment"), given.text(&PROJECT))?;
        phrase::resolve(&session, &mut options.filter, &[&experiment]).await?;
        Ok(trials(&session, &experiment, &options).await?)
    })
    .await
}
