//! Queries and expressions in the JSON form that the Braintrust SDKs send.

use serde_json::{Map, Value};

use crate::ast::{
    BinaryOp, Call, Case, Expr, Literal, Named, Node, Position, Query, Sample, SortItem, Source, Step, UnaryOp, Unpivot,
};
use crate::btql::shape_named;
use crate::error::LanguageError;
use crate::{Shape, parse_expression, parse_query};

/// Nodes within nodes.
const DEPTH_MAX: usize = 100;

/// What stands beside the `query` of a request without changing what the query asks for: hints to the
/// engine of another server. A `version` would: who answers from older rows reads it and takes it out.
const HINTS: [&str; 7] = [
    "use_columnstore",
    "use_brainstore",
    "brainstore_realtime",
    "query_source",
    "fmt",
    "lint_mode",
    "strict_lint_mode",
];

/// Reads a query from its JSON form, alone or as the `query` of a request; a text is read as BTQL.
///
/// # Errors
/// [`LanguageError`] that names the place in the JSON.
pub fn query_from_json(json: &Value) -> Result<Query, LanguageError> {
    let fields = match json {
        Value::String(text) => return parse_query(text),
        Value::Object(request) if request.contains_key("query") => return query_of_request(request),
        Value::Object(fields) => fields,
        other => return wrong("query", &format!("expected an object, found {}", shown(other))),
    };
    let mut query = Query::default();
    for (name, value) in fields {
        if value.is_null() {
            continue;
        }
        match name.as_str() {
            "select" => query.select = named(value, "select")?,
            "dimensions" => query.dimensions = named(value, "dimensions")?,
            "measures" => query.measures = named(value, "measures")?,
            "pivot" => query.pivot = named(value, "pivot")?,
            "filter" => query.filter = Some(expression(value, "filter", 0)?),
            "from" => query.from = Some(source(value)?),
            "sort" => query.sort = sort(value)?,
            "limit" => match value.as_u64() {
                Some(limit) => query.limit = Some(limit),
                None => return wrong("limit", &format!("expected a whole number, found {}", shown(value))),
            },
            "cursor" => match value.as_str() {
                Some(cursor) => query.cursor = Some(cursor.to_string()),
                None => return wrong("cursor", &format!("expected a text, found {}", shown(value))),
            },
            "sample" => query.sample = Some(sample(value)?),
            "unpivot" => query.unpivot = unpivot(value)?,
            "preview_length" => match value.as_i64().filter(|length| *length >= -1) {
                Some(length) => query.preview_length = Some(length),
                None => return wrong("preview_length", "expected a number of characters, or -1"),
            },
            other => return wrong(other, "there is no such clause"),
        }
    }
    Ok(query)
}

fn query_of_request(request: &Map<String, Value>) -> Result<Query, LanguageError> {
    let matters = |(name, value): &(&String, &Value)| {
        let is_absent = value.is_null() || **value == Value::Bool(false);
        *name != "query" && !is_absent && !HINTS.contains(&name.as_str())
    };
    match (request.iter().find(matters), &request["query"]) {
        (Some((name, value)), _) => wrong(name, &format!("{} beside a query is not understood", shown(value))),
        // One request within another is none that anybody sends.
        (None, Value::Object(fields)) if fields.contains_key("query") => wrong("query", "there is no such clause"),
        (None, query) => query_from_json(query),
    }
}

/// Reads an expression from its JSON form; `{"btql": "…"}` is read as text.
///
/// # Errors
/// [`LanguageError`] that names the place in the JSON.
pub fn expression_from_json(json: &Value) -> Result<Expr, LanguageError> {
    expression(json, "expression", 0)
}

fn wrong<T>(place: &str, message: &str) -> Result<T, LanguageError> {
    Err(LanguageError::new(format!("{place}: {message}"), Position::default()))
}

fn shown(value: &Value) -> String {
    value.to_string().chars().take(60).collect()
}

fn here(node: Node) -> Expr {
    Expr { node, position: Position::default() }
}

