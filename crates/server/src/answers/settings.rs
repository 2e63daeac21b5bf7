//! How a project is read.

use axum::extract::State;
use axum::response::Response;
use evalhouse_analysis::{AnalysisError, SettingChange, check_changes};
use evalhouse_model::SettingsAnswer;
use evalhouse_session::Session;
use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use crate::app::App;
use crate::auth::{Access, Caller};
use crate::body::JsonBody;
use crate::error::ApiError;
use crate::given::Given;
use crate::keys::Role;
use crate::route::Route;

/// Settings to change. All of them are, or none.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SettingsChange {
    /// Settings to make, by name: text, a number, or JSON as text.
    #[serde(default)]
    set: IndexMap<String, String>,
    /// Names of settings that go back to their defaults.
    #[serde(default)]
    unset: Vec<String>,
}

pub(super) fn routes() -> Vec<Route> {
    let path = "/api/v1/projects/{project}/settings";
    let about = "Shows how a project is read: its key, baselines, aggregate scores, columns";
    vec![
        Route::get(path, about, show).answers::<SettingsAnswer>(),
        Route::patch(path, "Changes how a project is read", change)
            .body::<SettingsChange>()
            .access(Access::Needs(Role::Admin))
            .answers::<SettingsAnswer>(),
    ]
}

async fn show(State(app): State<App>, caller: Caller, given: Given) -> Result<Response, ApiError> {
    app.ask(&caller, |session| async move { settings_of(&session, given.path("project")) }).await
}

async fn change(
    State(app): State<App>,
    caller: Caller,
    given: Given,
    JsonBody(body): JsonBody<SettingsChange>,
) -> Result<Response, ApiError> {
    let unset = body.unset.into_iter().map(|name| SettingChange::Unset { name });
    let set = body.set.into_iter().map(|(name, value)| SettingChange::Set { name, value });
    let changes: Vec<SettingChange> = unset.chain(set).collect();
    let project = given.path("project").to_string();
    let session = app.engine().session(&caller).await?;
    check_changes(&session, &project, &changes)?;
    let changed = app
        .live()
        .store()
        .change_settings(&project, |settings| changes.iter().try_for_each(|change| change.apply(settings).map(|_| ())));
    changed.await?.map_err(|error| ApiError::bad_request(error.to_string()))?;
    show(State(app), caller, given).await
}

fn settings_of(session: &Session, project: &str) -> Result<SettingsAnswer, ApiError> {
    let project = project.to_string();
    if !session.experiments().iter().any(|experiment| experiment.project == project) {
        return Err(AnalysisError::UnknownProject { project, detail: String::new() }.into());
    }
    Ok(SettingsAnswer { settings: session.settings(&project), project })
}
