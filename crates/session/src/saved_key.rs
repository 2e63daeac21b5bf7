//! The hash of a saved comparison key, over rows as they are stored.

use std::sync::Arc;

use datafusion::arrow::array::ArrayRef;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::arrow::record_batch::RecordBatch;
use datafusion::common::DFSchema;
use datafusion::logical_expr::Expr;
use datafusion::logical_expr::expr::ScalarFunction;
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
}

impl KeyHasher for SavedKeys {
    fn hash(&self, key: &str, batch: &RecordBatch) -> Result<ArrayRef, String> {
        let schema = DFSchema::try_from(Arc::clone(&self.cases)).map_err(|error| error.to_string())?;
        let parsed = self.session.expression(key, &schema).map_err(|error| error.to_string())?;
        let parts = match parsed {
            Expr::ScalarFunction(list) if list.func.name() == "make_array" => list.args,
            one => vec![one],
        };
        let function = self.session.function("comparison_hash").map_err(|error| error.to_string())?;
        let call = Expr::ScalarFunction(ScalarFunction::new_udf(function, parts));
        self.evaluate(call, &schema, batch).map_err(|error| error.to_string())
    }
}

impl SavedKeys {
    fn evaluate(&self, call: Expr, schema: &DFSchema, batch: &RecordBatch) -> datafusion::error::Result<ArrayRef> {
        let physical = self.session.physical(call, schema)?;
        let adapter =
            AdapterFactory { own_numbers: false }.create(Arc::clone(&self.cases), Arc::clone(batch.schema_ref()))?;
        adapter.rewrite(physical)?.evaluate(batch)?.into_array(batch.num_rows())
    }
}
