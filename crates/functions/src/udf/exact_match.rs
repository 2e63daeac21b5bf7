//! `exact_match`: whether two values are the same.

use arrow::datatypes::DataType;
use datafusion::common::Result;
use datafusion::logical_expr::{
    ColumnarValue, Documentation, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility,
};
use datafusion_macros::user_doc;
use evalhouse_model::canonical::{canonical_json, canonical_string};

use crate::arguments::{score_rows, two_values};

#[user_doc(
    doc_section(label = "Scorers"),
    description = "1 where two values are the same, else 0. Texts that are JSON are compared as values, so that neither the order of fields nor the spelling of numbers matters. Null when one of the two is null.",
    syntax_example = "exact_match(output, expected)",
    sql_example = r#"```sql
> SELECT exact_match('{"a": 1, "b": 2}', '{"b": 2, "a": 1.0}') AS score;
+-------+
| score |
+-------+
| 1.0   |
+-------+
```"#,
    argument(name = "output", description = "What came out: any value."),
    argument(name = "expected", description = "What should have come out."),
    related_udf(name = "levenshtein_score")
)]
#[derive(Debug, PartialEq, Eq, Hash)]
pub(crate) struct ExactMatch {
    signature: Signature,
}

impl Default for ExactMatch {
    fn default() -> Self {
        Self { signature: Signature::user_defined(Volatility::Immutable) }
    }
}

impl ScalarUDFImpl for ExactMatch {
    fn name(&self) -> &str {
        "exact_match"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        two_values(self.name(), given)
    }

    fn return_type(&self, _given: &[DataType]) -> Result<DataType> {
        Ok(DataType::Float64)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        score_rows(&args, |output, expected| Some(score(output, expected)))
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.doc()
    }
}

fn score(output: &str, expected: &str) -> f64 {
    f64::from(u8::from(output == expected || canonical(output) == canonical(expected)))
}

/// The text by which values are the same case: what JSON is in one spelling, or the text as a JSON string.
fn canonical(text: &str) -> String {
    canonical_json(text).unwrap_or_else(|_| canonical_string(text))
}
