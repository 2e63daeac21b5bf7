//! `comparison_hash`: the hash of [`comparison_key`](super::comparison_key), which joins faster than
//! the text.
//!
//! 126 bits of XXH3 as `Decimal(38, 0)`, the widest exact integer that Parquet, Delta and SQL engines
//! share. Null where the key is null.

use std::sync::Arc;

use arrow::array::Decimal128Array;
use arrow::datatypes::DataType;
use datafusion::common::Result;
use datafusion::logical_expr::{
    ColumnarValue, Documentation, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility,
};
use datafusion_macros::user_doc;
use evalhouse_model::canonical::canonical_hash;

use super::comparison_key::comparison_keys;
use crate::arguments::map_rows;

const PRECISION: u8 = 38;

#[user_doc(
    doc_section(label = "Comparison Functions"),
    description = "The hash of `comparison_key` of the same arguments, as a whole number of up to 38 digits. It is what is stored beside each case and what cases are joined on. Null where the key is null.",
    syntax_example = "comparison_hash(expression[, ...])",
    sql_example = r#"```sql
> SELECT comparison_hash('hi') = comparison_hash('hi') AS same, comparison_hash('1') = comparison_hash(1) AS text_and_number, comparison_hash(NULL) AS none;
+------+-----------------+------+
| same | text_and_number | none |
+------+-----------------+------+
| true | false           |      |
+------+-----------------+------+
```"#,
    argument(name = "expression", description = "A part of the key, as in `comparison_key`."),
    related_udf(name = "comparison_key")
)]
#[derive(Debug, PartialEq, Eq, Hash)]
pub(crate) struct ComparisonHash {
    signature: Signature,
}

impl Default for ComparisonHash {
    fn default() -> Self {
        Self { signature: Signature::variadic_any(Volatility::Immutable) }
    }
}

impl ScalarUDFImpl for ComparisonHash {
    fn name(&self) -> &str {
        "comparison_hash"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _given: &[DataType]) -> Result<DataType> {
        Ok(DataType::Decimal128(PRECISION, 0))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        map_rows(&args.args, args.number_rows, |columns, rows| {
            let keys = comparison_keys(columns, &args.arg_fields, rows)?;
            let hashes: Decimal128Array = keys.iter().map(|key| key.map(canonical_hash)).collect();
            Ok(Arc::new(hashes.with_precision_and_scale(PRECISION, 0)?))
        })
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.doc()
    }
}
