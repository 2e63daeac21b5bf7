//! The parts of a phrase: conditions and orders.

use super::build::{any_of, binary, call, here, is_null, like, literal, not, number, number_path, path, text};
use super::{Part, Reader, side_named};
use crate::ast::{BinaryOp, Expr, Literal, Node, SortItem};

impl Reader<'_> {
    /// "errors", "no errors", "without an error", "failed".
    pub(super) fn errors(&mut self) -> Option<Part> {
        let negated = self.take(&["no", "without"]);
        self.take(&["with", "any", "an"]);
        if !self.take(&["error", "errors", "errored", "failures", "exceptions", "crashed"]) {
            return None;
        }
        Some(Part::Condition(is_null(path("error"), !negated)))
    }

    /// "regressions in Factuality", "improved Style", "flipped", "changed".
    pub(super) fn changes(&mut self) -> Option<Part> {
        let word = self.word(0)?;
        let function = match word.as_str() {
            "regressions" | "regression" | "regressed" | "worse" | "dropped" => "regressed",
            "improvements" | "improvement" | "improved" | "better" => "improved",
            "unchanged" => "unchanged",
            "changed" | "changes" | "differences" => "changed",
            "flipped" | "flips" => "flipped",
            _ => return None,
        };
        self.next += 1;
        self.take(&["in", "of", "on", "for"]);
        self.skip_fillers();
        self.take(&["score", "scores"]);
        let scores = match self.score() {
            Some(score) => vec![score],
            // A word that is no score is not ours to ignore.
            None if self.next < self.words.len() && !self.ends_part() => return None,
            None => self.names.scores.clone(),
        };
        let of = |score: &String| call(function, vec![number_path("scores", score)]);
        any_of(scores.iter().map(of).collect()).map(Part::Condition)
    }

    pub(super) fn ends_part(&self) -> bool {
        self.word(0).is_none_or(|word| ["and", "but", ",", "with"].contains(&word.as_str()))
    }

    /// "only in baseline", "in candidate", "new cases", "lost Factuality".
    pub(super) fn presence(&mut self) -> Option<Part> {
        let presence = || call("presence", Vec::new());
        let is = |class: &str| Some(Part::Condition(binary(BinaryOp::Eq, presence(), text(class))));
        let before = self.next;
        let leading = self.take(&["only"]);
        if self.take(&["in"]) || leading {
            self.take(&["the"]);
            if let Some(class) = self.word(0).and_then(|side| side_named(&side)) {
                self.next += 1;
                let trailing = self.take(&["only"]);
                if !self.ends_part() {
                    return None;
                }
                if leading || trailing {
                    return is(class);
                }
                let set = Box::new(here(Node::List(vec![text("matched"), text(class)])));
                return Some(Part::Condition(here(Node::In { operand: Box::new(presence()), set, negated: false })));
            }
        }
        self.next = before;
        if self.take(&["new"]) {
            return is("candidate_only");
        }
        if self.take(&["matched"]) {
            return is("matched");
        }
        let function = if self.take(&["lost"]) {
            "lost_score"
        } else if self.take(&["gained"]) {
            "gained_score"
        } else {
            return None;
        };
        self.take(&["their", "its"]);
        self.take(&["score", "scores"]);
        let scores = self.score().map_or_else(|| self.names.scores.clone(), |score| vec![score]);
        let of = |score: &String| call(function, vec![number_path("scores", score)]);
        any_of(scores.iter().map(of).collect()).map(Part::Condition)
    }

    /// "today", "since yesterday", "last 7 days".
    pub(super) fn time(&mut self) -> Option<Part> {
        self.take(&["since", "from", "in"]);
        let days = |count: i64| {
            let today = call("current_date", Vec::new());
            let interval = here(Node::Interval(format!("{count} day")));
            let from = if count == 0 { today } else { binary(BinaryOp::Minus, today, interval) };
            Some(Part::Condition(binary(BinaryOp::GreaterEq, path("created"), from)))
        };
        if self.take(&["today"]) {
            return days(0);
        }
        if self.take(&["yesterday"]) {
            return days(1);
        }
        if !self.take(&["last", "past"]) {
            return None;
        }
        let count = self.word(0).and_then(|word| word.parse::<u32>().ok());
        self.next += usize::from(count.is_some());
        let unit = self.word(0)?;
        let unit = unit.trim_end_matches('s');
        if !["minute", "hour", "day", "week", "month", "year"].contains(&unit) {
            return None;
        }
        self.next += 1;
        let interval = here(Node::Interval(format!("{} {unit}", count.unwrap_or(1))));
        let from = binary(BinaryOp::Minus, call("now", Vec::new()), interval);
        Some(Part::Condition(binary(BinaryOp::GreaterEq, path("created"), from)))
    }

    /// "tagged foo", "not tagged foo", "without tag foo".
    pub(super) fn tags(&mut self) -> Option<Part> {
        let negated = self.take(&["not", "without", "no"]);
        self.take(&["with"]);
        if !self.take(&["tagged", "tag", "tags"]) {
            return None;
        }
        self.take(&["with", "as"]);
        let tag = self.value()?;
        let has =
            here(Node::Includes { container: Box::new(path("tags")), item: Box::new(text(&tag)), negated: false });
        if !negated {
            return Some(Part::Condition(has));
        }
        // A row without tags has not this one either.
        let known = call("coalesce", vec![has, literal(Literal::Bool(false))]);
        Some(Part::Condition(not(known)))
    }

    /// "longest outputs", "slowest", "most expensive", "worst Factuality".
    pub(super) fn order(&mut self) -> Option<Part> {
        let by = |expr: Expr, descending: bool| Some(Part::Order(SortItem { expr, descending }));
        if let Some(longest) = self.superlative(&["longest"], &["shortest"]) {
            let field = if self.take(&["output", "outputs", "answers"]) {
                "output"
            } else if self.take(&["input", "inputs", "questions", "prompts"]) {
                "input"
            } else {
                return None;
            };
            return by(call("len", vec![path(field)]), longest);
        }
        if let Some(slowest) = self.superlative(&["slowest"], &["fastest", "quickest"]) {
            return by(self.metric(&["duration"])?, slowest);
        }
        if self.take_all(&["most", "expensive"]) || self.take(&["costliest"]) {
            return by(self.metric(&["estimated_cost", "cost"])?, true);
        }
        if self.take(&["cheapest"]) {
            return by(self.metric(&["estimated_cost", "cost"])?, false);
        }
        if self.take_all(&["most", "tokens"]) {
            return by(self.metric(&["tokens"])?, true);
        }
        if self.take_all(&["newest"]) {
            return by(path("created"), true);
        }
        if self.take_all(&["oldest"]) {
            return by(path("created"), false);
        }
        let by_number = self.superlative(&["highest"], &["lowest"]);
        let first = by_number.or_else(|| self.superlative(&["best"], &["worst"]))?;
        let score = self.score().or_else(|| self.only_score())?;
        self.take(&["score", "scores"]);
        // The best of a score of which less is better is the lowest.
        let is_turned = by_number.is_none() && self.is_lower_better(&score);
        by(number_path("scores", &score), first != is_turned)
    }

    pub(super) fn superlative(&mut self, up: &[&str], down: &[&str]) -> Option<bool> {
        if self.take(up) {
            Some(true)
        } else if self.take(down) {
            Some(false)
        } else {
            None
        }
    }

    /// "slower than 5s", "cost over 2 cents", "more than 1000 tokens", "duration above 3 seconds".
    pub(super) fn amounts(&mut self) -> Option<Part> {
        if self.take(&["slower"]) || self.take_all(&["took", "longer"]) {
            self.take(&["than"]);
            let amount = self.seconds()?;
            return self.compared(&["duration"], BinaryOp::Greater, amount);
        }
        if self.take(&["faster", "quicker"]) {
            self.take(&["than"]);
            let amount = self.seconds()?;
            return self.compared(&["duration"], BinaryOp::Less, amount);
        }
        if self.take(&["cheaper"]) {
            self.take(&["than"]);
            let amount = self.dollars()?;
            return self.compared(&["estimated_cost", "cost"], BinaryOp::Less, amount);
        }
        if self.take(&["cost", "costs", "costing"]) {
            let op = self.comparison()?;
            let amount = self.dollars()?;
            return self.compared(&["estimated_cost", "cost"], op, amount);
        }
        if self.take(&["duration", "latency"]) {
            let op = self.comparison()?;
            let amount = self.seconds()?;
            return self.compared(&["duration"], op, amount);
        }
        // "more than 1000 tokens", "over 500 prompt tokens"
        let op = self.comparison()?;
        let amount = self.plain_number()?;
        let metric = if self.take(&["prompt", "input"]) {
            "prompt_tokens"
        } else if self.take(&["completion", "output"]) {
            "completion_tokens"
        } else {
            "tokens"
        };
        if !self.take(&["tokens", "token"]) {
            return None;
        }
        self.compared(&[metric], op, amount)
    }

    pub(super) fn compared(&self, metrics: &[&str], op: BinaryOp, amount: f64) -> Option<Part> {
        Some(Part::Condition(binary(op, self.metric(metrics)?, number(amount))))
    }

    pub(super) fn metric(&self, names: &[&str]) -> Option<Expr> {
        let found = names.iter().find(|name| self.names.metrics.iter().any(|known| known == *name))?;
        Some(number_path("metrics", found))
    }

    /// "score below 50%", "Factuality at least 80%", "perfect X", "missing X", "unscored".
    pub(super) fn scores(&mut self) -> Option<Part> {
        if self.take(&["unscored"]) || self.take_all(&["no", "score"]) || self.take_all(&["no", "scores"]) {
            let missing = self.names.scores.iter().map(|score| is_null(number_path("scores", score), false));
            return any_of(missing.collect()).map(Part::Condition);
        }
        if self.take(&["missing"]) {
            let score = self.score()?;
            return Some(Part::Condition(is_null(number_path("scores", &score), false)));
        }
        // The bound of a score of which more is better, and of one of which less is.
        for (words, more, less) in [
            (&["perfect"][..], (BinaryOp::GreaterEq, 1.0), (BinaryOp::LessEq, 0.0)),
            (&["passing", "passed"], (BinaryOp::GreaterEq, 0.5), (BinaryOp::LessEq, 0.5)),
            (&["failing", "failed"], (BinaryOp::Less, 0.5), (BinaryOp::Greater, 0.5)),
            (&["zero"], (BinaryOp::Eq, 0.0), (BinaryOp::Eq, 0.0)),
        ] {
            if self.take(words) {
                let score = self.score().or_else(|| self.only_score())?;
                self.take(&["score", "scores"]);
                let (op, bound) = if self.is_lower_better(&score) { less } else { more };
                return Some(Part::Condition(binary(op, number_path("scores", &score), number(bound))));
            }
        }
        let score = match self.score() {
            Some(score) => {
                self.take(&["score"]);
                score
            }
            None if self.take(&["score", "scored", "scores"]) => self.only_score()?,
            None => return None,
        };
        let value = number_path("scores", &score);
        self.take(&["is", "was"]);
        if self.take(&["between"]) {
            let low = self.share()?;
            if !self.take(&["and"]) {
                return None;
            }
            let high = self.share()?;
            let between =
                Node::Between { operand: Box::new(value), low: Box::new(low), high: Box::new(high), negated: false };
            return Some(Part::Condition(here(between)));
        }
        if self.take(&["missing", "null"]) {
            return Some(Part::Condition(is_null(value, false)));
        }
        let op = self.comparison().unwrap_or(BinaryOp::Eq);
        Some(Part::Condition(binary(op, value, self.share()?)))
    }

    /// "metadata.model is gpt-4o", "model is not gpt-4o", "output contains refund".
    pub(super) fn fields(&mut self) -> Option<Part> {
        let word = self.words.get(self.next)?.clone();
        let field = self.field(&word)?;
        self.next += 1;
        let operand = || Box::new(path(&field));
        if self.take(&["contains", "containing", "mentions", "includes"]) {
            let pattern = format!("%{}%", self.value()?.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_"));
            return Some(Part::Condition(like(operand(), &pattern)));
        }
        if self.take_all(&["starts", "with"]) {
            let pattern = format!("{}%", self.value()?.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_"));
            return Some(Part::Condition(like(operand(), &pattern)));
        }
        if !self.take(&["is", "=", "equals", "was", "are"]) {
            return None;
        }
        let negated = self.take(&["not"]);
        if self.take(&["missing", "empty", "null"]) {
            return Some(Part::Condition(is_null(path(&field), negated)));
        }
        let op = if negated { BinaryOp::NotEq } else { BinaryOp::Eq };
        let value = self.value()?;
        let value = match value.parse::<f64>() {
            Ok(amount) if amount.is_finite() => number(amount),
            _ => text(&value),
        };
        Some(Part::Condition(binary(op, path(&field), value)))
    }

    /// A field by its path, or by the last part of one path alone.
    pub(super) fn field(&self, word: &str) -> Option<String> {
        const OWN: [&str; 6] = ["input", "output", "expected", "error", "id", "name"];
        let lower = word.to_lowercase();
        if OWN.contains(&lower.as_str()) {
            return Some(lower);
        }
        if let Some(found) = self.names.fields.iter().find(|field| field.eq_ignore_ascii_case(word)) {
            return Some(found.clone());
        }
        let last = |field: &&String| field.rsplit('.').next().is_some_and(|last| last.eq_ignore_ascii_case(word));
        let mut found = self.names.fields.iter().filter(last);
        let first = found.next()?;
        found.next().is_none().then(|| first.clone())
    }
}
