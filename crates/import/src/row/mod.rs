//! From the text of one row to a span.
//!
//! A row has the shape that Braintrust's SDKs log: `fields` sorts its keys, `values` reads the
//! typed ones, `number` knows which of them no float holds, `span` puts the span together.

mod fields;
mod names;
mod number;
mod span;
mod time;
mod values;

pub(crate) use fields::Fields;
pub(crate) use names::Names;
pub(crate) use span::{Row, RowIdentity, RowParser, identity_of};
pub(crate) use time::{parse_number as parse_time_number, parse_text as parse_time_text};
