//! What is understood, what is refused and where, and that nothing ever breaks.

use proptest::prelude::*;

use crate::ast::{BinaryOp, Call, Expr, Literal, Node, Position, Step, UnaryOp};
use crate::parse_expression;

/// The text that an expression reads as, once printed.
fn printed(text: &str) -> String {
    match parse_expression(text) {
        Ok(tree) => tree.to_string(),
        Err(error) => panic!("{}", error.render(text)),
    }
}

#[test]
fn expressions_are_understood() {
    for (text, expected) in [
        ("a = 1 AND b <> 'x' or NOT c", "a = 1 and b != 'x' or not c"),
        ("scores.x < 80%", "scores.x < 80%"),
        ("a % 3", "a % 3"),
        ("10 % 3", "10 % 3"),
        ("80%-1", "80% - 1"),
        ("metadata.\"a b\"[0].c[-1]", "metadata.\"a b\"[0].c[-1]"),
        ("tags[-1]", "tags[-1]"),
        ("input['x y']", "input.\"x y\""),
        ("x IN ('a', 'b')", "x in ['a', 'b']"),
        ("x not in [1, 2]", "x not in [1, 2]"),
        ("'a' in tags", "'a' in tags"),
        ("x IS NOT NULL", "x is not null"),
        ("x ISNULL", "x is null"),
        ("x is not distinct from y", "x is not distinct from y"),
        ("x NOT LIKE 'a!%' ESCAPE '!'", "x not like 'a!%' escape '!'"),
        ("tags INCLUDES 'x'", "tags includes 'x'"),
        ("tags not contains 'x'", "tags not includes 'x'"),
        ("output MATCH 'refund policy'", "output match 'refund policy'"),
        ("a !~ '^x'", "a !~ '^x'"),
        ("a > 1 ? 'x' : b ? 'y' : 'z'", "a > 1 ? 'x' : b ? 'y' : 'z'"),
        ("CASE WHEN a THEN 1 ELSE 2 END", "case when a then 1 else 2 end"),
        ("cast(a as double precision)", "cast(a as double precision)"),
        ("a::decimal(10, 2) > 1", "cast(a as decimal(10,2)) > 1"),
        ("created > now() - interval 7 day", "created > now() - interval '7 day'"),
        ("created > date '2026-01-01'", "created > cast('2026-01-01' as date)"),
        ("extract(year from created) = 2026", "date_part('year', created) = 2026"),
        ("count(distinct a) filter (where b)", "count(distinct a) filter (where b)"),
        ("count(*)", "count(*)"),
        ("a between 1 and 2 and b", "a between 1 and 2 and b"),
        ("-(-1)", "-(-1)"),
        ("a - -1", "a - -1"),
        ("- a.b", "-a.b"),
        ("2 * (3 + 4) - 5", "2 * (3 + 4) - 5"),
        ("a - (b - c)", "a - (b - c)"),
        ("a /* no */ = -- yes\n 1", "a = 1"),
        ("metadata.order = 1 and scores.match > 0", "metadata.order = 1 and scores.match > 0"),
        ("\"select\" = 'it''s'", "\"select\" = 'it''s'"),
        ("x includes {\"a\": [1, true, null]}", "x includes {\"a\": [1, true, null]}"),
        ("9223372036854775808 = -9223372036854775808", "9.223372036854776e18 = -9223372036854775808"),
        ("größe > 1", "größe > 1"),
        ("$limit", "$limit"),
        ("regressed(scores.\"Answer Correctness\")", "regressed(scores.\"Answer Correctness\")"),
    ] {
        assert_eq!(printed(text), expected, "{text}");
        assert_eq!(printed(expected), expected, "{expected} is read as it is written");
    }
}

