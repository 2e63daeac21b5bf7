//! Names: which column or JSON path a path means.
//!
//! In this order: a column of the name as written; one that differs in case alone; a score, metric or
//! path by its last parts, where that is unambiguous; in double quotes, a text.

use datafusion::arrow::datatypes::{DataType, Field};
use datafusion::common::{Column, TableReference};
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::{Expr, cast, lit};
use datafusion_functions_json::udfs;
use evalhouse_language::{LanguageError, Position, Step};
use evalhouse_model::schema;
use evalhouse_store::{decode_path, encode_path};

use super::{BASE, Kind, Lowered, Lowering, Value, error, kind_of, place_of};
use crate::paths::{PATH_KEY, is_json, json_function};

/// What is said of names that settings give to cases.
const OF_CASES: &str = "cases have it, and these rows have not; in BTQL, the rows of the shape `summary` are cases";

impl Lowering<'_> {
    pub(super) fn path(&self, steps: &[Step], at: Position) -> Lowered {
        let Some((Step::Key { name, quoted }, rest)) = steps.split_first() else {
            return error("a path begins with a name", at);
        };
        if let Some(found) = self.column_named(name) {
            return self.enter(found, rest, at);
        }
        if self.is_of_spans() && self.is_custom_column(name) {
            let message = format!("`{name}` is a custom column: {OF_CASES}");
            return error(message, at);
        }
        if let Some(found) = self.flat_column(steps, at)? {
            return Ok(found);
        }
        match self.by_last_parts(steps, at)? {
            Some(found) => Ok(found),
            // SQL's functions that are called without brackets.
            None if !quoted && rest.is_empty() && is_bare_function(name) => {
                self.typed(self.call(&name.to_lowercase(), Vec::new(), at)?, at)
            }
            None if *quoted && rest.is_empty() => Ok(Value::new(lit(name.as_str()), Kind::Text)),
            None => {
                let mut known: Vec<String> = self.fields().map(|(_, field)| written(field)).collect();
                // Scores and metrics go by their own names too.
                let short = |name: &String| {
                    ["scores.", "metrics."].iter().find_map(|field| name.strip_prefix(field).map(str::to_string))
                };
                known.extend(known.iter().filter_map(short).collect::<Vec<_>>());
                let error = LanguageError::new(format!("there is no column `{name}`"), at);
                Err(error.suggest(name, known.iter().map(String::as_str)))
            }
        }
    }

    /// Whether the rows are spans of whatever place in their trace.
    fn is_of_spans(&self) -> bool {
        self.scope.schema.has_column_with_unqualified_name(schema::SPAN_PARENTS)
    }

    fn is_custom_column(&self, name: &str) -> bool {
        let settings = self.session.snapshot().all_settings().iter();
        settings.flat_map(|(_, settings)| settings.columns.keys()).any(|column| column.eq_ignore_ascii_case(name))
    }

    /// The columns that names may mean here: the candidate's, or the baseline's inside `baseline(…)`.
    pub(super) fn fields(&self) -> impl Iterator<Item = (Option<&TableReference>, &Field)> {
        let of_base = |qualifier: Option<&TableReference>| qualifier.is_some_and(|q| q.table() == BASE);
        self.scope
            .schema
            .iter()
            .map(|(qualifier, field)| (qualifier, field.as_ref()))
            .filter(move |(qualifier, _)| of_base(*qualifier) == self.in_baseline)
    }

    fn column_named(&self, name: &str) -> Option<(Option<&TableReference>, &Field)> {
        if let Some(found) = self.fields().find(|(_, field)| field.name() == name) {
            return Some(found);
        }
        let mut alike = self.fields().filter(|(_, field)| field.name().eq_ignore_ascii_case(name));
        alike.next().filter(|_| alike.next().is_none())
    }

    /// Goes into a column.
    fn enter(&self, (qualifier, field): (Option<&TableReference>, &Field), steps: &[Step], at: Position) -> Lowered {
        let column = |name: &str| Expr::Column(Column::new(qualifier.cloned(), name));
        let own = column(field.name());
        if !is_json(field) {
            let kind = kind_of(field.data_type());
            return match (kind, steps) {
                (_, []) if field.metadata().contains_key(PATH_KEY) => self.stored(qualifier, field, at),
                (_, []) => Ok(Value::new(own, kind)),
                (Kind::List, [Step::Index(index)]) => {
                    let place = lit(place_of(*index));
                    let element = self.call("array_element", vec![own, place], at)?;
                    self.typed(element, at)
                }
                // Columns of text may hold JSON: a custom column, an answer of another query.
                (Kind::Text, _) if field.metadata().get(PATH_KEY).is_none() => self.deep(own, steps, at),
                (_, _) => match field.metadata().get(PATH_KEY) {
                    // A path with a column of its own, entered further: back to its JSON.
                    Some(path) => {
                        let (json, keys) = decode_path(path);
                        let key = |name: String| Step::Key { name, quoted: false };
                        let all: Vec<Step> = keys.into_iter().map(key).chain(steps.iter().cloned()).collect();
                        self.deep(column(json), &all, at)
                    }
                    None => error(format!("`{}` is {}, it has nothing inside", field.name(), kind.shown()), at),
                },
            };
        }
        if steps.is_empty() {
            return Ok(Value::new(own, Kind::Json));
        }
        let keys: Option<Vec<&str>> = steps
            .iter()
            .map(|step| match step {
                Step::Key { name, .. } => Some(name.as_str()),
                Step::Index(_) => None,
            })
            .collect();
        let is_number = matches!(field.name().as_str(), schema::SCORES | schema::METRICS);
        if let Some(keys) = &keys {
            let joined = [keys.join(".")];
            let path = match is_number {
                true => encode_path(field.name(), joined.iter().map(String::as_str)),
                false => encode_path(field.name(), keys.iter().copied()),
            };
            if let Some(known) = self.paths.get(&path) {
                if let Ok(stored) = self.scope.schema.field_with_name(qualifier, &known.column) {
                    return self.stored(qualifier, stored, at);
                }
                if known.is_aggregate {
                    let message = format!("`{}` is an aggregate score: {OF_CASES}", keys.join("."));
                    return error(message, at);
                }
                let loose = match is_number {
                    true => None,
                    false => Some(Box::new(self.deep(own.clone(), steps, at)?.expr)),
                };
                let arguments = std::iter::once(own).chain(keys.iter().map(|key| lit(*key)));
                let read = ScalarFunction::new_udf(json_function(known.kind), arguments.collect());
                let expr = Expr::ScalarFunction(read);
                return Ok(match known.kind {
                    evalhouse_store::Kind::Text => Value::new(expr, Kind::Loose),
                    _ => Value { loose, ..self.typed(expr, at)? },
                });
            }
        }
        if is_number {
            return self.number_named(qualifier, field.name(), steps, at);
        }
        self.deep(own, steps, at)
    }

    /// A score or metric under another spelling, or an error that names the nearest.
    fn number_named(&self, qualifier: Option<&TableReference>, field: &str, steps: &[Step], at: Position) -> Lowered {
        let keys = steps.iter().filter_map(|step| match step {
            Step::Key { name, .. } => Some(name.as_str()),
            Step::Index(_) => None,
        });
        let name = keys.collect::<Vec<_>>().join(".");
        let prefix = format!("{field}.");
        let of_field =
            || self.fields().filter_map(|(_, known)| known.name().strip_prefix(&prefix).map(|own| (own, known)));
        let mut alike = of_field().filter(|(own, _)| own.eq_ignore_ascii_case(&name));
        if let (Some((_, known)), None) = (alike.next(), alike.next()) {
            let column = Expr::Column(Column::new(qualifier.cloned(), known.name()));
            return Ok(Value::new(column, Kind::Number));
        }
        // Spans log their start and end among the metrics; here they are columns.
        if field == schema::METRICS && [schema::START, schema::END].contains(&name.as_str()) {
            return Ok(Value::new(Expr::Column(Column::new(qualifier.cloned(), name)), Kind::Number));
        }
        let noun = if field == schema::SCORES { "score" } else { "metric" };
        let names: Vec<&str> = of_field().map(|(own, _)| own).collect();
        let mut message = format!("there is no {noun} `{name}`");
        let error = LanguageError::new(message.clone(), at).suggest(&name, names.iter().copied());
        if error.suggestion.is_none() && !names.is_empty() {
            let shown: Vec<&str> = names.iter().copied().take(8).collect();
            let more = if names.len() > shown.len() { ", …" } else { "" };
            message = format!("{message}; there are {}{more}", shown.join(", "));
            return Err(LanguageError::new(message, at));
        }
        Err(error)
    }

    /// A column of a path: text of one may be anything in JSON, and so may a number or a boolean be in
    /// another file.
    fn stored(&self, qualifier: Option<&TableReference>, field: &Field, at: Position) -> Lowered {
        let column = |name: &str| Expr::Column(Column::new(qualifier.cloned(), name));
        let own = column(field.name());
        let kind = match kind_of(field.data_type()) {
            Kind::Text => return Ok(Value::new(own, Kind::Loose)),
            other => other,
        };
        let Some(path) = field.metadata().get(PATH_KEY) else { return Ok(Value::new(own, kind)) };
        let (json, keys) = decode_path(path);
        if matches!(json, schema::SCORES | schema::METRICS) {
            return Ok(Value::new(own, kind));
        }
        let loose = match self.scope.schema.field_with_name(qualifier, json) {
            Ok(_) => {
                let steps: Vec<Step> = keys.into_iter().map(|name| Step::Key { name, quoted: false }).collect();
                self.deep(column(json), &steps, at)?.expr
            }
            Err(_) => cast(own.clone(), DataType::Utf8),
        };
        Ok(Value { loose: Some(Box::new(loose)), ..Value::new(own, kind) })
    }

    /// Reads a value out of JSON.
    fn deep(&self, json: Expr, steps: &[Step], at: Position) -> Lowered {
        let is_plain = steps.iter().all(|step| !matches!(step, Step::Index(index) if *index < 0));
        let mut arguments = vec![json];
        arguments.extend(steps.iter().map(|step| match step {
            Step::Key { name, .. } => lit(name.as_str()),
            Step::Index(index) => lit(*index),
        }));
        // The engine's reader is quicker, ours counts from the end.
        let expr = match is_plain {
            true => Expr::ScalarFunction(ScalarFunction::new_udf(udfs::json_as_text_udf(), arguments)),
            false => self.call("json_at", arguments, at)?,
        };
        Ok(Value::new(expr, Kind::Loose))
    }

    /// A column whose name holds the dots: of a table that keeps no JSON.
    fn flat_column(&self, steps: &[Step], at: Position) -> Result<Option<Value>, LanguageError> {
        let keys: Option<Vec<&str>> = steps
            .iter()
            .map(|step| match step {
                Step::Key { name, .. } => Some(name.as_str()),
                Step::Index(_) => None,
            })
            .collect();
        let Some(keys) = keys else { return Ok(None) };
        let name = keys.join(".");
        let found = self.fields().find(|(_, field)| field.name() == &name);
        found.map(|(qualifier, field)| self.stored(qualifier, field, at)).transpose()
    }

    /// A score, metric or stored path by its last parts: scores win over metrics, metrics over the
    /// rest.
    fn by_last_parts(&self, steps: &[Step], at: Position) -> Result<Option<Value>, LanguageError> {
        let wanted: Option<Vec<&str>> = steps
            .iter()
            .map(|step| match step {
                Step::Key { name, .. } => Some(name.as_str()),
                Step::Index(_) => None,
            })
            .collect();
        let Some(wanted) = wanted else { return Ok(None) };
        let ends_with = |field: &Field, exact: bool| {
            let path = field.metadata().get(PATH_KEY).unwrap_or(field.name());
            if !path.contains('.') {
                return false;
            }
            let (json, keys) = decode_path(path);
            let is_number = matches!(json, schema::SCORES | schema::METRICS);
            let joined = [wanted.join(".")];
            let wanted: Vec<&str> =
                if is_number { joined.iter().map(String::as_str).collect() } else { wanted.clone() };
            let Some(from) = keys.len().checked_sub(wanted.len()) else { return false };
            let same = |a: &str, b: &str| if exact { a == b } else { a.eq_ignore_ascii_case(b) };
            keys[from..].iter().zip(&wanted).all(|(key, wanted)| same(key, wanted))
        };
        for exact in [true, false] {
            for group in [Some(schema::SCORES), Some(schema::METRICS), None] {
                let of_group = |field: &Field| match group {
                    Some(group) => field.name().starts_with(&format!("{group}.")),
                    None => {
                        let name = field.name();
                        !name.starts_with("scores.") && !name.starts_with("metrics.")
                    }
                };
                // Over pairs, columns without a side are what the sides' columns are made of.
                let has_side =
                    |qualifier: Option<&TableReference>| self.scope.baseline.is_none() || qualifier.is_some();
                let found: Vec<(Option<&TableReference>, &Field)> = self
                    .fields()
                    .filter(|(qualifier, field)| has_side(*qualifier) && of_group(field) && ends_with(field, exact))
                    .collect();
                match found.as_slice() {
                    [] => {}
                    [(qualifier, field)] => {
                        return self.stored(*qualifier, field, at).map(Some);
                    }
                    several => {
                        let names: Vec<String> = several.iter().take(5).map(|(_, field)| written(field)).collect();
                        let message = format!("`{}` may be {}", wanted.join("."), names.join(" or "));
                        return Err(LanguageError::new(message, at));
                    }
                }
            }
        }
        Ok(None)
    }

    /// The score or metric that an argument such as `Factuality`, `'Factuality'` or
    /// `metrics.duration` names: its field and its name.
    pub(super) fn measure_named(
        &self,
        tree: &evalhouse_language::Expr,
    ) -> Result<(&'static str, String), LanguageError> {
        use evalhouse_language::{Literal, Node};
        let steps = match &tree.node {
            Node::Path(steps) => steps.clone(),
            Node::Literal(Literal::Text(name)) => {
                let key = |name: &str| Step::Key { name: name.into(), quoted: true };
                if self.fields().any(|(_, field)| field.name() == &format!("{}.{name}", schema::METRICS))
                    && !self.fields().any(|(_, field)| field.name() == &format!("{}.{name}", schema::SCORES))
                {
                    vec![key(schema::METRICS), key(name)]
                } else {
                    vec![key(schema::SCORES), key(name)]
                }
            }
            _ => return error("expected a score or metric, such as scores.Factuality", tree.position),
        };
        if let Expr::Column(column) = self.path(&steps, tree.position)?.expr {
            for field in [schema::SCORES, schema::METRICS] {
                if let Some(name) = column.name.strip_prefix(field).and_then(|rest| rest.strip_prefix('.')) {
                    return Ok((field, name.to_string()));
                }
            }
        }
        error("expected a score or metric, such as scores.Factuality", tree.position)
    }
}

fn is_bare_function(name: &str) -> bool {
    ["current_timestamp", "current_date"].iter().any(|function| function.eq_ignore_ascii_case(name))
}

/// The name of a column as people write it.
fn written(field: &Field) -> String {
    match field.metadata().get(PATH_KEY) {
        Some(path) => {
            let (json, keys) = decode_path(path);
            std::iter::once(json.to_string()).chain(keys).collect::<Vec<_>>().join(".")
        }
        None => field.name().clone(),
    }
}
