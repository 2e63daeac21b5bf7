//! Reports of SWE-bench. See `docs/import/swe-bench.md`.

use std::collections::HashMap;

use super::score::{Reading, Score, hand_on_case};
use super::spans::{root, text_at};
use super::{Claim, ForeignFormat};
use crate::discover::Source;
use crate::error::Fault;
use crate::json::{ObjectText, Value, quoted};
use crate::load::Stop;
use crate::look::{Look, Shape};
use crate::reason;
use crate::receive::{Receiver, Run};
use crate::records::{checked, each_record, json_stream, text_of};
use crate::request::ImportRequest;

/// The format of SWE-bench's reports.
pub(crate) struct SweBench;

/// The lists of a report, and what being on one means. The first list that names an instance tells its
/// outcome.
const OUTCOMES: [(&str, Outcome); 9] = [
    ("resolved_ids", Outcome::Resolved),
    ("resolved", Outcome::Resolved),
    ("infra_failure_ids", Outcome::Failed("infra_failure")),
    ("ambiguous_failure_ids", Outcome::Failed("ambiguous_failure")),
    ("error_ids", Outcome::Failed("error")),
    ("empty_patch_ids", Outcome::Unresolved("empty_patch")),
    ("unresolved_ids", Outcome::Unresolved("unresolved")),
    ("incomplete_ids", Outcome::Missing("incomplete")),
    ("submitted_ids", Outcome::Missing("submitted")),
];

/// Files of predictions that lie beside a report.
const PREDICTIONS: [&str; 4] = ["all_preds.jsonl", "preds.jsonl", "preds.json", "predictions.jsonl"];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Resolved,
    Unresolved(&'static str),
    Failed(&'static str),
    Missing(&'static str),
}

impl ForeignFormat for SweBench {
    fn name(&self) -> &'static str {
        "swe-bench"
    }

    fn mapping(&self) -> &'static [(&'static str, &'static str)] {
        &[
            ("experiment", "a run report; named after its file"),
            ("declared_total", "`total_instances`"),
            ("case", "an `instance_id`"),
            ("output", "`model_patch` of the predictions beside the report"),
            (
                "scores",
                "`resolved`: 1 on `resolved_ids`, 0 on `unresolved_ids` and `empty_patch_ids`; null with state error or missing on other lists",
            ),
            ("metadata", "`repository`, the cluster of an instance; `outcome`"),
        ]
    }

    fn claim(&self, look: &Look, _source: &Source) -> Claim {
        let is_report = look.json(Shape::Object).is_some_and(|fields| {
            fields.has_all(&["total_instances", "resolved_ids"]) || fields.has_all(&["resolved", "no_generation"])
        });
        Claim::main_if(is_report, "a JSON object with `total_instances` and `resolved_ids`")
    }

    fn parts(&self, source: &Source) -> Vec<Source> {
        PREDICTIONS.iter().find_map(|name| source.sibling(name)).into_iter().collect()
    }

    fn read(&self, source: &Source, _request: &ImportRequest, receiver: &mut dyn Receiver) -> Result<(), Stop> {
        let mut stream = json_stream(source)?;
        let piece = stream.piece()?;
        let text = text_of(stream.bytes(&piece));
        let report = checked(&text, piece.line, true)?;
        let mut patches = HashMap::new();
        for part in self.parts(source) {
            read_patches(&part, &mut patches, receiver)?;
        }
        let experiment = receiver.experiment(&Run { id: source.stem(), name: source.stem() })?;
        describe(report, experiment, receiver);
        let mut outcomes: indexmap::IndexMap<String, Outcome> = indexmap::IndexMap::new();
        for (list, outcome) in OUTCOMES {
            for id in report.get(list).iter().flat_map(Value::items) {
                let Some(id) = id.string() else {
                    let message = format!("`{list}` holds something that is no id");
                    receiver.fault(Fault::field(list, reason::WRONG_TYPE, message).at(piece.line, None))?;
                    continue;
                };
                outcomes.entry(id.into_owned()).or_insert(outcome);
            }
        }
        for (id, outcome) in outcomes {
            case(&id, outcome, report, patches.remove(&id), experiment, receiver)?;
        }
        Ok(())
    }
}

fn describe(report: Value<'_>, experiment: usize, receiver: &mut dyn Receiver) {
    let mut metadata = ObjectText::new();
    for (name, value) in report.fields() {
        if name.ends_with("_instances") || matches!(&*name, "schema_version" | "model" | "run_id") {
            metadata.put(&name, Some(value));
        }
    }
    let record = receiver.record(experiment);
    record.metadata = metadata.finish().and_then(|text| serde_json::from_str(&text).ok());
    record.declared_total = report.get("total_instances").and_then(|total| total.integer());
}

/// Patches by instance: an object of objects, or one object a line.
fn read_patches(
    source: &Source,
    patches: &mut HashMap<String, String>,
    receiver: &mut dyn Receiver,
) -> Result<(), Stop> {
    each_record(source, receiver, None, &mut |_, record| {
        let is_one = record.value.get("instance_id").is_some();
        let keyed =
            record.value.fields().filter(|_| !is_one).map(|(id, prediction)| (Some(id.into_owned()), prediction));
        let one = is_one.then(|| (text_at(record.value, "instance_id"), record.value));
        for (id, prediction) in keyed.chain(one) {
            let patch = prediction.get("model_patch").and_then(|patch| patch.json());
            if let (Some(id), Some(patch)) = (id, patch) {
                patches.insert(id, patch);
            }
        }
        Ok(())
    })
}

fn case(
    id: &str,
    outcome: Outcome,
    report: Value<'_>,
    patch: Option<String>,
    experiment: usize,
    receiver: &mut dyn Receiver,
) -> Result<(), Stop> {
    let mut case = root(id.to_string());
    case.line = 1;
    let mut input = ObjectText::new();
    input.put_text("instance_id", Some(id));
    case.input = input.finish();
    case.output = patch;
    let why = report.get("failure_reasons").and_then(|reasons| reasons.get(id)?.json());
    let (reading, word) = match outcome {
        Outcome::Resolved => (Reading::of_number(1.0), "resolved"),
        Outcome::Unresolved(word) => (Reading::of_number(0.0), word),
        Outcome::Failed(word) => (Reading::failed(), word),
        Outcome::Missing(word) => (Reading::missing(), word),
    };
    if let Outcome::Failed(word) = outcome {
        case.error = why.clone().or_else(|| Some(quoted(word)));
    }
    let mut metadata = ObjectText::new();
    metadata.put_text("outcome", Some(word));
    // `django__django-11099`: instances of one repository are not independent.
    metadata.put_text("repository", id.rsplit_once('-').map(|(repository, _)| repository));
    case.metadata = metadata.finish();
    let score = Score { error: case.error.clone(), ..Score::new("resolved", reading) };
    hand_on_case(receiver, experiment, case, &[score])
}
