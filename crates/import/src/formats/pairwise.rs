//! Pairwise judgements, and tables of runs: AlpacaEval's annotations, arena battles, METR's runs. See
//! `docs/import/pairwise.md`.

use std::collections::HashMap;

use super::score::{Reading, Score, hand_on_case};
use super::spans::{add_metric, root, text_at};
use super::{Claim, ForeignFormat};
use crate::discover::Source;
use crate::json::{ObjectText, Value, quoted};
use crate::load::Stop;
use crate::look::Look;
use crate::receive::{Receiver, Run};
use crate::records::{Record, each_record};
use crate::request::ImportRequest;

/// The format of pairwise judgements and of tables of runs.
pub(crate) struct Pairwise;

impl ForeignFormat for Pairwise {
    fn name(&self) -> &'static str {
        "pairwise"
    }

    fn mapping(&self) -> &'static [(&'static str, &'static str)] {
        &[
            ("experiment", "AlpacaEval: `generator_2` against `generator_1`; battles: the file; runs: `alias`"),
            ("case", "an `instruction`; a battle; a `task_id`"),
            ("output", "`output_2`"),
            ("expected", "`output_1`"),
            (
                "scores",
                "AlpacaEval: `win`, `preference` - 1, null where it is NaN; battles: none; runs: `score_binarized`, `score_cont`",
            ),
            ("metadata", "annotator, models and winner; `task_family` and weights of runs"),
        ]
    }

    fn claim(&self, look: &Look, _source: &Source) -> Claim {
        if look.has_columns(&["instruction", "output_1", "output_2", "preference"]) {
            return Claim::Main("rows with `instruction`, `output_1`, `output_2` and `preference`".into());
        }
        if look.has_columns(&["model_a", "model_b", "winner"]) {
            return Claim::Main("rows with `model_a`, `model_b` and `winner`".into());
        }
        let is_run = look.has_columns(&["task_id", "task_family", "run_id", "score_binarized"]);
        Claim::main_if(is_run, "rows with `task_id`, `task_family` and `score_binarized`")
    }

    fn read(&self, source: &Source, _request: &ImportRequest, receiver: &mut dyn Receiver) -> Result<(), Stop> {
        let look = Look::at(source)?;
        let read = if look.has_columns(&["preference"]) {
            annotation
        } else if look.has_columns(&["winner"]) {
            battle
        } else {
            run
        };
        let mut rows = Rows { source, experiments: HashMap::new(), ordinal: 0 };
        each_record(source, receiver, None, &mut |receiver, record| {
            rows.ordinal += 1;
            read(&mut rows, &record, receiver)
        })
    }
}

struct Rows<'s> {
    source: &'s Source,
    experiments: HashMap<String, usize>,
    ordinal: u64,
}

impl Rows<'_> {
    fn experiment(&mut self, name: String, receiver: &mut dyn Receiver) -> Result<usize, Stop> {
        if let Some(&known) = self.experiments.get(&name) {
            return Ok(known);
        }
        let id = format!("{} {name}", self.source.stem());
        let experiment = receiver.experiment(&Run { id, name: name.replace('/', "_") })?;
        self.experiments.insert(name, experiment);
        Ok(experiment)
    }
}

fn annotation(rows: &mut Rows<'_>, record: &Record<'_>, receiver: &mut dyn Receiver) -> Result<(), Stop> {
    let row = record.value;
    let text = |name: &str| text_at(row, name).unwrap_or_default();
    let experiment = rows.experiment(format!("{} vs {}", text("generator_2"), text("generator_1")), receiver)?;
    record.note_rewrites(receiver, experiment);
    let mut case = root(format!("row-{:08}", rows.ordinal));
    case.line = record.line;
    case.input = row.get("instruction").and_then(|value| value.json());
    case.output = row.get("output_2").and_then(|value| value.json());
    case.expected = row.get("output_1").and_then(|value| value.json());
    let price = row.get("price_per_example").and_then(|price| price.loose_number());
    let mut metadata = ObjectText::new();
    for name in ["dataset", "generator_1", "generator_2", "annotator", "raw_completion", "preference"] {
        metadata.put(name, row.get(name));
    }
    case.metadata = metadata.finish();
    // 1 means that the first output is better, 2 that the second is, and what lies between, between.
    let preference = row.get("preference");
    let reading = match preference.and_then(|preference| preference.loose_number()) {
        Some(number) => Reading { original: preference.and_then(|p| p.json()), ..Reading::of_number(number - 1.0) },
        None => Reading::of(preference),
    };
    let score = Score { scorer: text_at(row, "annotator"), ..Score::new("win", reading) };
    if let Some(note) = score.reading.note {
        receiver.note(experiment, note, 1);
    }
    let mut span = score.span(format!("{}/score/win", case.id), &case);
    add_metric(&mut span, "estimated_cost", price);
    receiver.span(experiment, span)?;
    receiver.span(experiment, case)
}

/// A battle is a relation of two models: who won is no score of either.
fn battle(rows: &mut Rows<'_>, record: &Record<'_>, receiver: &mut dyn Receiver) -> Result<(), Stop> {
    let row = record.value;
    let experiment = rows.experiment(rows.source.stem(), receiver)?;
    record.note_rewrites(receiver, experiment);
    let id = text_at(row, "question_id").unwrap_or_else(|| format!("battle-{:08}", rows.ordinal));
    let mut case = root(format!("{id}-{:08}", rows.ordinal));
    case.line = record.line;
    let prompt = ["prompt", "question", "instruction", "conversation_a", "question_id"];
    case.input = prompt.iter().find_map(|name| row.get(name)?.json()).or_else(|| Some(quoted(&id)));
    let mut metadata = ObjectText::new();
    metadata.put_all(Some(row), &[]);
    case.metadata = metadata.finish();
    receiver.span(experiment, case)
}

fn run(rows: &mut Rows<'_>, record: &Record<'_>, receiver: &mut dyn Receiver) -> Result<(), Stop> {
    let row = record.value;
    let experiment =
        rows.experiment(text_at(row, "alias").or_else(|| text_at(row, "model")).unwrap_or_default(), receiver)?;
    record.note_rewrites(receiver, experiment);
    let mut case = root(text_at(row, "run_id").unwrap_or_else(|| format!("row-{:08}", rows.ordinal)));
    case.line = record.line;
    let mut input = ObjectText::new();
    input.put("task_id", row.get("task_id"));
    case.input = input.finish();
    let names = ["score_binarized", "score_cont"];
    let mut metadata = ObjectText::new();
    metadata.put_all(Some(row), &names);
    case.metadata = metadata.finish();
    let scores: Vec<Score> = names
        .iter()
        .filter_map(|name| row.fields().find(|(key, _)| key == name))
        .map(|(name, value): (_, Value<'_>)| Score::new(name, Reading::of(Some(value))))
        .collect();
    hand_on_case(receiver, experiment, case, &scores)
}
