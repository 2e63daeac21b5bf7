//! The pages that the links of the SDKs open: what the command line prints, to be read in a browser.
//!
//! A page is text that was escaped as a whole; no script runs on it, and nothing is loaded from elsewhere.

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use evalhouse_analysis::{Selected, SummaryOptions, list, summary, trace};
use evalhouse_model::{Experiment, ObjectKind};
use evalhouse_report::{Answer, View};
use evalhouse_store::Snapshot;

use crate::app::App;
use crate::auth::Caller;
use crate::braintrust::{project_id, projects};
use crate::error::ApiError;
use crate::given::{Given, Parameter};
use crate::route::Route;

const PAGE: &str = "text/html; charset=utf-8";
const POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
/// Columns of the text.
const WIDTH: usize = 120;

const KIND: Parameter =
    Parameter::choice("object_type", "What the row belongs to", &["experiment", "dataset", "project_logs"]);
const OBJECT: Parameter = Parameter::text("object_id", "Its id");
const ROW: Parameter = Parameter::text("id", "Id of the row");

/// The routes of the pages.
pub(crate) fn routes() -> Vec<Route> {
    vec![
        Route::get("/app/{org}/p/{project}", "Shows the experiments of a project", project),
        Route::get("/app/{org}/p/{project}/experiments/{experiment}", "Shows an experiment", experiment),
        Route::get("/app/{org}/p/{project}/datasets/{dataset}", "Shows a dataset", dataset),
        Route::get("/app/{org}/p/{project}/logs", "Shows the logs of a project", logs).takes_also(&[]),
        Route::get("/app/{org}/object", "Shows a row and its trace", object).takes_also(&[&KIND, &OBJECT, &ROW]),
    ]
    .into_iter()
    .map(|route| route.answers_text(PAGE))
    .collect()
}

async fn project(State(app): State<App>, caller: Caller, given: Given) -> Result<Response, ApiError> {
    let name = known_project(&app, &caller, given.path("project")).await?;
    let session = app.engine().session(&caller).await?;
    let title = name.clone();
    let text = app.gate().run(async move { Ok(laid_out(&list(&session, Some(&name), None).await?)) }).await?;
    Ok(page(&title, &text))
}

async fn experiment(State(app): State<App>, caller: Caller, given: Given) -> Result<Response, ApiError> {
    let found = named(&app, &caller, ObjectKind::Experiment, &given, given.path("experiment")).await?;
    summed(&app, &caller, found).await
}

async fn summed(app: &App, caller: &Caller, experiment: Experiment) -> Result<Response, ApiError> {
    let session = app.engine().session(caller).await?;
    let title = format!("{} / {}", experiment.project, experiment.name);
    let text = app.gate().run(async move {
        let selected = Selected { experiment, rule: None };
        Ok(laid_out(&summary(&session, &selected, &SummaryOptions::default()).await?))
    });
    Ok(page(&title, &text.await?))
}

async fn dataset(State(app): State<App>, caller: Caller, given: Given) -> Result<Response, ApiError> {
    let found = named(&app, &caller, ObjectKind::Dataset, &given, given.path("dataset")).await?;
    Ok(described(&found))
}

async fn logs(State(app): State<App>, caller: Caller, given: Given) -> Result<Response, ApiError> {
    let name = known_project(&app, &caller, given.path("project")).await?;
    app.live().settle_all().await?;
    let snapshot = app.live().store().snapshot().await?;
    let none = Experiment { project: name.clone(), name: "logs".into(), ..Experiment::default() };
    Ok(described(snapshot.logs().iter().find(|logs| logs.project == name).unwrap_or(&none)))
}

