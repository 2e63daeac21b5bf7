//! Items of Opik's experiments. See `docs/import/opik.md`.

use std::collections::HashMap;

use super::score::{Reading, Score, hand_on_case};
use super::spans::{micros, root, text_at};
use super::{Claim, ForeignFormat};
use crate::discover::Source;
use crate::json::{ObjectText, Value};
use crate::load::Stop;
use crate::look::Look;
use crate::reason;
use crate::receive::{Receiver, Run};
use crate::records::{each_record, learn};
use crate::request::ImportRequest;

/// The format of Opik's experiments.
pub(crate) struct Opik;

impl ForeignFormat for Opik {
    fn name(&self) -> &'static str {
        "opik"
    }

    fn mapping(&self) -> &'static [(&'static str, &'static str)] {
        &[
            ("experiment", "`experiment_id` of the items, else the file"),
            ("case", "a dataset item: `dataset_item_id` and `dataset_item_data`"),
            ("trial", "items with one `dataset_item_id`, in their order"),
            ("output", "`evaluation_task_output`"),
            ("scores", "`feedback_scores`: `value`, with `category_name` as label and `reason`; `assertion_results`"),
        ]
    }

    fn claim(&self, look: &Look, _source: &Source) -> Claim {
        let is_item = look.has_columns(&["dataset_item_id", "feedback_scores"])
            || look.has_columns(&["dataset_item_id", "evaluation_task_output"]);
        Claim::main_if(is_item, "rows with `dataset_item_id` and `feedback_scores`")
    }

    fn read(&self, source: &Source, _request: &ImportRequest, receiver: &mut dyn Receiver) -> Result<(), Stop> {
        // Items that a paged fetch gave twice count as they came last.
        let mut last = HashMap::new();
        let mut count = 0_u64;
        learn(source, &mut |item| {
            count += 1;
            last.extend(text_at(item, "id").map(|id| (id, count)));
        });
        let mut ordinal = 0;
        each_record(source, receiver, None, &mut |receiver, record| {
            ordinal += 1;
            let item = record.value;
            let id = text_at(item, "experiment_id").unwrap_or_else(|| source.stem());
            let name = text_at(item, "experiment_name").unwrap_or_else(|| id.clone());
            let experiment = receiver.experiment(&Run { id, name })?;
            record.note_rewrites(receiver, experiment);
            if text_at(item, "id").and_then(|id| last.get(&id).copied()).is_some_and(|last| last != ordinal) {
                receiver.note(experiment, reason::REPEATED_RECORD, 1);
                return Ok(());
            }
            let item_id = text_at(item, "dataset_item_id").unwrap_or_default();
            let mut case = root(format!("{ordinal:08}-{}", text_at(item, "id").unwrap_or_default()));
            case.line = record.line;
            case.created = micros(item.get("created_at"));
            let mut input = ObjectText::new();
            input.put_text("dataset_item_id", Some(&item_id));
            input.put("data", item.get("dataset_item_data").or_else(|| item.get("input")));
            case.input = input.finish();
            case.output = item.get("evaluation_task_output").or_else(|| item.get("output")).and_then(|o| o.json());
            let expected = ["expected_output", "expected", "reference"];
            let data = item.get("dataset_item_data");
            case.expected = expected.iter().find_map(|name| data?.get(name)?.json());
            let mut metadata = ObjectText::new();
            for name in ["id", "trace_id", "dataset_item_id"] {
                metadata.put(name, item.get(name));
            }
            case.metadata = metadata.finish();
            hand_on_case(receiver, experiment, case, &scores(item))
        })
    }
}

fn scores(item: Value<'_>) -> Vec<Score> {
    let feedback = item.get("feedback_scores");
    let feedback = feedback.iter().flat_map(Value::items).filter_map(|score| {
        let label = text_at(score, "category_name").filter(|label| !label.is_empty());
        let reading = Reading { label, ..Reading::of(score.get("value")) };
        Some(Score { explanation: text_at(score, "reason"), ..Score::new(text_at(score, "name")?, reading) })
    });
    let assertions = item.get("assertion_results");
    let assertions = assertions.iter().flat_map(Value::items).filter_map(|assertion| {
        let name = text_at(assertion, "name").or_else(|| text_at(assertion, "value"))?;
        let passed = assertion.get("passed").or_else(|| assertion.get("success"));
        Some(Score { explanation: text_at(assertion, "reason"), ..Score::new(name, Reading::of(passed)) })
    });
    feedback.chain(assertions).collect()
}
