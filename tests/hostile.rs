//! Mutated conditions and queries that parse are given a meaning or refused: no panic, no stack
//! overflow, and an error points into the text.

use evalhouse_language::{LanguageError, parse_expression, parse_query};
use evalhouse_session::{CASES, Scope, Session, SessionError};

use crate::analysis::{bundled_data, imported};

const TEXTS: usize = 20_000;
const QUERIES_MADE: usize = 2_000;
/// What a thread of the program has.
const STACK: usize = 2 << 20;

struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as usize) % limit
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.below(from.len())]
    }
}

/// Parts that fit together often: whole values, whole conditions.
const VALUES: &[&str] = &[
    "scores.Factuality",
    "Factuality",
    "metrics.duration",
    "metadata.tier",
    "metadata",
    "tags",
    "tags[0]",
    "input.messages[-1].content",
    "input",
    "error",
    "created",
    "id",
    "80%",
    "1",
    "-2.5",
    "9223372036854775807",
    "1e308",
    "'pro'",
    "''",
    "'2025-03-17'",
    "null",
    "true",
    "[1, 'a', null]",
    "[]",
    "{\"a\": 1}",
    "interval 7 day",
    "now()",
    "tags[-3]",
    "metadata.nowhere[3].at.all",
    "$limit",
    "*",
    "count(*)",
];
const FUNCTIONS: &[&str] = &[
    "len",
    "lower",
    "upper",
    "concat",
    "coalesce",
    "nullif",
    "least",
    "round",
    "to_number",
    "to_integer",
    "to_date",
    "to_datetime",
    "to_interval",
    "to_boolean",
    "day",
    "date_trunc",
    "search",
    "includes",
    "json_extract",
    "regressed",
    "delta",
    "baseline",
    "avg",
    "percentile",
    "comparison_key",
    "regexp_replace",
    "levenshtein",
    "if",
    "trial",
    "group_size",
    "abs",
    "nosuch",
];
const INFIX: &[&str] = &[
    "=",
    "!=",
    "<",
    ">=",
    "and",
    "or",
    "+",
    "-",
    "*",
    "/",
    "%",
    "||",
    "in",
    "not in",
    "like",
    "not ilike",
    "match",
    "includes",
    "~",
    "!~",
    "is distinct from",
];
const QUERIES: &[&str] = &[
    "select: id, VALUE as v | from: experiment('prompt-v2') SHAPE | filter: VALUE | sort: VALUE desc | limit: 3",
    "dimensions: VALUE as d | measures: avg(VALUE) as m, count(*) as n | from: experiment('prompt-v2', 'baseline') SHAPE | filter: VALUE",
    "dimensions: VALUE as d | pivot: max(VALUE) | from: experiment('prompt-v2') SHAPE",
    "select: * | from: experiment('prompt-v2') SHAPE | unpivot: VALUE as (k, v) | filter: any_span(VALUE) and not any_span(VALUE)",
    "measures: VALUE as m | from: experiment('prompt-v2') SHAPE | unpivot: VALUE as (v) | sample: 10%",
];

fn value(random: &mut Random, depth: usize) -> String {
    let inner = depth + 1;
    if depth > 4 {
        return random.pick(VALUES).to_string();
    }
    match random.below(12) {
        0..=3 => random.pick(VALUES).to_string(),
        4..=7 => format!("({} {} {})", value(random, inner), random.pick(INFIX), value(random, inner)),
        8 | 9 => {
            let arguments: Vec<String> = (0..random.below(4)).map(|_| value(random, inner)).collect();
            format!("{}({})", random.pick(FUNCTIONS), arguments.join(", "))
        }
        10 => format!("({} ? {} : {})", value(random, inner), value(random, inner), value(random, inner)),
        _ => {
            let to = random.pick(&["integer", "double", "text", "boolean", "date", "timestamp", "interval", "nosuch"]);
            match random.below(4) {
                0 => format!("({})::{to}", value(random, inner)),
                1 => format!("not {}", value(random, inner)),
                2 => format!("-({})", value(random, inner)),
                _ => format!("{} between {} and {}", value(random, inner), value(random, inner), value(random, inner)),
            }
        }
    }
}

/// An error points into the text and can be shown.
fn is_sound(error: &LanguageError, text: &str) {
    let (start, end) = (error.position.start, error.position.end);
    assert!(!error.message.is_empty() && start <= end && end <= text.len(), "{error:?} of {text:?}");
    assert!(text.is_char_boundary(start) && text.is_char_boundary(end), "{error:?} of {text:?}");
    assert!(!error.render(text).is_empty());
}

