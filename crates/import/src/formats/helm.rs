//! Runs of HELM: a folder of files about one run. See `docs/import/helm.md`.

use std::collections::HashMap;

use evalhouse_model::Span;

use super::score::{Reading, Score, ScoreIds};
use super::spans::{add_metric, child, micros, root, set_kind, text_at};
use super::{Claim, ForeignFormat};
use crate::discover::Source;
use crate::error::Fault;
use crate::json::{ObjectText, Value};
use crate::load::Stop;
use crate::look::Look;
use crate::reason;
use crate::receive::{Receiver, Run};
use crate::records::{checked, each_record, json_stream, text_of};
use crate::request::ImportRequest;

/// The format of HELM's runs.
pub(crate) struct Helm;

/// The file that the cases are counted by.
const STATS: &str = "per_instance_stats.json";
/// The other files of a run.
const PARTS: [&str; 4] = ["run_spec.json", "scenario_state.json", "scenario.json", "stats.json"];

/// Figures of the run of a case, not of its quality.
const OPERATIONAL: [&str; 13] = [
    "inference_runtime",
    "num_prompt_tokens",
    "num_completion_tokens",
    "num_output_tokens",
    "num_perplexity_tokens",
    "num_bytes",
    "logprob",
    "prompt_truncated",
    "num_train_instances",
    "num_references",
    "num_train_trials",
    "batch_size",
    "max_prob",
];

impl ForeignFormat for Helm {
    fn name(&self) -> &'static str {
        "helm"
    }

    fn mapping(&self) -> &'static [(&'static str, &'static str)] {
        &[
            ("experiment", "the folder of a run: its suite and `run_spec.name`"),
            ("case", "an instance with its perturbation: `id`, `perturbation` and `input.text`"),
            ("trial", "`train_trial_index`"),
            ("output", "the first completion; of a choice its letter's text; none where each reference is a request"),
            ("expected", "references with the tag `correct`"),
            ("scores", "`per_instance_stats.stats`: the mean of each, except operational ones, which are metrics"),
            ("spans", "one for each request state"),
        ]
    }

    fn claim(&self, look: &Look, source: &Source) -> Claim {
        let has = |names: &[&str]| look.rows().is_some_and(|fields| fields.has_all(names));
        if look.name == STATS && has(&["instance_id", "stats"]) {
            return Claim::Main("`per_instance_stats.json` with `instance_id` and `stats`".into());
        }
        let is_part = match look.name.as_str() {
            "run_spec.json" => has(&["scenario_spec", "adapter_spec"]),
            "scenario_state.json" => has(&["adapter_spec", "request_states"]),
            "scenario.json" => has(&["name", "description"]) || has(&["name", "tags"]),
            "stats.json" => has(&["name.name"]),
            _ => false,
        };
        if is_part && source.sibling(STATS).is_some() { Claim::PartOf(STATS.into()) } else { Claim::No }
    }

    fn parts(&self, source: &Source) -> Vec<Source> {
        PARTS.iter().filter_map(|name| source.sibling(name)).collect()
    }

    fn read(&self, source: &Source, _request: &ImportRequest, receiver: &mut dyn Receiver) -> Result<(), Stop> {
        let spec = source.sibling("run_spec.json").map(|spec| whole(&spec)).transpose()?;
        let spec = spec.as_deref().and_then(|text| Value::parse(text).ok());
        let experiment = receiver.experiment(&run_of(spec, source))?;
        describe(spec, source, receiver, experiment)?;
        let mut cases: HashMap<String, Parts> = HashMap::new();
        if let Some(state) = source.sibling("scenario_state.json") {
            match read_states(&state, experiment, &mut cases, receiver) {
                Err(Stop::Fault(fault)) => receiver.cut_off(Some(experiment), fault)?,
                read => read?,
            }
        }
        each_record(source, receiver, Some(experiment), &mut |receiver, record| {
            let Some(key) = Key::of(record.value, "instance_id") else {
                let message = "statistics need the id of their instance";
                return receiver.fault(Fault::field("instance_id", reason::NOT_A_ROW, message).at(record.line, None));
            };
            let case = root(key.id());
            // An instance without a request state is known by its id alone.
            let is_new = !cases.contains_key(&case.id);
            let case = if is_new { Span { input: key.input(None), line: record.line, ..case } } else { case };
            let parts = cases.entry(case.id.clone()).or_default();
            parts.statistics += 1;
            add_stats(record.value.get("stats"), &case, parts.statistics, experiment, receiver)?;
            if is_new { receiver.span(experiment, case) } else { Ok(()) }
        })
    }
}

