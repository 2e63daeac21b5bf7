//! What a column is in one file.
//!
//! A path's column is in a file when all its values there are of one short scalar kind. Where it is
//! not, the file's footer says whether the values are in the JSON or there are none. So the scan
//! rewrites every expression for each file it opens: the column, a read of the JSON, or null. The
//! decision is by file and not for the whole scan, because a history of experiments has many shapes
//! and one odd file must not make all others slow.
//!
//! In the `spans` table a score or metric of a root is the span's own, as logged; the file's columns
//! hold the roll-ups of the case, so there it is read from the JSON as well.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::common::{Result, ScalarValue};
use datafusion::physical_expr::expressions::{CastExpr, Column, Literal};
use datafusion::physical_expr::{PhysicalExpr, ScalarFunctionExpr};
use datafusion::physical_expr_adapter::{DefaultPhysicalExprAdapter, PhysicalExprAdapter, PhysicalExprAdapterFactory};
use evalhouse_model::schema;
use evalhouse_store::{FOOTER_KEY, FileFooter, Kind, decode_path, is_dynamic_field};

use crate::paths::{PATH_KEY, json_function};

/// Field metadata of a path's column: its name in the files.
pub(crate) const STORED_NAME_KEY: &str = "evalhouse.stored";

/// Makes an adapter for each file of one table's scan.
#[derive(Debug)]
pub(crate) struct AdapterFactory {
    /// True in the `spans` table, where roots show their own numbers.
    pub(crate) own_numbers: bool,
}

impl PhysicalExprAdapterFactory for AdapterFactory {
    fn create(&self, logical: SchemaRef, physical: SchemaRef) -> Result<Arc<dyn PhysicalExprAdapter>> {
        let footer = physical.metadata().get(FOOTER_KEY);
        let footer: FileFooter = footer.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
        let is_case_file = physical.index_of(schema::TRIAL_INDEX).is_ok();
        let adapted = with_sql_names(&physical, &logical);
        Ok(Arc::new(Adapter {
            json: footer.json.into_iter().collect(),
            open: footer.open.into_iter().collect(),
            own_numbers: self.own_numbers && is_case_file,
            default: DefaultPhysicalExprAdapter::new(Arc::clone(&logical), Arc::clone(&adapted)),
            logical,
            adapted,
            physical,
        }))
    }
}

/// The file's schema under the names that SQL knows its columns by.
fn with_sql_names(physical: &Schema, logical: &Schema) -> SchemaRef {
    let named_otherwise = logical.fields().iter().filter_map(|known| {
        let stored = known.metadata().get(STORED_NAME_KEY)?;
        (known.name() != stored).then_some((stored.as_str(), known.name()))
    });
    let sql: HashMap<&str, &String> = named_otherwise.collect();
    let renamed = physical.fields().iter().map(|field| match sql.get(field.name().as_str()) {
        Some(name) => Arc::new(field.as_ref().clone().with_name(*name)),
        None => Arc::clone(field),
    });
    Arc::new(Schema::new(renamed.collect::<Vec<_>>()))
}

#[derive(Debug)]
struct Adapter {
    json: HashSet<String>,
    open: HashSet<String>,
    own_numbers: bool,
    default: DefaultPhysicalExprAdapter,
    logical: SchemaRef,
    adapted: SchemaRef,
    physical: SchemaRef,
}

impl PhysicalExprAdapter for Adapter {
    fn rewrite(&self, expression: Arc<dyn PhysicalExpr>) -> Result<Arc<dyn PhysicalExpr>> {
        let with_json = expression
            .transform(|node| {
                let field = node.downcast_ref::<Column>().and_then(|c| self.logical.fields().get(c.index()));
                match field {
                    Some(field) if self.is_in_json(field) => Ok(Transformed::yes(self.read_json(field)?)),
                    _ => Ok(Transformed::no(node)),
                }
            })
            .data()?;
        let adapted = self.default.rewrite(with_json)?;
        // Columns go by the file's own names below this point.
        adapted
            .transform(|node| {
                let renamed = node.downcast_ref::<Column>().and_then(|column| {
                    let stored = self.physical.fields().get(column.index())?;
                    (stored.name() != column.name()).then(|| Column::new(stored.name(), column.index()))
                });
                match renamed {
                    Some(column) => Ok(Transformed::yes(Arc::new(column) as _)),
                    None => Ok(Transformed::no(node)),
                }
            })
            .data()
    }
}

impl Adapter {
    fn is_in_json(&self, field: &Field) -> bool {
        let (Some(path), Some(stored)) = (field.metadata().get(PATH_KEY), field.metadata().get(STORED_NAME_KEY)) else {
            return false;
        };
        let (json, _) = decode_path(path);
        if !is_dynamic_field(json) {
            return false;
        }
        if json == schema::SCORES || json == schema::METRICS {
            return self.own_numbers;
        }
        match self.adapted.field_with_name(field.name()) {
            // Stored as numbers here, text over all files: the text is how the JSON spells it.
            Ok(here) => kind_of(field.data_type()) == Kind::Text && kind_of(here.data_type()) != Kind::Text,
            // A path that holds no scalar in a file is listed by its own name: no column is named for it.
            Err(_) => self.json.contains(stored) || self.json.contains(path) || self.open.contains(json),
        }
    }

    /// The path's value, read from the JSON column and given the column's type.
    fn read_json(&self, field: &Field) -> Result<Arc<dyn PhysicalExpr>> {
        let path = field.metadata().get(PATH_KEY).map(String::as_str).unwrap_or_default();
        let (json, keys) = decode_path(path);
        let index = self.logical.index_of(json)?;
        let function = json_function(kind_of(field.data_type()));
        let mut arguments: Vec<Arc<dyn PhysicalExpr>> = vec![Arc::new(Column::new(json, index))];
        arguments.extend(keys.into_iter().map(|key| Arc::new(Literal::new(ScalarValue::from(key))) as _));
        let types: Vec<DataType> = arguments.iter().map(|a| a.data_type(&self.logical)).collect::<Result<_>>()?;
        let returned = function.return_type(&types)?;
        let call = ScalarFunctionExpr::new(
            function.name(),
            Arc::clone(&function),
            arguments,
            Arc::new(Field::new(function.name(), returned.clone(), true)),
            Arc::new(ConfigOptions::default()),
        );
        if &returned == field.data_type() {
            return Ok(Arc::new(call));
        }
        Ok(Arc::new(CastExpr::new(Arc::new(call), field.data_type().clone(), None)))
    }
}

fn kind_of(data_type: &DataType) -> Kind {
    match data_type {
        DataType::Int64 => Kind::Int,
        DataType::Float64 => Kind::Float,
        DataType::Boolean => Kind::Bool,
        _ => Kind::Text,
    }
}
