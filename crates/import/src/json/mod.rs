//! JSON as files of eval results really hold it: a strict scanner that finds values without
//! building them, and the few rewrites that make their text storable.
//!
//! The scanner accepts what JSON allows and, besides, the bare tokens `NaN`, `Infinity` and
//! `-Infinity` that Python writes. It builds no tree: a value is the slice of its text. So one pass
//! over a row checks all of it, and fields that are stored as text are copied once.

mod access;
mod object;
mod scan;
mod text;
mod value;

pub(crate) use object::{ObjectText, array, quoted};
pub(crate) use scan::Scanner;
pub(crate) use text::{push_json, to_json, unquote};
pub(crate) use value::{Kind, ScanError, ScanErrorKind, Value};
