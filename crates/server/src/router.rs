//! The router: made from the tables of the resources, and wrapped in what every request goes through.

use std::any::Any;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{Method, StatusCode};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use tower::ServiceBuilder;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{DefaultPredicate, NotForContentType, Predicate};

use crate::answers;
use crate::app::App;
use crate::auth::{Access, Caller};
use crate::body::SLOWEST_RATE;
use crate::error::ApiError;
use crate::given::{self, Given};
use crate::observe::observe;
use crate::route::Route;
use crate::rows::PARQUET;
use crate::{braintrust, health, metrics, openapi, page};

/// Every route of the server, by resource.
pub fn routes() -> Vec<Route> {
    let resources =
        [health::routes, metrics::routes, openapi::routes, answers::routes, braintrust::routes, page::routes];
    resources.into_iter().flat_map(|resource| resource()).collect()
}

/// The router over the tables.
pub(crate) fn router(app: App) -> Router {
    let mut router = Router::new();
    for route in routes() {
        let (path, handler) = (route.path, route.handler.clone());
        let layer = from_fn_with_state((app.clone(), Arc::new(route)), admit);
        router = router.route(path, handler.layer(layer));
    }
    let compression = DefaultPredicate::new().and(NotForContentType::const_new(PARQUET));
    let layers = ServiceBuilder::new()
        .layer(from_fn_with_state(app.clone(), observe))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(from_fn_with_state(app.clone(), guarded))
        .layer(CompressionLayer::new().compress_when(compression));
    router.fallback(no_route).method_not_allowed_fallback(no_method).layer(layers).with_state(app)
}

/// Lets a request in to its route: who sends it may, and what it gives is what the route takes.
async fn admit(State((app, route)): State<(App, Arc<Route>)>, request: Request, next: Next) -> Response {
    let request = match admitted(&app, &route, request).await {
        Ok(request) => request,
        Err(error) => return error.into_response(),
    };
    let caller = request.extensions().get::<Caller>().cloned();
    let mut response = next.run(request).await;
    if let Some(caller) = caller {
        // For the log.
        response.extensions_mut().insert(caller);
    }
    response
}

async fn admitted(app: &App, route: &Route, request: Request) -> Result<Request, ApiError> {
    let (mut parts, body) = request.into_parts();
    if route.access != Access::Open {
        let caller = app.auth().caller(&parts.headers).await?;
        caller.admit(route.access)?;
        parts.extensions.insert(caller);
    }
    let path = given::path_of(&mut parts).await?;
    let given = Given::read(path, parts.uri.query(), route.query)?;
    parts.extensions.insert(given);
    Ok(Request::from_parts(parts, body))
}

/// Refuses what is not meant for this server, and gives up what takes too long.
async fn guarded(State(app): State<App>, request: Request, next: Next) -> Response {
    if let Err(error) = app.guard().check(request.uri(), request.headers()) {
        return error.into_response();
    }
    let limits = app.limits();
    let mut limit = limits.request_time;
    if ![Method::GET, Method::HEAD, Method::DELETE].contains(request.method()) {
        // The longest that a body may take to come.
        limit += limits.body_time + Duration::from_secs(limits.body_bytes as u64 / SLOWEST_RATE);
    }
    match tokio::time::timeout(limit, next.run(request)).await {
        Ok(response) => response,
        Err(_) => {
            let message = format!("the request took longer than its limit of {} seconds", limit.as_secs_f64());
            let error = ApiError::new(StatusCode::SERVICE_UNAVAILABLE, message);
            error.retry_after(Duration::from_secs(5)).into_response()
        }
    }
}

async fn no_route() -> ApiError {
    ApiError::not_found("there is nothing at this path").with_hint("GET /openapi.json lists what there is")
}

async fn no_method(request: Request) -> ApiError {
    let message = format!("this path takes no {} requests", known_method(request.method()));
    ApiError::new(StatusCode::METHOD_NOT_ALLOWED, message).with_hint("GET /openapi.json lists what there is")
}

/// A method that a client made up is not repeated to it.
fn known_method(method: &Method) -> &str {
    if method.as_str().len() <= 10 { method.as_str() } else { "such" }
}

fn panicked(_: Box<dyn Any + Send>) -> Response {
    ApiError::fault("a handler panicked").into_response()
}
