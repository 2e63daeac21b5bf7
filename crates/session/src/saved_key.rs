//! The hash of a saved comparison key, over rows as they are stored.
//!
//! `optimize` stores the hash with the cases, and the record of the experiment says of which key:
//! the key resolved to stored columns and their types, custom columns and aggregate scores spelled
//! out. A key whose meaning has changed since, with the settings or with what files hold, is thereby
//! another key, and its hash is computed again.

use std::collections::BTreeSet;
use std::sync::Arc;

use datafusion::arrow::array::ArrayRef;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::arrow::record_batch::RecordBatch;
use datafusion::common::ExprSchema;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::logical_expr::{Expr, LogicalPlan};
use datafusion::physical_expr_adapter::PhysicalExprAdapterFactory;
use evalhouse_store::{KeyHasher, OptimizeOptions, OptimizeOutcome};

use crate::adapter::AdapterFactory;
use crate::{Session, SessionError};

/// Evaluates keys for [`evalhouse_store::Store::optimize`].
struct SavedKeys {
    session: Session,
    cases: SchemaRef,
}

impl Session {
    /// Merges small files, and stores the hash of each project's saved key with its cases.
    ///
    /// # Errors
    /// As [`evalhouse_store::Store::optimize`].
    pub async fn optimize(&self, options: &OptimizeOptions) -> Result<OptimizeOutcome, SessionError> {
        let cases = Arc::new(self.base_cases.schema().as_arrow().clone());
        let hasher = SavedKeys { session: self.clone(), cases };
        Ok(self.store().optimize(options, Some(Arc::new(hasher))).await?)
    }

    /// Whether the hash of this key is stored with every case of all these experiments.
    pub fn has_saved_key<'a>(&self, key: &str, mut experiment_ids: impl Iterator<Item = &'a str>) -> bool {
        if !self.snapshot().has_saved_keys() {
            return false;
        }
        let Ok(meaning) = self.resolved_key(key).and_then(|resolved| self.meaning(&resolved)) else { return false };
        experiment_ids.all(|id| self.snapshot().saved_key(id) == Some(meaning.as_str()))
    }

    /// The hash of a key over the cases as they are stored.
    fn resolved_key(&self, key: &str) -> Result<Expr, SessionError> {
        over_scan(self.key_hash(key, self.cases.schema())?, &self.cases)
    }

    /// What a resolved key says: two keys of one meaning have one hash for every case.
    fn meaning(&self, resolved: &Expr) -> Result<String, SessionError> {
        let mut types = BTreeSet::new();
        for column in resolved.column_refs() {
            let field = self.base_cases.schema().field_from_column(column).map_err(SessionError::of)?;
            types.insert(format!("{} {}", field.name(), field.data_type()));
        }
        Ok(format!("{resolved} of {}", types.into_iter().collect::<Vec<_>>().join(", ")))
    }
}

/// An expression over the columns of a view as one over the columns of the scan below it.
fn over_scan(expr: Expr, view: &LogicalPlan) -> Result<Expr, SessionError> {
    let LogicalPlan::Projection(projection) = view else { return Ok(expr) };
    let definition = |node: &Expr| match node {
        Expr::Column(column) => projection.expr.get(projection.schema.maybe_index_of_column(column)?),
        _ => None,
    };
    let below = expr.transform_up(|node| match definition(&node) {
        Some(definition) => Ok(Transformed::yes(definition.clone().unalias())),
        None => Ok(Transformed::no(node)),
    });
    over_scan(below.data().map_err(SessionError::of)?, &projection.input)
}

impl KeyHasher for SavedKeys {
    fn meaning(&self, key: &str) -> Result<String, String> {
        let resolved = self.session.resolved_key(key).map_err(|error| error.to_string())?;
        // A key that cannot be planned is found before any file is read.
        self.session.physical(resolved.clone(), self.session.base_cases.schema()).map_err(|error| error.to_string())?;
        self.session.meaning(&resolved).map_err(|error| error.to_string())
    }

    fn hash(&self, key: &str, batch: &RecordBatch) -> Result<ArrayRef, String> {
        let resolved = self.session.resolved_key(key).map_err(|error| error.to_string())?;
        self.evaluate(resolved, batch).map_err(|error| error.to_string())
    }
}

impl SavedKeys {
    fn evaluate(&self, resolved: Expr, batch: &RecordBatch) -> datafusion::error::Result<ArrayRef> {
        let physical = self.session.physical(resolved, self.session.base_cases.schema())?;
        let adapter =
            AdapterFactory { own_numbers: false }.create(Arc::clone(&self.cases), Arc::clone(batch.schema_ref()))?;
        adapter.rewrite(physical)?.evaluate(batch)?.into_array(batch.num_rows())
    }
}