async fn object(State(app): State<App>, caller: Caller, given: Given) -> Result<Response, ApiError> {
    let session = app.engine().session(&caller).await?;
    let id = given.text(&OBJECT).unwrap_or_default().to_string();
    let found = session.snapshot().record(&id).filter(|found| caller.permit(&found.project).is_ok()).cloned();
    let Some(found) = found else {
        // A project has logs before anything is logged.
        return match project_of(&app, &caller, &id).await? {
            Some(name) => Ok(described(&Experiment { project: name, name: "logs".into(), ..Experiment::default() })),
            None => Err(ApiError::not_found(format!("there is nothing with the id `{id}`"))),
        };
    };
    match (found.kind, given.owned(&ROW)) {
        (ObjectKind::Experiment, Some(row)) => {
            let title = format!("{} / {}", found.project, found.name);
            let selected = Selected { experiment: found, rule: None };
            let text = app.gate().run(async move { Ok(laid_out(&trace(&session, &selected, &row).await?)) });
            Ok(page(&title, &text.await?))
        }
        (ObjectKind::Experiment, None) => summed(&app, &caller, found).await,
        _ => Ok(described(&found)),
    }
}

async fn known_project(app: &App, caller: &Caller, name: &str) -> Result<String, ApiError> {
    let missing = || ApiError::not_found(format!("there is no project `{name}`"));
    project_of(app, caller, &project_id(name)).await?.ok_or_else(missing)
}

/// The name of the project with this id.
async fn project_of(app: &App, caller: &Caller, id: &str) -> Result<Option<String>, ApiError> {
    let (all, _) = projects(app, caller).await?;
    Ok(all.into_iter().find(|project| project.id == id).map(|project| project.name))
}

async fn named(
    app: &App,
    caller: &Caller,
    kind: ObjectKind,
    given: &Given,
    name: &str,
) -> Result<Experiment, ApiError> {
    app.live().settle_all().await?;
    let project = given.path("project");
    caller.permit(project)?;
    let snapshot = app.live().store().snapshot().await?;
    let found = of_kind(&snapshot, kind).iter().find(|object| object.project == project && object.name == name);
    found.cloned().ok_or_else(|| ApiError::not_found(format!("there is no `{name}` in the project `{project}`")))
}

fn of_kind(snapshot: &Snapshot, kind: ObjectKind) -> &[Experiment] {
    match kind {
        ObjectKind::Experiment => snapshot.experiments(),
        ObjectKind::Dataset => snapshot.datasets(),
        ObjectKind::Logs => snapshot.logs(),
    }
}

fn laid_out(answer: &impl Answer) -> String {
    answer.document(&View { width: Some(WIDTH), ..View::default() }).to_text(Some(WIDTH))
}

/// What is known of a dataset or logs.
fn described(object: &Experiment) -> Response {
    let about = object.description.as_deref().map(|text| format!("{text}\n\n")).unwrap_or_default();
    let id = if object.id.is_empty() { String::new() } else { format!("id    {}\n", object.id) };
    page(&format!("{} / {}", object.project, object.name), &format!("{about}{id}rows  {}\n", object.spans))
}

/// A page of text. The terminal's colours are left out.
fn page(title: &str, text: &str) -> Response {
    let (title, text) = (escaped(title), escaped(&anstream::adapter::strip_str(text).to_string()));
    let html = format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n<meta name=\"viewport\" \
         content=\"width=device-width\">\n<title>{title} · evalhouse</title>\n<style>\n\
         :root {{ color-scheme: light dark }}\n\
         body {{ margin: 2rem; font: 14px/1.5 system-ui, sans-serif }}\n\
         pre {{ font: 13px/1.45 ui-monospace, monospace; overflow-x: auto }}\n\
         </style></head>\n<body><h1>{title}</h1>\n<pre>{text}</pre></body></html>\n"
    );
    (StatusCode::OK, [(CONTENT_TYPE, PAGE), (CONTENT_SECURITY_POLICY, POLICY)], html).into_response()
}

fn escaped(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            c => html.push(c),
        }
    }
    html
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_is_markup() {
        assert_eq!(escaped("<a href='x\">&"), "&lt;a href=&#39;x&quot;&gt;&amp;");
    }
}
