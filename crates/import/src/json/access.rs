//! What a checked value holds, read straight from its text.

use std::borrow::Cow;

use super::{Kind, ScanError, Scanner, Value, to_json, unquote};

impl<'a> Value<'a> {
    /// Checks a whole text.
    pub(crate) fn parse(text: &'a str) -> Result<Self, ScanError> {
        let mut scanner = Scanner::new(text);
        let value = scanner.value()?;
        scanner.finish()?;
        Ok(value)
    }

    /// The fields of an object, in order; none of anything else.
    pub(crate) fn fields(&self) -> Fields<'a> {
        let mut scanner = Scanner::new(self.text);
        let more = self.kind == Kind::Object && scanner.enter_object().unwrap_or(false);
        Fields { scanner, more, is_known: self.is_storable() }
    }

    /// The elements of an array; none of anything else.
    pub(crate) fn items(&self) -> Items<'a> {
        let mut scanner = Scanner::new(self.text);
        let more = self.kind == Kind::Array && scanner.enter_array().unwrap_or(false);
        Items { scanner, more, is_known: self.is_storable() }
    }

    /// The field with a name; a null is no field.
    pub(crate) fn get(&self, name: &str) -> Option<Value<'a>> {
        self.fields().find(|(key, _)| key == name).map(|(_, value)| value).filter(|value| value.kind != Kind::Null)
    }

    /// The field at the end of a path of names.
    pub(crate) fn at(&self, path: &[&str]) -> Option<Value<'a>> {
        path.iter().try_fold(*self, |value, name| value.get(name))
    }

    /// The text of a string.
    pub(crate) fn string(&self) -> Option<Cow<'a, str>> {
        (self.kind == Kind::String).then(|| unquote(self.text))
    }

    /// The text of a string, or a number or boolean as it is written: for ids and names.
    pub(crate) fn as_text(&self) -> Option<Cow<'a, str>> {
        match self.kind {
            Kind::String => Some(unquote(self.text)),
            Kind::Number | Kind::True | Kind::False => Some(Cow::Borrowed(self.text)),
            _ => None,
        }
    }

    /// A finite number.
    pub(crate) fn number(&self) -> Option<f64> {
        let number = (self.kind == Kind::Number).then(|| self.text.parse::<f64>().ok()).flatten();
        number.filter(|number| number.is_finite())
    }

    /// A finite number, perhaps written as a string.
    pub(crate) fn loose_number(&self) -> Option<f64> {
        if self.kind == Kind::Number {
            return self.number();
        }
        let text = self.string()?;
        text.trim().parse::<f64>().ok().filter(|number| number.is_finite())
    }

    /// An integer, perhaps written as a string; exact up to 64 bits.
    pub(crate) fn integer(&self) -> Option<i64> {
        let text = self.as_text()?;
        text.parse().ok().or_else(|| self.number().filter(|n| n.fract() == 0.0 && n.abs() < 9e15).map(|n| n as i64))
    }

    /// A boolean.
    pub(crate) fn boolean(&self) -> Option<bool> {
        match self.kind {
            Kind::True => Some(true),
            Kind::False => Some(false),
            _ => None,
        }
    }

    /// The text to store; nothing for null and for a `NaN` in its place.
    pub(crate) fn json(&self) -> Option<String> {
        (!matches!(self.kind, Kind::Null | Kind::NotANumber | Kind::Infinity)).then(|| to_json(self))
    }

    /// Whether an object or array has nothing in it.
    pub(crate) fn is_empty(&self) -> bool {
        match self.kind {
            Kind::Object => self.fields().next().is_none(),
            Kind::Array => self.items().next().is_none(),
            Kind::Null => true,
            _ => false,
        }
    }
}

/// Walks the fields of an object.
pub(crate) struct Fields<'a> {
    scanner: Scanner<'a>,
    more: bool,
    /// Nothing in the text has to be counted: it was checked, and what is passed need not be again.
    is_known: bool,
}

impl<'a> Fields<'a> {
    fn step(&mut self) -> Result<(Cow<'a, str>, Value<'a>), ScanError> {
        let key = self.scanner.key()?;
        let value = if self.is_known { self.scanner.known_value() } else { self.scanner.value() }?;
        self.more = self.scanner.more(b'}')?;
        Ok((unquote(key.text), value))
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = (Cow<'a, str>, Value<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        if !self.more {
            return None;
        }
        // The text was checked when the object was found, so that a failure can only be its end.
        self.more = false;
        self.step().ok()
    }
}

/// Walks the elements of an array.
pub(crate) struct Items<'a> {
    scanner: Scanner<'a>,
    more: bool,
    /// Nothing in the text has to be counted: it was checked, and what is passed need not be again.
    is_known: bool,
}

impl<'a> Items<'a> {
    fn step(&mut self) -> Result<Value<'a>, ScanError> {
        let value = if self.is_known { self.scanner.known_value() } else { self.scanner.value() }?;
        self.more = self.scanner.more(b']')?;
        Ok(value)
    }
}

impl<'a> Iterator for Items<'a> {
    type Item = Value<'a>;

    fn next(&mut self) -> Option<Self::Item> {
        if !self.more {
            return None;
        }
        self.more = false;
        self.step().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_found_by_path() {
        let value = Value::parse(r#"{"a":{"b":[1,"x",null,NaN]},"n":"12","e":""}"#).unwrap();
        let kinds: Vec<_> = value.at(&["a", "b"]).unwrap().items().map(|item| item.kind).collect();
        assert_eq!(kinds, [Kind::Number, Kind::String, Kind::Null, Kind::NotANumber]);
        assert_eq!(value.get("n").unwrap().integer(), Some(12));
        assert_eq!(value.get("e").unwrap().string().unwrap(), "");
        assert!(value.get("none").is_none() && value.at(&["n", "x"]).is_none());
    }

    #[test]
    fn integers_are_exact() {
        let integer = |text: &str| Value::parse(text).unwrap().integer();
        assert_eq!(integer("1721536984120000001"), Some(1_721_536_984_120_000_001));
        assert_eq!(integer("\"1721536984120000001\""), Some(1_721_536_984_120_000_001));
        assert_eq!(integer("3.0"), Some(3));
        assert_eq!(integer("1e300"), None);
    }
}
