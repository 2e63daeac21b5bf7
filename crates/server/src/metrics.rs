//! Counters for Prometheus.

use std::sync::atomic::AtomicU64;

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};

use crate::app::App;
use crate::error::ApiError;
use crate::route::Route;

/// The media type of the answer.
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
/// Upper ends of the latency buckets, in seconds.
const BUCKETS: [f64; 13] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 60.0];

/// What was asked, and how it went.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct RequestLabels {
    pub(crate) method: &'static str,
    pub(crate) route: String,
    pub(crate) status: u16,
}

/// What was asked.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct RouteLabels {
    pub(crate) method: &'static str,
    pub(crate) route: String,
}

/// Everything that is counted.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    pub(crate) requests: Family<RequestLabels, Counter>,
    pub(crate) latency: Family<RouteLabels, Histogram, fn() -> Histogram>,
    pub(crate) bytes_in: Counter<u64, AtomicU64>,
    pub(crate) bytes_out: Counter<u64, AtomicU64>,
    pub(crate) connections: Gauge,
    pub(crate) queries_running: Gauge,
    pub(crate) queries_waiting: Gauge,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("evalhouse");
        let build = Info::new([("version", env!("CARGO_PKG_VERSION"))]);
        registry.register("build", "The program", build);
        let metrics = Self {
            registry: Registry::default(),
            requests: Family::default(),
            latency: Family::new_with_constructor(|| Histogram::new(BUCKETS)),
            bytes_in: Counter::default(),
            bytes_out: Counter::default(),
            connections: Gauge::default(),
            queries_running: Gauge::default(),
            queries_waiting: Gauge::default(),
        };
        registry.register("http_requests", "Requests answered", metrics.requests.clone());
        let about = "Time until the head of the answer";
        registry.register_with_unit("http_request_duration", about, Unit::Seconds, metrics.latency.clone());
        registry.register_with_unit("http_received", "Bytes of bodies received", Unit::Bytes, metrics.bytes_in.clone());
        registry.register_with_unit("http_sent", "Bytes of bodies sent", Unit::Bytes, metrics.bytes_out.clone());
        registry.register("http_connections", "Connections open", metrics.connections.clone());
        registry.register("queries_running", "Queries that run", metrics.queries_running.clone());
        registry.register("queries_waiting", "Queries that wait for room", metrics.queries_waiting.clone());
        Self { registry, ..metrics }
    }
}

/// The routes of this resource.
pub(crate) fn routes() -> Vec<Route> {
    vec![Route::get("/metrics", "Counters in the text format of Prometheus", show).answers_text(OPEN_METRICS)]
}

async fn show(State(app): State<App>) -> Result<Response, ApiError> {
    let mut text = String::new();
    encode(&mut text, &app.metrics().registry).map_err(|_| ApiError::fault("metrics: cannot be written"))?;
    Ok((StatusCode::OK, [(CONTENT_TYPE, OPEN_METRICS)], text).into_response())
}
