//! 100,000 random and mutated texts: no panic, no stack overflow, no answer to a question that was not
//! understood.

#![allow(clippy::unwrap_used, reason = "a test may panic; clippy knows only functions marked as tests")]

use std::fmt::Write;

use evalhouse_language::{
    LanguageError, Named, Names, Query, Sample, Shape, expression_from_json, parse_expression, parse_query,
    query_from_json, translate,
};
use serde_json::{Value, json};

const TEXTS: usize = 100_000;
/// What a thread of the program has.
const STACK: usize = 2 << 20;

struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as usize) % limit
    }

    fn pick<T: Clone>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())].clone()
    }
}

const EXPRESSIONS: &[&str] = &[
    "scores.Factuality < 80%",
    "metadata.model = 'gpt-4o' and error is not null",
    "tags includes 'x' or not (output like '%a\\%b%')",
    "scores.\"Answer Correctness\" between 0.2 and 1e-3",
    "input.messages[-1].content match 'reset password'",
    "regressed(Factuality) and delta(metrics.duration) > 0.5",
    "a ? b : c ? d : e",
    "case when a = 1 then 'x' else null end = 'x'",
    "created > now() - interval 7 day -- a week",
    "metadata.k in ['a', \"b\", 3, null, true]",
    "x % 3 = 1 and y = 50%",
    "output ~ '^[a-z]+$' and expected !~ 'no'",
    "cast(metadata.n as double) * -2 + 3 / 4.5",
    "count_distinct(metadata.user) filter (where a is not distinct from b)",
    "coalesce(a.b.c, 'it''s', {\"k\": [1, 2]})",
];
const QUERIES: &[&str] = &[
    "select: id, scores.F as f | from: experiment('v2') | filter: error is null | sort: f desc | limit: 5",
    "dimensions: metadata.category | measures: avg(scores.F) as f, count(1) as n | from: experiment('a', 'b') summary",
    "from: dataset('d') spans | select: * | cursor: 'abc' | sample: 25% | preview_length: -1",
    "unpivot: scores as (key, value) | from: experiment('v2') traces | pivot: avg(value)\nlimit: 10",
    "from: experiment('v2') | filter: any_span(type = 'llm') and filter_spans(metrics.end - metrics.start > 2)",
];
const PHRASES: &[&str] = &[
    "regressions in Factuality",
    "slower than 5s and cost over 2 cents",
    "Factuality below 50%, tagged urgent",
    "longest outputs",
    "metadata.model is gpt-4o",
    "only in baseline",
];
const PIECES: &[&str] = &[
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    "'",
    "\"",
    "\\",
    "%",
    "--",
    "/*",
    "*/",
    "|",
    ":",
    "?",
    "::",
    ",",
    ".",
    "..",
    "-",
    "not ",
    " and ",
    " or ",
    " in ",
    " is ",
    " like ",
    " between ",
    "case ",
    "when ",
    "end",
    "0x",
    "1e999",
    "99999999999999999999",
    "-9223372036854775808",
    "\u{0}",
    "\u{feff}",
    "\u{202e}",
    "é",
    "日本",
    "🦀",
    "\n",
    "\t",
    "select:",
    "filter:",
    "limit:",
    "from:",
    "$1",
    "@",
    "#",
    ";",
    "null",
    "true",
    "interval ",
    "`",
    "~",
    "!",
    "=",
    "<>",
    "||",
    "$",
];

fn mutated(random: &mut Random, seeds: &[&str]) -> String {
    let mut text: Vec<char> = random.pick(seeds).chars().collect();
    for _ in 0..random.below(6) {
        let at = random.below(text.len() + 1);
        match random.below(6) {
            0 if at < text.len() => {
                text.remove(at);
            }
            1 => {
                let piece: Vec<char> = random.pick(PIECES).chars().collect();
                text.splice(at..at, piece);
            }
            2 => {
                let to = (at + random.below(12)).min(text.len());
                let copy: Vec<char> = text[at..to].to_vec();
                text.splice(at..at, copy);
            }
            3 => {
                let to = (at + random.below(12)).min(text.len());
                text.drain(at..to);
            }
            4 => {
                let other: Vec<char> = random.pick(seeds).chars().collect();
                let from = random.below(other.len());
                text.splice(at..at, other[from..].to_vec());
            }
            _ => {
                let piece: Vec<char> = random.pick(PIECES).repeat(1 + random.below(200)).chars().collect();
                text.splice(at..at, piece);
            }
        }
    }
    text.into_iter().collect()
}

fn random_text(random: &mut Random) -> String {
    (0..random.below(40)).map(|_| random.pick(PIECES)).collect()
}

/// An error points into the text and can be shown.
fn is_sound(error: &LanguageError, text: &str) {
    assert!(!error.message.is_empty());
    let (start, end) = (error.position.start, error.position.end);
    assert!(start <= end && end <= text.len(), "{error:?} of {text:?}");
    assert!(text.is_char_boundary(start) && text.is_char_boundary(end), "{error:?} of {text:?}");
    assert!(!error.render(text).is_empty());
}

