//! The cases of one experiment, perhaps against a baseline.

use axum::extract::State;
use axum::response::Response;
use evalhouse_analysis::{Alignment, CasesOptions, Selected, cases, groups, select, select_baseline};
use evalhouse_model::{CaseTable, Groups};
use serde::Serialize;
use serde_json::json;

use super::groups::group_options;
use super::parameters::{
    AGAINST, AGGREGATE, ALIGN, COLUMNS, GROUP_BY, KEY, LIMIT, OFFSET, PREVIEW, PROJECT, ROWS_DEFAULT, SHIFT, SORT,
    WHERE,
};
use super::phrase;
use crate::app::App;
use crate::auth::Caller;
use crate::error::ApiError;
use crate::given::Given;
use crate::route::Route;

pub(super) fn routes() -> Vec<Route> {
    let about = "Lists the cases of an experiment, perhaps against a baseline, or sums up groups of them";
    vec![
        Route::get("/api/v1/experiments/{experiment}/cases", about, list)
            .takes(&[
                &AGAINST, &KEY, &WHERE, &GROUP_BY, &AGGREGATE, &SORT, &COLUMNS, &ALIGN, &SHIFT, &LIMIT, &OFFSET,
                &PREVIEW, &PROJECT,
            ])
            .answers_with(|components| json!({"anyOf": [components.of::<CaseTable>(), components.of::<Groups>()]})),
    ]
}

/// Cases, or groups of them.
#[derive(Serialize)]
#[serde(untagged)]
enum Listed {
    Cases(CaseTable),
    Groups(Groups),
}

async fn list(State(app): State<App>, caller: Caller, given: Given) -> Result<Response, ApiError> {
    let by_group = group_options(&given)?;
    app.ask(&caller, |session| async move {
        let experiment = select(&session, given.path("experiment"), given.text(&PROJECT))?;
        let against = match given.text(&AGAINST) {
            Some(base) => Some(select_baseline(&session, base, &experiment)?),
            None => None,
        };
        let sides: Vec<&Selected> = against.iter().chain([&experiment]).collect();
        let mut filter = given.owned(&WHERE);
        let order = phrase::resolve(&session, &mut filter, &sides).await?;
        if let Some(mut options) = by_group {
            options.sort = options.sort.or(order);
            options.filter = filter;
            return Ok(Listed::Groups(groups(&session, &sides, &options).await?));
        }
        let options = case_options(&given, filter, against, order);
        Ok(Listed::Cases(cases(&session, &experiment, &options).await?))
    })
    .await
}

/// How cases are listed. A phrase's order counts where none is asked for.
pub(super) fn case_options(
    given: &Given,
    filter: Option<String>,
    against: Option<Selected>,
    order: Option<String>,
) -> CasesOptions {
    let columns = given.expressions(&COLUMNS);
    let mut sort = given.expressions(&SORT);
    sort.extend(order.filter(|_| sort.is_empty()));
    CasesOptions {
        against,
        key: given.owned(&KEY),
        filter,
        sort,
        columns: (!columns.is_empty()).then_some(columns),
        align: match given.text(&ALIGN) {
            Some("closest") => Alignment::Closest,
            Some("worst") => Alignment::Worst,
            _ => Alignment::Index,
        },
        preview: given.count(&PREVIEW),
        shift: given.count(&SHIFT).unwrap_or_default(),
        offset: given.count(&OFFSET).unwrap_or_default(),
        filter_base: false,
        limit: Some(given.count(&LIMIT).unwrap_or(ROWS_DEFAULT)),
    }
}
