//! Requests, checked and split into rows.

use uuid::Uuid;

use crate::body::{Listed, listed};
use crate::controls::Controls;
use crate::fault::{FaultReason, RowFault};
use crate::object::ObjectRef;
use crate::row::Row;
use crate::text::{check, raw};

/// What a request may hold.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Levels of arrays and objects in a row; the row itself is the first.
    pub depth: usize,
    /// Rows in a request.
    pub rows: usize,
    /// Bytes of one row.
    pub row_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { depth: 200, rows: 100_000, row_bytes: 64 << 20 }
    }
}

/// A row on its way into the journal.
#[derive(Debug, Clone)]
pub struct Incoming {
    /// The object it belongs to.
    pub object: ObjectRef,
    /// Its id within the object.
    pub id: String,
    /// The trace it says it belongs to.
    pub root_span_id: Option<String>,
    /// The span it says it is.
    pub span_id: Option<String>,
    /// The row, controls included.
    pub row: Row,
}

impl Incoming {
    /// Checks the ids and controls of a row. One without an id gets one.
    ///
    /// # Errors
    /// When a field that the journal understands has the wrong type.
    pub fn new(object: ObjectRef, mut row: Row) -> Result<Self, RowFault> {
        Controls::of(&row)?;
        let id = match row.name("id")? {
            Some(id) => id,
            None => {
                let id = Uuid::new_v4().to_string();
                row.set("id", raw(&id));
                id
            }
        };
        Ok(Self { object, id, root_span_id: row.name("root_span_id")?, span_id: row.name("span_id")?, row })
    }
}

/// The rows of a `POST /logs3` body, `{"rows": […], "api_version": 2}`; each names its object.
///
/// # Errors
/// When anything in the request is at fault.
pub fn split_request(body: &[u8], limits: &Limits) -> Result<Vec<Incoming>, RowFault> {
    split(body, "rows", limits, ObjectRef::of)
}

/// The rows of a body that lists events of one object, as `{"events": […]}` does.
///
/// # Errors
/// When anything in the request is at fault.
pub fn split_events(body: &[u8], list: &str, object: &ObjectRef, limits: &Limits) -> Result<Vec<Incoming>, RowFault> {
    split(body, list, limits, |_| Ok(object.clone()))
}

fn split(
    body: &[u8],
    list: &str,
    limits: &Limits,
    object_of: impl Fn(&Row) -> Result<ObjectRef, RowFault>,
) -> Result<Vec<Incoming>, RowFault> {
    let rows = read_rows(body, list, limits)?.into_iter().enumerate();
    rows.map(|(index, row)| object_of(&row).and_then(|object| Incoming::new(object, row)).map_err(|e| e.at(index)))
        .collect()
}

/// The rows in the field `list` of a body, within the limits and not looked at any further: what
/// feedback needs, whose items become rows only after they are rewritten.
///
/// # Errors
/// When the body is not `{"<list>": [{…}, …]}`, or a row goes beyond a limit.
pub fn read_rows(body: &[u8], list: &str, limits: &Limits) -> Result<Vec<Row>, RowFault> {
    let body = str::from_utf8(body).map_err(|error| FaultReason::Syntax(error.to_string()))?;
    let rows = match listed(body, list) {
        Ok(Listed::Items(rows)) => rows,
        Ok(Listed::Overflow) => return Err(FaultReason::Overflow.of_field(list)),
        Ok(Listed::NoList) => return Err(FaultReason::Expected("a list of rows").of_field(list)),
        Err(error) if error.is_data() => return Err(FaultReason::Expected("an object").into()),
        Err(error) => return Err(FaultReason::Syntax(error.to_string()).into()),
    };
    if rows.len() > limits.rows {
        return Err(FaultReason::TooMany { rows: rows.len(), limit: limits.rows }.into());
    }
    rows.into_iter().enumerate().map(|(index, row)| read_row(row, limits).map_err(|e| e.at(index))).collect()
}

fn read_row(json: &str, limits: &Limits) -> Result<Row, RowFault> {
    if json.len() > limits.row_bytes {
        return Err(FaultReason::TooLarge { bytes: json.len(), limit: limits.row_bytes }.into());
    }
    let row = Row::parse(json)?;
    for (field, value) in row.iter() {
        check(value.get(), limits.depth.saturating_sub(1)).map_err(|reason| match reason {
            FaultReason::TooDeep { .. } => FaultReason::TooDeep { limit: limits.depth }.of_field(field),
            reason => reason.of_field(field),
        })?;
    }
    Ok(row)
}
