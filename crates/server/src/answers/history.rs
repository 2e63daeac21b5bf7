//! Scores of a project over time.

use axum::extract::State;
use axum::response::Response;
use evalhouse_analysis::{HistoryOptions, Selected, history, select_all};
use evalhouse_model::History;

use super::parameters::{KEY, REDUCER, ROWS_MAX, SCORE, WHERE, reducer};
use super::phrase;
use crate::app::App;
use crate::auth::Caller;
use crate::error::ApiError;
use crate::given::{Given, Parameter};
use crate::route::Route;

const BRANCH: Parameter = Parameter::text("branch", "Only experiments of this branch");
const LAST: Parameter = Parameter::count("last", "Only the newest experiments", ROWS_MAX);

pub(super) fn routes() -> Vec<Route> {
    let about = "Shows the scores of a project over time, and where they changed";
    vec![
        Route::get("/api/v1/projects/{project}/history", about, show)
            .takes(&[&SCORE, &BRANCH, &LAST, &KEY, &WHERE, &REDUCER])
            .answers::<History>(),
    ]
}

async fn show(State(app): State<App>, caller: Caller, given: Given) -> Result<Response, ApiError> {
    let mut options = HistoryOptions {
        score: given.owned(&SCORE),
        branch: given.owned(&BRANCH),
        key: given.owned(&KEY),
        filter: given.owned(&WHERE),
        reducer: reducer(&given)?,
        last: given.count(&LAST),
    };
    app.ask(&caller, |session| async move {
        let project = given.path("project");
        let all = select_all(&session, Some(project))?;
        phrase::resolve(&session, &mut options.filter, &all.iter().collect::<Vec<&Selected>>()).await?;
        Ok(history(&session, project, &options).await?)
    })
    .await
}
