//! Which slices of the cases carry the change of a score.

use axum::extract::State;
use axum::response::Response;
use evalhouse_analysis::{ExplainOptions, explain, select, select_baseline};
use evalhouse_model::Explanation;

use super::parameters::{BASE, KEY, LIMIT, PROJECT, REDUCER, WHERE, reducer};
use super::phrase;
use crate::app::App;
use crate::auth::Caller;
use crate::error::ApiError;
use crate::given::{Given, Parameter};
use crate::route::Route;

const CANDIDATE: Parameter = Parameter::text("candidate", "The experiment to judge").required();
const SCORE: Parameter = Parameter::text("score", "The score to explain").required();
const BY: Parameter =
    Parameter::text("by", "What to slice by; repeat for several; metadata, tags and custom columns without").repeats();

pub(super) fn routes() -> Vec<Route> {
    let about = "Finds the slices of the cases that carry the change of a score";
    vec![
        Route::get("/api/v1/explain", about, show)
            .takes(&[&BASE, &CANDIDATE, &SCORE, &BY, &KEY, &WHERE, &REDUCER, &LIMIT, &PROJECT])
            .answers::<Explanation>(),
    ]
}

async fn show(State(app): State<App>, caller: Caller, given: Given) -> Result<Response, ApiError> {
    let by = given.texts(&BY);
    let mut options = ExplainOptions {
        score: given.owned(&SCORE).unwrap_or_default(),
        key: given.owned(&KEY),
        filter: given.owned(&WHERE),
        reducer: reducer(&given)?,
        by: (!by.is_empty()).then_some(by),
        limit: given.count(&LIMIT),
    };
    app.ask(&caller, |session| async move {
        let candidate = select(&session, given.text(&CANDIDATE).unwrap_or_default(), given.text(&PROJECT))?;
        let base = select_baseline(&session, given.text(&BASE).unwrap_or_default(), &candidate)?;
        phrase::resolve(&session, &mut options.filter, &[&base, &candidate]).await?;
        Ok(explain(&session, &base, &candidate, &options).await?)
    })
    .await
}
