//! From bytes to the text of single rows.
//!
//! [`Input`] undoes the compression and counts and hashes what is read; [`Window`] is the one
//! buffer over it; [`Lines`](lines) and [`Document`](document) find the rows in the window, and
//! [`sniff()`] decides which of them a source needs. [`JsonStream`] walks a document that is one
//! value.

mod document;
mod input;
mod json_stream;
mod lines;
mod sniff;
mod window;

pub(crate) use document::Document;
pub(crate) use input::{Input, Meter};
pub(crate) use json_stream::JsonStream;
pub(crate) use lines::next_line;
pub(crate) use sniff::{Seen, Shape, Verdict, sniff};
pub(crate) use window::{Piece, Window};
