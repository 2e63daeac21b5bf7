//! The rows of one experiment, all of them.

use axum::extract::State;
use axum::response::Response;
use evalhouse_analysis::{ExportOptions, ExportShape, export, select};

use super::parameters::PROJECT;
use crate::app::App;
use crate::auth::Caller;
use crate::error::ApiError;
use crate::given::{Given, Parameter};
use crate::route::Route;
use crate::rows::{self, FORMAT, SPREADSHEET_SAFE};

const ROWS: Parameter =
    Parameter::choice("rows", "What a row is; cases in CSV, spans in other formats without", &["spans", "cases"]);
const ALL_FIELDS: Parameter = Parameter::flag("all-fields", "Every stored field, not only the usual ones");

pub(super) fn routes() -> Vec<Route> {
    let about = "Writes the rows of an experiment; spans as JSON lines can be imported again";
    vec![
        Route::get("/api/v1/experiments/{experiment}/export", about, write)
            .takes(&[&ROWS, &ALL_FIELDS, &FORMAT, &SPREADSHEET_SAFE, &PROJECT])
            .answers_rows(),
    ]
}

async fn write(State(app): State<App>, caller: Caller, given: Given) -> Result<Response, ApiError> {
    let shape = match given.text(&ROWS) {
        Some("cases") => ExportShape::Cases,
        Some(_) => ExportShape::Spans,
        None if given.text(&FORMAT) == Some("csv") => ExportShape::Cases,
        None => ExportShape::Spans,
    };
    let options = ExportOptions { shape, all_fields: given.flag(&ALL_FIELDS) };
    let session = app.engine().session(&caller).await?;
    let experiment = select(&session, given.path("experiment"), given.text(&PROJECT))?;
    let query = move |session| async move { Ok(export(&session, &experiment, &options).await?) };
    rows::answer(&app, session, &given, query).await
}
