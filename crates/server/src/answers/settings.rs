//! How a project is read.

use axum::extract::State;
use axum::response::Response;
use evalhouse_analysis::AnalysisError;
use evalhouse_model::SettingsAnswer;

use crate::app::App;
use crate::auth::Caller;
use crate::error::ApiError;
use crate::given::Given;
use crate::route::Route;

pub(super) fn routes() -> Vec<Route> {
    let about = "Shows how a project is read: its key, baselines, aggregate scores, columns";
    vec![Route::get("/api/v1/projects/{project}/settings", about, show).answers::<SettingsAnswer>()]
}

async fn show(State(app): State<App>, caller: Caller, given: Given) -> Result<Response, ApiError> {
    app.ask(&caller, |session| async move {
        let project = given.path("project").to_string();
        if !session.experiments().iter().any(|experiment| experiment.project == project) {
            return Err(AnalysisError::UnknownProject { project, detail: String::new() }.into());
        }
        Ok(SettingsAnswer { settings: session.settings(&project), project })
    })
    .await
}
