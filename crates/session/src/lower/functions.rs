//! Function calls: those of the language by their own rules, any other of the session by its name.

use std::sync::Arc;

use datafusion::arrow::compute::kernels::cast_utils::{parse_interval_month_day_nano, string_to_timestamp_nanos};
use datafusion::arrow::datatypes::{DataType, IntervalMonthDayNanoType, IntervalUnit, TimeUnit};
use datafusion::common::{Column, ScalarValue};
use datafusion::functions_aggregate::expr_fn as aggregate;
use datafusion::logical_expr::expr::{AggregateFunction, AggregateFunctionParams, ScalarFunction};
use datafusion::logical_expr::{Expr, LogicalPlanBuilder, Operator, cast, exists, lit, out_ref_col, try_cast};
use datafusion::prelude::coalesce;
use evalhouse_language::{BinaryOp, Call, Expr as Tree, LanguageError, Literal, Node, Position};
use evalhouse_model::schema;

use super::operators::binary;
use super::{BASE, Kind, Lowered, Lowering, Value, error, internal};

/// Functions that the language adds to the session's, for suggestions.
const OWN: [&str; 45] = [
    "second",
    "minute",
    "hour",
    "day",
    "week",
    "month",
    "year",
    "date_trunc",
    "current_timestamp",
    "current_date",
    "now",
    "lower",
    "upper",
    "concat",
    "len",
    "contains",
    "includes",
    "json_extract",
    "coalesce",
    "nullif",
    "least",
    "greatest",
    "round",
    "to_string",
    "to_boolean",
    "to_integer",
    "to_number",
    "to_date",
    "to_datetime",
    "to_interval",
    "search",
    "any_span",
    "estimated_cost",
    "count",
    "count_distinct",
    "sum",
    "avg",
    "min",
    "max",
    "percentile",
    "regressed",
    "improved",
    "delta",
    "flipped",
    "baseline",
];

/// Numeric functions of the engine: a JSON argument of theirs is read as a number.
const NUMERIC: [&str; 18] = [
    "abs", "ceil", "floor", "round", "sqrt", "ln", "log", "log10", "log2", "exp", "power", "pow", "sign", "signum",
    "trunc", "sin", "cos", "tan",
];

/// Functions whose arguments are JSON as it is stored.
const JSON: [&str; 10] = [
    "comparison_key",
    "comparison_hash",
    "canonical_json",
    "json_at",
    "json_get",
    "json_get_str",
    "json_get_int",
    "json_get_float",
    "json_length",
    "json_contains",
];

/// A score from which a case counts as passed, for `flipped`.
const PASSED: f64 = 0.5;

/// Qualifier of the spans that `any_span` looks through.
const ANY_SPAN: &str = "any_span";