/// What was read of a case so far.
#[derive(Default)]
struct Parts {
    /// Request states: several where each choice is a request of its own.
    requests: u32,
    /// Entries of statistics: one for each metric of the run.
    statistics: u32,
}

/// The run, told by its suite too: the runs of two suites have the same names. A run's folder has the
/// run's name, and lies in that of its suite.
fn run_of(spec: Option<Value<'_>>, source: &Source) -> Run {
    let folders = source.folders();
    let mut folders = folders.into_iter();
    let folder = folders.next().unwrap_or_else(|| source.stem());
    let name = spec.and_then(|spec| text_at(spec, "name")).unwrap_or_else(|| folder.clone());
    let suite = folders.next().filter(|_| name.replace('/', "_").starts_with(&folder));
    let id = suite.map_or_else(|| name.clone(), |suite| format!("{suite}/{name}"));
    Run { name: id.replace('/', "_"), id }
}

/// The text of a small file.
fn whole(source: &Source) -> Result<String, Stop> {
    let mut stream = json_stream(source)?;
    let piece = stream.piece()?;
    let text = text_of(stream.bytes(&piece));
    checked(&text, piece.line, true)?;
    Ok(text.into_owned())
}

fn describe(
    spec: Option<Value<'_>>,
    source: &Source,
    receiver: &mut dyn Receiver,
    experiment: usize,
) -> Result<(), Stop> {
    let mut metadata = ObjectText::new();
    let adapter = spec.and_then(|spec| spec.get("adapter_spec"));
    metadata.put("model", adapter.and_then(|adapter| adapter.get("model").or_else(|| adapter.get("model_deployment"))));
    metadata.put_all(spec, &["model"]);
    // The tool's own figures, to hold against those of the stored cases.
    let stats = source.sibling("stats.json").map(|stats| whole(&stats)).transpose()?;
    metadata.put_json("reported", stats.as_deref());
    let record = receiver.record(experiment);
    record.metadata = metadata.finish().and_then(|text| serde_json::from_str(&text).ok());
    record.dataset = spec.and_then(|spec| text_at(spec.get("scenario_spec")?, "class_name"));
    Ok(())
}

/// What tells the cases of a run apart.
struct Key {
    instance: String,
    perturbation: Option<String>,
    trial: i64,
}

impl Key {
    fn of(row: Value<'_>, id: &str) -> Option<Self> {
        let perturbation = row.get("perturbation").and_then(|perturbation| text_at(perturbation, "name"));
        let trial = row.get("train_trial_index").and_then(|trial| trial.integer()).unwrap_or(0);
        Some(Self { instance: text_at(row, id)?, perturbation, trial })
    }

    fn id(&self) -> String {
        let perturbation = self.perturbation.as_deref().map(|name| format!("+{name}")).unwrap_or_default();
        format!("{}{perturbation}_{:04}", self.instance, self.trial)
    }

    fn input(&self, text: Option<Value<'_>>) -> Option<String> {
        let mut input = ObjectText::new();
        input.put_text("id", Some(&self.instance));
        input.put_text("perturbation", self.perturbation.as_deref());
        input.put("text", text);
        input.finish()
    }
}

/// Reads the request states: several of one case, where each choice is a request of its own.
fn read_states(
    source: &Source,
    experiment: usize,
    cases: &mut HashMap<String, Parts>,
    receiver: &mut dyn Receiver,
) -> Result<(), Stop> {
    let mut stream = json_stream(source)?;
    stream.enter_object()?;
    while let Some(key) = stream.key()? {
        if key != "request_states" || !stream.enter_array()? {
            stream.skip()?;
            continue;
        }
        while stream.element()? {
            let piece = stream.piece()?;
            let text = text_of(stream.bytes(&piece));
            let state = match checked(&text, piece.line, true) {
                Ok(state) => state,
                Err(fault) => {
                    receiver.fault(fault)?;
                    continue;
                }
            };
            read_state(state, piece.line, experiment, cases, receiver)?;
        }
    }
    Ok(())
}

