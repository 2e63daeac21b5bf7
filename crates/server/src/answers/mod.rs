//! Our own answers, one resource a file: the structs that the command line prints as JSON, made by
//! the same analyses, under `/api/v1/`.

mod agreement;
mod baseline;
mod cases;
mod diff;
mod experiments;
mod explain;
mod export;
mod fields;
mod groups;
mod history;
mod keys;
mod leaderboard;
mod parameters;
mod phrase;
mod queries;
mod scorings;
mod settings;
mod sql;
mod summary;
mod trace;
mod trials;

use crate::route::Route;

/// The routes of every answer.
pub(crate) fn routes() -> Vec<Route> {
    let resources = [
        experiments::routes,
        summary::routes,
        baseline::routes,
        cases::routes,
        diff::routes,
        groups::routes,
        leaderboard::routes,
        history::routes,
        explain::routes,
        trials::routes,
        agreement::routes,
        fields::routes,
        trace::routes,
        export::routes,
        scorings::routes,
        settings::routes,
        keys::routes,
        queries::routes,
        sql::routes,
    ];
    resources.into_iter().flat_map(|resource| resource()).collect()
}