impl Lowering<'_> {
    pub(super) fn function(&self, call: &Call, at: Position) -> Lowered {
        if let Some(found) = self.aggregate_call(call, at)? {
            return Ok(found);
        }
        if call.distinct || call.filter.is_some() {
            return error(format!("`{}` is no aggregate function", call.name), call.name_position);
        }
        if let Some(found) = self.pair_call(call, at)? {
            return Ok(found);
        }
        let arguments = call.arguments.as_slice();
        match (call.name.as_str(), arguments) {
            ("now" | "current_timestamp", []) => self.typed(self.call("now", vec![], at)?, at),
            ("current_date", []) => self.typed(self.call("current_date", vec![], at)?, at),
            ("second" | "minute" | "hour" | "day" | "week" | "month" | "year", [time]) => {
                self.truncated(&call.name, time, at)
            }
            ("date_trunc", [unit, time]) => match self.lower(unit)?.constant_text() {
                Some(unit) => self.truncated(&unit.to_lowercase(), time, at),
                None => error("`date_trunc` takes a constant unit, such as 'day' or '15 minutes'", unit.position),
            },
            ("date_part", [unit, time]) => {
                let (unit, value) = (self.lower(unit)?, self.lower(time)?);
                let part = self.call("date_part", vec![unit.expr, self.time(value, time)?], at)?;
                Ok(Value::new(part, Kind::Number))
            }
            ("lower" | "upper", [text]) => {
                Ok(Value::new(self.call(&call.name, vec![self.text_of(text)?], at)?, Kind::Text))
            }
            ("concat", [_, ..]) => {
                let texts = arguments.iter().map(|tree| self.text_of(tree)).collect::<Result<Vec<_>, _>>()?;
                Ok(Value::new(self.call("concat", texts, at)?, Kind::Text))
            }
            ("len" | "length", [value]) => {
                let lowered = self.lower(value)?;
                if lowered.kind == Kind::List {
                    let length = self.call("array_length", vec![lowered.expr], at)?;
                    // An empty list has a length too.
                    return Ok(Value::new(cast(length, DataType::Int64), Kind::Number));
                }
                let text = if lowered.kind == Kind::Json { lowered.expr } else { self.text(lowered)? };
                Ok(Value::new(self.call("len", vec![text], at)?, Kind::Number))
            }
            ("contains" | "includes", [container, item]) => self.includes(container, item, false, at),
            ("json_extract", [text, key]) => {
                let json = self.lower(text)?;
                let json = if json.kind == Kind::Json { json.expr } else { self.text(json)? };
                Ok(Value::new(self.call("json_at", vec![json, self.text_of(key)?], at)?, Kind::Loose))
            }
            ("coalesce", [_, ..]) => self.alike(arguments, |_, values| Ok(coalesce(values))),
            ("nullif", [a, b]) => {
                let equal = self.comparison(BinaryOp::Eq, a, b)?.expr;
                let value = self.lower(a)?;
                let expr = datafusion::logical_expr::when(equal, lit(ScalarValue::Null)).otherwise(value.expr);
                Ok(Value::new(expr.map_err(|e| internal(&e))?, value.kind))
            }
            ("least" | "greatest", [_, ..]) => {
                self.alike(arguments, |lowering, values| lowering.call(&call.name, values, at))
            }
            ("if", [condition, then, otherwise]) => {
                self.choice(vec![(self.lower_condition(condition)?.expr, then)], Some(otherwise))
            }
            ("round", [value, digits]) => {
                let (lowered, places) = (self.lower(value)?, self.lower(digits)?);
                let arguments = vec![self.number(lowered, value)?, self.number(places, digits)?];
                self.typed(self.call("round", arguments, at)?, at)
            }
            ("to_string", [value]) => Ok(Value::new(self.text_of(value)?, Kind::Text)),
            ("to_boolean", [value]) => {
                let lowered = self.lower(value)?;
                match lowered.kind {
                    Kind::Bool => Ok(lowered),
                    Kind::Number => Ok(Value::bool(binary(lowered.expr, Operator::NotEq, lit(0_i64)))),
                    Kind::Text => Ok(Value::bool(try_cast(lowered.expr, DataType::Boolean))),
                    _ => Ok(Value::bool(self.truth(lowered)?)),
                }
            }
            ("to_number", [value]) => {
                let lowered = self.lower(value)?;
                Ok(Value::new(self.lenient_number(lowered)?, Kind::Number))
            }
            ("to_integer", [value]) => {
                let lowered = self.lower(value)?;
                let whole = self.call("trunc", vec![self.lenient_number(lowered)?], at)?;
                Ok(Value::new(try_cast(whole, DataType::Int64), Kind::Number))
            }
            ("to_date" | "to_datetime" | "to_timestamp", [value]) => {
                let lowered = self.lower(value)?;
                let data_type = match call.name.as_str() {
                    "to_date" => DataType::Date32,
                    _ => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
                };
                let source = match lowered.kind {
                    Kind::Time => lowered.expr,
                    // Numbers are Unix seconds.
                    Kind::Number => {
                        let micros = binary(cast(lowered.expr, DataType::Float64), Operator::Multiply, lit(1e6));
                        let time = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
                        cast(try_cast(micros, DataType::Int64), time)
                    }
                    _ => self.text(lowered)?,
                };
                Ok(Value::new(try_cast(source, data_type), Kind::Time))
            }
            ("to_interval", [value]) => {
                let lowered = self.lower(value)?;
                if let Some(text) = lowered.constant_text() {
                    let null = ScalarValue::IntervalMonthDayNano(None);
                    return Ok(Value::new(lit(interval(text).unwrap_or(null)), Kind::Duration));
                }
                let text = self.text(lowered)?;
                Ok(Value::new(try_cast(text, DataType::Interval(IntervalUnit::MonthDayNano)), Kind::Duration))
            }
            ("search", [words]) => {
                let words = self.text_of(words)?;
                let mut any: Option<Expr> = None;
                for field in [schema::INPUT, schema::OUTPUT, schema::EXPECTED, schema::METADATA] {
                    if let Some(column) = self.scope.schema.iter().find(|(_, known)| known.name() == field) {
                        let column = Expr::Column(datafusion::common::Column::from(column));
                        let found = self.call("match_words", vec![column, words.clone()], at)?;
                        let found = coalesce(vec![found, lit(false)]);
                        any = Some(match any {
                            Some(any) => any.or(found),
                            None => found,
                        });
                    }
                }
                Ok(Value::bool(any.unwrap_or_else(|| lit(false))))
            }
            ("any_span", [condition]) => self.any_span(condition, at),
            ("estimated_cost", []) => {
                let key = |name: &str| evalhouse_language::Step::Key { name: name.into(), quoted: false };
                let found = self.path(&[key(schema::METRICS), key("estimated_cost")], at);
                Ok(found.unwrap_or_else(|_| Value::new(lit(ScalarValue::Float64(None)), Kind::Number)))
            }
            ("group_size", []) => {
                self.of_row(super::GROUP_SIZE, "group_size() has no meaning here: there are no trials of one case", at)
            }
            ("trial", []) => self.trial(at),
            ("trial", [index]) => {
                let (own, value) = (self.trial(at)?, self.lower(index)?);
                Ok(Value::bool(binary(own.expr, Operator::Eq, self.number(value, index)?)))
            }
            (name, _) => self.engine_function(name, call, at),
        }
    }

    /// Whether the trace of a row has a span for which a condition holds.
    fn any_span(&self, condition: &Tree, at: Position) -> Lowered {
        if !self.filters {
            return error("any_span() stands only in a filter, and not within another", at);
        }
        let spans = LogicalPlanBuilder::from(self.scope.spans.unwrap_or(&self.session.spans).clone())
            .alias(ANY_SPAN)
            .map_err(|e| internal(&e))?;
        let scope = super::Scope::of(spans.schema());
        let inner = Lowering { session: self.session, scope, paths: self.paths, in_baseline: false, filters: false };
        let mut condition = inner.lower_condition(condition)?.expr;
        for name in [schema::EXPERIMENT_ID, schema::ROOT_SPAN_ID] {
            let Some((qualifier, field)) = self.fields().find(|(_, field)| field.name() == name) else {
                return error("any_span() has no meaning here: these rows are of no trace", at);
            };
            let own = out_ref_col(field.data_type().clone(), Column::new(qualifier.cloned(), name));
            condition = condition.and(Expr::Column(Column::new(Some(ANY_SPAN), name)).eq(own));
        }
        let found = spans.clone().filter(condition).and_then(|found| found.project([lit(1_i64)])?.build());
        Ok(Value::bool(exists(Arc::new(found.map_err(|e| internal(&e))?))))
    }

    fn trial(&self, at: Position) -> Lowered {
        self.of_row(schema::TRIAL_INDEX, "trial() has no meaning here: these rows are no trials", at)
    }

    /// A number that only some rows have.
    fn of_row(&self, name: &str, otherwise: &str, at: Position) -> Lowered {
        match self.fields().find(|(_, field)| field.name() == name) {
            Some((side, _)) => Ok(Value::new(Expr::Column(Column::new(side.cloned(), name)), Kind::Number)),
            None => error(otherwise, at),
        }
    }

    /// A number that is null where the value is none, without complaint.
    fn lenient_number(&self, value: Value) -> Result<Expr, LanguageError> {
        match value.kind {
            Kind::Number => Ok(value.expr),
            Kind::Bool => Ok(cast(value.expr, DataType::Int64)),
            _ => Ok(try_cast(self.text(value)?, DataType::Float64)),
        }
    }

    /// Arguments of one kind; those of several meet as text.
    fn alike(
        &self,
        arguments: &[Tree],
        build: impl FnOnce(&Self, Vec<Expr>) -> Result<Expr, LanguageError>,
    ) -> Lowered {
        let mut values = Vec::new();
        for argument in arguments {
            values.push((self.lower(argument)?, argument));
        }
        let kinds = || values.iter().map(|(value, _)| value.kind).filter(|kind| *kind != Kind::Null);
        let has_number = kinds().any(|kind| kind == Kind::Number);
        let first = kinds().next().unwrap_or(Kind::Null);
        let (kind, exprs) = if has_number && kinds().all(|kind| matches!(kind, Kind::Number | Kind::Loose)) {
            let numbers = values.into_iter().map(|(value, tree)| self.number(value, tree));
            let doubles = numbers.map(|number| Ok(cast(number?, DataType::Float64)));
            (Kind::Number, doubles.collect::<Result<Vec<_>, LanguageError>>()?)
        } else if kinds().any(|kind| kind != first) || matches!(first, Kind::Json | Kind::Null) {
            (Kind::Loose, values.into_iter().map(|(value, _)| self.text(value)).collect::<Result<Vec<_>, _>>()?)
        } else {
            (first, values.into_iter().map(|(value, _)| value.expr).collect())
        };
        Ok(Value::new(build(self, exprs)?, kind))
    }

    /// A time cut to a unit, or to a multiple of one.
    fn truncated(&self, unit: &str, tree: &Tree, at: Position) -> Lowered {
        let value = self.lower(tree)?;
        let time = self.time(value, tree)?;
        const UNITS: [&str; 8] = ["second", "minute", "hour", "day", "week", "month", "quarter", "year"];
        if UNITS.contains(&unit) {
            return Ok(Value::new(self.call("date_trunc", vec![lit(unit), time], at)?, Kind::Time));
        }
        match interval(unit) {
            Some(width) => Ok(Value::new(self.call("date_bin", vec![lit(width), time], at)?, Kind::Time)),
            None => {
                let message = format!("`{unit}` is no unit of time, expected {} or a multiple", UNITS.join(", "));
                error(message, at)
            }
        }
    }

    /// Any other scalar function of the session.
    fn engine_function(&self, name: &str, call: &Call, at: Position) -> Lowered {
        let Ok(function) = self.session.function(name) else {
            let known = self.session.catalog().functions();
            let names = known.iter().map(|function| function.name.as_str()).chain(OWN);
            let found = LanguageError::new(format!("there is no function `{name}`"), call.name_position);
            return Err(match OWN.contains(&name) || known.iter().any(|function| function.name == name) {
                true => LanguageError::new(
                    format!("`{name}` does not take {} here", counted(call.arguments.len())),
                    call.name_position,
                ),
                false => found.suggest(name, names),
            });
        };
        let mut arguments = Vec::new();
        for tree in &call.arguments {
            let value = self.lower(tree)?;
            arguments.push(match value.kind {
                Kind::Loose if NUMERIC.contains(&name) => self.number(value, tree)?,
                Kind::Json if !JSON.contains(&name) && !name.starts_with("json_") => self.text(value)?,
                _ => value.expr,
            });
        }
        self.typed(Expr::ScalarFunction(ScalarFunction::new_udf(function, arguments)), at)
    }

    /// Aggregate functions, where they may stand.
    fn aggregate_call(&self, call: &Call, at: Position) -> Result<Option<Value>, LanguageError> {
        let is_language_own = ["count", "count_distinct", "sum", "avg", "min", "max", "percentile"];
        let is_own = is_language_own.contains(&call.name.as_str());
        let known = if is_own { None } else { self.session.aggregate(&call.name).ok() };
        if !is_own && (known.is_none() || self.session.function(&call.name).is_ok()) {
            return Ok(None);
        }
        if !self.scope.aggregates {
            let message = format!("`{}` sums up many rows, and here is one: it has no meaning", call.name);
            return Err(LanguageError::new(message, call.name_position));
        }
        let plain = Self { scope: super::Scope { aggregates: false, ..self.scope }, ..*self };
        let numbers = || -> Result<Expr, LanguageError> {
            match call.arguments.as_slice() {
                [tree] => Ok(cast(plain.lenient_number(plain.lower(tree)?)?, DataType::Float64)),
                _ => error(format!("`{}` takes one argument", call.name), at),
            }
        };
        let (expr, kind) = match (call.name.as_str(), call.arguments.as_slice()) {
            ("count", [] | [Tree { node: Node::Star, .. }]) => (aggregate::count(lit(1_i64)), Kind::Number),
            ("count", [tree]) if call.distinct => (aggregate::count_distinct(plain.text_of(tree)?), Kind::Number),
            ("count", [tree]) => (aggregate::count(plain.lower(tree)?.expr), Kind::Number),
            ("count_distinct", [tree]) => (aggregate::count_distinct(plain.text_of(tree)?), Kind::Number),
            ("sum", _) => (aggregate::sum(numbers()?), Kind::Number),
            ("avg", _) => (aggregate::avg(numbers()?), Kind::Number),
            ("min" | "max", [tree]) => {
                let value = plain.lower(tree)?;
                let (expr, kind) = match value.kind {
                    Kind::Loose => (plain.lenient_number(value)?, Kind::Number),
                    Kind::Json | Kind::Bool | Kind::List => (plain.text(value)?, Kind::Text),
                    kind => (value.expr, kind),
                };
                let found = if call.name == "min" { aggregate::min(expr) } else { aggregate::max(expr) };
                (found, kind)
            }
            ("percentile", [tree, share]) => {
                let value = plain.lower(tree)?;
                let number = cast(plain.lenient_number(value)?, DataType::Float64);
                let share_value = match &share.node {
                    Node::Literal(Literal::Int(whole)) => *whole as f64,
                    Node::Literal(Literal::Float(number)) => *number,
                    Node::Literal(Literal::Percent(number)) => number / 100.0,
                    _ => return error("`percentile` takes a constant share in 0 to 1", share.position),
                };
                if !(0.0..=1.0).contains(&share_value) {
                    return error(format!("{share_value} is no share, expected 0 to 1"), share.position);
                }
                (aggregate::percentile_cont(number.sort(true, false), lit(share_value)), Kind::Number)
            }
            (name, arguments) => match known {
                Some(function) => {
                    let mut values = Vec::new();
                    for tree in arguments {
                        let value = plain.lower(tree)?;
                        values.push(match value.kind {
                            Kind::Loose => plain.lenient_number(value)?,
                            Kind::Json => plain.text(value)?,
                            _ => value.expr,
                        });
                    }
                    let found = function.call(values);
                    let value = self.typed(found, at)?;
                    (value.expr, value.kind)
                }
                None => return error(format!("`{name}` does not take {}", counted(arguments.len())), at),
            },
        };
        let filter = match &call.filter {
            Some(condition) => Some(Box::new(plain.lower_condition(condition)?.expr)),
            None => None,
        };
        let expr = match (expr, filter) {
            (Expr::AggregateFunction(AggregateFunction { func, params }), Some(filter)) => {
                let params = AggregateFunctionParams { filter: Some(filter), ..params };
                Expr::AggregateFunction(AggregateFunction { func, params })
            }
            (expr, _) => expr,
        };
        Ok(Some(Value::new(expr, kind)))
    }

    /// Functions of a pair of cases: the candidate's and the baseline's.
    fn pair_call(&self, call: &Call, at: Position) -> Result<Option<Value>, LanguageError> {
        let name = call.name.as_str();
        if !["regressed", "improved", "unchanged", "changed", "delta", "flipped", "baseline", "presence", "lost_score", "gained_score"]
            .contains(&name)
            // `delta(a, b)` is the SQL function of two numbers.
            || (name == "delta" && call.arguments.len() == 2)
        {
            return Ok(None);
        }
        let Some(reading) = self.scope.baseline else {
            let message = format!("{name}() compares with a baseline, and there is none: name one with --against");
            return Err(LanguageError::new(message, call.name_position));
        };
        if self.in_baseline {
            return error(format!("{name}() within baseline() has no meaning"), at);
        }
        let argument = match (name, call.arguments.as_slice()) {
            ("presence", []) => return Ok(Some(self.presence()?)),
            ("presence", _) => return error("presence() takes no arguments", at),
            (_, [argument]) => argument,
            _ => return error(format!("`{name}` takes one argument"), at),
        };
        let base = Self { in_baseline: true, ..*self };
        if name == "baseline" {
            return base.lower(argument).map(Some);
        }
        let (field, measure) = self.measure_named(argument)?;
        let column = |qualifier: Option<&str>| -> Result<Expr, LanguageError> {
            let of_side = self.scope.schema.iter().find(|(found, known)| {
                let is_base = found.is_some_and(|found| found.table() == BASE);
                known.name() == &format!("{field}.{measure}") && is_base == qualifier.is_some()
            });
            match of_side {
                Some(found) => Ok(Expr::Column(datafusion::common::Column::from(found))),
                None => error(format!("the baseline has no `{measure}`"), argument.position),
            }
        };
        let (ours, theirs) = (column(None)?, column(Some(BASE))?);
        let (tolerance, lower_is_better) = reading(field, &measure);
        let direction = if lower_is_better { "lower" } else { "higher" };
        let class = || {
            let arguments = vec![theirs.clone(), ours.clone(), lit(tolerance), lit(direction)];
            self.call("regression", arguments, at)
        };
        // A case that is on one side only has no class.
        let matched =
            || -> Result<Expr, LanguageError> { Ok(binary(self.presence()?.expr, Operator::Eq, lit("matched"))) };
        let is = |word: &str| -> Result<Expr, LanguageError> {
            Ok(matched()?.and(binary(class()?, Operator::Eq, lit(word))))
        };
        let value = match name {
            "delta" => Value::new(binary(ours, Operator::Minus, theirs), Kind::Number),
            "regressed" => Value::bool(is("regressed")?),
            "improved" => Value::bool(is("improved")?),
            "unchanged" => Value::bool(is("unchanged")?),
            "changed" => Value::bool(is("regressed")?.or(is("improved")?)),
            "lost_score" => Value::bool(is("lost_score")?),
            "gained_score" => Value::bool(is("gained_score")?),
            _ => {
                let reaches = if lower_is_better { Operator::LtEq } else { Operator::GtEq };
                let passed = |side: Expr| binary(side, reaches, lit(PASSED));
                let flipped = binary(passed(ours), Operator::NotEq, passed(theirs));
                Value::bool(coalesce(vec![flipped, lit(false)]))
            }
        };
        Ok(Some(value))
    }

    /// `matched`, `base_only`, `candidate_only` or `null_key`.
    fn presence(&self) -> Lowered {
        match self.scope.schema.has_column_with_unqualified_name("presence") {
            true => Ok(Value::new(datafusion::logical_expr::ident("presence"), Kind::Text)),
            false => error("presence() has no meaning here", Position::default()),
        }
    }

    pub(super) fn cast(&self, operand: &Tree, to: &str, at: Position) -> Lowered {
        let value = self.lower(operand)?;
        let base = to.split('(').next().unwrap_or(to).trim();
        let (data_type, kind) = match base {
            "int" | "integer" | "bigint" | "smallint" | "tinyint" | "int8" | "int4" | "long" => {
                (DataType::Int64, Kind::Number)
            }
            "float" | "double" | "double precision" | "real" | "number" | "numeric" | "decimal" | "float8" => {
                (DataType::Float64, Kind::Number)
            }
            "text" | "varchar" | "string" | "char" | "character varying" | "json" => (DataType::Utf8, Kind::Text),
            "bool" | "boolean" => (DataType::Boolean, Kind::Bool),
            "date" => (DataType::Date32, Kind::Time),
            "interval" => (DataType::Interval(IntervalUnit::MonthDayNano), Kind::Duration),
            name if name.starts_with("timestamp") || name == "datetime" => {
                (DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())), Kind::Time)
            }
            other => {
                let known =
                    ["integer", "bigint", "double", "text", "varchar", "boolean", "date", "timestamp", "interval"];
                return Err(LanguageError::new(format!("there is no type `{other}`"), at).suggest(other, known));
            }
        };
        if let (Some(text), Kind::Time) = (value.constant_text(), kind) {
            let Some(time) = timestamp(text) else {
                return error(format!("'{text}' is no time, expected one such as '2026-01-31'"), operand.position);
            };
            return Ok(Value::new(cast(lit(time), data_type), kind));
        }
        let source = match (value.kind, kind) {
            (Kind::Json, _) | (Kind::Loose, _) | (_, Kind::Text) => self.text(value)?,
            _ => value.expr,
        };
        // A number that was written with a fraction is still a number: 3.0 as integer is 3.
        let source = match (&data_type, source) {
            (DataType::Int64, source) => match self.typed(source.clone(), at)?.kind {
                Kind::Text => {
                    let number = try_cast(source, DataType::Float64);
                    self.call("trunc", vec![number], at)?
                }
                _ => source,
            },
            (_, source) => source,
        };
        // What cannot be read is null: a filter does not fail half-way.
        Ok(Value::new(try_cast(source, data_type), kind))
    }
}

/// An interval such as `7 day`, `1 hour 30 minutes`.
pub(super) fn interval(text: &str) -> Option<ScalarValue> {
    let parsed: <IntervalMonthDayNanoType as datafusion::arrow::datatypes::ArrowPrimitiveType>::Native =
        parse_interval_month_day_nano(text.trim()).ok()?;
    Some(ScalarValue::IntervalMonthDayNano(Some(parsed)))
}

/// A time such as `2026-01-31` or `2026-01-31T12:00:00Z`, in UTC.
pub(super) fn timestamp(text: &str) -> Option<ScalarValue> {
    let nanos = string_to_timestamp_nanos(text.trim()).ok()?;
    Some(ScalarValue::TimestampMicrosecond(Some(nanos / 1_000), Some("UTC".into())))
}

fn counted(arguments: usize) -> String {
    match arguments {
        0 => "no arguments".to_string(),
        1 => "1 argument".to_string(),
        n => format!("{n} arguments"),
    }
}
