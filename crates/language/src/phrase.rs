//! Phrases that people type in place of a condition: "regressions in Factuality", "slower than 5s".
//!
//! A small grammar, no guessing: a phrase is translated only when every word of it is understood.
//! The order to try: the text as an expression; where that does not parse, or names what does not
//! exist, as a phrase; and what neither understands is for the caller to refuse or to search for.

use crate::ast::{BinaryOp, Call, Expr, Literal, Node, Position, SortItem, Step, UnaryOp};

/// What a phrase may name.
#[derive(Debug, Clone, Default)]
pub struct Names {
    /// Scores.
    pub scores: Vec<String>,
    /// Metrics.
    pub metrics: Vec<String>,
    /// Fields as paths: `metadata.model`, custom columns.
    pub fields: Vec<String>,
    /// Those of the scores of which less is better.
    pub lower_is_better: Vec<String>,
}

/// What a phrase means.
#[derive(Debug, Clone, PartialEq)]
pub struct Phrase {
    /// The condition; `true` where the phrase only orders.
    pub expr: Expr,
    /// The order that it asks for.
    pub sort: Option<SortItem>,
}

/// Words that carry no meaning here.
const FILLERS: [&str; 23] = [
    "show", "me", "the", "all", "cases", "case", "rows", "row", "where", "which", "that", "have", "has", "had", "are",
    "were", "those", "traces", "trace", "a", "an", "find", "list",
];

/// Translates a phrase; nothing when a word of it is not understood.
pub fn translate(text: &str, names: &Names) -> Option<Phrase> {
    if text.len() > 1_000 {
        return None;
    }
    let words = words(text);
    let mut reader = Reader { words, next: 0, names };
    let phrase = reader.phrase()?;
    reader.skip_fillers();
    (reader.next == reader.words.len() && reader.next > 0).then_some(phrase)
}

/// Words, quoted texts and commas. A sign stays with its number: `80%`, `$0.05`, `5s`.
fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut rest = text.trim();
    while let Some(first) = rest.chars().next() {
        if (first == '"' || first == '\'')
            && let Some(end) = rest[1..].find(first)
        {
            words.push(rest[..end + 2].to_string());
            rest = rest[end + 2..].trim_start();
            continue;
        }
        if first == ',' {
            words.push(",".into());
            rest = rest[1..].trim_start();
            continue;
        }
        let end = rest.find(|c: char| c.is_whitespace() || c == ',').unwrap_or(rest.len()).max(first.len_utf8());
        words.push(rest[..end].to_string());
        rest = rest[end..].trim_start();
    }
    words
}

fn here(node: Node) -> Expr {
    Expr { node, position: Position::default() }
}

fn path(text: &str) -> Expr {
    let key = |name: &str| Step::Key { name: name.to_string(), quoted: false };
    here(Node::Path(text.split('.').map(key).collect()))
}

fn number_path(field: &str, name: &str) -> Expr {
    let key = |name: &str| Step::Key { name: name.to_string(), quoted: false };
    here(Node::Path(vec![key(field), key(name)]))
}

fn binary(op: BinaryOp, left: Expr, right: Expr) -> Expr {
    here(Node::Binary { op, left: Box::new(left), right: Box::new(right) })
}

fn literal(literal: Literal) -> Expr {
    here(Node::Literal(literal))
}

fn text(value: &str) -> Expr {
    literal(Literal::Text(value.to_string()))
}

fn is_null(operand: Expr, negated: bool) -> Expr {
    here(Node::IsNull { operand: Box::new(operand), negated })
}

fn not(operand: Expr) -> Expr {
    here(Node::Unary { op: UnaryOp::Not, operand: Box::new(operand) })
}

fn call(name: &str, arguments: Vec<Expr>) -> Expr {
    here(Node::Call(Call {
        name: name.into(),
        name_position: Position::default(),
        arguments,
        distinct: false,
        filter: None,
    }))
}

