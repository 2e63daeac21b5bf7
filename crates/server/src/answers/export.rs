//! The rows of one experiment, all of them.

use axum::extract::State;
use axum::response::Response;
use evalhouse_analysis::{
    CasesOptions, ExportOptions, ExportShape, Selected, cases_as_rows, export, select, select_baseline,
};
use evalhouse_session::Session;

use super::cases::case_options;
use super::parameters::{AGAINST, ALIGN, COLUMNS, KEY, LIMIT, OFFSET, PROJECT, SHIFT, SORT, WHERE};
use super::phrase;
use crate::app::App;
use crate::auth::Caller;
use crate::error::ApiError;
use crate::given::{Given, Parameter};
use crate::route::Route;
use crate::rows::{self, FORMAT, SPREADSHEET_SAFE};

const ROWS: Parameter = Parameter::choice(
    "rows",
    "What a row is: a span, a case, or a case as `cases` lists it, under its filter, order and columns; cases in CSV, \
     spans in other formats without",
    &["spans", "cases", "listed"],
);
const ALL_FIELDS: Parameter = Parameter::flag("all-fields", "Every stored field, not only the usual ones");

pub(super) fn routes() -> Vec<Route> {
    let about = "Writes the rows of an experiment; spans as JSON lines can be imported again";
    vec![
        Route::get("/api/v1/experiments/{experiment}/export", about, write)
            .takes(&[
                &ROWS,
                &ALL_FIELDS,
                &AGAINST,
                &KEY,
                &WHERE,
                &SORT,
                &COLUMNS,
                &ALIGN,
                &SHIFT,
                &LIMIT,
                &OFFSET,
                &FORMAT,
                &SPREADSHEET_SAFE,
                &PROJECT,
            ])
            .answers_rows(),
    ]
}

async fn write(State(app): State<App>, caller: Caller, given: Given) -> Result<Response, ApiError> {
    let session = app.engine().session(&caller).await?;
    let experiment = select(&session, given.path("experiment"), given.text(&PROJECT))?;
    let shape = match given.text(&ROWS) {
        Some("listed") => return write_listed(&app, session, &given, experiment).await,
        Some("cases") => ExportShape::Cases,
        Some(_) => ExportShape::Spans,
        None if given.text(&FORMAT) == Some("csv") => ExportShape::Cases,
        None => ExportShape::Spans,
    };
    let options = ExportOptions { shape, all_fields: given.flag(&ALL_FIELDS) };
    let query = move |session| async move { Ok(export(&session, &experiment, &options).await?) };
    rows::answer(&app, session, &given, query).await
}

async fn write_listed(app: &App, session: Session, given: &Given, experiment: Selected) -> Result<Response, ApiError> {
    let against = match given.text(&AGAINST) {
        Some(base) => Some(select_baseline(&session, base, &experiment)?),
        None => None,
    };
    let sides: Vec<&Selected> = against.iter().chain([&experiment]).collect();
    let mut filter = given.owned(&WHERE);
    let order = phrase::resolve(&session, &mut filter, &sides).await?;
    let listed = case_options(given, filter, against, order);
    let options = CasesOptions { limit: given.count(&LIMIT), ..listed };
    let query = move |session| async move { Ok(cases_as_rows(&session, &experiment, &options).await?) };
    rows::answer(app, session, given, query).await
}
