//! Reports of SWE-bench. See `docs/import/swe-bench.md`.

use std::borrow::Cow;

use indexmap::IndexMap;

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

/// The lists of a report or of a submission's results, and what being on one means. The first list that
/// names an instance tells its outcome: failures before the stages that an instance passed.
const OUTCOMES: [(&str, Outcome<'static>); 19] = [
    ("resolved_ids", Outcome::Resolved),
    ("resolved", Outcome::Resolved),
    ("infra_failure_ids", Outcome::Failed("infra_failure")),
    ("ambiguous_failure_ids", Outcome::Failed("ambiguous_failure")),
    ("error_ids", Outcome::Failed("error")),
    ("install_fail", Outcome::Failed("install_fail")),
    ("reset_failed", Outcome::Failed("reset_failed")),
    ("test_errored", Outcome::Failed("test_errored")),
    ("test_timeout", Outcome::Failed("test_timeout")),
    ("empty_patch_ids", Outcome::Unresolved("empty_patch")),
    ("no_generation", Outcome::Unresolved("no_generation")),
    ("no_apply", Outcome::Unresolved("no_apply")),
    ("unresolved_ids", Outcome::Unresolved("unresolved")),
    ("applied", Outcome::Unresolved("applied")),
    ("incomplete_ids", Outcome::Missing("incomplete")),
    ("no_logs", Outcome::Missing("no_logs")),
    ("with_logs", Outcome::Missing("with_logs")),
    ("generated", Outcome::Missing("generated")),
    ("submitted_ids", Outcome::Missing("submitted")),
];

/// Files of predictions that lie beside a report.
const PREDICTIONS: [&str; 4] = ["all_preds.jsonl", "preds.jsonl", "preds.json", "predictions.jsonl"];

/// The folder of a submission in which its results lie; its predictions lie around it.
const RESULTS: &str = "results";
/// The folder of all submissions, by split.
const EVALUATION: &str = "evaluation";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome<'a> {
    Resolved,
    Unresolved(&'a str),
    Failed(&'a str),
    Missing(&'a str),
}

impl ForeignFormat for SweBench {
    fn name(&self) -> &'static str {
        "swe-bench"
    }

    fn mapping(&self) -> &'static [(&'static str, &'static str)] {
        &[
            ("experiment", "a run report, named after its file; a submission, named after its folder"),
            ("declared_total", "`total_instances`"),
            ("case", "an `instance_id`"),
            ("output", "`model_patch` of the predictions beside the report"),
            (
                "scores",
                "`resolved`: 1 on `resolved_ids`, 0 on `unresolved_ids`, `empty_patch_ids` and the like; null with state error or missing on other lists, or on none",
            ),
            ("metadata", "`repository`, the cluster of an instance; `outcome`"),
        ]
    }

    fn claim(&self, look: &Look, source: &Source) -> Claim {
        let is_report = look.json(Shape::Object).is_some_and(|fields| {
            let has_outcome = OUTCOMES.iter().any(|(list, outcome)| *outcome != Outcome::Resolved && fields.has(list));
            fields.has_all(&["total_instances", "resolved_ids"])
                || fields.has("resolved") && (has_outcome || is_in_results(source) && source.stem() == RESULTS)
        });
        Claim::main_if(is_report, "a JSON object with `total_instances` and `resolved_ids`, or with `resolved`")
    }

    fn parts(&self, source: &Source) -> Vec<Source> {
        let around = || PREDICTIONS.iter().find_map(|name| source.sibling(&format!("../{name}")));
        let predictions = PREDICTIONS.iter().find_map(|name| source.sibling(name));
        predictions.or_else(|| is_in_results(source).then(around)?).into_iter().collect()
    }

    fn read(&self, source: &Source, _request: &ImportRequest, receiver: &mut dyn Receiver) -> Result<(), Stop> {
        let mut stream = json_stream(source)?;
        let piece = stream.piece()?;
        let text = text_of(stream.bytes(&piece));
        let report = checked(&text, piece.line, true)?;
        let experiment = receiver.experiment(&run_of(source))?;
        describe(report, experiment, receiver);
        let mut patches = IndexMap::new();
        for part in self.parts(source) {
            read_patches(&part, &mut patches, experiment, receiver)?;
        }
        let fields: Vec<(Cow<'_, str>, Value<'_>)> = report.fields().collect();
        let mut outcomes: IndexMap<String, Outcome<'_>> = IndexMap::new();
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
        // A list that is not known is an outcome too; whether it counts as a failure is not known. A report
        // has lists of other things besides, such as images.
        let is_told = report.get("total_instances").is_some();
        for (list, ids) in fields.iter().filter(|(list, _)| !is_told || list.ends_with("_ids")) {
            for id in ids.items().filter_map(|id| id.string()) {
                let word = list.strip_suffix("_ids").unwrap_or(list);
                outcomes.entry(id.into_owned()).or_insert(Outcome::Missing(word));
            }
        }
        for id in patches.keys() {
            outcomes.entry(id.clone()).or_insert(Outcome::Missing("predicted"));
        }
        if !is_told && outcomes.values().all(|outcome| *outcome == Outcome::Resolved) {
            // Which instances were tried besides is not said: the passes alone are no run.
            receiver.unfinished(experiment);
        }
        for (id, outcome) in outcomes {
            case(&id, outcome, report, patches.swap_remove(&id), experiment, receiver)?;
        }
        Ok(())
    }
}

fn is_in_results(source: &Source) -> bool {
    source.folder_name().as_deref() == Some(RESULTS)
}

/// The run of a report is called as its file. The results of every submission are called alike: their
/// folders tell them apart, `evaluation/SPLIT/SUBMISSION/results/results.json`.
fn run_of(source: &Source) -> Run {
    let stem = source.stem();
    if stem != RESULTS {
        return Run { id: stem.clone(), name: stem };
    }
    let folders = source.folders();
    let mut around = folders.iter().skip_while(|folder| *folder == RESULTS);
    let submission = around.next().cloned().unwrap_or(stem);
    let split = around.next().filter(|_| around.next().is_some_and(|folder| folder == EVALUATION));
    let id = split.map_or_else(|| submission.clone(), |split| format!("{split}/{submission}"));
    Run { name: id.replace('/', " "), id }
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
    patches: &mut IndexMap<String, String>,
    experiment: usize,
    receiver: &mut dyn Receiver,
) -> Result<(), Stop> {
    each_record(source, receiver, Some(experiment), &mut |_, record| {
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
    outcome: Outcome<'_>,
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