fn in_small_stack(body: impl FnOnce() + Send + 'static) {
    std::thread::Builder::new().stack_size(STACK).spawn(body).unwrap().join().unwrap();
}

fn on_session(body: impl FnOnce(&tokio::runtime::Runtime, Session) + Send + 'static) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let session = runtime.block_on(imported(&bundled_data(), "support-assistant"));
    in_small_stack(move || body(&runtime, session));
}

#[test]
fn conditions_that_parse_have_a_meaning_or_are_refused() {
    on_session(|runtime, session| {
        let cases = runtime.block_on(session.table(CASES)).unwrap();
        let reading = |_: &str, _: &str| (1e-9, false);
        let mut random = Random(3);
        let mut understood = 0;
        for _ in 0..TEXTS {
            let text = value(&mut random, 0);
            let Ok(tree) = parse_expression(&text) else { continue };
            for aggregates in [false, true] {
                let scope = Scope { aggregates, baseline: Some(&reading), ..Scope::of(cases.schema()) };
                match session.lower_condition(&tree, &scope) {
                    Ok(_) => understood += 1,
                    Err(error) => is_sound(&error, &text),
                }
                if let Err(error) = session.lower(&tree, &scope) {
                    is_sound(&error, &text);
                }
            }
        }
        assert!(understood > TEXTS / 50, "{understood} texts were understood: the test tests nothing");
    });
}

#[test]
fn what_parses_is_not_too_deep_for_a_plan() {
    on_session(|runtime, session| {
        let cases = runtime.block_on(session.table(CASES)).unwrap();
        for text in [
            vec!["Factuality < 0.5"; 250].join(" and "),
            vec!["metadata.n + 1"; 250].join(" + ") + " > 3",
            format!("{}Factuality < 1{}", "(".repeat(95), ")".repeat(95)),
            format!("{}error is null", "not ".repeat(95)),
            format!("{}1{} = 1", "coalesce(".repeat(90), ")".repeat(90)),
            format!("metadata{} = 1", ".a".repeat(90)),
            "Factuality < 1 ? ".repeat(45) + "true" + &" : false".repeat(45),
            format!("metadata.tier in [{}]", (0..9_000).map(|n| format!("'{n}'")).collect::<Vec<_>>().join(", ")),
            format!("Factuality in [{}]", (0..9_000).map(|n| n.to_string()).collect::<Vec<_>>().join(", ")),
            format!("metadata.n in [{}]", (0..9_000).map(|n| n.to_string()).collect::<Vec<_>>().join(", ")),
            format!("metadata.n not in [{}]", (0..4_500).map(|n| format!("{n}, '{n}'")).collect::<Vec<_>>().join(", ")),
        ] {
            let kept = session.condition(&text, cases.schema()).unwrap_or_else(|error| panic!("{text}: {error}"));
            let planned = cases.clone().filter(kept).and_then(datafusion::dataframe::DataFrame::into_optimized_plan);
            planned.unwrap_or_else(|error| panic!("{text}: {error}"));
        }
    });
}

/// Short texts of which each level would double what the level below became.
#[test]
fn what_would_grow_without_end_is_refused() {
    on_session(|runtime, session| {
        let cases = runtime.block_on(session.table(CASES)).unwrap();
        for (before, after) in [
            ("(", " between false and true)"),
            ("nullif(", ", true)"),
            ("(", " is distinct from true)"),
            ("(case ", " when true then true when false then false end)"),
            ("(", " in [true, 1, 'x'])"),
        ] {
            let text = format!("{}error is null{}", before.repeat(60), after.repeat(60));
            match session.condition(&text, cases.schema()) {
                Err(SessionError::Language { error, .. }) => is_sound(&error, &text),
                other => panic!("{text}: {other:?}"),
            }
        }
    });
}

#[test]
fn queries_that_parse_are_planned_or_refused() {
    on_session(|runtime, session| {
        let mut random = Random(5);
        let mut understood = 0;
        for _ in 0..QUERIES_MADE {
            let mut text = random.pick(QUERIES).replace("SHAPE", random.pick(&["spans", "traces", "summary"]));
            while text.contains("VALUE") {
                let next = value(&mut random, 3);
                text = text.replacen("VALUE", &next, 1);
            }
            let Ok(query) = parse_query(&text) else { continue };
            match runtime.block_on(session.btql(&query)) {
                Ok(_) => understood += 1,
                Err(SessionError::Language { error, .. }) => is_sound(&error, &text),
                Err(error) => assert!(error.is_users(), "{text}: {error:?}"),
            }
        }
        assert!(understood > QUERIES_MADE / 50, "{understood} queries were understood: the test tests nothing");
    });
}
