//! What the SDKs print at the end of an eval.

use axum::Json;
use axum::extract::State;
use evalhouse_analysis::{AnalysisError, DiffOptions, Selected, api_summary, select_baseline};
use evalhouse_model::{Experiment, ObjectKind};
use evalhouse_session::Session;
use serde_json::{Value, json};

use super::objects;
use crate::app::App;
use crate::auth::Caller;
use crate::error::ApiError;
use crate::given::{Given, Parameter};
use crate::route::Route;

const SCORES: Parameter = Parameter::flag("summarize_scores", "Also sums up scores and metrics");
const COMPARISON: Parameter = Parameter::text("comparison_experiment_id", "What to compare with");
const EXPERIMENT: Parameter = Parameter::text("experiment_id", "The experiment").required();
const BASE: Parameter = Parameter::text("base_experiment_id", "What to compare with");

const KIND: ObjectKind = ObjectKind::Experiment;

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get("/v1/experiment/{experiment}/summarize", "Sums up an experiment against its base", summarize)
            .takes_also(&[&SCORES, &COMPARISON]),
        Route::get("/experiment-comparison2", "Sums up an experiment against a base", compare)
            .takes_also(&[&EXPERIMENT, &BASE]),
    ]
}

async fn summarize(State(app): State<App>, caller: Caller, given: Given) -> Result<Json<Value>, ApiError> {
    let (experiment, _) = objects::object(&app, &caller, KIND, given.path("experiment")).await?;
    let url = format!("{}/app/{}/p", app.public_url(), super::organisation::ORG_NAME);
    let project = encoded(&experiment.project);
    let mut answer = json!({
        "project_name": experiment.project,
        "experiment_name": experiment.name,
        "project_url": format!("{url}/{project}"),
        "experiment_url": format!("{url}/{project}/experiments/{}", encoded(&experiment.name)),
        "comparison_experiment_name": null,
        "scores": null,
        "metrics": null,
    });
    if given.flag(&SCORES) {
        let summed = summed(&app, &caller, &experiment, given.text(&COMPARISON)).await?;
        for name in ["scores", "metrics", "comparison_experiment_name"] {
            answer[name] = summed[name].clone();
        }
    }
    Ok(Json(answer))
}

async fn compare(State(app): State<App>, caller: Caller, given: Given) -> Result<Json<Value>, ApiError> {
    let (experiment, _) = objects::object(&app, &caller, KIND, given.text(&EXPERIMENT).unwrap_or_default()).await?;
    Ok(Json(summed(&app, &caller, &experiment, given.text(&BASE)).await?))
}

/// The experiment that another is compared with: the one given, else the one that its project's rule
/// chooses; none for the first of a project.
pub(super) fn comparison_of(
    session: &Session,
    experiment: &Experiment,
    given: Option<&str>,
) -> Result<Option<Selected>, ApiError> {
    let candidate = Selected { experiment: experiment.clone(), rule: None };
    match select_baseline(session, given.unwrap_or("baseline"), &candidate) {
        Ok(base) if given.is_none() && base.experiment.id == experiment.id => Ok(None),
        Ok(base) => Ok(Some(base)),
        Err(AnalysisError::NoExperiment { .. }) if given.is_none() => Ok(None),
        Err(error) => Err(error.into()),
    }
}

async fn summed(app: &App, caller: &Caller, experiment: &Experiment, base: Option<&str>) -> Result<Value, ApiError> {
    objects::settle(app.live(), KIND, &experiment.id).await?;
    let (experiment, _) = objects::object(app, caller, KIND, &experiment.id).await?;
    let session = app.engine().stored(caller).await?;
    let base = comparison_of(&session, &experiment, base.filter(|base| !base.is_empty()))?;
    if let Some(base) = &base {
        objects::settle(app.live(), KIND, &base.experiment.id).await?;
    }
    let session = app.engine().stored(caller).await?;
    let body = app.gate().run(async move {
        let candidate = Selected { experiment, rule: None };
        let summary = api_summary(&session, &candidate, base.as_ref(), &DiffOptions::default()).await?;
        serde_json::to_value(&summary).map_err(|_| ApiError::fault("summary: JSON"))
    });
    body.await
}

/// A name as a part of a link.
pub(super) fn encoded(name: &str) -> String {
    url::form_urlencoded::byte_serialize(name.as_bytes()).collect::<String>().replace('+', "%20")
}
