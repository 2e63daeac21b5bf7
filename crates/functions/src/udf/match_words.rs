//! `match_words`: whether a text has certain words.

use arrow::array::{Array, ArrayRef, BooleanArray};
use arrow::datatypes::DataType;
use datafusion::common::cast::as_string_array;
use datafusion::common::{Result, plan_err};
use datafusion::logical_expr::{
    ColumnarValue, Documentation, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility,
};
use datafusion_macros::user_doc;
use std::sync::Arc;

use crate::arguments::{map_rows, text_type};

#[user_doc(
    doc_section(label = "JSON and Text Functions"),
    description = "True when every word of `words` is in the text as a whole word, in any case and order. A word is a run of letters, digits and underscores. Null when one of the two is null; true when `words` holds no word.",
    syntax_example = "match_words(text, words)",
    sql_example = r#"```sql
> SELECT match_words('Reset the Password.', 'password reset') AS found;
+-------+
| found |
+-------+
| true  |
+-------+
```"#,
    argument(name = "text", description = "The text to look into."),
    argument(name = "words", description = "The words to find."),
    related_udf(name = "includes")
)]
#[derive(Debug, PartialEq, Eq, Hash)]
pub(crate) struct MatchWords {
    signature: Signature,
}

impl Default for MatchWords {
    fn default() -> Self {
        Self { signature: Signature::user_defined(Volatility::Immutable) }
    }
}

impl ScalarUDFImpl for MatchWords {
    fn name(&self) -> &str {
        "match_words"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        match given {
            [text, words] => Ok(vec![text_type(self.name(), "text", text)?, text_type(self.name(), "words", words)?]),
            _ => plan_err!("`match_words` takes two arguments (text, words), got {}", given.len()),
        }
    }

    fn return_type(&self, _given: &[DataType]) -> Result<DataType> {
        Ok(DataType::Boolean)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        map_rows(&args.args, args.number_rows, |columns, rows| Ok(Arc::new(matches(columns, rows)?)))
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.doc()
    }
}

fn matches(columns: &[ArrayRef], rows: usize) -> Result<BooleanArray> {
    let (texts, words) = (as_string_array(&columns[0])?, as_string_array(&columns[1])?);
    // The words are nearly always one constant: they are cut up once.
    let mut cut: Option<(&str, Vec<String>)> = None;
    let mut found = |row: usize| {
        if texts.is_null(row) || words.is_null(row) {
            return None;
        }
        let sought = words.value(row);
        if cut.as_ref().is_none_or(|(known, _)| *known != sought) {
            cut = Some((sought, words_of(sought).map(str::to_lowercase).collect()));
        }
        let sought = cut.as_ref().map(|(_, sought)| sought.as_slice()).unwrap_or_default();
        let lower = texts.value(row).to_lowercase();
        let there: std::collections::HashSet<&str> = words_of(&lower).collect();
        Some(sought.iter().all(|word| there.contains(word.as_str())))
    };
    Ok((0..rows).map(&mut found).collect())
}

fn words_of(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !(c.is_alphanumeric() || c == '_')).filter(|word| !word.is_empty())
}
