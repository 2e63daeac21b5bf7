//! Rows that are lines.

use super::{Piece, Window};
use crate::error::Fault;
use crate::reason;

/// The next line that is not blank.
///
/// A line that is too long is passed whole, so that the reader may go on behind it.
pub(crate) fn next_line(window: &mut Window) -> Result<Option<Piece>, Fault> {
    let mut searched = 0;
    loop {
        if let Some(offset) = memchr::memchr(b'\n', &window.bytes()[searched..]) {
            let piece = take(window, searched + offset, true);
            window.consume(1);
            window.line += 1;
            searched = 0;
            if !is_blank(window.piece(&piece)) {
                return Ok(Some(piece));
            }
            continue;
        }
        searched = window.bytes().len();
        if window.is_row_too_long() {
            return Err(pass_long_line(window));
        }
        if !window.fill()? {
            let piece = take(window, searched, false);
            return Ok(if is_blank(window.piece(&piece)) { None } else { Some(piece) });
        }
    }
}

fn take(window: &mut Window, length: usize, terminated: bool) -> Piece {
    let piece = Piece { range: window.range(length), line: window.line, row: None, terminated };
    window.consume(length);
    piece
}

fn is_blank(line: &[u8]) -> bool {
    line.iter().all(|byte| matches!(byte, b' ' | b'\t' | b'\r'))
}

fn pass_long_line(window: &mut Window) -> Fault {
    let message = format!("the row is longer than {} MiB", window.row_bytes_max() >> 20);
    let fault = Fault::row(reason::TOO_LONG, message).at(window.line, None);
    loop {
        match memchr::memchr(b'\n', window.bytes()) {
            Some(offset) => {
                window.consume(offset + 1);
                window.line += 1;
                return fault;
            }
            None => window.consume(window.bytes().len()),
        }
        match window.fill() {
            Ok(true) => {}
            Ok(false) => return fault,
            Err(worse) => return worse,
        }
    }
}
