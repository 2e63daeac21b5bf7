//! The body of a write request, cut into rows.

use std::collections::HashMap;

use serde_json::value::RawValue;

use crate::RowFault;
use crate::row::{Controls, Row};

/// Which rows belong together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ObjectKind {
    /// Spans of an experiment.
    Experiment,
    /// Records of a dataset.
    Dataset,
    /// Spans of a project's logs.
    ProjectLogs,
}

/// The object that a row belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ObjectRef {
    /// What it is.
    pub kind: ObjectKind,
    /// Its id; of logs, the project's.
    pub id: String,
}

impl std::fmt::Display for ObjectRef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let kind = match self.kind {
            ObjectKind::Experiment => "experiment",
            ObjectKind::Dataset => "dataset",
            ObjectKind::ProjectLogs => "project",
        };
        write!(f, "{kind} `{}`", self.id)
    }
}

/// What a request may hold.
#[derive(Debug, Clone, Copy)]
pub struct SplitOptions {
    /// How deep values may nest.
    pub depth_max: usize,
    /// Rows of one request.
    pub rows_max: usize,
}

impl Default for SplitOptions {
    fn default() -> Self {
        // One level is the request's, one its list of rows, one the row's.
        Self { depth_max: 120, rows_max: 100_000 }
    }
}

/// One row of a request.
#[derive(Debug, Clone)]
pub struct Incoming {
    /// Whose it is.
    pub object: ObjectRef,
    /// Its id.
    pub id: String,
    /// The trace that it says it belongs to.
    pub root_span_id: Option<String>,
    /// What it asks for.
    pub controls: Controls,
    /// Its fields.
    pub row: Row,
}

/// Cuts the body `{"rows": [row, …]}` of a write request into rows.
///
/// # Errors
/// Names the row and the field that cannot be taken.
pub fn split(body: &[u8], options: SplitOptions) -> Result<Vec<Incoming>, RowFault> {
    let text = std::str::from_utf8(body)
        .map_err(|error| RowFault::new(format!("the request is no UTF-8 at byte {}", error.valid_up_to())))?;
    check_depth(text, options.depth_max)?;
    let request: HashMap<&str, &RawValue> = serde_json::from_str(text)
        .or_else(|_| serde_json::from_str::<HashMap<String, &RawValue>>(text).map(|_| HashMap::new()))
        .map_err(|error| RowFault::new(format!("the request is no JSON object: {error}")))?;
    let Some(rows) = request.get("rows") else { return Err(RowFault::field("rows", "is missing: a list of rows")) };
    if rows.get().starts_with('{') {
        return Err(RowFault::field("rows", "refers to an upload; this server takes rows in the request, whole"));
    }
    let rows: Vec<&RawValue> =
        serde_json::from_str(rows.get()).map_err(|_| RowFault::field("rows", "is a list of rows"))?;
    if rows.len() > options.rows_max {
        let reason = format!("has {} rows, and a request may have {}", rows.len(), options.rows_max);
        return Err(RowFault::field("rows", reason));
    }
    let read = |(index, raw): (usize, &&RawValue)| {
        let row = Row::parse(raw.get()).map_err(|fault| fault.at(index))?;
        let object = object_of(&row).map_err(|fault| fault.at(index))?;
        incoming(object, row).map_err(|fault| fault.at(index))
    };
    rows.iter().enumerate().map(read).collect()
}

/// A row of an object, with the id that it needs.
///
/// # Errors
/// When an id or a control field has the wrong type.
pub fn incoming(object: ObjectRef, mut row: Row) -> Result<Incoming, RowFault> {
    let controls = row.controls()?;
    let id = match string(&row, "id")? {
        Some(id) => id,
        None => {
            let id = uuid::Uuid::new_v4().to_string();
            row.set("id", &id.as_str().into());
            id
        }
    };
    let root_span_id = string(&row, "root_span_id")?;
    Ok(Incoming { object, id, root_span_id, controls, row })
}

fn object_of(row: &Row) -> Result<ObjectRef, RowFault> {
    if let Some(id) = string(row, "experiment_id")? {
        return Ok(ObjectRef { kind: ObjectKind::Experiment, id });
    }
    if let Some(id) = string(row, "dataset_id")? {
        return Ok(ObjectRef { kind: ObjectKind::Dataset, id });
    }
    match (string(row, "project_id")?, string(row, "log_id")?.as_deref()) {
        (Some(id), Some("g")) => Ok(ObjectRef { kind: ObjectKind::ProjectLogs, id }),
        _ => Err(RowFault::new(
            "belongs to nothing: it needs `experiment_id`, `dataset_id`, or `project_id` with `log_id` \"g\"",
        )),
    }
}

fn string(row: &Row, name: &str) -> Result<Option<String>, RowFault> {
    let Some(raw) = row.get(name).filter(|raw| !matches!(raw.get(), "null" | "\"\"")) else { return Ok(None) };
    serde_json::from_str(raw.get()).map(Some).map_err(|_| RowFault::field(name, "is text"))
}

/// Refuses values that nest too deep before anything recursive looks at them.
fn check_depth(text: &str, depth_max: usize) -> Result<(), RowFault> {
    let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
    for byte in text.bytes() {
        if in_string {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => in_string = false,
                _ => {}
            }
            continue;
        }
        match byte {
            b'"' => in_string = true,
            b'{' | b'[' => {
                depth += 1;
                if depth > depth_max {
                    return Err(RowFault::new(format!("values nest deeper than {depth_max} levels")));
                }
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    Ok(())
}
