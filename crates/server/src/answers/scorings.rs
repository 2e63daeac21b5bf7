//! Scorers applied to the cases of an experiment.

use axum::Json;
use axum::extract::State;
use evalhouse_analysis::{ScoringOptions, Selected, select};
use evalhouse_model::{Scoring, ScoringList};
use serde::{Deserialize, Serialize};

use super::parameters::PROJECT;
use super::phrase;
use crate::app::App;
use crate::auth::{Access, Caller};
use crate::body::JsonBody;
use crate::error::ApiError;
use crate::given::Given;
use crate::keys::Role;
use crate::route::Route;
use crate::scorings;

/// A scorer, and what to apply it to.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ScoringRequest {
    /// The name of the score.
    name: String,
    /// The scorer: an expression over a case that gives a number, or true and false for 1 and 0.
    scorer: String,
    /// Only cases for which this is true; all without.
    #[serde(rename = "where", default)]
    filter: Option<String>,
    /// Only the cases of these ids; all without.
    #[serde(default)]
    ids: Option<Vec<String>>,
}

pub(super) fn routes() -> Vec<Route> {
    let write = Access::Needs(Role::Write);
    vec![
        Route::post("/api/v1/experiments/{experiment}/scorings", "Starts to apply a scorer to cases", start)
            .takes(&[&PROJECT])
            .body::<ScoringRequest>()
            .access(write)
            .answers::<Scoring>(),
        Route::get("/api/v1/experiments/{experiment}/scorings", "Says how far scorers are, and how they ended", list)
            .takes(&[&PROJECT])
            .answers::<ScoringList>(),
        Route::delete("/api/v1/scorings/{scoring}", "Stops a scorer; the scores that it gave stay", cancel)
            .access(write)
            .answers::<Scoring>(),
    ]
}

async fn start(
    State(app): State<App>,
    caller: Caller,
    given: Given,
    JsonBody(request): JsonBody<ScoringRequest>,
) -> Result<Json<Scoring>, ApiError> {
    let name = request.name.trim().to_string();
    if name.is_empty() {
        return Err(ApiError::bad_request("`name` is empty: a score has a name"));
    }
    let (session, experiment) = chosen(&app, &caller, &given).await?;
    let mut filter = request.filter;
    phrase::resolve(&session, &mut filter, &[&experiment]).await?;
    let options = ScoringOptions { expression: request.scorer, filter, ids: request.ids };
    Ok(Json(scorings::start(&app, session, experiment, name, options).await?))
}

async fn list(State(app): State<App>, caller: Caller, given: Given) -> Result<Json<ScoringList>, ApiError> {
    let (_, experiment) = chosen(&app, &caller, &given).await?;
    Ok(Json(ScoringList { scorings: app.scorings().of(&experiment.experiment.id) }))
}

async fn cancel(State(app): State<App>, caller: Caller, given: Given) -> Result<Json<Scoring>, ApiError> {
    Ok(Json(app.scorings().cancel(&caller, given.path("scoring"))?))
}

async fn chosen(app: &App, caller: &Caller, given: &Given) -> Result<(evalhouse_session::Session, Selected), ApiError> {
    let session = app.engine().session(caller).await?;
    let experiment = select(&session, given.path("experiment"), given.text(&PROJECT))?;
    Ok((session, experiment))
}
