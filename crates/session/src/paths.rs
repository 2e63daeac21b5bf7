//! JSON paths in SQL: `metadata.model`, `input.messages[0].content`, `scores."Answer Correctness"`.
//!
//! The SQL planner splits `a.b.c` by the columns it knows; what is left over comes here as keys below
//! a JSON column. If the snapshot has the path as a column, the path is that column. Otherwise it is
//! a function call on the JSON, named after the path.
//!
//! Inside a subquery that keeps `metadata` but not its columns, the column is not to be had; the
//! session then plans the query a second time with [`Resolution::Json`], where every path is a
//! function call. The values are the same: see [`crate::adapter`].

use std::collections::HashMap;
use std::sync::Arc;

use datafusion::arrow::datatypes::Field;
use datafusion::common::{Column, DFSchema, ExprSchema, Result, ScalarValue, TableReference};
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::planner::{ExprPlanner, PlannerResult, RawFieldAccessExpr};
use datafusion::logical_expr::{Expr, GetFieldAccess, ScalarUDF, lit};
use datafusion_functions_json::udfs;
use evalhouse_store::{Kind, decode_path, encode_path};

/// Field metadata that marks JSON text, as Arrow's canonical extension type does.
pub(crate) const EXTENSION_KEY: &str = "ARROW:extension:name";
pub(crate) const EXTENSION_JSON: &str = "arrow.json";
/// Field metadata of a path's column: its encoded path.
pub(crate) const PATH_KEY: &str = "evalhouse.path";

/// The columns of paths, by encoded path.
pub(crate) type PathColumns = HashMap<String, PathField>;

/// One path that is a column.
#[derive(Debug, Clone)]
pub(crate) struct PathField {
    /// Column name in SQL.
    pub(crate) column: String,
    pub(crate) kind: Kind,
    /// Whether it is an aggregate score: computed for cases, and nowhere in the JSON.
    pub(crate) is_aggregate: bool,
}

/// Whether paths may become columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Resolution {
    /// A path that is a column is that column.
    Columns,
    /// Every path is read from the JSON.
    Json,
}

/// Plans JSON paths.
#[derive(Debug)]
pub(crate) struct PathPlanner {
    pub(crate) columns: Arc<PathColumns>,
    pub(crate) resolution: Resolution,
    /// Our reader of JSON, which counts from the end too.
    pub(crate) json_at: Option<Arc<ScalarUDF>>,
}

impl ExprPlanner for PathPlanner {
    fn plan_compound_identifier(
        &self,
        field: &Field,
        qualifier: Option<&TableReference>,
        nested_names: &[String],
    ) -> Result<PlannerResult<Vec<Expr>>> {
        if !is_json(field) {
            return Ok(PlannerResult::Original(Vec::new()));
        }
        let column = |name: &str| Expr::Column(Column::new(qualifier.cloned(), name));
        let path = encode_path(field.name(), nested_names.iter().map(String::as_str));
        let known = self.columns.get(&path);
        let number_field = matches!(field.name().as_str(), "scores" | "metrics");
        match known {
            Some(known) if self.resolution == Resolution::Columns || known.is_aggregate => {
                Ok(PlannerResult::Planned(column(&known.column)))
            }
            // A score that no experiment has: an error that lists the nearest names, not a null.
            None if number_field => {
                Ok(PlannerResult::Planned(column(&format!("{}.{}", field.name(), nested_names.join(".")))))
            }
            _ => {
                let kind = known.map_or(Kind::Text, |known| known.kind);
                let keys = if number_field { vec![nested_names.join(".")] } else { nested_names.to_vec() };
                let value = json_value(column(field.name()), &keys, kind);
                Ok(PlannerResult::Planned(value.alias(format!("{}.{}", field.name(), nested_names.join(".")))))
            }
        }
    }

    fn plan_field_access(
        &self,
        access: RawFieldAccessExpr,
        schema: &DFSchema,
    ) -> Result<PlannerResult<RawFieldAccessExpr>> {
        let Some(step) = path_step(&access.field_access) else { return Ok(PlannerResult::Original(access)) };
        let Some((name, mut arguments)) = json_arguments(&access.expr, schema) else {
            return Ok(PlannerResult::Original(access));
        };
        let label = match &step {
            ScalarValue::Int64(Some(index)) => format!("{name}[{index}]"),
            other => format!("{name}.{}", other.try_as_str().flatten().unwrap_or_default()),
        };
        arguments.push(lit(step));
        let is_from_end = |step: &Expr| matches!(step, Expr::Literal(ScalarValue::Int64(Some(index)), _) if *index < 0);
        // The engine's reader is quicker, ours counts from the end.
        let function = match (&self.json_at, arguments.iter().any(is_from_end)) {
            (Some(json_at), true) => Arc::clone(json_at),
            _ => udfs::json_as_text_udf(),
        };
        let call = Expr::ScalarFunction(ScalarFunction::new_udf(function, arguments));
        Ok(PlannerResult::Planned(call.alias(label)))
    }
}

pub(crate) fn is_json(field: &Field) -> bool {
    field.metadata().get(EXTENSION_KEY).is_some_and(|name| name == EXTENSION_JSON)
}

/// One key or index, when it is a literal.
fn path_step(access: &GetFieldAccess) -> Option<ScalarValue> {
    match access {
        GetFieldAccess::NamedStructField { name } => {
            name.try_as_str().flatten().map(|key| ScalarValue::from(key.to_string()))
        }
        GetFieldAccess::ListIndex { key } => match key.as_ref() {
            Expr::Literal(ScalarValue::Int64(Some(index)), _) => Some(ScalarValue::Int64(Some(*index))),
            Expr::Literal(text, _) => text.try_as_str().flatten().map(|key| ScalarValue::from(key.to_string())),
            _ => None,
        },
        GetFieldAccess::ListRange { .. } => None,
    }
}

/// The arguments of a JSON function that reads `expression`, to which a further step can be added.
fn json_arguments(expression: &Expr, schema: &DFSchema) -> Option<(String, Vec<Expr>)> {
    match expression {
        Expr::Alias(alias) => {
            let (_, arguments) = json_arguments(&alias.expr, schema)?;
            Some((alias.name.clone(), arguments))
        }
        Expr::ScalarFunction(call) if ["json_as_text", "json_at"].contains(&call.func.name()) => {
            Some((expression.schema_name().to_string(), call.args.clone()))
        }
        Expr::Column(column) => {
            let field = schema.field_from_column(column).ok()?;
            if is_json(field) {
                return Some((column.name.clone(), vec![expression.clone()]));
            }
            // A path with a column of its own, entered further: back to its JSON.
            let path = field.metadata().get(PATH_KEY)?;
            let (json, keys) = decode_path(path);
            let mut arguments = vec![Expr::Column(Column::new(column.relation.clone(), json))];
            arguments.extend(keys.iter().map(|key| lit(key.as_str())));
            Some((column.name.clone(), arguments))
        }
        _ => None,
    }
}

/// The function that reads a value of this kind from JSON.
pub(crate) fn json_function(kind: Kind) -> Arc<ScalarUDF> {
    match kind {
        Kind::Int => udfs::json_get_int_udf(),
        Kind::Float => udfs::json_get_float_udf(),
        Kind::Bool => udfs::json_get_bool_udf(),
        Kind::Text => udfs::json_as_text_udf(),
    }
}

fn json_value(json: Expr, keys: &[String], kind: Kind) -> Expr {
    let mut arguments = vec![json];
    arguments.extend(keys.iter().map(|key| lit(key.as_str())));
    Expr::ScalarFunction(ScalarFunction::new_udf(json_function(kind), arguments))
}
