//! `infer_fields`: which fields the JSON of many rows has.

use std::sync::{Arc, LazyLock};

use arrow::array::{ArrayRef, BooleanArray, Int64Array, ListBuilder, StringArray, StringBuilder, StructArray};
use arrow::datatypes::{DataType, Field, FieldRef, Fields};
use datafusion::common::cast::as_string_array;
use datafusion::common::{Result, ScalarValue, exec_err, plan_err};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::AggregateOrderSensitivity;
use datafusion::logical_expr::{Accumulator, AggregateUDFImpl, Documentation, Signature, Volatility};
use datafusion::physical_expr::expressions::Literal;
use datafusion_macros::user_doc;

use super::state::{list_value, refuse_distinct, state_column, state_field};
use crate::arguments::text_type;
use crate::kernels::field_survey::FieldSurvey;

static FIELDS: LazyLock<Fields> = LazyLock::new(|| {
    vec![
        Field::new("path", DataType::Utf8, true),
        Field::new("types", DataType::new_list(DataType::Utf8, true), true),
        Field::new("rows", DataType::Int64, true),
        Field::new("distinct", DataType::Int64, true),
        Field::new("is_exact", DataType::Boolean, true),
        Field::new("example", DataType::Utf8, true),
    ]
    .into()
});

#[user_doc(
    doc_section(label = "JSON and Text Functions"),
    description = "The fields that the JSON of many rows has, as a list of `{path, types, rows, distinct, is_exact, example}`: the path as the filter language writes it, the JSON types of its values, the rows that have it, how many different values it has (of more than 1,000 it is 1,000, and `is_exact` is false), and the smallest value as JSON. Lists are looked into as `[*]`, `[0]` and `[-1]`; at most 6 levels deep. The 500 paths that most rows have are listed, of more than 50,000 paths those of the shallow ones and of a sample of the rest.",
    syntax_example = "infer_fields(json, name)",
    sql_example = r#"```sql
> SELECT f['path'] AS path, f['types'] AS types, f['rows'] AS rows FROM (SELECT unnest(infer_fields(json, 'm')) AS f FROM (VALUES ('{"a": 1}'), ('{"a": "x"}')) AS rows(json)) ORDER BY path;
+------+-----------------+------+
| path | types           | rows |
+------+-----------------+------+
| m    | [object]        | 2    |
| m.a  | [integer, text] | 2    |
+------+-----------------+------+
```"#,
    argument(name = "json", description = "JSON text; what is none is left out."),
    argument(name = "name", description = "What every path begins with; a constant.")
)]
#[derive(Debug, PartialEq, Eq, Hash)]
pub(crate) struct InferFields {
    signature: Signature,
}

impl Default for InferFields {
    fn default() -> Self {
        Self { signature: Signature::user_defined(Volatility::Immutable) }
    }
}

impl AggregateUDFImpl for InferFields {
    fn name(&self) -> &str {
        "infer_fields"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        match given {
            [json, name] => Ok(vec![text_type(self.name(), "json", json)?, text_type(self.name(), "name", name)?]),
            _ => plan_err!("`infer_fields` takes two arguments (json, name), got {}", given.len()),
        }
    }

    fn return_type(&self, _given: &[DataType]) -> Result<DataType> {
        Ok(DataType::new_list(DataType::Struct(FIELDS.clone()), true))
    }

    fn accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        refuse_distinct(self.name(), args.is_distinct)?;
        let name = args.exprs.get(1).and_then(|name| name.downcast_ref::<Literal>());
        let Some(name) = name.and_then(|name| name.value().try_as_str().flatten().map(str::to_string)) else {
            return exec_err!("`infer_fields` takes a constant text as `name`");
        };
        Ok(Box::new(InferFieldsAccumulator { name, survey: FieldSurvey::default() }))
    }

    fn state_fields(&self, args: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        Ok(vec![state_field(args.name, "survey", DataType::Utf8)])
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        AggregateOrderSensitivity::Insensitive
    }

    fn default_value(&self, _data_type: &DataType) -> Result<ScalarValue> {
        answer(&mut FieldSurvey::default())
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.doc()
    }
}

#[derive(Debug)]
struct InferFieldsAccumulator {
    name: String,
    survey: FieldSurvey,
}

impl Accumulator for InferFieldsAccumulator {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        for text in as_string_array(&values[0])?.iter().flatten() {
            if let Ok(value) = serde_json::from_str(text) {
                self.survey.look(&self.name, &value);
            }
        }
        Ok(())
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        match serde_json::to_string(&self.survey) {
            Ok(text) => Ok(vec![ScalarValue::from(text)]),
            Err(error) => exec_err!("internal: {error}"),
        }
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        for text in as_string_array(state_column(states, 0)?)?.iter().flatten() {
            match serde_json::from_str(text) {
                Ok(survey) => self.survey.merge(survey),
                Err(error) => return exec_err!("internal: {error}"),
            }
        }
        Ok(())
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        answer(&mut self.survey)
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.survey.heap_size()
    }
}

fn answer(survey: &mut FieldSurvey) -> Result<ScalarValue> {
    let found = survey.most_present();
    let facts = || found.iter().map(|(_, facts)| facts);
    let paths: StringArray = found.iter().map(|(path, _)| Some(*path)).collect();
    let mut types = ListBuilder::new(StringBuilder::new());
    for facts in facts() {
        facts.types.iter().for_each(|kind| types.values().append_value(kind));
        types.append(true);
    }
    let rows: Int64Array = facts().map(|facts| Some(facts.rows)).collect();
    let distinct: Int64Array = facts().map(|facts| i64::try_from(facts.distinct()).ok()).collect();
    let exact: BooleanArray = facts().map(|facts| Some(!facts.is_many)).collect();
    let examples: StringArray = facts().map(|facts| facts.example.as_deref()).collect();
    let columns: Vec<ArrayRef> = vec![
        Arc::new(paths),
        Arc::new(types.finish()),
        Arc::new(rows),
        Arc::new(distinct),
        Arc::new(exact),
        Arc::new(examples),
    ];
    list_value(Arc::new(StructArray::try_new(FIELDS.clone(), columns, None)?))
}