fn read_state(
    state: Value<'_>,
    line: u64,
    experiment: usize,
    cases: &mut HashMap<String, Parts>,
    receiver: &mut dyn Receiver,
) -> Result<(), Stop> {
    let Some(instance) = state.get("instance") else { return Ok(()) };
    let Some(mut key) = Key::of(instance, "id") else { return Ok(()) };
    key.trial = state.get("train_trial_index").and_then(|trial| trial.integer()).unwrap_or(0);
    let mut case = root(key.id());
    case.line = line;
    let parts = cases.entry(case.id.clone()).or_default();
    parts.requests += 1;
    let count = parts.requests;
    let result = state.get("result");
    let completion = result.and_then(|result| result.get("completions")?.items().next()?.get("text"));
    let mut span = child(format!("{}/request/{count}", case.id), &case);
    set_kind(&mut span, "request", "llm", false);
    span.input = state.at(&["request", "prompt"]).and_then(|prompt| prompt.json());
    span.output = completion.and_then(|completion| completion.json());
    span.error = result.and_then(|result| result.get("error")?.json());
    span.created = micros(result.and_then(|result| result.get("request_datetime")));
    add_metric(&mut span, "duration", result.and_then(|result| result.get("request_time")?.number()));
    let mut metadata = ObjectText::new();
    for name in ["reference_index", "request_mode", "output_mapping", "annotations"] {
        metadata.put(name, state.get(name));
    }
    metadata.put("model", state.at(&["request", "model"]));
    span.metadata = metadata.finish();
    let error = span.error.clone();
    receiver.span(experiment, span)?;
    if count > 1 {
        return Ok(());
    }
    case.input = key.input(instance.at(&["input", "text"]));
    // Where each reference is a request of its own, a completion repeats its prompt and answers nothing.
    let answer = completion.filter(|_| state.get("reference_index").is_none());
    let chosen = state
        .get("output_mapping")
        .zip(answer)
        .and_then(|(mapping, answer)| mapping.get(answer.string()?.trim())?.json());
    case.output = chosen.or_else(|| answer.and_then(|answer| answer.json()));
    case.error = error;
    let correct = instance.get("references");
    let correct: Vec<String> = correct
        .iter()
        .flat_map(Value::items)
        .filter(|reference| {
            reference.get("tags").iter().flat_map(Value::items).any(|tag| tag.string().as_deref() == Some("correct"))
        })
        .filter_map(|reference| reference.at(&["output", "text"])?.json())
        .collect();
    case.expected = match correct.as_slice() {
        [] => None,
        [only] => Some(only.clone()),
        several => Some(crate::json::array(several)),
    };
    let mut metadata = ObjectText::new();
    for name in ["split", "sub_split", "perturbation", "id"] {
        metadata.put(name, instance.get(name));
    }
    case.metadata = metadata.finish();
    receiver.span(experiment, case)
}

/// Adds the `nth` entry of statistics of a case: operational ones as metrics, the others as scores.
fn add_stats(
    stats: Option<Value<'_>>,
    case: &Span,
    nth: u32,
    experiment: usize,
    receiver: &mut dyn Receiver,
) -> Result<(), Stop> {
    let numbered = |id: String| if nth == 1 { id } else { format!("{id}/{nth}") };
    let mut ids = ScoreIds::default();
    let mut operational = child(numbered(format!("{}/stats", case.id)), case);
    set_kind(&mut operational, "stats", "function", false);
    for stat in stats.iter().flat_map(Value::items) {
        let Some(name) =
            stat.get("name").and_then(|name| text_at(name, "name").or_else(|| Some(name.string()?.into_owned())))
        else {
            continue;
        };
        let is_operational =
            OPERATIONAL.contains(&name.as_str()) || name.starts_with("training_") || name.starts_with("finish_reason_");
        if is_operational {
            add_metric(&mut operational, &name, stat.get("mean").and_then(|mean| mean.number()));
        } else {
            let id = numbered(ids.next(case, &name));
            Score::new(name, Reading::of(stat.get("mean"))).hand_on_as(id, receiver, experiment, case)?;
        }
    }
    if operational.metrics.is_empty() { Ok(()) } else { receiver.span(experiment, operational) }
}
