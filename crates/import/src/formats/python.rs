//! Literals of Python, as a table of Python objects has them in its cells.

use crate::json::quoted;

/// How deep lists and dictionaries may nest.
const LEVELS: usize = 64;

/// The JSON of a literal: of a dictionary, a list or tuple, a text, a number, `True`, `False`, `None`.
/// Nothing if the text holds anything else, such as the call of a constructor.
pub(super) fn to_json(literal: &str) -> Option<String> {
    let mut reader = Reader { rest: literal, json: String::with_capacity(literal.len()) };
    reader.value(LEVELS)?;
    reader.skip_space();
    reader.rest.is_empty().then_some(reader.json)
}

struct Reader<'a> {
    rest: &'a str,
    json: String,
}

impl Reader<'_> {
    fn skip_space(&mut self) {
        self.rest = self.rest.trim_start();
    }

    /// Passes a text if it comes next.
    fn pass(&mut self, text: &str) -> bool {
        self.skip_space();
        match self.rest.strip_prefix(text) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn value(&mut self, levels: usize) -> Option<()> {
        let levels = levels.checked_sub(1)?;
        self.skip_space();
        match self.rest.chars().next()? {
            '{' => self.items(levels, ["{", "}"], ["{", "}"]),
            '[' => self.items(levels, ["[", "]"], ["[", "]"]),
            '(' => self.items(levels, ["(", ")"], ["[", "]"]),
            '\'' | '"' => {
                let text = self.text()?;
                self.json.push_str(&quoted(&text));
                Some(())
            }
            _ => self.word(),
        }
    }

    /// The items of a list, or of a dictionary with their keys.
    fn items(&mut self, levels: usize, [open, close]: [&str; 2], [json_open, json_close]: [&str; 2]) -> Option<()> {
        self.pass(open);
        self.json.push_str(json_open);
        let mut is_first = true;
        while !self.pass(close) {
            if !is_first {
                self.json.push(',');
            }
            is_first = false;
            if open == "{" {
                self.skip_space();
                let key = self.text()?;
                self.json.push_str(&quoted(&key));
                self.json.push(':');
                self.pass(":").then_some(())?;
            }
            self.value(levels)?;
            if !self.pass(",") {
                self.pass(close).then_some(())?;
                break;
            }
        }
        self.json.push_str(json_close);
        Some(())
    }

    fn word(&mut self) -> Option<()> {
        let end = self.rest.find([',', ':', ']', '}', ')']).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        let json = match word.trim_end() {
            "True" => "true",
            "False" => "false",
            "None" => "null",
            "nan" => "null",
            number => {
                serde_json::from_str::<serde_json::Number>(number).ok()?;
                number
            }
        };
        self.json.push_str(json);
        self.rest = rest;
        Some(())
    }

    /// A text in either kind of quotes.
    fn text(&mut self) -> Option<String> {
        let quote = self.rest.chars().next().filter(|quote| matches!(quote, '\'' | '"'))?;
        let mut text = String::new();
        let mut chars = self.rest.char_indices().skip(1);
        loop {
            let (at, char) = chars.next()?;
            match char {
                '\\' => {
                    let (_, escaped) = chars.next()?;
                    let digits = match escaped {
                        'x' => 2,
                        'u' => 4,
                        'U' => 8,
                        _ => 0,
                    };
                    if digits > 0 {
                        let hex: String = chars.by_ref().take(digits).map(|(_, digit)| digit).collect();
                        let code = u32::from_str_radix(&hex, 16).ok()?;
                        text.push(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
                        continue;
                    }
                    text.push(match escaped {
                        'n' => '\n',
                        'r' => '\r',
                        't' => '\t',
                        '\\' | '\'' | '"' => escaped,
                        _ => return None,
                    });
                }
                _ if char == quote => {
                    self.rest = &self.rest[at + 1..];
                    return Some(text);
                }
                _ => text.push(char),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::to_json;

    #[test]
    fn literals_are_json() {
        let json = to_json(r#"[{'a': 1.5, "b": 'it\'s', 'c': (True, None, -2e3), 'd': {}, 'e': '\x41\u00e9\n'}, ]"#);
        assert_eq!(json.as_deref(), Some(r#"[{"a":1.5,"b":"it's","c":[true,null,-2e3],"d":{},"e":"Aé\n"}]"#));
        assert_eq!(to_json(r#"[{"a":"x"}]"#).as_deref(), Some(r#"[{"a":"x"}]"#));
    }

    #[test]
    fn anything_else_is_nothing() {
        for text in ["", "[", "{'a'}", "[Assessment(name='x')]", "'a", "'\\q'", "01", "[1] 2", &"[".repeat(1_000)] {
            assert_eq!(to_json(text), None, "{text}");
        }
    }
}
