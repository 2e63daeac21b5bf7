//! Experiments ranked.

use axum::extract::State;
use axum::response::Response;
use evalhouse_analysis::{LeaderboardOptions, Selected, leaderboard, select, select_all};
use evalhouse_model::Leaderboard;

use super::parameters::{EXPERIMENTS, KEY, PROJECT, REDUCER, SCORE, WHERE, reducer};
use super::phrase;
use crate::app::App;
use crate::auth::Caller;
use crate::error::ApiError;
use crate::given::{Given, Parameter};
use crate::route::Route;

const COST: Parameter =
    Parameter::text("cost", "The metric that counts as cost; estimated_cost, cost, tokens or duration without");
const FRONTIER: Parameter = Parameter::flag("frontier", "Only the experiments on the cost-quality frontier");

pub(super) fn routes() -> Vec<Route> {
    let about = "Ranks experiments by a score, ties shown as ties, with what they cost; all of the project or store \
                 where none is named";
    vec![
        Route::get("/api/v1/leaderboard", about, rank)
            .takes(&[&EXPERIMENTS, &SCORE, &COST, &FRONTIER, &KEY, &WHERE, &REDUCER, &PROJECT])
            .answers::<Leaderboard>(),
    ]
}

async fn rank(State(app): State<App>, caller: Caller, given: Given) -> Result<Response, ApiError> {
    let mut options = LeaderboardOptions {
        score: given.owned(&SCORE),
        cost: given.owned(&COST),
        key: given.owned(&KEY),
        filter: given.owned(&WHERE),
        reducer: reducer(&given)?,
    };
    app.ask(&caller, |session| async move {
        let names = given.texts(&EXPERIMENTS);
        let project = given.text(&PROJECT);
        let chosen: Vec<Selected> = if names.is_empty() {
            select_all(&session, project)?
        } else {
            names.iter().map(|text| select(&session, text, project)).collect::<Result<_, _>>()?
        };
        let experiments: Vec<&Selected> = chosen.iter().collect();
        phrase::resolve(&session, &mut options.filter, &experiments).await?;
        let mut board = leaderboard(&session, &experiments, &options).await?;
        if given.flag(&FRONTIER) {
            board.rows.retain(|row| row.on_frontier);
        }
        Ok(board)
    })
    .await
}
