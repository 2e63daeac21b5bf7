//! Text tables: CSV and its relatives.

use csv::{Reader, ReaderBuilder};

/// What may stand between two cells.
const DELIMITERS: [u8; 3] = [b',', b';', b'\t'];

/// Names of the columns, if a text starts with a header line and has at least two columns.
pub(crate) fn header(text: &str) -> Option<Vec<String>> {
    let delimiter = delimiter(text)?;
    let mut reader = builder(delimiter).from_reader(text.as_bytes());
    let names: Vec<String> = reader.headers().ok()?.iter().map(str::to_string).collect();
    let is_header = names.len() > 1 && names.iter().all(|name| name.len() <= 200 && !name.contains('\0'));
    is_header.then_some(names)
}

/// The delimiter that the first line has most of.
pub(crate) fn delimiter(text: &str) -> Option<u8> {
    let line = text.lines().next()?;
    let count = |delimiter: &u8| line.bytes().filter(|byte| byte == delimiter).count();
    DELIMITERS.into_iter().filter(|delimiter| count(delimiter) > 0).max_by_key(count)
}

/// A reader of cells as RFC 4180 has them; rows may have fewer or more cells than the header.
pub(crate) fn builder(delimiter: u8) -> ReaderBuilder {
    let mut builder = ReaderBuilder::new();
    builder.delimiter(delimiter).flexible(true);
    builder
}

/// A reader over a text whose delimiter is known.
pub(crate) fn reader<R: std::io::Read>(source: R, delimiter: u8) -> Reader<R> {
    builder(delimiter).from_reader(source)
}
