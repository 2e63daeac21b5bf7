//! One trace.

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

/// One trace, spans in depth-first order.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Trace {
    /// Project name.
    pub project: String,
    /// Experiment name.
    pub experiment: String,
    /// Row id of the root.
    pub id: String,
    /// Trace id.
    pub root_span_id: String,
    /// Trial index.
    pub trial: i64,
    /// Scores of the case, rolled up.
    pub scores: IndexMap<String, Option<f64>>,
    /// Metrics of the case, rolled up.
    pub metrics: IndexMap<String, f64>,
    /// Every span; children follow their parent.
    pub spans: Vec<TraceSpan>,
}

/// One span of a trace.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct TraceSpan {
    /// Row id.
    pub id: String,
    /// Span id.
    pub span_id: String,
    /// Depth below the root, which has 0.
    pub depth: usize,
    /// Span name.
    pub name: Option<String>,
    /// Span type.
    #[serde(rename = "type")]
    pub span_type: Option<String>,
    /// `scorer` on a scorer and below one.
    pub purpose: Option<String>,
    /// Seconds since the trace started.
    pub offset: Option<f64>,
    /// Seconds.
    pub duration: Option<f64>,
    /// Total tokens of this span alone.
    pub tokens: Option<f64>,
    /// Cost in dollars of this span alone.
    pub cost: Option<f64>,
    /// Scores as logged on this span.
    pub scores: IndexMap<String, Option<f64>>,
    /// Metrics as logged on this span.
    pub metrics: IndexMap<String, f64>,
    /// Error, JSON.
    pub error: Option<serde_json::Value>,
    /// Input, JSON.
    pub input: Option<serde_json::Value>,
    /// Output, JSON.
    pub output: Option<serde_json::Value>,
    /// Expected, JSON.
    pub expected: Option<serde_json::Value>,
    /// Metadata, JSON.
    pub metadata: Option<serde_json::Value>,
    /// Tags.
    pub tags: Vec<String>,
}
