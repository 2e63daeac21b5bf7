//! The filter language against a plain evaluation over the rows.
//!
//! A seeded generator makes conditions; each is answered by the engine's plan and by [`holds`], a
//! small interpreter of the rules in `docs/filters.md` over the rows as they were logged. Both have to
//! keep the same rows: of a file in which every path has one type, and of one in which types are
//! mixed, so that stored columns and JSON give the same answer.

use std::collections::BTreeSet;

use datafusion::arrow::array::AsArray;
use datafusion::logical_expr::{col, ident, lit};
use evalhouse_session::{CASES, Session};
use serde_json::{Map, Value, json};

use crate::analysis::{import_into, open};
use crate::store::memory_url;
use evalhouse_store::Store;

const FILTERS: usize = 400;
const ROWS: usize = 160;

struct Random(u64);

impl Random {
    fn next(&mut self, below: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as usize) % below
    }

    fn pick<T: Clone>(&mut self, from: &[T]) -> T {
        from[self.next(from.len())].clone()
    }
}

/// A row: scores that are null or missing, metadata whose paths have one type or many.
fn row(random: &mut Random, number: usize, mixed: bool) -> Value {
    let mut metadata = Map::new();
    let numbers = [json!(0), json!(1), json!(2), json!(-3), json!(2.5), json!(10)];
    let texts = [json!("a"), json!("b"), json!("B"), json!("10"), json!(""), json!("true"), json!("50% off_now")];
    let others = [json!(true), json!(false), json!(null), json!({"x": 1}), json!([1, "a"])];
    for path in ["n", "t", "b", "m"] {
        if random.next(5) == 0 {
            continue;
        }
        let value = match path {
            _ if mixed || path == "m" => match random.next(3) {
                0 => random.pick(&numbers),
                1 => random.pick(&texts),
                _ => random.pick(&others),
            },
            "n" => random.pick(&numbers),
            "t" => random.pick(&texts),
            _ => random.pick(&others[..2]),
        };
        metadata.insert(path.into(), value);
    }
    if random.next(2) == 0 {
        let list: Vec<Value> = (0..random.next(3)).map(|_| random.pick(&texts)).collect();
        metadata.insert("deep".into(), json!({"odd key": random.pick(&numbers), "list": list}));
    }
    let mut scores = Map::new();
    for name in ["s", "u"] {
        match random.next(6) {
            0 => {}
            1 => {
                scores.insert(name.into(), Value::Null);
            }
            other => {
                scores.insert(name.into(), json!(other as f64 / 5.0 - 0.2));
            }
        }
    }
    let mut row = json!({
        "id": format!("r{number}"), "span_id": format!("r{number}"), "root_span_id": format!("r{number}"),
        "input": format!("question {number}"), "metadata": metadata, "scores": scores,
        "output": random.pick(&["Reset the password.", "refund, please", "PASSWORD reset", "none of it"]),
    });
    if random.next(4) == 0 {
        row["error"] = json!("Timeout: no answer");
    }
    if random.next(3) > 0 {
        let tags = ["red", "blue", "big"];
        row["tags"] = (0..random.next(3)).map(|i| json!(tags[(i + number) % 3])).collect();
    }
    row
}

