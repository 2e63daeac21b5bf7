//! The spans of one case, and what the case is held against.

use axum::extract::State;
use axum::response::Response;
use evalhouse_analysis::{lineup, select, select_baseline, trace};
use evalhouse_model::{Lineup, Trace};

use super::cases::case_options;
use super::parameters::{AGAINST, ALIGN, KEY, PROJECT, SHIFT};
use crate::app::App;
use crate::auth::Caller;
use crate::error::ApiError;
use crate::given::Given;
use crate::route::Route;

pub(super) fn routes() -> Vec<Route> {
    let about = "Shows what happened in one case: the tree of its spans";
    let held = "Says which trials a case has, here and in a baseline, and which one the row is held against";
    vec![
        Route::get("/api/v1/experiments/{experiment}/traces/{case}", about, show).takes(&[&PROJECT]).answers::<Trace>(),
        Route::get("/api/v1/experiments/{experiment}/traces/{case}/lineup", held, held_against)
            .takes(&[&AGAINST, &KEY, &ALIGN, &SHIFT, &PROJECT])
            .answers::<Lineup>(),
    ]
}

async fn show(State(app): State<App>, caller: Caller, given: Given) -> Result<Response, ApiError> {
    app.ask(&caller, |session| async move {
        let experiment = select(&session, given.path("experiment"), given.text(&PROJECT))?;
        Ok(trace(&session, &experiment, given.path("case")).await?)
    })
    .await
}

async fn held_against(State(app): State<App>, caller: Caller, given: Given) -> Result<Response, ApiError> {
    app.ask(&caller, |session| async move {
        let experiment = select(&session, given.path("experiment"), given.text(&PROJECT))?;
        let against = match given.text(&AGAINST) {
            Some(base) => Some(select_baseline(&session, base, &experiment)?),
            None => None,
        };
        let options = case_options(&given, None, against, None);
        Ok(lineup(&session, &experiment, given.path("case"), &options).await?)
    })
    .await
}