fn path(names: &Value, place: &str) -> Result<Vec<Step>, LanguageError> {
    let Some(names) = names.as_array().filter(|names| !names.is_empty() && names.len() <= DEPTH_MAX) else {
        return wrong(place, "expected `name` to be a list of keys");
    };
    let step = |name: &Value| match name {
        Value::String(name) => Ok(Step::Key { name: name.clone(), quoted: false }),
        Value::Number(index) => match index.as_i64() {
            Some(index) => Ok(Step::Index(index)),
            None => wrong(place, &format!("{index} is no index")),
        },
        other => wrong(place, &format!("{} is no key", shown(other))),
    };
    let steps = names.iter().map(step).collect::<Result<Vec<Step>, _>>()?;
    match steps.first() {
        Some(Step::Key { .. }) => Ok(steps),
        _ => wrong(place, "a path begins with a name"),
    }
}

fn expression(json: &Value, place: &str, depth: usize) -> Result<Expr, LanguageError> {
    if depth > DEPTH_MAX {
        return wrong("expression", &format!("nested deeper than {DEPTH_MAX} levels"));
    }
    let node = match json {
        Value::String(text) => return parse_expression(text),
        Value::Object(node) => node,
        other => return wrong(place, &format!("expected a node, found {}", shown(other))),
    };
    if let Some(Value::String(text)) = node.get("btql").or_else(|| node.get("sql")) {
        return parse_expression(text);
    }
    let Some(op) = node.get("op").and_then(Value::as_str) else {
        return wrong(place, &format!("a node without `op`: {}", shown(json)));
    };
    let part = |name: &str| -> Result<Box<Expr>, LanguageError> {
        match node.get(name) {
            Some(value) => {
                let inner = if depth < 8 { format!("{place}.{name}") } else { place.to_string() };
                Ok(Box::new(expression(value, &inner, depth + 1)?))
            }
            None => wrong(place, &format!("`{op}` without `{name}`")),
        }
    };
    let binary = |op: BinaryOp| -> Result<Node, LanguageError> {
        Ok(Node::Binary { op, left: part("left")?, right: part("right")? })
    };
    Ok(here(match op {
        "literal" => literal(node.get("value").unwrap_or(&Value::Null)),
        "ident" => Node::Path(path(node.get("name").unwrap_or(&Value::Null), place)?),
        "star" => Node::Star,
        "eq" => binary(BinaryOp::Eq)?,
        "ne" | "neq" => binary(BinaryOp::NotEq)?,
        "lt" => binary(BinaryOp::Less)?,
        "le" | "lte" => binary(BinaryOp::LessEq)?,
        "gt" => binary(BinaryOp::Greater)?,
        "ge" | "gte" => binary(BinaryOp::GreaterEq)?,
        "add" => binary(BinaryOp::Plus)?,
        "sub" => binary(BinaryOp::Minus)?,
        "mul" => binary(BinaryOp::Times)?,
        "div" => binary(BinaryOp::Divide)?,
        "mod" => binary(BinaryOp::Modulo)?,
        "and" | "or" => {
            let op = if op == "and" { BinaryOp::And } else { BinaryOp::Or };
            let Some(children) = node.get("children") else { return Ok(here(binary(op)?)) };
            return joined(op, children, place, depth);
        }
        "not" => Node::Unary { op: UnaryOp::Not, operand: part("expr")? },
        "neg" => Node::Unary { op: UnaryOp::Negate, operand: part("expr")? },
        "isnull" => Node::IsNull { operand: part("expr")?, negated: false },
        "isnotnull" => Node::IsNull { operand: part("expr")?, negated: true },
        "in" | "notin" => Node::In { operand: part("left")?, set: part("right")?, negated: op == "notin" },
        "like" | "notlike" | "ilike" | "notilike" => Node::Like {
            operand: part("left")?,
            pattern: part("right")?,
            ignore_case: op.ends_with("ilike"),
            escape: None,
            negated: op.starts_with("not"),
        },
        "match" | "notmatch" => {
            Node::Match { operand: part("left")?, words: part("right")?, negated: op == "notmatch" }
        }
        "includes" | "notincludes" | "contains" | "notcontains" => {
            let container = part(if node.contains_key("haystack") { "haystack" } else { "left" })?;
            let item = part(if node.contains_key("needle") { "needle" } else { "right" })?;
            Node::Includes { container, item, negated: op.starts_with("not") }
        }
        "if" => conditional(node, place, depth)?,
        "interval" => match (node.get("value").and_then(Value::as_i64), node.get("unit").and_then(Value::as_str)) {
            (Some(value), Some(unit)) => Node::Interval(format!("{value} {unit}")),
            _ => return wrong(place, "an interval has a whole `value` and a `unit`"),
        },
        "function" => call(node, place, depth)?,
        other => return wrong(place, &format!("there is no node `{other}`")),
    }))
}

