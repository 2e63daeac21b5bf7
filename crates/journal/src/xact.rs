//! Transaction ids: 64 bits, decimal of fixed width, growing.
//!
//! The top 16 bits are `0x0DE1`; below are 32 bits of Unix seconds and a counter of 16, as in the ids
//! that the protocol's clients know. Sixteen hex digits are another spelling of the same id.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

const PREFIX: u64 = 0x0DE1 << 48;
const LOW_BITS: u64 = (1 << 48) - 1;
/// Undoes the scrambling of the hex spelling, modulo 2^64.
const HEX_FACTOR: u64 = 1_522_336_535_492_693_385;
const DIGITS: usize = 19;

/// Gives out ids, each larger than all before.
#[derive(Debug)]
pub struct XactClock {
    last: AtomicU64,
}

impl XactClock {
    /// A clock whose ids are larger than `last`.
    pub fn after(last: u64) -> Self {
        Self { last: AtomicU64::new(last) }
    }

    /// The next id: the time where the clock has moved on, else one more than the last.
    pub fn next(&self) -> u64 {
        let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |elapsed| elapsed.as_secs());
        let now = PREFIX | ((seconds << 16) & LOW_BITS);
        let larger = |last: u64| Some(now.max(last.saturating_add(1)));
        let last = self.last.fetch_update(Ordering::SeqCst, Ordering::SeqCst, larger).unwrap_or_else(|last| last);
        now.max(last.saturating_add(1))
    }

    /// The newest id given out, or known from before.
    pub fn current(&self) -> u64 {
        self.last.load(Ordering::SeqCst)
    }

    /// Makes later ids larger than `xact`.
    pub fn advance_to(&self, xact: u64) {
        self.last.fetch_max(xact, Ordering::SeqCst);
    }
}

/// An id as the protocol writes it.
pub fn format(xact: u64) -> String {
    format!("{xact:0>DIGITS$}")
}

/// Reads an id: decimal, or sixteen hex digits.
pub fn parse(text: &str) -> Option<u64> {
    let is_hex = text.len() == 16 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_hex {
        let scrambled = u64::from_str_radix(text, 16).ok()?;
        return Some((scrambled.wrapping_mul(HEX_FACTOR) & LOW_BITS) | PREFIX);
    }
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    text.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_grow_and_keep_their_width() {
        let clock = XactClock::after(0);
        let ids: Vec<u64> = (0..100_000).map(|_| clock.next()).collect();
        assert!(ids.windows(2).all(|pair| pair[0] < pair[1]));
        assert!(ids.iter().all(|id| format(*id).len() == 19 && parse(&format(*id)) == Some(*id)));
        clock.advance_to(u64::MAX - 5);
        assert_eq!(clock.next(), u64::MAX - 4);
    }

    #[test]
    fn what_is_no_id_is_none() {
        for text in ["", "-1", "1e3", "99999999999999999999999", "x", "１"] {
            assert_eq!(parse(text), None, "{text}");
        }
        assert_eq!(parse("0000000000000005"), Some((5u64.wrapping_mul(HEX_FACTOR) & LOW_BITS) | PREFIX));
    }
}