fn expression(text: &str) -> bool {
    match parse_expression(text) {
        Ok(tree) => {
            // What was understood is what was said: its print means the same, and nothing is left out.
            let printed = tree.to_string();
            let again = parse_expression(&printed).unwrap_or_else(|error| panic!("{text:?} → {printed:?}: {error:?}"));
            assert_eq!(again.to_string(), printed, "{text:?}");
            true
        }
        Err(error) => {
            is_sound(&error, text);
            false
        }
    }
}

fn name(text: &str) -> String {
    format!("\"{}\"", text.replace('"', "\"\""))
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

fn columns(items: &[Named]) -> String {
    let column = |item: &Named| match &item.alias {
        Some(alias) => format!("{} as {}", item.expr, name(alias)),
        None => item.expr.to_string(),
    };
    items.iter().map(column).collect::<Vec<_>>().join(", ")
}

/// A query as text, with everything that it holds.
fn written(query: &Query) -> String {
    let mut text = String::new();
    if let Some(source) = &query.from {
        let ids: Vec<String> = source.ids.iter().map(|id| quoted(id)).collect();
        let shape = match source.shape {
            Shape::Spans => "spans",
            Shape::Traces => "traces",
            Shape::Summary => "summary",
        };
        writeln!(text, "from: {}({}) {shape}", name(&source.name), ids.join(", ")).unwrap();
    }
    let lists = [&query.select, &query.dimensions, &query.measures, &query.pivot];
    for (clause, items) in ["select", "dimensions", "measures", "pivot"].iter().zip(lists) {
        if !items.is_empty() {
            writeln!(text, "{clause}: {}", columns(items)).unwrap();
        }
    }
    if let Some(filter) = &query.filter {
        writeln!(text, "filter: {filter}").unwrap();
    }
    if !query.unpivot.is_empty() {
        let items = query.unpivot.iter().map(|item| {
            let key = item.key.iter().map(|key| format!("{}, ", name(key))).collect::<String>();
            format!("{} as ({key}{})", item.expr, name(&item.value))
        });
        writeln!(text, "unpivot: {}", items.collect::<Vec<_>>().join(", ")).unwrap();
    }
    if !query.sort.is_empty() {
        let items =
            query.sort.iter().map(|item| format!("{} {}", item.expr, if item.descending { "desc" } else { "asc" }));
        writeln!(text, "sort: {}", items.collect::<Vec<_>>().join(", ")).unwrap();
    }
    for (clause, number) in
        [("limit", query.limit.map(|n| n.to_string())), ("preview_length", query.preview_length.map(|n| n.to_string()))]
    {
        if let Some(number) = number {
            writeln!(text, "{clause}: {number}").unwrap();
        }
    }
    if let Some(cursor) = &query.cursor {
        writeln!(text, "cursor: {}", quoted(cursor)).unwrap();
    }
    match query.sample {
        // Shares are read from percentages: the last digits may differ.
        Some(Sample::Share(share)) => writeln!(text, "sample: {:.6}%", share * 100.0).unwrap(),
        Some(Sample::Rows(rows)) => writeln!(text, "sample: {rows}").unwrap(),
        None => {}
    }
    text
}

/// What was understood of a query is what was said: written down and read again it is the same.
fn is_read_back(query: &Query, said: &str) {
    let text = written(query);
    let again = parse_query(&text).unwrap_or_else(|error| panic!("{said:?} → {text}: {}", error.render(&text)));
    assert_eq!(written(&again), text, "{said:?}");
}

fn in_small_stack(body: impl FnOnce() + Send + 'static) {
    std::thread::Builder::new().stack_size(STACK).spawn(body).unwrap().join().unwrap();
}

#[test]
fn random_and_mutated_texts_are_understood_or_refused() {
    in_small_stack(|| {
        let mut random = Random(1);
        let names = Names {
            scores: vec!["Factuality".into(), "Answer Correctness".into()],
            metrics: vec!["duration".into(), "estimated_cost".into()],
            fields: vec!["metadata.model".into()],
            lower_is_better: vec!["Factuality".into()],
        };
        let mut understood = 0;
        for i in 0..TEXTS {
            match i % 4 {
                0 => understood += usize::from(expression(&random_text(&mut random))),
                1 => understood += usize::from(expression(&mutated(&mut random, EXPRESSIONS))),
                2 => {
                    let text = mutated(&mut random, QUERIES);
                    match parse_query(&text) {
                        // An empty text asks for nothing, and nothing can be written of it.
                        Ok(query) if query == Query::default() => {}
                        Ok(query) => {
                            is_read_back(&query, &text);
                            understood += 1;
                        }
                        Err(error) => is_sound(&error, &text),
                    }
                }
                _ => {
                    let text = mutated(&mut random, PHRASES);
                    if let Some(phrase) = translate(&text, &names) {
                        assert!(expression(&phrase.expr.to_string()), "{text:?} became {}", phrase.expr);
                        understood += 1;
                    }
                }
            }
        }
        assert!(understood > TEXTS / 100, "{understood} texts were understood: the test tests nothing");
    });
}

#[test]
fn depth_and_length_have_an_end() {
    in_small_stack(|| {
        let n = 200_000;
        let deep =
            ["(", "[", "not ", "- ", "a ? ", "case when ", "f(", "{\"a\":", "a.", "a[", "a + ", "a and ", "-- x\n"];
        for opening in deep {
            expression(&opening.repeat(n));
            expression(&format!("{}x{}", opening.repeat(n), ")".repeat(n)));
            let error = parse_expression(&opening.repeat(n)).unwrap_err();
            assert!(error.message.len() < 1_000, "{}", error.message.len());
        }
        let query = format!("from: experiment('v') | filter: {}", "(".repeat(n));
        is_sound(&parse_query(&query).unwrap_err(), &query);
        let chain = vec!["a = 1"; 200].join(" and ");
        assert!(expression(&chain), "a chain of 200 conditions is a question that people generate");
    });
}

/// A valid query in the JSON form with one thing changed anywhere.
fn mutated_json(random: &mut Random, value: &mut Value, depth: usize) {
    let others = [
        json!(null),
        json!(true),
        json!(-1),
        json!(1e300),
        json!(""),
        json!("eq"),
        json!([]),
        json!({}),
        json!({"op": "star"}),
        json!({"op": "ident", "name": ["a", 0]}),
        json!({"op": "literal"}),
        json!([[[]]]),
    ];
    if depth > 8 || random.below(4) == 0 {
        *value = random.pick(&others);
        return;
    }
    match value {
        Value::Array(items) if !items.is_empty() => {
            let at = random.below(items.len());
            mutated_json(random, &mut items[at], depth + 1);
        }
        Value::Object(fields) if !fields.is_empty() => {
            let keys: Vec<String> = fields.keys().cloned().collect();
            let key = random.pick(&keys);
            match random.below(4) {
                0 => {
                    fields.remove(&key);
                }
                1 => {
                    fields.insert(format!("{key}x"), json!(1));
                }
                _ => {
                    if let Some(inner) = fields.get_mut(&key) {
                        mutated_json(random, inner, depth + 1);
                    }
                }
            }
        }
        other => *other = random.pick(&others),
    }
}

#[test]
fn mutated_json_queries_are_understood_or_refused() {
    in_small_stack(|| {
        let mut random = Random(7);
        let condition = json!({"op": "and", "children": [
            {"op": "eq", "left": {"op": "ident", "name": ["root_span_id"]}, "right": {"op": "literal", "value": "r"}},
            {"op": "or", "children": [
                {"op": "isnull", "expr": {"op": "ident", "name": ["span_attributes", "purpose"]}},
                {"op": "ne", "left": {"op": "ident", "name": ["span_attributes", "purpose"]}, "right": {"op": "literal", "value": "scorer"}},
            ]},
            {"op": "gt", "left": {"op": "sub", "left": {"op": "ident", "name": ["metrics", "end"]}, "right": {"op": "ident", "name": ["metrics", "start"]}}, "right": {"op": "literal", "value": 2}},
        ]});
        let query = json!({
            "select": [{"op": "star"}],
            "from": {"op": "function", "name": {"op": "ident", "name": ["experiment"]}, "args": [{"op": "literal", "value": "id"}]},
            "filter": condition, "cursor": null, "limit": 1000,
        });
        query_from_json(&query).unwrap();
        let mut understood = 0;
        for _ in 0..20_000 {
            let mut changed = query.clone();
            for _ in 0..=random.below(3) {
                mutated_json(&mut random, &mut changed, 0);
            }
            if let Ok(query) = query_from_json(&changed) {
                if query != Query::default() {
                    is_read_back(&query, &changed.to_string());
                }
                understood += 1;
            }
            let mut changed = condition.clone();
            mutated_json(&mut random, &mut changed, 0);
            if let Ok(tree) = expression_from_json(&changed) {
                assert!(expression(&tree.to_string()), "{changed} became {tree}");
            }
        }
        assert!(understood > 100 && understood < 15_000, "{understood} of 20,000 changed queries were understood");

        let mut unknown = query.clone();
        unknown["fliter"] = json!(true);
        assert!(query_from_json(&unknown).is_err(), "a clause that is not known is no clause to leave out");
        // Deeper than a reader of JSON lets through.
        let mut deep = json!({"op": "literal", "value": true});
        for _ in 0..1_000 {
            let mut outer = serde_json::Map::from_iter([("op".to_string(), json!("not"))]);
            outer.insert("expr".into(), deep);
            deep = Value::Object(outer);
        }
        assert!(expression_from_json(&deep).is_err());
    });
}
