//! Names, comparisons and amounts with their units.

use super::build::{literal, number};
use super::{Reader, plain};
use crate::ast::{BinaryOp, Expr, Literal};

impl Reader<'_> {
    /// "over", "at least", "less than", "<=", …
    pub(super) fn comparison(&mut self) -> Option<BinaryOp> {
        let forms: [(&[&str], BinaryOp); 20] = [
            (&["at", "least"], BinaryOp::GreaterEq),
            (&["at", "most"], BinaryOp::LessEq),
            (&["more", "than"], BinaryOp::Greater),
            (&["less", "than"], BinaryOp::Less),
            (&["fewer", "than"], BinaryOp::Less),
            (&["greater", "than"], BinaryOp::Greater),
            (&["higher", "than"], BinaryOp::Greater),
            (&["lower", "than"], BinaryOp::Less),
            (&["equal", "to"], BinaryOp::Eq),
            (&["over"], BinaryOp::Greater),
            (&["above"], BinaryOp::Greater),
            (&["exceeds"], BinaryOp::Greater),
            (&["under"], BinaryOp::Less),
            (&["below"], BinaryOp::Less),
            (&["exactly"], BinaryOp::Eq),
            (&[">="], BinaryOp::GreaterEq),
            (&["<="], BinaryOp::LessEq),
            (&[">"], BinaryOp::Greater),
            (&["<"], BinaryOp::Less),
            (&["="], BinaryOp::Eq),
        ];
        self.take(&["is", "was"]);
        forms.into_iter().find(|(words, _)| self.take_all(words)).map(|(_, op)| op)
    }

    /// A score by its name: in any case, blanks and underscores alike, over one or several words.
    pub(super) fn score(&mut self) -> Option<String> {
        for length in (1..=4).rev() {
            let Some(words) = self.words.get(self.next..self.next + length) else { continue };
            let wanted = plain(&words.concat());
            let mut found = self.names.scores.iter().filter(|name| plain(name) == wanted);
            if let (Some(name), None) = (found.next(), found.next()) {
                self.next += length;
                return Some(name.clone());
            }
        }
        // A slip of the pen, where only one score is near.
        let word = plain(self.words.get(self.next)?);
        if word.len() < 5 {
            return None;
        }
        let mut near = self.names.scores.iter().filter(|name| strsim::damerau_levenshtein(&plain(name), &word) <= 1);
        match (near.next(), near.next()) {
            (Some(name), None) => {
                self.next += 1;
                Some(name.clone())
            }
            _ => None,
        }
    }

    pub(super) fn is_lower_better(&self, score: &str) -> bool {
        self.names.lower_is_better.iter().any(|name| name == score)
    }

    pub(super) fn only_score(&self) -> Option<String> {
        match self.names.scores.as_slice() {
            [only] => Some(only.clone()),
            _ => None,
        }
    }

    /// A text: quoted, or one word.
    pub(super) fn value(&mut self) -> Option<String> {
        let word = self.words.get(self.next)?.clone();
        if word == "," {
            return None;
        }
        self.next += 1;
        let quoted = ['"', '\''].into_iter().find(|quote| word.len() > 1 && word.starts_with(*quote));
        Some(match quoted {
            Some(quote) => word.trim_matches(quote).to_string(),
            None => word,
        })
    }

    pub(super) fn plain_number(&mut self) -> Option<f64> {
        let word = self.word(0)?.replace(['_', ','], "");
        let (digits, factor) = match word.strip_suffix('k') {
            Some(digits) => (digits.to_string(), 1_000.0),
            None => (word, 1.0),
        };
        let number = digits.parse::<f64>().ok().filter(|number| number.is_finite())?;
        self.next += 1;
        Some(number * factor)
    }

    /// A share or a number: `80%`, `50 percent`, `0.5`.
    pub(super) fn share(&mut self) -> Option<Expr> {
        let word = self.word(0)?;
        if let Some(digits) = word.strip_suffix('%') {
            let share = digits.parse::<f64>().ok().filter(|share| share.is_finite())?;
            self.next += 1;
            return Some(literal(Literal::Percent(share)));
        }
        let amount = self.plain_number()?;
        if self.take(&["percent", "%"]) {
            return Some(literal(Literal::Percent(amount)));
        }
        Some(number(amount))
    }

    /// `5s`, `500 ms`, `2 minutes`, in seconds.
    pub(super) fn seconds(&mut self) -> Option<f64> {
        let (amount, unit) = self.with_unit()?;
        let factor = match unit.as_str() {
            "" | "s" | "sec" | "secs" | "second" | "seconds" => 1.0,
            "ms" | "millisecond" | "milliseconds" => 0.001,
            "m" | "min" | "mins" | "minute" | "minutes" => 60.0,
            "h" | "hour" | "hours" => 3_600.0,
            _ => return None,
        };
        Some(amount * factor)
    }

    /// `$0.05`, `2 cents`, `1 dollar`, in dollars.
    pub(super) fn dollars(&mut self) -> Option<f64> {
        let word = self.word(0)?;
        if let Some(amount) = word.strip_prefix('$') {
            let amount = amount.parse::<f64>().ok().filter(|amount| amount.is_finite())?;
            self.next += 1;
            return Some(amount);
        }
        let (amount, unit) = self.with_unit()?;
        match unit.as_str() {
            "" | "dollar" | "dollars" | "usd" | "$" => Some(amount),
            "cent" | "cents" | "c" | "¢" => Some(amount / 100.0),
            _ => None,
        }
    }

    /// A number with its unit, in one word or two.
    pub(super) fn with_unit(&mut self) -> Option<(f64, String)> {
        let word = self.word(0)?;
        let split = word.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(word.len());
        let amount = word[..split].parse::<f64>().ok().filter(|amount| amount.is_finite())?;
        self.next += 1;
        if split < word.len() {
            return Some((amount, word[split..].to_string()));
        }
        let is_unit = self.word(0).is_some_and(|word| {
            let units = [
                "s",
                "sec",
                "secs",
                "second",
                "seconds",
                "ms",
                "millisecond",
                "milliseconds",
                "m",
                "min",
                "mins",
                "minute",
                "minutes",
                "h",
                "hour",
                "hours",
                "dollar",
                "dollars",
                "usd",
                "$",
                "cent",
                "cents",
            ];
            units.contains(&word.as_str())
        });
        let unit = if is_unit { self.word(0).unwrap_or_default() } else { String::new() };
        self.next += usize::from(is_unit);
        Some((amount, unit))
    }
}
