//! Logging in. A store has one organisation.

use axum::Json;
use axum::extract::State;
use serde_json::{Value, json};

use crate::app::App;
use crate::auth::Access;
use crate::keys::Role;
use crate::route::Route;

/// Id of the one organisation.
pub(super) const ORG_ID: &str = "6576616c-686f-7573-6500-000000000000";
/// Its name, which is in the links that the SDKs print.
pub(super) const ORG_NAME: &str = "evalhouse";

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::post("/api/apikey/login", "Checks a key and tells the SDK where the API is", login),
        Route::get("/version", "Says what the server is; announces no limit of payloads", version).access(Access::Open),
        Route::get("/ping", "Says who the key is", ping).access(Access::Needs(Role::Read)),
    ]
}

async fn login(State(app): State<App>) -> Json<Value> {
    Json(json!({
        "org_info": [{
            "id": ORG_ID,
            "name": ORG_NAME,
            "api_url": app.public_url(),
            "proxy_url": app.public_url(),
            "is_universal_api": true,
            "git_metadata": {
                "collect": "some",
                "fields": [
                    "commit", "branch", "tag", "dirty", "author_name", "author_email", "commit_message", "commit_time",
                ],
            },
        }],
    }))
}

async fn version() -> Json<Value> {
    Json(json!({ "version": env!("CARGO_PKG_VERSION"), "server": "evalhouse", "universal": true }))
}

async fn ping() -> Json<Value> {
    Json(json!({ "id": ORG_ID, "organizations": [{ "id": ORG_ID, "name": ORG_NAME }] }))
}
