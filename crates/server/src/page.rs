//! The page that people open in a browser, and that the links of the SDKs lead to.
//!
//! Its files come with the options. The page holds no data: it asks the routes that everybody asks, with the
//! key of who looks at it, so it is shown to anybody.

use std::borrow::Cow;

use axum::extract::State;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use axum::response::{Html, IntoResponse, Response};

use crate::app::App;
use crate::auth::Access;
use crate::error::ApiError;
use crate::given::Given;
use crate::route::Route;

const HTML: &str = "text/html; charset=utf-8";
const ASSET: &str = "/assets/{file}";
/// Scripts and styles come from the server alone, and what a model wrote is never one.
const POLICY: &str = "default-src 'self'; style-src 'self'; img-src 'self' data:; base-uri 'none'; \
                      form-action 'none'; frame-ancestors 'none'";
const NOT_BUILT: &str = "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>evalhouse</title>\
                         </head>\n<body><p>This evalhouse was built without its page: <code>make build</code> builds \
                         both.\nThe command line and the routes of <a href=\"/openapi.json\">/openapi.json</a> have \
                         every answer.</p></body></html>\n";

/// Every place of the page. Which one is open, it reads from the address itself.
const PLACES: [(&str, &str); 9] = [
    ("/", "Opens the page: all projects"),
    ("/app/{org}", "Opens the page: all projects"),
    ("/app/{org}/sql", "Opens the page at SQL"),
    ("/app/{org}/p/{project}", "Opens the page at a project"),
    ("/app/{org}/p/{project}/settings", "Opens the page at the settings of a project"),
    ("/app/{org}/p/{project}/experiments/{experiment}", "Opens the page at an experiment"),
    ("/app/{org}/p/{project}/datasets/{dataset}", "Opens the page at a dataset"),
    ("/app/{org}/p/{project}/logs", "Opens the page at the logs of a project"),
    ("/app/{org}/object", "Opens the page at a row and its trace"),
];

/// The routes of the page.
pub(crate) fn routes() -> Vec<Route> {
    let places = PLACES.into_iter().map(|(path, summary)| Route::get(path, summary, place).takes_also(&[]));
    let assets = Route::get(ASSET, "A script, style or picture of the page", asset);
    places
        .map(|route| route.answers_text(HTML))
        .chain([assets.answers_text("application/octet-stream")])
        .map(|route| route.access(Access::Open))
        .collect()
}

async fn place(State(app): State<App>) -> Response {
    let safe: [(HeaderName, &str); 4] = [
        (CONTENT_SECURITY_POLICY, POLICY),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (REFERRER_POLICY, "no-referrer"),
        // The names of its scripts change with what is in them; the page's own does not.
        (CACHE_CONTROL, "no-cache"),
    ];
    match file(&app, "index.html") {
        Some(page) => (safe, [(CONTENT_TYPE, HTML)], page).into_response(),
        None => (safe, Html(NOT_BUILT)).into_response(),
    }
}

async fn asset(State(app): State<App>, given: Given) -> Result<Response, ApiError> {
    let name = given.path("file");
    let asset = file(&app, &format!("assets/{name}"))
        .ok_or_else(|| ApiError::not_found("the page has no such file").with_hint("load the page again"))?;
    let headers = [
        (CONTENT_TYPE, media_type(name)),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (CACHE_CONTROL, "public, max-age=31536000, immutable"),
    ];
    Ok((headers, asset).into_response())
}

fn file(app: &App, path: &str) -> Option<Cow<'static, [u8]>> {
    app.page().and_then(|files| files(path))
}

fn media_type(name: &str) -> &'static str {
    match name.rsplit_once('.').map(|(_, ending)| ending) {
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("woff2") => "font/woff2",
        _ => "application/octet-stream",
    }
}