#[test]
fn precedence_is_that_of_sql() {
    let tree = parse_expression("a or b and not c = d || e + f * -g").unwrap();
    let Node::Binary { op: BinaryOp::Or, right, .. } = tree.node else { panic!("or binds loosest") };
    let Node::Binary { op: BinaryOp::And, right, .. } = right.node else { panic!("then and") };
    let Node::Unary { op: UnaryOp::Not, operand } = right.node else { panic!("then not") };
    let Node::Binary { op: BinaryOp::Eq, right, .. } = operand.node else { panic!("then =") };
    let Node::Binary { op: BinaryOp::Concat, .. } = right.node else { panic!("then ||") };
}

#[test]
fn errors_say_what_and_where() {
    for (text, message, start) in [
        ("", "expected a value, found the end", 0),
        ("a =", "expected a value, found the end", 3),
        ("a = = 1", "expected a value, found `=`", 4),
        ("(a", "expected `)`, found the end", 2),
        ("a b", "`b` is not expected here", 2),
        ("a lke 'x'", "`lke` is not expected here; did you mean `like`?", 2),
        ("a in (1, 2", "expected `,` or `]`, found the end", 10),
        ("'abc", "this text has no end, expected a closing '", 0),
        ("a.", "expected a name after the dot, found the end", 2),
        ("a[x]", "expected an index such as 0 or -1, or a key in quotes, found `x`", 2),
        ("12abc", "`12abc` is no number", 0),
        ("case end", "expected a value, found `end`", 5),
        ("interval 7", "expected a unit: second, minute, hour, day, week, month or year, found the end", 10),
        ("a # b", "`#` is not expected here", 2),
        ("/* x", "this comment has no end, expected `*/`", 0),
        (
            "row_number() over (order by x)",
            "window functions are not part of the filter language: use `evalhouse sql`",
            13,
        ),
    ] {
        let error = parse_expression(text).unwrap_err();
        let expected = message.replace("`,` or `]`", if text.contains('(') { "`,` or `)`" } else { "`,` or `]`" });
        assert_eq!((error.to_string(), error.position.start), (expected, start), "{text}");
    }
}

#[test]
fn every_element_is_no_path() {
    let error = parse_expression("input.messages[*].role = 'user'").unwrap_err();
    assert!(error.message.contains("[0] or [-1]"), "{error}");
    assert_eq!(error.position.start, 15);
}

#[test]
fn an_error_is_shown_below_its_line() {
    let text = "scores.a > 1\n  and scores.b >> 2";
    let error = parse_expression(text).unwrap_err();
    assert_eq!(error.render(text), "expected a value, found `>`\n    and scores.b >> 2\n                  ^");
    let long = format!("{} =", "a or ".repeat(90) + "b");
    let shown = parse_expression(&long).unwrap_err().render(&long);
    assert!(shown.lines().all(|line| line.chars().count() < 120), "{shown}");
    let wide = "größe = 'ü' ü";
    assert_eq!(parse_expression(wide).unwrap_err().render(wide).lines().last().unwrap().find('^'), Some(14));
}

#[test]
fn depth_and_length_have_limits() {
    for text in [
        "(".repeat(100_000),
        "[".repeat(100_000),
        "not ".repeat(100_000),
        "-".repeat(99_999).replace("--", "- "),
        format!("a{}", ".b".repeat(100_000)),
        format!("a{}", " or a".repeat(100_000)),
        format!("a{}", " ? a : a".repeat(100_000)),
        "{\"a\":".repeat(100_000),
        "case when ".repeat(100_000),
        "f(".repeat(100_000),
        "a::int".repeat(100_000),
        "x".repeat(2 << 20),
    ] {
        assert!(parse_expression(&text).is_err(), "{}", &text[..20]);
    }
    // Long lists are fine: they are not deep.
    let list = format!("a in [{}]", vec!["1"; 9_000].join(", "));
    assert!(parse_expression(&list).is_ok());
}

fn here(node: Node) -> Expr {
    Expr { node, position: Position::default() }
}

/// The tree without its positions.
fn bare(tree: &Expr) -> String {
    format!("{tree:?}")
        .split("position: Position")
        .map(|part| part.split_once('}').map_or(part, |(_, rest)| rest))
        .collect()
}

