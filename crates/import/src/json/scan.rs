//! The scanner: one pass, no tree, no recursion.

use super::text::value_length;
use super::value::{Kind, ScanError, ScanErrorKind, Value};

/// How deep values may nest, the row itself being the first level.
const DEPTH_MAX: u32 = 128;

/// Walks a text. Start it at the first byte of a value or of white space.
#[derive(Debug)]
pub(crate) struct Scanner<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
    depth: u32,
    nan: u32,
    lone_surrogates: u32,
    newlines: u32,
}

impl<'a> Scanner<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Self { text, bytes: text.as_bytes(), at: 0, depth: 0, nan: 0, lone_surrogates: 0, newlines: 0 }
    }

    /// Over the value of a row's field: the row itself is a level.
    pub(crate) fn of_field(text: &'a str) -> Self {
        Self { depth: 1, ..Self::new(text) }
    }

    /// The text that is left.
    pub(crate) fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    /// Whether white space passed so far held a line break.
    pub(crate) fn saw_newline(&self) -> bool {
        self.newlines > 0
    }

    /// Takes the next value, wherever it is.
    pub(crate) fn value(&mut self) -> Result<Value<'a>, ScanError> {
        self.skip_space();
        let (start, nan, lone, newlines) = (self.at, self.nan, self.lone_surrogates, self.newlines);
        let kind = match self.peek()? {
            b'{' => self.container(Kind::Object)?,
            b'[' => self.container(Kind::Array)?,
            _ => self.scalar()?,
        };
        Ok(Value {
            text: &self.text[start..self.at],
            kind,
            nan: self.nan - nan,
            lone_surrogates: self.lone_surrogates - lone,
            multiline: self.newlines != newlines,
        })
    }

    /// Takes the next value of a text that was checked before, and in which nothing had to be counted: a
    /// reader that goes down into a value passes what lies beside its way at the speed of memory.
    pub(crate) fn known_value(&mut self) -> Result<Value<'a>, ScanError> {
        self.skip_space();
        let (start, kind) = (self.at, Kind::of_first(self.peek()?));
        self.at += value_length(&self.bytes[start..]);
        Ok(Value { text: &self.text[start..self.at], kind, nan: 0, lone_surrogates: 0, multiline: false })
    }

    /// Enters an object: true when it has a first key. What follows is [`Self::key`] and
    /// [`Self::value`] until [`Self::more`] says that it is over.
    pub(crate) fn enter_object(&mut self) -> Result<bool, ScanError> {
        self.enter(b'{', b'}', "expected `{`")
    }

    /// Enters an array: true when it has a first element.
    pub(crate) fn enter_array(&mut self) -> Result<bool, ScanError> {
        self.enter(b'[', b']', "expected `[`")
    }

    fn enter(&mut self, open: u8, close: u8, expected: &'static str) -> Result<bool, ScanError> {
        self.skip_space();
        if self.peek()? != open {
            return Err(self.syntax(expected));
        }
        self.at += 1;
        self.skip_space();
        if self.peek()? == close {
            self.at += 1;
            return Ok(false);
        }
        self.depth += 1;
        Ok(true)
    }

    /// Takes a key with its colon; the value holds the key's text in quotes.
    pub(crate) fn key(&mut self) -> Result<Value<'a>, ScanError> {
        self.skip_space();
        let (start, lone) = (self.at, self.lone_surrogates);
        self.string_expected("expected a key in quotes")?;
        let text = &self.text[start..self.at];
        self.colon()?;
        let lone_surrogates = self.lone_surrogates - lone;
        Ok(Value { text, kind: Kind::String, nan: 0, lone_surrogates, multiline: false })
    }

    /// Passes the comma before another key or element, or leaves the container: false.
    pub(crate) fn more(&mut self, close: u8) -> Result<bool, ScanError> {
        self.skip_space();
        match self.peek()? {
            b',' => {
                self.at += 1;
                Ok(true)
            }
            byte if byte == close => {
                self.at += 1;
                self.depth -= 1;
                Ok(false)
            }
            _ => Err(self.syntax("expected `,` or a closing bracket")),
        }
    }

    /// Checks that nothing but white space is left.
    pub(crate) fn finish(&mut self) -> Result<(), ScanError> {
        self.skip_space();
        if self.at == self.bytes.len() { Ok(()) } else { Err(self.syntax("expected the end of the row")) }
    }

    /// The next byte, without taking it.
    pub(crate) fn peek(&self) -> Result<u8, ScanError> {
        self.bytes.get(self.at).copied().ok_or(ScanError { at: self.at, kind: ScanErrorKind::End })
    }

    pub(crate) fn skip_space(&mut self) {
        while let Some(byte) = self.bytes.get(self.at) {
            match byte {
                b' ' | b'\t' => {}
                b'\n' | b'\r' => self.newlines += 1,
                _ => return,
            }
            self.at += 1;
        }
    }

    /// Passes a whole object or array. Open containers are bits of a word: 1 for an object.
    fn container(&mut self, kind: Kind) -> Result<Kind, ScanError> {
        let (mut objects, mut open) = (0_u128, 0_u32);
        loop {
            let byte = self.peek()?;
            if byte == b'{' || byte == b'[' {
                let is_object = byte == b'{';
                self.at += 1;
                self.skip_space();
                if self.depth + open + 1 > DEPTH_MAX {
                    return Err(ScanError { at: self.at, kind: ScanErrorKind::TooDeep });
                }
                if self.peek()? != if is_object { b'}' } else { b']' } {
                    objects = objects << 1 | u128::from(is_object);
                    open += 1;
                    if is_object {
                        self.key_passed()?;
                    }
                    continue;
                }
                self.at += 1;
            } else {
                self.scalar()?;
            }
            if self.leave(&mut objects, &mut open)? {
                return Ok(kind);
            }
        }
    }

    /// After a value: closes what closes here, and stops before the next value. True when the
    /// outermost container is closed.
    fn leave(&mut self, objects: &mut u128, open: &mut u32) -> Result<bool, ScanError> {
        while *open > 0 {
            let in_object = *objects & 1 == 1;
            self.skip_space();
            match self.peek()? {
                b',' => {
                    self.at += 1;
                    self.skip_space();
                    if in_object {
                        self.key_passed()?;
                    }
                    return Ok(false);
                }
                b'}' if in_object => {}
                b']' if !in_object => {}
                _ => return Err(self.syntax("expected `,` or a closing bracket")),
            }
            self.at += 1;
            *objects >>= 1;
            *open -= 1;
        }
        Ok(true)
    }

    fn key_passed(&mut self) -> Result<(), ScanError> {
        self.string_expected("expected a key in quotes")?;
        self.colon()
    }

    fn colon(&mut self) -> Result<(), ScanError> {
        self.skip_space();
        if self.peek()? != b':' {
            return Err(self.syntax("expected `:`"));
        }
        self.at += 1;
        self.skip_space();
        Ok(())
    }

    fn scalar(&mut self) -> Result<Kind, ScanError> {
        match self.peek()? {
            b'"' => self.string_expected("expected a string").map(|()| Kind::String),
            b't' => self.word("true", Kind::True),
            b'f' => self.word("false", Kind::False),
            b'n' => self.word("null", Kind::Null),
            b'N' => self.not_finite("NaN", Kind::NotANumber),
            b'I' => self.not_finite("Infinity", Kind::Infinity),
            b'-' if self.bytes.get(self.at + 1) == Some(&b'I') => self.not_finite("-Infinity", Kind::Infinity),
            b'-' | b'0'..=b'9' => self.number().map(|()| Kind::Number),
            _ => Err(self.syntax("expected a value")),
        }
    }

    fn not_finite(&mut self, word: &'static str, kind: Kind) -> Result<Kind, ScanError> {
        self.nan += 1;
        self.word(word, kind)
    }

    fn word(&mut self, word: &'static str, kind: Kind) -> Result<Kind, ScanError> {
        let rest = &self.bytes[self.at..];
        if rest.starts_with(word.as_bytes()) {
            self.at += word.len();
            return Ok(kind);
        }
        if word.as_bytes().starts_with(rest) {
            return Err(ScanError { at: self.bytes.len(), kind: ScanErrorKind::End });
        }
        Err(self.syntax("expected a value"))
    }

    fn number(&mut self) -> Result<(), ScanError> {
        if self.bytes.get(self.at) == Some(&b'-') {
            self.at += 1;
        }
        if self.peek()? == b'0' {
            self.at += 1;
        } else {
            self.digits()?;
        }
        if self.bytes.get(self.at) == Some(&b'.') {
            self.at += 1;
            self.digits()?;
        }
        if matches!(self.bytes.get(self.at), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.bytes.get(self.at), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.digits()?;
        }
        match self.bytes.get(self.at) {
            Some(b'0'..=b'9' | b'.' | b'a'..=b'z' | b'A'..=b'Z' | b'+' | b'-' | b'_') => {
                Err(self.syntax("expected a number as JSON writes it"))
            }
            _ => Ok(()),
        }
    }

    fn digits(&mut self) -> Result<(), ScanError> {
        if !self.peek()?.is_ascii_digit() {
            return Err(self.syntax("expected a digit"));
        }
        while self.bytes.get(self.at).is_some_and(u8::is_ascii_digit) {
            self.at += 1;
        }
        Ok(())
    }

    fn string_expected(&mut self, expected: &'static str) -> Result<(), ScanError> {
        if self.peek()? != b'"' {
            return Err(self.syntax(expected));
        }
        self.at += 1;
        loop {
            self.at += plain_length(&self.bytes[self.at..]);
            match self.peek()? {
                b'"' => {
                    self.at += 1;
                    return Ok(());
                }
                b'\\' => self.escape()?,
                _ => return Err(self.syntax("expected control characters in strings to be escaped")),
            }
        }
    }

    fn escape(&mut self) -> Result<(), ScanError> {
        self.at += 1;
        match self.peek()? {
            b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => self.at += 1,
            b'u' => {
                self.at += 1;
                let unit = self.hex4()?;
                let low_follows = (0xD800..0xDC00).contains(&unit)
                    && hex_escape(&self.bytes[self.at..]).is_some_and(|low| (0xDC00..0xE000).contains(&low));
                if low_follows {
                    self.at += 6;
                } else if (0xD800..0xE000).contains(&unit) {
                    self.lone_surrogates += 1;
                }
            }
            _ => return Err(self.syntax("expected an escape that JSON knows")),
        }
        Ok(())
    }

    fn hex4(&mut self) -> Result<u32, ScanError> {
        let mut unit = 0;
        for _ in 0..4 {
            let digit = char::from(self.peek()?).to_digit(16);
            unit = unit << 4 | digit.ok_or_else(|| self.syntax("expected four hex digits"))?;
            self.at += 1;
        }
        Ok(unit)
    }

    fn syntax(&self, expected: &'static str) -> ScanError {
        ScanError { at: self.at, kind: ScanErrorKind::Syntax(expected) }
    }
}