fn any_of(parts: Vec<Expr>) -> Option<Expr> {
    parts.into_iter().reduce(|a, b| binary(BinaryOp::Or, a, b))
}

/// One part of a phrase.
enum Part {
    Condition(Expr),
    Order(SortItem),
}

struct Reader<'a> {
    words: Vec<String>,
    next: usize,
    names: &'a Names,
}

impl Reader<'_> {
    fn phrase(&mut self) -> Option<Phrase> {
        let mut condition: Option<Expr> = None;
        let mut sort = None;
        loop {
            self.skip_fillers();
            match self.part()? {
                Part::Condition(part) => {
                    condition = Some(match condition {
                        Some(known) => binary(BinaryOp::And, known, part),
                        None => part,
                    });
                }
                Part::Order(order) if sort.is_none() => sort = Some(order),
                Part::Order(_) => return None,
            }
            self.skip_fillers();
            let mut joined = false;
            while self.take(&["and", "but", ",", "with"]) {
                joined = true;
            }
            if !joined {
                break;
            }
        }
        Some(Phrase { expr: condition.unwrap_or_else(|| literal(Literal::Bool(true))), sort })
    }

    fn word(&self, ahead: usize) -> Option<String> {
        self.words.get(self.next + ahead).map(|word| word.to_lowercase())
    }

    fn take(&mut self, any: &[&str]) -> bool {
        let found = self.word(0).is_some_and(|word| any.contains(&word.as_str()));
        self.next += usize::from(found);
        found
    }

    /// Several words in a row.
    fn take_all(&mut self, words: &[&str]) -> bool {
        let found = words.iter().enumerate().all(|(i, word)| self.word(i).as_deref() == Some(word));
        self.next += if found { words.len() } else { 0 };
        found
    }

    fn skip_fillers(&mut self) {
        while self.word(0).is_some_and(|word| FILLERS.contains(&word.as_str()) || self.is_idle_only(&word)) {
            self.next += 1;
        }
    }

    /// "only" that carries no meaning: before a side, "only in baseline", it does.
    fn is_idle_only(&self, word: &str) -> bool {
        let mut ahead = 1;
        for skipped in ["in", "the"] {
            ahead += usize::from(self.word(ahead).as_deref() == Some(skipped));
        }
        word == "only" && self.word(ahead).is_none_or(|side| side_named(&side).is_none())
    }

    fn part(&mut self) -> Option<Part> {
        let start = self.next;
        let readers: [fn(&mut Self) -> Option<Part>; 9] = [
            Self::errors,
            Self::changes,
            Self::presence,
            Self::time,
            Self::tags,
            Self::order,
            Self::amounts,
            Self::scores,
            Self::fields,
        ];
        for read in readers {
            self.next = start;
            if let Some(part) = read(self) {
                return Some(part);
            }
        }
        self.next = start;
        // Nobody says "not not".
        if self.take(&["not"]) && self.words.get(self.next).is_none_or(|word| !word.eq_ignore_ascii_case("not")) {
            return match self.part()? {
                // What is not known to hold does not hold: null counts as false.
                Part::Condition(part) => {
                    let known = call("coalesce", vec![part, literal(Literal::Bool(false))]);
                    Some(Part::Condition(not(known)))
                }
                Part::Order(_) => None,
            };
        }
        None
    }

    /// "errors", "no errors", "without an error", "failed".
    fn errors(&mut self) -> Option<Part> {
        let negated = self.take(&["no", "without"]);
        self.take(&["with", "any", "an"]);
        if !self.take(&["error", "errors", "errored", "failures", "exceptions", "crashed"]) {
            return None;
        }
        Some(Part::Condition(is_null(path("error"), !negated)))
    }

    /// "regressions in Factuality", "improved Style", "flipped", "changed".
    fn changes(&mut self) -> Option<Part> {
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

    fn ends_part(&self) -> bool {
        self.word(0).is_none_or(|word| ["and", "but", ",", "with"].contains(&word.as_str()))
    }

    /// "only in baseline", "in candidate", "new cases", "lost Factuality".
    fn presence(&mut self) -> Option<Part> {
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
    fn time(&mut self) -> Option<Part> {
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
    fn tags(&mut self) -> Option<Part> {
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
    fn order(&mut self) -> Option<Part> {
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

    fn superlative(&mut self, up: &[&str], down: &[&str]) -> Option<bool> {
        if self.take(up) {
            Some(true)
        } else if self.take(down) {
            Some(false)
        } else {
            None
        }
    }

    /// "slower than 5s", "cost over 2 cents", "more than 1000 tokens", "duration above 3 seconds".
    fn amounts(&mut self) -> Option<Part> {
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

    fn compared(&self, metrics: &[&str], op: BinaryOp, amount: f64) -> Option<Part> {
        Some(Part::Condition(binary(op, self.metric(metrics)?, number(amount))))
    }

    fn metric(&self, names: &[&str]) -> Option<Expr> {
        let found = names.iter().find(|name| self.names.metrics.iter().any(|known| known == *name))?;
        Some(number_path("metrics", found))
    }

    /// "score below 50%", "Factuality at least 80%", "perfect X", "missing X", "unscored".
    fn scores(&mut self) -> Option<Part> {
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
    fn fields(&mut self) -> Option<Part> {
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
    fn field(&self, word: &str) -> Option<String> {
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

    /// "over", "at least", "less than", "<=", …
    fn comparison(&mut self) -> Option<BinaryOp> {
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
    fn score(&mut self) -> Option<String> {
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

    fn is_lower_better(&self, score: &str) -> bool {
        self.names.lower_is_better.iter().any(|name| name == score)
    }

    fn only_score(&self) -> Option<String> {
        match self.names.scores.as_slice() {
            [only] => Some(only.clone()),
            _ => None,
        }
    }

    /// A text: quoted, or one word.
    fn value(&mut self) -> Option<String> {
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

    fn plain_number(&mut self) -> Option<f64> {
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
    fn share(&mut self) -> Option<Expr> {
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
    fn seconds(&mut self) -> Option<f64> {
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
    fn dollars(&mut self) -> Option<f64> {
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
    fn with_unit(&mut self) -> Option<(f64, String)> {
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

/// The class of the cases that are on this side alone.
fn side_named(word: &str) -> Option<&'static str> {
    match word {
        "baseline" | "base" => Some("base_only"),
        "candidate" => Some("candidate_only"),
        _ => None,
    }
}

fn like(operand: Box<Expr>, pattern: &str) -> Expr {
    here(Node::Like { operand, pattern: Box::new(text(pattern)), ignore_case: true, escape: None, negated: false })
}

fn number(amount: f64) -> Expr {
    let is_whole = amount.fract() == 0.0 && amount.abs() < 1e15;
    literal(if is_whole { Literal::Int(amount as i64) } else { Literal::Float(amount) })
}

/// A name without what people leave out.
fn plain(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names() -> Names {
        let texts = |names: &[&str]| names.iter().map(ToString::to_string).collect();
        Names {
            scores: texts(&["Factuality", "Answer Correctness", "Toxicity"]),
            lower_is_better: texts(&["Toxicity"]),
            metrics: texts(&["duration", "tokens", "estimated_cost", "prompt_tokens"]),
            fields: texts(&["metadata.model", "metadata.tier", "input.tier"]),
        }
    }

    #[test]
    fn phrases_become_expressions() {
        for (phrase, expected) in [
            ("errors", "error is not null"),
            ("show me cases without errors", "error is null"),
            ("regressions in factuality", "regressed(scores.Factuality)"),
            ("regressed answer correctness", "regressed(scores.\"Answer Correctness\")"),
            (
                "Regressions",
                "regressed(scores.Factuality) or regressed(scores.\"Answer Correctness\") or regressed(scores.Toxicity)",
            ),
            ("improvements in Factualty", "improved(scores.Factuality)"),
            ("slower than 5s", "metrics.duration > 5"),
            ("slower than 500 ms", "metrics.duration > 0.5"),
            ("cost over 2 cents", "metrics.estimated_cost > 0.02"),
            ("cost at least $0.05 and errors", "metrics.estimated_cost >= 0.05 and error is not null"),
            ("more than 1000 tokens", "metrics.tokens > 1000"),
            ("over 2k prompt tokens", "metrics.prompt_tokens > 2000"),
            ("metadata.model is gpt-4o", "metadata.model = 'gpt-4o'"),
            ("model is not 'gpt 4'", "metadata.model != 'gpt 4'"),
            ("output contains 50%", "output ilike '%50\\%%'"),
            ("factuality below 50%", "scores.Factuality < 50%"),
            ("answer_correctness between 20% and 40%", "scores.\"Answer Correctness\" between 20% and 40%"),
            ("perfect factuality", "scores.Factuality >= 1"),
            ("missing factuality", "scores.Factuality is null"),
            ("tagged urgent", "tags includes 'urgent'"),
            ("not tagged urgent", "not coalesce(tags includes 'urgent', false)"),
            ("new cases", "presence() = 'candidate_only'"),
            ("only in baseline", "presence() = 'base_only'"),
            ("show cases only in the base", "presence() = 'base_only'"),
            ("in the candidate only", "presence() = 'candidate_only'"),
            ("in baseline", "presence() in ['matched', 'base_only']"),
            ("only cases in the baseline", "presence() in ['matched', 'base_only']"),
            ("not in baseline", "not coalesce(presence() in ['matched', 'base_only'], false)"),
            ("not only in baseline", "not coalesce(presence() = 'base_only', false)"),
            ("in baseline with errors", "presence() in ['matched', 'base_only'] and error is not null"),
            ("only errors", "error is not null"),
            ("only in last 7 days", "created >= now() - interval '7 day'"),
            ("error", "error is not null"),
            ("failing toxicity", "scores.Toxicity > 0.5"),
            ("passing toxicity", "scores.Toxicity <= 0.5"),
            ("perfect toxicity", "scores.Toxicity <= 0"),
            ("flipped factuality", "flipped(scores.Factuality)"),
            ("last 7 days", "created >= now() - interval '7 day'"),
        ] {
            let found = translate(phrase, &names()).unwrap_or_else(|| panic!("{phrase}"));
            assert_eq!(found.expr.to_string(), expected, "{phrase}");
            assert!(crate::parse_expression(expected).is_ok(), "{expected}");
        }
    }

    #[test]
    fn some_phrases_order() {
        for (phrase, expected, descending) in [
            ("longest outputs", "len(output)", true),
            ("slowest cases", "metrics.duration", true),
            ("cheapest", "metrics.estimated_cost", false),
            ("worst factuality", "scores.Factuality", false),
            ("worst toxicity", "scores.Toxicity", true),
            ("best toxicity", "scores.Toxicity", false),
            ("highest toxicity", "scores.Toxicity", true),
            ("slowest with errors", "metrics.duration", true),
        ] {
            let sort = translate(phrase, &names()).unwrap().sort.unwrap();
            assert_eq!((sort.expr.to_string(), sort.descending), (expected.to_string(), descending), "{phrase}");
        }
    }

    #[test]
    fn what_is_not_wholly_understood_is_not_answered() {
        for phrase in [
            "",
            "the",
            "regressions in politeness",
            "factuality",
            "slower than a snail",
            "errors on tuesdays",
            "score below 50%",
            "tier is pro",
            "cost over 2 yen",
            "please delete everything",
            "worst",
            "and",
            "errors and",
            "last few days",
            "model",
            "tokens more 5",
            "baseline",
            "in baseline on tuesdays",
        ] {
            assert_eq!(translate(phrase, &names()), None, "{phrase}");
        }
    }
}