/// A condition, as text is made of it and as it is evaluated.
enum Condition {
    And(Box<Condition>, Box<Condition>),
    Or(Box<Condition>, Box<Condition>),
    Not(Box<Condition>),
    Compare(Term, &'static str, Term),
    IsNull(Term, bool),
    In(Term, Vec<Term>, bool),
    Between(Term, Term, Term, bool),
    Like(Term, &'static str, bool, bool),
    Match(Term, &'static str, bool),
    Includes(Term, &'static str, bool),
    Choice(Box<Condition>, Box<Condition>, Box<Condition>),
    IsTrue(Box<Condition>),
}

enum Term {
    /// A path below `metadata`.
    Loose(&'static [&'static str]),
    /// A score.
    Score(&'static str),
    /// A JSON column whole.
    Field(&'static str),
    Number(f64, String),
    Text(&'static str),
    Bool(bool),
    Sum(Box<Term>, Box<Term>, &'static str),
    Coalesce(Box<Term>, Box<Term>),
    Length(&'static str),
}

const PATHS: [&[&str]; 7] = [&["n"], &["t"], &["b"], &["m"], &["deep", "odd key"], &["deep", "missing"], &["nowhere"]];

fn number(random: &mut Random) -> Term {
    let texts = ["0", "1", "2", "-3", "2.5", "10", "0.4", "40%", "1e1", "80%"];
    let text = random.pick(&texts);
    let value = match text.strip_suffix('%') {
        Some(percent) => percent.parse::<f64>().unwrap() / 100.0,
        None => text.parse().unwrap(),
    };
    Term::Number(value, text.into())
}

fn numeric(random: &mut Random, depth: usize) -> Term {
    match random.next(if depth > 1 { 3 } else { 6 }) {
        0 => number(random),
        1 => Term::Score(random.pick(&["s", "u"])),
        2 => Term::Loose(random.pick(&PATHS)),
        3 => Term::Length("output"),
        4 => Term::Coalesce(Box::new(Term::Score("s")), Box::new(number(random))),
        _ => {
            let sign = random.pick(&["+", "-", "*", "/", "%"]);
            Term::Sum(Box::new(numeric(random, depth + 1)), Box::new(numeric(random, depth + 1)), sign)
        }
    }
}

fn text(random: &mut Random) -> Term {
    Term::Text(random.pick(&["a", "b", "B", "10", "", "true", "50% off_now", "it's"]))
}

fn condition(random: &mut Random, depth: usize) -> Condition {
    let compare = random.pick(&["=", "!=", "<", "<=", ">", ">=", "<>"]);
    let negated = random.next(2) == 0;
    let branch = |random: &mut Random| Box::new(condition(random, depth + 1));
    match random.next(if depth > 3 { 9 } else { 15 }) {
        0 => Condition::Compare(Term::Loose(random.pick(&PATHS)), compare, text(random)),
        1 if negated => Condition::Compare(Term::Loose(random.pick(&PATHS)), compare, Term::Loose(random.pick(&PATHS))),
        1 => Condition::Compare(Term::Loose(random.pick(&PATHS)), compare, Term::Bool(random.next(2) == 0)),
        2 => {
            let all: [Term; 5] = [
                Term::Loose(PATHS[random.next(7)]),
                Term::Score("s"),
                Term::Field("error"),
                Term::Field("expected"),
                Term::Field("tags"),
            ];
            Condition::IsNull(all.into_iter().nth(random.next(5)).unwrap(), negated)
        }
        3 => {
            let items = (0..1 + random.next(3)).map(|_| text(random)).collect();
            Condition::In(Term::Loose(random.pick(&PATHS)), items, negated)
        }
        4 => {
            let items = (0..1 + random.next(3)).map(|_| number(random)).collect();
            let operand = if random.next(2) == 0 { Term::Score("u") } else { Term::Loose(random.pick(&PATHS)) };
            Condition::In(operand, items, negated)
        }
        5 => {
            let pattern = random.pick(&["%a%", "_", "%off\\_now", "PASS%", "%", "50\\%%", "%reset%", ""]);
            let operand = if random.next(2) == 0 { Term::Field("output") } else { Term::Loose(random.pick(&PATHS)) };
            Condition::Like(operand, pattern, random.next(2) == 0, negated)
        }
        6 => {
            Condition::Match(Term::Field("output"), random.pick(&["password reset", "pass", "none", "refund"]), negated)
        }
        7 => Condition::Includes(Term::Field("tags"), random.pick(&["red", "blue", "re", "green"]), negated),
        8 => Condition::Between(numeric(random, depth), number(random), number(random), negated),
        9 | 10 => Condition::Compare(numeric(random, depth), compare, number(random)),
        11 => Condition::And(branch(random), branch(random)),
        12 => Condition::Or(branch(random), branch(random)),
        13 => match random.next(2) {
            0 => Condition::Not(branch(random)),
            _ => Condition::IsTrue(branch(random)),
        },
        _ => Condition::Choice(branch(random), branch(random), branch(random)),
    }
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

impl Term {
    fn written(&self) -> String {
        match self {
            Self::Loose(path) => {
                let keys = path.iter().map(|key| match key.contains(' ') {
                    true => format!("\"{key}\""),
                    false => key.to_string(),
                });
                std::iter::once("metadata".to_string()).chain(keys).collect::<Vec<_>>().join(".")
            }
            Self::Score(name) => format!("scores.{name}"),
            Self::Field(name) => name.to_string(),
            Self::Number(_, text) => text.clone(),
            Self::Text(value) => quoted(value),
            Self::Bool(value) => value.to_string(),
            Self::Sum(a, b, sign) => format!("({} {sign} ({}))", a.written(), b.written()),
            Self::Coalesce(a, b) => format!("coalesce({}, {})", a.written(), b.written()),
            Self::Length(field) => format!("len({field})"),
        }
    }

    /// The JSON value that a term names; null and missing are the same.
    fn json<'a>(&self, row: &'a Value) -> Option<&'a Value> {
        let found = match self {
            Self::Loose(path) => path.iter().try_fold(row.get("metadata")?, |value, key| value.get(key)),
            Self::Field(name) => row.get(name),
            Self::Score(name) => row.get("scores")?.get(name),
            _ => None,
        };
        found.filter(|value| !value.is_null())
    }

    fn text(&self, row: &Value) -> Option<String> {
        match self {
            Self::Text(value) => Some(value.to_string()),
            _ => self.json(row).map(|value| match value {
                Value::String(text) => text.clone(),
                other => other.to_string(),
            }),
        }
    }

    fn number(&self, row: &Value) -> Option<f64> {
        match self {
            Self::Number(value, _) => Some(*value),
            Self::Length(field) => Some(row[field].as_str()?.chars().count() as f64),
            Self::Coalesce(a, b) => a.number(row).or_else(|| b.number(row)),
            Self::Sum(a, b, sign) => {
                let (a, b) = (a.number(row)?, b.number(row)?);
                match *sign {
                    "+" => Some(a + b),
                    "-" => Some(a - b),
                    "*" => Some(a * b),
                    _ if b == 0.0 => None,
                    "/" => Some(a / b),
                    _ => Some(a % b),
                }
            }
            _ => self.text(row)?.parse().ok(),
        }
    }

    fn is_number(&self) -> bool {
        matches!(self, Self::Number(..) | Self::Score(_) | Self::Sum(..) | Self::Coalesce(..) | Self::Length(_))
    }
}

fn ordered<T: PartialOrd>(a: T, sign: &str, b: T) -> bool {
    match sign {
        "=" => a == b,
        "!=" | "<>" => a != b,
        "<" => a < b,
        "<=" => a <= b,
        ">" => a > b,
        _ => a >= b,
    }
}

fn compared(row: &Value, a: &Term, sign: &str, b: &Term) -> Option<bool> {
    if a.is_number() || b.is_number() {
        return Some(ordered(a.number(row)?, sign, b.number(row)?));
    }
    if let Term::Bool(value) = b {
        return Some(ordered(a.text(row)?.parse::<bool>().ok()?, sign, *value));
    }
    let (left, right) = (a.text(row)?, b.text(row)?);
    // Two values out of JSON are compared as numbers where both are.
    if let (Term::Loose(_), Term::Loose(_), Ok(left), Ok(right)) = (a, b, left.parse::<f64>(), right.parse::<f64>()) {
        return Some(ordered(left, sign, right));
    }
    Some(ordered(left, sign, right))
}

/// `%` any run, `_` one character, `\` makes the next one literal.
fn like(text: &[char], pattern: &[char]) -> bool {
    match pattern {
        [] => text.is_empty(),
        ['%', rest @ ..] => (0..=text.len()).any(|from| like(&text[from..], rest)),
        ['_', rest @ ..] => !text.is_empty() && like(&text[1..], rest),
        ['\\', c, rest @ ..] | [c, rest @ ..] => text.first() == Some(c) && like(&text[1..], rest),
    }
}

fn words(text: &str) -> BTreeSet<String> {
    let cut = text.split(|c: char| !c.is_alphanumeric() && c != '_');
    cut.filter(|word| !word.is_empty()).map(str::to_lowercase).collect()
}

impl Condition {
    fn written(&self) -> String {
        let no = |negated: &bool| if *negated { "not " } else { "" };
        match self {
            Self::And(a, b) => format!("({} and {})", a.written(), b.written()),
            Self::Or(a, b) => format!("({} or {})", a.written(), b.written()),
            Self::Not(a) => format!("not ({})", a.written()),
            Self::Compare(a, sign, b) => format!("{} {sign} {}", a.written(), b.written()),
            Self::IsNull(a, negated) => format!("{} is {}null", a.written(), no(negated)),
            Self::In(a, items, negated) => {
                let items: Vec<String> = items.iter().map(Term::written).collect();
                format!("{} {}in [{}]", a.written(), no(negated), items.join(", "))
            }
            Self::Between(a, low, high, negated) => {
                format!("{} {}between {} and {}", a.written(), no(negated), low.written(), high.written())
            }
            Self::Like(a, pattern, ignore_case, negated) => {
                let word = if *ignore_case { "ilike" } else { "like" };
                format!("{} {}{word} {}", a.written(), no(negated), quoted(pattern))
            }
            Self::Match(a, sought, negated) => format!("{} {}match {}", a.written(), no(negated), quoted(sought)),
            Self::Includes(a, item, negated) => format!("{} {}includes {}", a.written(), no(negated), quoted(item)),
            Self::Choice(a, b, c) => format!("(({}) ? ({}) : ({}))", a.written(), b.written(), c.written()),
            Self::IsTrue(a) => format!("({}) is true", a.written()),
        }
    }

    /// True, false, or null as in SQL.
    fn holds(&self, row: &Value) -> Option<bool> {
        let flip = |found: Option<bool>, negated: &bool| found.map(|found| found != *negated);
        match self {
            Self::And(a, b) => match (a.holds(row), b.holds(row)) {
                (Some(false), _) | (_, Some(false)) => Some(false),
                (Some(true), Some(true)) => Some(true),
                _ => None,
            },
            Self::Or(a, b) => match (a.holds(row), b.holds(row)) {
                (Some(true), _) | (_, Some(true)) => Some(true),
                (Some(false), Some(false)) => Some(false),
                _ => None,
            },
            Self::Not(a) => a.holds(row).map(|found| !found),
            Self::Compare(a, sign, b) => compared(row, a, sign, b),
            Self::IsNull(a, negated) => Some(a.json(row).is_none() != *negated),
            Self::In(a, items, negated) => {
                let found: Vec<Option<bool>> = items.iter().map(|item| compared(row, a, "=", item)).collect();
                let any = if found.contains(&Some(true)) {
                    Some(true)
                } else if found.contains(&None) {
                    None
                } else {
                    Some(false)
                };
                flip(any, negated)
            }
            Self::Between(a, low, high, negated) => {
                let value = a.number(row);
                let within = value.zip(low.number(row)).zip(high.number(row));
                flip(within.map(|((value, low), high)| low <= value && value <= high), negated)
            }
            Self::Like(a, pattern, ignore_case, negated) => {
                let fold = |text: &str| -> Vec<char> {
                    if *ignore_case { text.to_lowercase().chars().collect() } else { text.chars().collect() }
                };
                flip(a.text(row).map(|text| like(&fold(&text), &fold(pattern))), negated)
            }
            Self::Match(a, sought, negated) => {
                flip(a.text(row).map(|text| words(&text).is_superset(&words(sought))), negated)
            }
            Self::Includes(a, item, negated) => {
                let found = a.json(row).and_then(Value::as_array).map(|list| list.contains(&json!(item)));
                flip(found, negated)
            }
            Self::Choice(a, b, c) => {
                if a.holds(row) == Some(true) {
                    b.holds(row)
                } else {
                    c.holds(row)
                }
            }
            Self::IsTrue(a) => Some(a.holds(row) == Some(true)),
        }
    }
}

async fn one_experiment(rows: &[Value]) -> Session {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.jsonl");
    std::fs::write(&path, rows.iter().map(Value::to_string).collect::<Vec<_>>().join("\n")).unwrap();
    let store = Store::create(&memory_url()).await.unwrap();
    import_into(&store, &path, "p").await;
    open(store).await
}

#[tokio::test(flavor = "multi_thread")]
async fn lengths_of_time_are_compared_as_lengths() {
    // How long each took; the last is not over.
    let ends = [
        Some((1, "01-01T01")),
        Some((23, "01-01T23")),
        Some((24, "01-02T00")),
        Some((25, "01-02T01")),
        Some((24 * 30, "01-31T00")),
        Some((24 * 328, "11-25T00")),
        None,
    ];
    let rows = ends.iter().enumerate().map(|(i, end)| {
        let ended = end.map(|(_, end)| format!("2025-{end}:00:00Z"));
        let took = end.map(|(hours, _)| format!("{hours} hours"));
        json!({
            "id": format!("r{i}"), "span_id": format!("r{i}"), "root_span_id": format!("r{i}"), "input": i,
            "created": "2025-01-01T00:00:00Z", "metadata": {"ended": ended, "took": took},
        })
    });
    let session = one_experiment(&rows.collect::<Vec<_>>()).await;
    let took = "to_datetime(metadata.ended) - created";
    let check = async |filter: &str, expected: &[usize]| {
        let expected: BTreeSet<String> = expected.iter().map(|i| format!("r{i}")).collect();
        assert_eq!(kept(&session, "run", filter).await, expected, "{filter}");
    };
    check(&format!("{took} < interval 1 day"), &[0, 1]).await;
    check(&format!("{took} >= interval '24 hours'"), &[2, 3, 4, 5]).await;
    check(&format!("{took} = interval 1 day"), &[2]).await;
    check(&format!("{took} > '30 days'"), &[5]).await;
    check(&format!("interval 30 day <= {took}"), &[4, 5]).await;
    check(&format!("{took} between interval 23 hour and interval 25 hour"), &[1, 2, 3]).await;
    // January has 31 days.
    check(&format!("{took} < interval 1 month"), &[0, 1, 2, 3, 4]).await;
    check(&format!("({took}) + interval 1 hour > interval 1 day"), &[2, 3, 4, 5]).await;
    check("to_interval(metadata.took) > interval 1 day", &[3, 4, 5]).await;
    check(&format!("{took} = to_interval(metadata.took)"), &[0, 1, 2, 3, 4, 5]).await;
    check("interval 1 day = interval 24 hour", &[0, 1, 2, 3, 4, 5, 6]).await;
    check("interval 1 day != interval '1440 minutes'", &[]).await;
    check("now() - created > interval 100 year", &[]).await;
    check("now() - created > interval '-1 day' and created <= CURRENT_TIMESTAMP", &[0, 1, 2, 3, 4, 5, 6]).await;
    check("current_date >= created::date and metadata.current_date is null", &[0, 1, 2, 3, 4, 5, 6]).await;
    let cases = session.table(CASES).await.unwrap();
    for (filter, word) in [
        ("interval 1 month > interval 30 day", "no fixed length"),
        ("now() - created > 5", "this is an interval"),
        ("now() - created > 'soon'", "is no interval"),
        ("\"current_timestamp\" > 5", "expected a number"),
    ] {
        let error = format!("{:?}", session.condition(filter, cases.schema()).unwrap_err());
        assert!(error.contains(word), "{filter}: {error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_whole_json_value_is_no_condition() {
    let row = json!({
        "id": "r0", "span_id": "r0", "root_span_id": "r0", "input": 1, "output": true, "error": "Timeout",
        "metadata": {"flag": true},
    });
    let session = one_experiment(&[row]).await;
    let cases = session.table(CASES).await.unwrap();
    for filter in ["error", "not error", "metadata", "metadata.flag and error", "error ? true : false", "{\"a\": 1}"] {
        let error = format!("{:?}", session.condition(filter, cases.schema()).unwrap_err());
        assert!(error.contains("is not null`"), "{filter}: {error}");
    }
    for filter in ["metadata.flag", "output = true", "output is true", "error is not null", "not (output is false)"] {
        assert_eq!(kept(&session, "run", filter).await.len(), 1, "{filter}");
    }
}

async fn kept(session: &Session, experiment: &str, filter: &str) -> BTreeSet<String> {
    let cases = session.table(CASES).await.unwrap();
    let condition =
        session.condition(filter, cases.schema()).unwrap_or_else(|error| panic!("`{filter}` was refused: {error:?}"));
    let rows = cases.filter(ident("experiment").eq(lit(experiment))).unwrap().filter(condition).unwrap();
    let batches = rows.select(vec![col("id")]).unwrap().collect().await;
    let batches = batches.unwrap_or_else(|error| panic!("`{filter}` failed: {error}"));
    let ids = batches.iter().flat_map(|batch| {
        let ids =
            datafusion::arrow::compute::cast(batch.column(0), &datafusion::arrow::datatypes::DataType::Utf8).unwrap();
        ids.as_string::<i32>().iter().map(|id| id.unwrap().to_string()).collect::<Vec<_>>()
    });
    ids.collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_filter_keeps_the_rows_that_a_plain_evaluation_keeps() {
    let folder = tempfile::tempdir().unwrap();
    let mut random = Random(20_261_124);
    let store = Store::create(&memory_url()).await.unwrap();
    let mut experiments = Vec::new();
    for (name, mixed) in [("uniform", false), ("mixed", true)] {
        let rows: Vec<Value> = (0..ROWS).map(|number| row(&mut random, number, mixed)).collect();
        let lines: Vec<String> = rows.iter().map(Value::to_string).collect();
        let path = folder.path().join(format!("{name}.jsonl"));
        std::fs::write(&path, lines.join("\n")).unwrap();
        import_into(&store, &path, "p").await;
        experiments.push((name, rows));
    }
    let session = open(store).await;
    let (mut some, mut none) = (0, 0);
    for _ in 0..FILTERS {
        let condition = condition(&mut random, 0);
        let filter = condition.written();
        for (name, rows) in &experiments {
            let expected: BTreeSet<String> = rows
                .iter()
                .filter(|row| condition.holds(row) == Some(true))
                .map(|row| row["id"].as_str().unwrap().to_string())
                .collect();
            let found = kept(&session, name, &filter).await;
            let differ: Vec<&Value> = rows
                .iter()
                .filter(|row| {
                    let id = row["id"].as_str().unwrap();
                    found.contains(id) != expected.contains(id)
                })
                .take(3)
                .collect();
            assert!(
                differ.is_empty(),
                "{name}: `{filter}`\n{} rows by the plan, {} expected; {differ:#?}",
                found.len(),
                expected.len()
            );
            if expected.is_empty() { none += 1 } else { some += 1 }
        }
    }
    assert!(some > FILTERS / 2 && none > 0, "{some} filters kept rows, {none} kept none");
}
