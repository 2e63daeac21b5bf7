//! What filters, keys and columns can name.

use axum::extract::State;
use axum::response::Response;
use evalhouse_analysis::{fields, select};
use evalhouse_model::FieldList;

use super::parameters::{PROJECT, WHERE};
use super::phrase;
use crate::app::App;
use crate::auth::Caller;
use crate::error::ApiError;
use crate::given::Given;
use crate::route::Route;

pub(super) fn routes() -> Vec<Route> {
    let about = "Lists what filters, keys and columns can name: the fields of the cases";
    vec![
        Route::get("/api/v1/experiments/{experiment}/fields", about, list)
            .takes(&[&WHERE, &PROJECT])
            .answers::<FieldList>(),
    ]
}

async fn list(State(app): State<App>, caller: Caller, given: Given) -> Result<Response, ApiError> {
    app.ask(&caller, |session| async move {
        let experiment = select(&session, given.path("experiment"), given.text(&PROJECT))?;
        let mut filter = given.owned(&WHERE);
        phrase::resolve(&session, &mut filter, &[&experiment]).await?;
        Ok(fields(&session, &experiment, filter.as_deref()).await?)
    })
    .await
}
