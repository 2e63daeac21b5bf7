//! One span as an importer hands it to the store.

use std::sync::Arc;

/// One step of a trace: the root of a test case, a task, a model call, a tool call, a scorer.
///
/// JSON-valued fields hold valid JSON text; `None` and the text `null` both mean SQL NULL. Names of
/// scores and metrics are shared, because a file repeats few names many times.
#[derive(Debug, Clone, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Span {
    /// Row id, unique within the experiment. Not the span id.
    pub id: String,
    /// Span id, unique within the experiment.
    pub span_id: String,
    /// Trace id: equal on all spans of one test case. Need not equal the root's `span_id`.
    pub root_span_id: String,
    /// Ids of the parents; empty on a root.
    pub span_parents: Vec<String>,
    /// True for the one span of a trace without parents.
    pub is_root: bool,
    /// Position in the source, from 0. Keeps the source's order and breaks ties.
    pub position: i64,
    /// Line of the source that holds the row, from 1; for messages only, 0 when there is none.
    pub line: u64,
    /// Version of the row (`_xact_id`), 0 when the source has none. Of rows with one `id` the largest
    /// version is kept; two rows of one version are a duplicate.
    pub version: u64,
    /// True on a tombstone (`_object_delete`): the row and its older versions are dropped.
    pub deleted: bool,
    /// Creation time in microseconds since the Unix epoch, UTC.
    pub created: Option<i64>,
    /// `span_attributes.name`.
    pub name: Option<String>,
    /// `span_attributes.type`: `eval`, `task`, `llm`, `tool`, `function`, `score`, …
    pub span_type: Option<String>,
    /// `span_attributes.purpose`: `scorer` or nothing. As logged; inheritance is the store's work.
    pub purpose: Option<String>,
    /// The whole `span_attributes` object, JSON text.
    pub span_attributes: Option<String>,
    /// Start in seconds since the Unix epoch (`metrics.start`).
    pub start: Option<f64>,
    /// End in seconds since the Unix epoch (`metrics.end`).
    pub end: Option<f64>,
    /// JSON text.
    pub input: Option<String>,
    /// JSON text.
    pub output: Option<String>,
    /// JSON text.
    pub expected: Option<String>,
    /// JSON text.
    pub error: Option<String>,
    /// JSON text of an object.
    pub metadata: Option<String>,
    /// JSON text.
    pub context: Option<String>,
    /// JSON text.
    pub origin: Option<String>,
    /// Tags, `None` when the source had none.
    pub tags: Option<Vec<String>>,
    /// Scores as logged on this span: finite, or `None` for "scored, but no value".
    pub scores: Vec<(Arc<str>, Option<f64>)>,
    /// Metrics as logged on this span, `start` and `end` included.
    pub metrics: Vec<(Arc<str>, f64)>,
    /// Fields of the source row that have no column of their own, JSON text of an object.
    pub extra: Option<String>,
}

/// The span types whose meaning evalhouse uses; any other type is kept as text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SpanType {
    /// The root of a test case.
    Eval,
    /// The task under test; its duration is the duration of the case.
    Task,
    /// A model call.
    Llm,
    /// A tool call.
    Tool,
    /// A scorer.
    Score,
    /// Anything else.
    Other,
}

impl SpanType {
    /// Reads a `span_attributes.type`.
    pub fn parse(text: Option<&str>) -> Self {
        match text {
            Some("eval") => Self::Eval,
            Some("task") => Self::Task,
            Some("llm") => Self::Llm,
            Some("tool") => Self::Tool,
            Some("score") => Self::Score,
            _ => Self::Other,
        }
    }
}
