//! `levenshtein_score`: how alike two texts are.

use arrow::datatypes::DataType;
use datafusion::common::Result;
use datafusion::logical_expr::{
    ColumnarValue, Documentation, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility,
};
use datafusion_macros::user_doc;

use crate::arguments::{score_rows, two_values};
use crate::kernels::likeness::{text_likeness, value_of};

#[user_doc(
    doc_section(label = "Scorers"),
    description = "How alike two texts are: 1 − their edit distance / the length of the longer one, in characters. Texts of which more than some 2,000 characters differ are compared by words, longer ones by lines. Null when one of the two is null.",
    syntax_example = "levenshtein_score(output, expected)",
    sql_example = r#"```sql
> SELECT levenshtein_score('abcd', 'abcx') AS score;
+-------+
| score |
+-------+
| 0.75  |
+-------+
```"#,
    argument(name = "output", description = "What came out: a text."),
    argument(name = "expected", description = "What should have come out."),
    related_udf(name = "json_diff")
)]
#[derive(Debug, PartialEq, Eq, Hash)]
pub(crate) struct LevenshteinScore {
    signature: Signature,
}

impl Default for LevenshteinScore {
    fn default() -> Self {
        Self { signature: Signature::user_defined(Volatility::Immutable) }
    }
}

impl ScalarUDFImpl for LevenshteinScore {
    fn name(&self) -> &str {
        "levenshtein_score"
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
        score_rows(&args, |output, expected| Some(text_likeness(&text_of(output), &text_of(expected))))
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.doc()
    }
}

/// A JSON text without its quotes; anything else as it is written.
fn text_of(text: &str) -> String {
    match value_of(text) {
        serde_json::Value::String(inner) => inner,
        _ => text.to_string(),
    }
}
