//! Experiments summed up inside groups of cases.

use axum::extract::State;
use axum::response::Response;
use evalhouse_analysis::{Aggregate, GroupOptions, Selected, groups, select};
use evalhouse_model::Groups;

use super::parameters::{AGGREGATE, EXPERIMENTS, GROUP_BY, KEY, LIMIT, PROJECT, REDUCER, SORT, WHERE, reducer};
use super::phrase;
use crate::app::App;
use crate::auth::Caller;
use crate::error::ApiError;
use crate::given::{Given, Parameter};
use crate::route::Route;

const POOLED: Parameter = Parameter::flag("pooled", "Takes all experiments as one, and compares none");

pub(super) fn routes() -> Vec<Route> {
    let about = "Sums up experiments inside groups of cases, each held against the first";
    vec![
        Route::get("/api/v1/groups", about, show)
            .takes(&[&EXPERIMENTS, &GROUP_BY, &AGGREGATE, &KEY, &WHERE, &REDUCER, &SORT, &LIMIT, &POOLED, &PROJECT])
            .answers::<Groups>(),
    ]
}

async fn show(State(app): State<App>, caller: Caller, given: Given) -> Result<Response, ApiError> {
    let missing = |what: &str| ApiError::bad_request(format!("{what} is missing"));
    let mut options = group_options(&given)?.ok_or_else(|| missing("group-by"))?;
    options.reducer = reducer(&given)?;
    options.pooled = given.flag(&POOLED);
    let names = given.texts(&EXPERIMENTS);
    if names.is_empty() {
        return Err(missing("experiment"));
    }
    app.ask(&caller, |session| async move {
        let named = names.iter().map(|text| select(&session, text, given.text(&PROJECT)));
        let chosen: Vec<Selected> = named.collect::<Result<_, _>>()?;
        let experiments: Vec<&Selected> = chosen.iter().collect();
        phrase::resolve(&session, &mut options.filter, &experiments).await?;
        Ok(groups(&session, &experiments, &options).await?)
    })
    .await
}

/// How cases are grouped, where groups are asked for.
pub(super) fn group_options(given: &Given) -> Result<Option<GroupOptions>, ApiError> {
    let by = given.expressions(&GROUP_BY);
    let aggregate = given.parsed::<Aggregate>(&AGGREGATE)?;
    if by.is_empty() {
        return match aggregate {
            Some(_) => Err(ApiError::bad_request("aggregate needs group-by")),
            None => Ok(None),
        };
    }
    Ok(Some(GroupOptions {
        by,
        aggregate: aggregate.unwrap_or_default(),
        key: given.owned(&KEY),
        filter: given.owned(&WHERE),
        reducer: None,
        cluster: None,
        sort: given.text(&SORT).map(str::to_string),
        limit: given.count(&LIMIT),
        pooled: false,
    }))
}