fn key() -> impl Strategy<Value = Step> {
    prop_oneof![
        "[a-z_][a-z0-9_]{0,5}".prop_map(|name| Step::Key { name, quoted: false }),
        "\\PC{0,6}".prop_map(|name| Step::Key { name, quoted: true }),
    ]
}

fn trees() -> impl Strategy<Value = Expr> {
    let literal = prop_oneof![
        Just(Literal::Null),
        any::<bool>().prop_map(Literal::Bool),
        any::<i64>().prop_map(Literal::Int),
        (-1e9..1e9_f64).prop_map(Literal::Float),
        (0_u32..200).prop_map(|share| Literal::Percent(f64::from(share))),
        "\\PC{0,8}".prop_map(Literal::Text),
    ];
    let path = (key(), prop::collection::vec(prop_oneof![key(), (-3_i64..9).prop_map(Step::Index)], 0..3))
        .prop_filter("reserved words are quoted", |(first, _)| match first {
            Step::Key { name, quoted } => *quoted || !crate::parser::RESERVED.contains(&name.as_str()),
            Step::Index(_) => false,
        })
        .prop_filter("words with a form of their own", |(first, _)| !matches!(first, Step::Key { name, quoted: false } if ["interval", "date", "timestamp", "case", "cast", "try_cast", "extract"].contains(&name.as_str())))
        .prop_map(|(first, rest)| here(Node::Path(std::iter::once(first).chain(rest).collect())));
    let leaf = prop_oneof![literal.prop_map(|literal| here(Node::Literal(literal))), path];
    leaf.prop_recursive(5, 40, 3, |inner| {
        let boxed = inner.clone().prop_map(Box::new);
        let ops = prop::sample::select(vec![
            BinaryOp::And,
            BinaryOp::Or,
            BinaryOp::Eq,
            BinaryOp::NotEq,
            BinaryOp::Less,
            BinaryOp::GreaterEq,
            BinaryOp::Plus,
            BinaryOp::Minus,
            BinaryOp::Times,
            BinaryOp::Divide,
            BinaryOp::Modulo,
            BinaryOp::Concat,
        ]);
        prop_oneof![
            (ops, boxed.clone(), boxed.clone()).prop_map(|(op, left, right)| here(Node::Binary { op, left, right })),
            boxed.clone().prop_map(|operand| here(Node::Unary { op: UnaryOp::Not, operand })),
            (boxed.clone(), any::<bool>()).prop_map(|(operand, negated)| here(Node::IsNull { operand, negated })),
            (boxed.clone(), prop::collection::vec(inner.clone(), 1..3), any::<bool>()).prop_map(
                |(operand, items, negated)| {
                    here(Node::In { operand, set: Box::new(here(Node::List(items))), negated })
                }
            ),
            (boxed.clone(), boxed.clone(), boxed.clone(), any::<bool>())
                .prop_map(|(operand, low, high, negated)| { here(Node::Between { operand, low, high, negated }) }),
            (boxed.clone(), boxed.clone(), any::<bool>(), any::<bool>()).prop_map(
                |(operand, pattern, ignore_case, negated)| {
                    here(Node::Like { operand, pattern, ignore_case, escape: None, negated })
                }
            ),
            (boxed.clone(), boxed.clone(), any::<bool>())
                .prop_map(|(container, item, negated)| { here(Node::Includes { container, item, negated }) }),
            (boxed.clone(), boxed.clone(), boxed)
                .prop_map(|(condition, then, otherwise)| { here(Node::Ternary { condition, then, otherwise }) }),
            ("[a-z]{3,6}", prop::collection::vec(inner, 0..3)).prop_map(|(name, arguments)| {
                let name = format!("f{name}");
                here(Node::Call(Call {
                    name,
                    name_position: Position::default(),
                    arguments,
                    distinct: false,
                    filter: None,
                }))
            }),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_printed_is_read_back(tree in trees()) {
        let text = tree.to_string();
        let read = parse_expression(&text).map_err(|error| TestCaseError::fail(format!("{}\n{tree:?}", error.render(&text))))?;
        prop_assert_eq!(bare(&read), bare(&tree), "{}", text);
    }
}
