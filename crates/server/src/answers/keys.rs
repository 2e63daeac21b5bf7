//! A comparison key tried out before it is saved.

use axum::extract::State;
use axum::response::Response;
use evalhouse_analysis::check_key;
use evalhouse_model::KeyCheck;

use crate::app::App;
use crate::auth::Caller;
use crate::error::ApiError;
use crate::given::{Given, Parameter};
use crate::route::Route;

const KEY: Parameter = Parameter::text("key", "The key: an expression over a case, or several in brackets").required();

pub(super) fn routes() -> Vec<Route> {
    let about = "Tries a comparison key: how many cases of the newest experiments would match, and what would go wrong";
    vec![Route::get("/api/v1/projects/{project}/key-check", about, check).takes(&[&KEY]).answers::<KeyCheck>()]
}

async fn check(State(app): State<App>, caller: Caller, given: Given) -> Result<Response, ApiError> {
    app.ask(&caller, |session| async move {
        Ok(check_key(&session, given.path("project"), given.text(&KEY).unwrap_or_default()).await?)
    })
    .await
}
