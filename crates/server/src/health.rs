//! Whether the server lives, and whether it can answer.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};

use crate::app::App;
use crate::auth::Access;
use crate::error::ApiError;
use crate::route::Route;

/// How the server is.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Health {
    /// `ok`.
    status: String,
    /// Version of the program.
    version: String,
}

impl Health {
    fn ok() -> Json<Self> {
        Json(Self { status: "ok".into(), version: env!("CARGO_PKG_VERSION").into() })
    }
}

/// The routes of this resource.
pub(crate) fn routes() -> Vec<Route> {
    vec![
        Route::get("/healthz", "Says that the server lives", alive).access(Access::Open).answers::<Health>(),
        Route::get("/readyz", "Says whether the server can answer: not while it stops, or without its store", ready)
            .access(Access::Open)
            .answers::<Health>(),
    ]
}

async fn alive() -> Json<Health> {
    Health::ok()
}

async fn ready(State(app): State<App>) -> Result<Json<Health>, ApiError> {
    let unready = |message| ApiError::new(StatusCode::SERVICE_UNAVAILABLE, message);
    if app.is_stopping() {
        return Err(unready("the server is stopping"));
    }
    app.engine().check().await.map_err(|_| unready("the store cannot be read"))?;
    Ok(Health::ok())
}