/// The value of the `\uXXXX` that `bytes` start with.
pub(crate) fn hex_escape(bytes: &[u8]) -> Option<u32> {
    let hex = bytes.strip_prefix(b"\\u")?.get(..4)?;
    hex.iter().try_fold(0, |unit, &byte| Some(unit << 4 | char::from(byte).to_digit(16)?))
}

/// Bytes of a block that is looked at as one. The compiler makes vector instructions of the loop over it.
const BLOCK: usize = 32;
/// Most strings are keys and words: they end before a block would be worth its while.
const SHORT: usize = 16;

/// How many bytes come before the next quote, backslash or control character: long texts a block at a
/// time.
fn plain_length(bytes: &[u8]) -> usize {
    let at = plain_words(&bytes[..bytes.len().min(SHORT)]);
    if at < SHORT {
        return at;
    }
    let is_plain = |block: &&[u8]| {
        let special = |found: bool, &byte: &u8| found | (byte < 0x20) | (byte == b'"') | (byte == b'\\');
        !block.iter().fold(false, special)
    };
    let at = SHORT + BLOCK * bytes[SHORT..].chunks_exact(BLOCK).take_while(is_plain).count();
    at + plain_words(&bytes[at..])
}

/// The same, eight bytes at a time.
fn plain_words(bytes: &[u8]) -> usize {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    let mut at = 0;
    for chunk in bytes.chunks_exact(8) {
        let mut word = [0; 8];
        word.copy_from_slice(chunk);
        let word = u64::from_le_bytes(word);
        // A byte's high bit in each of these says "it is this"; a borrow can set a wrong bit only
        // above a right one, and only the lowest is used.
        let control = word.wrapping_sub(ONES * 0x20) & !word;
        let quote = (word ^ (ONES * 0x22)).wrapping_sub(ONES) & !(word ^ (ONES * 0x22));
        let backslash = (word ^ (ONES * 0x5C)).wrapping_sub(ONES) & !(word ^ (ONES * 0x5C));
        let special = (control | quote | backslash) & HIGH;
        if special != 0 {
            return at + (special.trailing_zeros() / 8) as usize;
        }
        at += 8;
    }
    let tail = &bytes[at..];
    at + tail.iter().position(|&b| b < 0x20 || b == b'"' || b == b'\\').unwrap_or(tail.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn scan(text: &str) -> Result<Value<'_>, ScanError> {
        let mut scanner = Scanner::new(text);
        let value = scanner.value()?;
        scanner.finish()?;
        Ok(value)
    }

    #[test]
    fn values_are_their_slices() {
        for text in [r#"{"a":[1,-2.5e+3,{}],"b":"\"\\\ud83d\ude00"}"#, "[]", "0", "-0.1", r#""""#, "[[],[[]]]"] {
            assert_eq!(scan(text).unwrap().text, text);
        }
    }

    #[test]
    fn python_tokens_and_half_pairs_are_counted() {
        let value = scan(r#"[NaN,Infinity,-Infinity,"\ud800","\udc00x","\ud83d\ude00"]"#).unwrap();
        assert_eq!((value.nan, value.lone_surrogates, value.multiline), (3, 2, false));
        assert!(scan("[1,\n2]").unwrap().multiline);
    }

    #[test]
    fn depth_is_limited() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(scan(&nested(128)).is_ok());
        assert_eq!(scan(&nested(129)).unwrap_err().kind, ScanErrorKind::TooDeep);
        assert_eq!(scan(&"[".repeat(1_000_000)).unwrap_err().kind, ScanErrorKind::TooDeep);
    }

    #[test]
    fn ends_are_told_from_errors() {
        for text in ["{", r#"{"a"#, r#"{"a":1"#, r#"{"a":1,"#, "[1", "tr", "-", r#""\u00"#, "1."] {
            assert_eq!(scan(text).unwrap_err().kind, ScanErrorKind::End, "{text}");
        }
        for text in ["{]", "[1,]", r#"{"a":1,}"#, "01", "+1", ".5", "1x", "[1}", "nul]", "\"\n\"", r#""\x""#, "{} x"] {
            assert!(matches!(scan(text).unwrap_err().kind, ScanErrorKind::Syntax(_)), "{text}");
        }
    }

    proptest! {
        #[test]
        fn agrees_with_serde(text in r#"[\[\]{},:"\\ntrue01.eE+\-ul a]{0,24}"#) {
            let known = serde_json::from_str::<&serde_json::value::RawValue>(&text).is_ok();
            prop_assert_eq!(scan(&text).is_ok(), known, "{}", text);
        }

        #[test]
        fn known_values_are_the_same(text in r#"[\[\]{},:"\\ntrue01.eE+\-ul a]{0,24}"#, around in r#"[ ,\]}]{0,2}"#) {
            let Ok(value) = scan(&text) else { return Ok(()) };
            prop_assume!(!value.multiline && value.lone_surrogates == 0);
            let known = format!("{text}{around}");
            let known = Scanner::new(&known).known_value().unwrap();
            prop_assert_eq!((known.text, known.kind), (value.text, value.kind));
        }

        #[test]
        fn plain_length_is_the_naive_one(bytes in prop::collection::vec(0x1f..=0x7e_u8, 0..4), fill in prop::collection::vec(0x61..=0x7a_u8, 0..90), tail in prop::collection::vec(any::<u8>(), 0..40)) {
            let bytes: Vec<u8> = fill.into_iter().chain(bytes).chain(tail).collect();
            let naive = bytes.iter().position(|&b| b < 0x20 || b == b'"' || b == b'\\').unwrap_or(bytes.len());
            prop_assert_eq!(plain_length(&bytes), naive);
        }
    }
}
