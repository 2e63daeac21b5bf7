//! Transaction ids: one for each write request, growing, always 19 decimal digits.

use std::time::{SystemTime, UNIX_EPOCH};

/// The top 16 bits of every id. They make the decimal text 19 digits wide, now and in a hundred years,
/// so that ids can be compared as text.
const PREFIX: u64 = 0x0DE1 << 48;
/// The 48 bits below: unix seconds and a counter.
const BELOW_PREFIX: u64 = (1 << 48) - 1;
/// Undoes the multiplication that makes the 16-digit form look random.
const VERSION_FACTOR: u64 = 1_522_336_535_492_693_385;

/// Gives out transaction ids, each greater than all before, whatever the system clock does.
#[derive(Debug)]
pub struct XactClock {
    current: u64,
}

impl XactClock {
    /// A clock whose next id is greater than `at_least`.
    pub fn new(at_least: u64) -> Self {
        let mut clock = Self { current: PREFIX };
        clock.advance_to(at_least);
        clock
    }

    /// The last id given out or advanced to.
    pub fn current(&self) -> u64 {
        self.current
    }

    /// The next id.
    pub fn tick(&mut self) -> u64 {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        self.tick_at(since_epoch.as_secs())
    }

    /// Makes every later id greater than `xact`, which was given out elsewhere.
    pub fn advance_to(&mut self, xact: u64) {
        self.current = self.current.max(xact.min(PREFIX | BELOW_PREFIX));
    }

    /// A counter that overflows borrows from the seconds that come, until the clock has caught up.
    fn tick_at(&mut self, unix_seconds: u64) -> u64 {
        let first_of_second = PREFIX | unix_seconds.min(BELOW_PREFIX >> 16) << 16;
        self.current = first_of_second.max(self.current + 1);
        self.current
    }
}

/// The text is no transaction id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0:.40}` is no transaction id: it is written as decimal digits, or as a version of 16 hex digits")]
pub struct InvalidXact(String);

/// The decimal text of an id, as rows carry it in `_xact_id`.
pub fn format_xact(xact: u64) -> String {
    format!("{xact:019}")
}

/// Reads an id from its decimal text, or from the version form of 16 hex digits.
///
/// # Errors
/// When the text is neither.
pub fn parse_xact(text: &str) -> Result<u64, InvalidXact> {
    let invalid = || InvalidXact(text.to_owned());
    // `from_str_radix` would take a sign.
    if !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(invalid());
    }
    if text.len() == 16 {
        let version = u64::from_str_radix(text, 16).map_err(|_| invalid())?;
        return Ok(PREFIX | version.wrapping_mul(VERSION_FACTOR) & BELOW_PREFIX);
    }
    text.parse().map_err(|_| invalid())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_grow_while_the_clock_stands_goes_back_and_the_counter_overflows() {
        let mut clock = XactClock::new(0);
        let mut last = clock.current();
        let seconds = std::iter::repeat_n(1_700_000_000, 70_000).chain([1_600_000_000, 0, u64::MAX, 5]);
        for second in seconds {
            let xact = clock.tick_at(second);
            assert!(xact > last, "{xact} after {last}");
            assert_eq!(format_xact(xact).len(), 19);
            last = xact;
        }
        clock.advance_to(3);
        assert_eq!(clock.current(), last);
    }

    #[test]
    fn an_id_is_made_of_seconds_and_a_counter() {
        let mut clock = XactClock::new(0);
        assert_eq!(clock.tick_at(1_700_000_000), 0x0DE1 << 48 | 1_700_000_000 << 16);
        assert_eq!(clock.tick_at(1_700_000_000) & 0xFFFF, 1);
        assert_eq!(XactClock::new(u64::MAX).current(), 0x0DE1_FFFF_FFFF_FFFF);
    }

    #[test]
    fn ids_are_read_in_both_forms() {
        let xact = 1_000_192_656_880_881_099;
        assert_eq!(parse_xact(&format_xact(xact)), Ok(xact));
        // The factor's inverse, as both SDKs write versions with.
        let version = format!("{:016x}", xact.wrapping_mul(205_891_132_094_649));
        assert_eq!(parse_xact(&version), Ok(xact));
        assert_eq!(parse_xact(&version.to_uppercase()), Ok(xact));
        for text in ["", "-5", "+5", "abc", "99999999999999999999", "+123456789abcdef", "é"] {
            assert!(parse_xact(text).is_err(), "{text}");
        }
    }
}
