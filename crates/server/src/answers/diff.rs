//! Candidates against a baseline.

use axum::extract::State;
use axum::response::Response;
use evalhouse_analysis::{CasesOptions, DiffOptions, Selected, cases, diff, groups, select, select_baseline};
use evalhouse_model::{CaseTable, Diff, Diffs, Groups};
use evalhouse_report::DiffWithCases;
use serde::Serialize;
use serde_json::json;

use super::cases::case_options;
use super::groups::group_options;
use super::parameters::{
    AGGREGATE, ALIGN, BASE, COLUMNS, GROUP_BY, KEY, LIMIT, PROJECT, REDUCER, SORT, WHERE, reducer,
};
use super::phrase;
use crate::app::App;
use crate::auth::Caller;
use crate::error::ApiError;
use crate::given::{Given, Parameter};
use crate::route::Route;

const CANDIDATES: Parameter =
    Parameter::text("candidate", "The experiment to judge; repeat for several").repeats().required();
const CLUSTER: Parameter =
    Parameter::text("cluster", "Cases with equal values of this are not independent: metadata.document");
const CASES: Parameter = Parameter::flag("cases", "Lists the cases of the one candidate, too");

pub(super) fn routes() -> Vec<Route> {
    let about = "Compares experiments case by case, with intervals and p-values; several candidates are a list, \
                 with group-by groups";
    vec![
        Route::get("/api/v1/diff", about, compare)
            .takes(&[
                &BASE,
                &CANDIDATES,
                &KEY,
                &WHERE,
                &CLUSTER,
                &REDUCER,
                &CASES,
                &GROUP_BY,
                &AGGREGATE,
                &SORT,
                &COLUMNS,
                &ALIGN,
                &LIMIT,
                &PROJECT,
            ])
            .answers_with(|components| {
                let cases = components.of::<CaseTable>();
                let of_cases = json!({"type": "object", "properties": {"cases": cases}, "required": ["cases"]});
                let diff = components.of::<Diff>();
                let with_cases = json!({"allOf": [diff, of_cases]});
                json!({"anyOf": [diff, with_cases, components.of::<Diffs>(), components.of::<Groups>()]})
            }),
    ]
}

/// One diff, with its cases or without, several, or groups.
#[derive(Serialize)]
#[serde(untagged)]
enum Compared {
    One(Box<Diff>),
    WithCases(Box<DiffWithCases>),
    Several(Diffs),
    Groups(Groups),
}

async fn compare(State(app): State<App>, caller: Caller, given: Given) -> Result<Response, ApiError> {
    let reducer = reducer(&given)?;
    let by_group = group_options(&given)?;
    let names = given.texts(&CANDIDATES);
    if given.flag(&CASES) && names.len() > 1 {
        return Err(ApiError::bad_request("cases lists the cases of one candidate, not of several"));
    }
    app.ask(&caller, move |session| async move {
        let named = names.iter().map(|text| select(&session, text, given.text(&PROJECT)));
        let candidates: Vec<Selected> = named.collect::<Result<_, _>>()?;
        let base = given.text(&BASE).unwrap_or("baseline");
        let mut filter = given.owned(&WHERE);
        let order = phrase::resolve(&session, &mut filter, &candidates.iter().collect::<Vec<_>>()).await?;
        if let (Some(mut options), Some(first)) = (by_group, candidates.first()) {
            let base = select_baseline(&session, base, first)?;
            options.filter = filter;
            options.reducer = reducer;
            options.cluster = given.owned(&CLUSTER);
            let sides: Vec<&Selected> = std::iter::once(&base).chain(&candidates).collect();
            return Ok(Compared::Groups(groups(&session, &sides, &options).await?));
        }
        let options =
            DiffOptions { key: given.owned(&KEY), filter: filter.clone(), cluster: given.owned(&CLUSTER), reducer };
        let mut diffs = Vec::new();
        for candidate in &candidates {
            let base = select_baseline(&session, base, candidate)?;
            let diff = diff(&session, &base, candidate, &options).await?;
            if given.flag(&CASES) {
                let options = CasesOptions { filter_base: true, ..case_options(&given, filter, Some(base), order) };
                let cases = cases(&session, candidate, &options).await?;
                return Ok(Compared::WithCases(Box::new(DiffWithCases { diff, cases })));
            }
            diffs.push(diff);
        }
        match diffs.len() {
            1 => Ok(Compared::One(Box::new(diffs.remove(0)))),
            _ => Ok(Compared::Several(Diffs { diffs })),
        }
    })
    .await
}
