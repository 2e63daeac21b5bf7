//! What surrounds every request: its id, its line in the log, its place in the counters.

use std::pin::Pin;
use std::sync::atomic::AtomicU64;
use std::task::{Context, Poll};
use std::time::Instant;

use axum::body::{Body, HttpBody};
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderName, HeaderValue, Method};
use axum::middleware::Next;
use axum::response::Response;
use bytes::Bytes;
use hyper::body::{Frame, SizeHint};
use prometheus_client::metrics::counter::Counter;
use uuid::Uuid;

use crate::app::App;
use crate::auth::Caller;
use crate::error::Fault;
use crate::metrics::{RequestLabels, RouteLabels};

/// Names a request in the answer and in the log.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// The route of a request that no route is for.
const NO_ROUTE: &str = "none";

/// Counts and logs a request.
pub(crate) async fn observe(State(app): State<App>, request: Request, next: Next) -> Response {
    let started = Instant::now();
    let id = Uuid::new_v4().simple().to_string();
    let method = known(request.method());
    // The path itself may have names in it that are nobody's business; the route has none.
    let route = request.extensions().get::<MatchedPath>().map_or(NO_ROUTE, MatchedPath::as_str).to_string();
    let request = request.map(|body| Body::new(Counted { body, counter: app.metrics().bytes_in.clone() }));

    let mut response = next.run(request).await;

    let seconds = started.elapsed().as_secs_f64();
    let status = response.status().as_u16();
    let labels = RequestLabels { method, route: route.clone(), status };
    app.metrics().requests.get_or_create(&labels).inc();
    app.metrics().latency.get_or_create(&RouteLabels { method, route: route.clone() }).observe(seconds);
    let key = response.extensions_mut().remove::<Caller>();
    let key = key.as_ref().map_or("", Caller::name);
    let milliseconds = (seconds * 1e6).round() / 1e3;
    match (response.extensions_mut().remove::<Fault>(), status) {
        (Some(Fault(fault)), _) => tracing::error!(id, method, route, status, milliseconds, key, fault, "request"),
        (None, 500..) => tracing::error!(id, method, route, status, milliseconds, key, "request"),
        (None, 401 | 403 | 429) => tracing::warn!(id, method, route, status, milliseconds, key, "request"),
        (None, _) => tracing::info!(id, method, route, status, milliseconds, key, "request"),
    }
    if let Ok(id) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    response.map(|body| Body::new(Counted { body, counter: app.metrics().bytes_out.clone() }))
}

/// The methods that have counters; a client can make up others without end.
fn known(method: &Method) -> &'static str {
    let names = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
    names.into_iter().find(|name| *name == method.as_str()).unwrap_or("OTHER")
}

/// A body whose bytes are counted as they pass.
struct Counted {
    body: Body,
    counter: Counter<u64, AtomicU64>,
}

impl HttpBody for Counted {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let frame = Pin::new(&mut self.body).poll_frame(context);
        if let Poll::Ready(Some(Ok(frame))) = &frame
            && let Some(data) = frame.data_ref()
        {
            self.counter.inc_by(data.len() as u64);
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