fn literal(value: &Value) -> Node {
    match value {
        Value::Null => Node::Literal(Literal::Null),
        Value::Bool(value) => Node::Literal(Literal::Bool(*value)),
        Value::Number(number) => Node::Literal(match number.as_i64() {
            Some(whole) => Literal::Int(whole),
            None => Literal::Float(number.as_f64().unwrap_or_default()),
        }),
        Value::String(text) => Node::Literal(Literal::Text(text.clone())),
        Value::Array(items) if items.iter().all(|item| !item.is_object() && !item.is_array()) => {
            Node::List(items.iter().map(|item| here(literal(item))).collect())
        }
        other => Node::Literal(Literal::Json(other.clone())),
    }
}

/// `and` and `or` of many, joined as a balanced tree so that it is not deep.
fn joined(op: BinaryOp, children: &Value, place: &str, depth: usize) -> Result<Expr, LanguageError> {
    let Some(children) = children.as_array().filter(|children| !children.is_empty()) else {
        return wrong(place, "expected `children` to be a list of nodes");
    };
    let mut parts = children
        .iter()
        .enumerate()
        .map(|(i, child)| {
            let inner = if depth < 8 { format!("{place}.children[{i}]") } else { place.to_string() };
            expression(child, &inner, depth + 1)
        })
        .collect::<Result<Vec<Expr>, _>>()?;
    while parts.len() > 1 {
        let mut pairs = Vec::with_capacity(parts.len().div_ceil(2));
        let mut each = parts.into_iter();
        while let Some(left) = each.next() {
            pairs.push(match each.next() {
                Some(right) => here(Node::Binary { op, left: Box::new(left), right: Box::new(right) }),
                None => left,
            });
        }
        parts = pairs;
    }
    match parts.pop() {
        Some(only) => Ok(only),
        None => wrong(place, "expected `children` to be a list of nodes"),
    }
}

fn conditional(node: &Map<String, Value>, place: &str, depth: usize) -> Result<Node, LanguageError> {
    let Some(conditions) = node.get("conds").and_then(Value::as_array) else {
        return wrong(place, "`if` without `conds`");
    };
    let mut branches = Vec::new();
    for condition in conditions {
        let part = |name: &str| match condition.get(name) {
            Some(value) => expression(value, place, depth + 1),
            None => wrong(place, &format!("a condition of `if` without `{name}`")),
        };
        branches.push((part("cond")?, part("then")?));
    }
    if branches.is_empty() {
        return wrong(place, "`if` without a condition");
    }
    let otherwise = match node.get("else") {
        None | Some(Value::Null) => None,
        Some(value) => Some(expression(value, place, depth + 1)?),
    };
    Ok(Node::Case(Box::new(Case { operand: None, branches, otherwise })))
}

fn call(node: &Map<String, Value>, place: &str, depth: usize) -> Result<Node, LanguageError> {
    let name = match node.get("name") {
        Some(Value::String(name)) => name.to_lowercase(),
        Some(Value::Object(ident)) => match path(ident.get("name").unwrap_or(&Value::Null), place)?.as_slice() {
            [Step::Key { name, .. }] => name.to_lowercase(),
            _ => return wrong(place, "a function has one name"),
        },
        _ => return wrong(place, "a function without `name`"),
    };
    let empty = Vec::new();
    let arguments = node.get("args").and_then(Value::as_array).unwrap_or(&empty);
    let arguments = arguments.iter().map(|argument| {
        // Named arguments of the form {name, value} are taken by place.
        let value = argument.get("value").filter(|_| argument.get("op").is_none()).unwrap_or(argument);
        expression(value, place, depth + 1)
    });
    Ok(Node::Call(Call {
        name,
        name_position: Position::default(),
        arguments: arguments.collect::<Result<Vec<_>, _>>()?,
        distinct: false,
        filter: None,
    }))
}

