//! How far two judgements of the same cases agree.

use axum::extract::State;
use axum::response::Response;
use evalhouse_analysis::{AgreementOptions, agreement, select};
use evalhouse_model::AgreementReport;

use super::parameters::{PROJECT, WHERE};
use super::phrase;
use crate::app::App;
use crate::auth::Caller;
use crate::error::ApiError;
use crate::given::{Given, Parameter};
use crate::route::Route;

const FIRST: Parameter = Parameter::text("first", "The first judgement: a score, or any expression").required();
const SECOND: Parameter = Parameter::text("second", "The second judgement").required();
const BIN: Parameter = Parameter::number("bin", "Width of the bins that numbers are put into, above 0");

pub(super) fn routes() -> Vec<Route> {
    let about = "Shows how far two judgements of the same cases agree: kappa and the confusion matrix";
    vec![
        Route::get("/api/v1/experiments/{experiment}/agreement", about, show)
            .takes(&[&FIRST, &SECOND, &BIN, &WHERE, &PROJECT])
            .answers::<AgreementReport>(),
    ]
}

async fn show(State(app): State<App>, caller: Caller, given: Given) -> Result<Response, ApiError> {
    let bin = given.number(&BIN);
    if let Some(width) = bin.filter(|width| *width <= 0.0) {
        return Err(ApiError::bad_request(format!("bin is `{width}`, expected a number above 0")));
    }
    let mut options = AgreementOptions { filter: given.owned(&WHERE), bin };
    app.ask(&caller, |session| async move {
        let experiment = select(&session, given.path("experiment"), given.text(&PROJECT))?;
        phrase::resolve(&session, &mut options.filter, &[&experiment]).await?;
        let text = |parameter| given.text(parameter).unwrap_or_default();
        Ok(agreement(&session, &experiment, text(&FIRST), text(&SECOND), &options).await?)
    })
    .await
}
