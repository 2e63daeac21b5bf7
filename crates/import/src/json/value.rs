//! What the scanner finds.

/// What a value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Null,
    True,
    False,
    Number,
    /// A bare `NaN`.
    NotANumber,
    /// A bare `Infinity` or `-Infinity`.
    Infinity,
    String,
    Array,
    Object,
}

impl Kind {
    /// The kind of a checked value, by its first byte.
    pub(crate) fn of_first(byte: u8) -> Self {
        match byte {
            b'{' => Self::Object,
            b'[' => Self::Array,
            b'"' => Self::String,
            b't' => Self::True,
            b'f' => Self::False,
            b'n' => Self::Null,
            _ => Self::Number,
        }
    }

    /// The kind in a message: "a string", "an array".
    pub(crate) fn described(self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::True | Self::False => "a boolean",
            Self::Number => "a number",
            Self::NotANumber => "NaN",
            Self::Infinity => "Infinity",
            Self::String => "a string",
            Self::Array => "an array",
            Self::Object => "an object",
        }
    }
}

/// One value: its text, checked, and what keeps that text from being stored as it is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Value<'a> {
    /// The text from the first to the last byte of the value.
    pub(crate) text: &'a str,
    pub(crate) kind: Kind,
    /// Bare `NaN` and `Infinity` tokens in it.
    pub(crate) nan: u32,
    /// `\u` escapes in it that are half a surrogate pair.
    pub(crate) lone_surrogates: u32,
    /// It spans lines.
    pub(crate) multiline: bool,
}

impl Value<'_> {
    /// Whether its text can be stored as it is.
    pub(crate) fn is_storable(&self) -> bool {
        self.nan == 0 && self.lone_surrogates == 0 && !self.multiline
    }
}

/// Where and why a text is no JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ScanError {
    /// Byte offset.
    pub(crate) at: usize,
    pub(crate) kind: ScanErrorKind,
}

/// What was found instead of JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ScanErrorKind {
    /// The text ends inside a value.
    End,
    /// Values nest deeper than the limit.
    TooDeep,
    /// Anything else; the text says what was expected.
    Syntax(&'static str),
}