fn named(json: &Value, place: &str) -> Result<Vec<Named>, LanguageError> {
    let Some(items) = json.as_array() else { return wrong(place, "expected a list") };
    let item = |(i, item): (usize, &Value)| {
        let place = format!("{place}[{i}]");
        let alias = item.get("alias").and_then(Value::as_str).map(str::to_string);
        let expr = match item.get("expr") {
            Some(expr) => expression(expr, &place, 0)?,
            None => expression(item, &place, 0)?,
        };
        Ok(Named { expr, alias })
    };
    items.iter().enumerate().map(item).collect()
}

fn sort(json: &Value) -> Result<Vec<SortItem>, LanguageError> {
    let Some(items) = json.as_array() else { return wrong("sort", "expected a list") };
    let item = |(i, item): (usize, &Value)| {
        let place = format!("sort[{i}]");
        let Some(expr) = item.get("expr") else { return wrong(&place, "an item without `expr`") };
        let descending = match item.get("dir").and_then(Value::as_str) {
            None | Some("asc") => false,
            Some("desc") => true,
            Some(other) => return wrong(&place, &format!("`{other}` is no direction, expected asc or desc")),
        };
        Ok(SortItem { expr: expression(expr, &place, 0)?, descending })
    };
    items.iter().enumerate().map(item).collect()
}

fn source(json: &Value) -> Result<Source, LanguageError> {
    if let Value::String(text) = json {
        let query = parse_query(&format!("from: {text}"))?;
        return query.from.ok_or_else(|| LanguageError::new("from: expected a source", Position::default()));
    }
    let Some(node) = json.as_object() else { return wrong("from", "expected a source") };
    let Node::Call(call) = call(node, "from", 0)? else { return wrong("from", "expected a source") };
    let id = |argument: Expr| match argument.node {
        Node::Literal(Literal::Text(id)) => Ok(id),
        Node::Path(steps) => match steps.as_slice() {
            [Step::Key { name, .. }] => Ok(name.clone()),
            _ => wrong("from", "expected ids"),
        },
        _ => wrong("from", "expected ids"),
    };
    let shape = match node.get("shape").and_then(Value::as_str) {
        None => Shape::default(),
        Some(word) => match shape_named(word) {
            Some(shape) => shape,
            None => return wrong("from.shape", &format!("there is no shape `{word}`")),
        },
    };
    let ids = call.arguments.into_iter().map(id).collect::<Result<Vec<_>, _>>()?;
    Ok(Source { name: call.name, ids, shape, position: Position::default() })
}

fn sample(json: &Value) -> Result<Sample, LanguageError> {
    let method = json.get("method").unwrap_or(json);
    let value = method.get("value").unwrap_or(method);
    let kind = method.get("type").and_then(Value::as_str);
    match (kind, value.as_f64()) {
        (Some("rate"), Some(share)) if (0.0..=1.0).contains(&share) => Ok(Sample::Share(share)),
        (Some("count") | None, Some(rows)) if rows >= 0.0 && rows.fract() == 0.0 => Ok(Sample::Rows(rows as u64)),
        _ => wrong("sample", &format!("expected a rate or a count, found {}", shown(json))),
    }
}

fn unpivot(json: &Value) -> Result<Vec<Unpivot>, LanguageError> {
    let Some(items) = json.as_array() else { return wrong("unpivot", "expected a list") };
    let item = |(i, item): (usize, &Value)| {
        let place = format!("unpivot[{i}]");
        let Some(expr) = item.get("expr") else { return wrong(&place, "an item without `expr`") };
        let expr = expression(expr, &place, 0)?;
        match item.get("alias") {
            Some(Value::String(value)) => Ok(Unpivot { expr, key: None, value: value.clone() }),
            Some(Value::Array(names)) => match names.as_slice() {
                [Value::String(key), Value::String(value)] => {
                    Ok(Unpivot { expr, key: Some(key.clone()), value: value.clone() })
                }
                _ => wrong(&place, "expected the names of key and value"),
            },
            _ => wrong(&place, "an item without `alias`"),
        }
    };
    items.iter().enumerate().map(item).collect()
}
