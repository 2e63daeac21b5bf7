//! Runs of lm-evaluation-harness: a results file and a file of samples for each task.
//!
//! One results file is one experiment; its tasks are told apart by `metadata.task`. See
//! `docs/import/lm-eval.md`.

use std::collections::HashMap;

use evalhouse_model::Span;
use xxhash_rust::xxh3::xxh3_128;

use super::score::{Reading, Score, State};
use super::spans::{child, micros, root, set_kind};
use super::{Claim, ForeignFormat};
use crate::discover::Source;
use crate::error::Fault;
use crate::json::{Kind, ObjectText, Value};
use crate::load::Stop;
use crate::look::{Look, Shape};
use crate::reason;
use crate::receive::{Receiver, Run};
use crate::records::{Record, checked, each_record, json_stream, text_of};
use crate::request::ImportRequest;

/// The format of lm-evaluation-harness.
pub(crate) struct LmEval;

impl ForeignFormat for LmEval {
    fn name(&self) -> &'static str {
        "lm-eval"
    }

    fn mapping(&self) -> &'static [(&'static str, &'static str)] {
        &[
            ("experiment", "a results file with the samples files of its time stamp"),
            ("declared_total", "the sum of `n-samples.TASK.effective`"),
            ("case", "a document of a task, however many filters score it: task and `doc`"),
            ("output", "`filtered_resps` of the first filter"),
            ("expected", "`target`"),
            ("scores", "the fields that `metrics` lists: METRIC, or METRIC,FILTER where the filter is not none"),
            ("metadata", "task, doc_id, hashes"),
            ("spans", "the requests: `arguments` and `resps`"),
        ]
    }

    fn claim(&self, look: &Look, source: &Source) -> Claim {
        let is_results = look.json(Shape::Object).is_some_and(|fields| {
            fields.has("results") && fields.has_any(&["configs", "versions", "group_subtasks", "lm_eval_version"])
        });
        if is_results {
            return Claim::Main("a JSON object with `results`, `configs` and `versions`".into());
        }
        let is_samples = look.rows().is_some_and(|f| f.has_all(&["doc_id", "doc", "resps", "filtered_resps"]));
        if !is_samples {
            return Claim::No;
        }
        match results_of(source) {
            Some(results) => Claim::PartOf(results),
            None => Claim::Main("rows with `doc_id`, `resps` and `filtered_resps`".into()),
        }
    }

    fn parts(&self, source: &Source) -> Vec<Source> {
        samples_of(source).iter().filter_map(|name| source.sibling(name)).collect()
    }

    fn read(&self, source: &Source, _request: &ImportRequest, receiver: &mut dyn Receiver) -> Result<(), Stop> {
        let is_results = Look::at(source)?.json(Shape::Object).is_some_and(|fields| fields.has("results"));
        if !is_results {
            let experiment = receiver.experiment(&Run { id: source.stem(), name: source.stem() })?;
            return read_samples(source, experiment, receiver);
        }
        let mut results = Results::default();
        let walked = results.read(source);
        let cut = match walked {
            Err(Stop::Fault(fault)) if fault.reason == reason::TRUNCATED => Some(fault),
            walked => walked.map(|()| None)?,
        };
        let parts = self.parts(source);
        if parts.is_empty() {
            // Means without the cases they are of.
            return Ok(());
        }
        let experiment = receiver.experiment(&results.run(source))?;
        results.describe(receiver, experiment);
        // The samples may be whole where the results are not.
        cut.map_or(Ok(()), |fault| receiver.cut_off(Some(experiment), fault))?;
        for part in &parts {
            read_samples(part, experiment, receiver)?;
        }
        Ok(())
    }
}

/// A name without the ending of a compressed file.
fn without_packing(name: &str) -> &str {
    [".gz", ".zst"].iter().find_map(|ending| name.strip_suffix(ending)).unwrap_or(name)
}

/// The time stamp that the files of one run share: what stands behind the last `_` of their names.
fn stamp(name: &str) -> Option<&str> {
    let name = without_packing(name);
    let name = name.strip_suffix(".json").or_else(|| name.strip_suffix(".jsonl"))?;
    let (_, stamp) = name.rsplit_once('_')?;
    let is_time = stamp.len() >= 19 && stamp.as_bytes().get(10) == Some(&b'T');
    is_time.then_some(stamp)
}

fn results_of(samples: &Source) -> Option<String> {
    let name = samples.file_name();
    let stamp = stamp(&name)?;
    let is_json = |name: &str| without_packing(name).ends_with(".json");
    let is_results = |name: &String| name.starts_with("results") && self::stamp(name) == Some(stamp) && is_json(name);
    samples.siblings().into_iter().find(is_results)
}

fn samples_of(results: &Source) -> Vec<String> {
    let name = results.file_name();
    let Some(stamp) = stamp(&name).filter(|_| name.starts_with("results")) else { return Vec::new() };
    let is_samples = |name: &String| name.starts_with("samples_") && self::stamp(name) == Some(stamp);
    results.siblings().into_iter().filter(is_samples).collect()
}

/// What a results file says, field by field as JSON text.
#[derive(Default)]
struct Results {
    fields: HashMap<String, String>,
}

impl Results {
    /// Reads a file as far as it goes.
    fn read(&mut self, source: &Source) -> Result<(), Stop> {
        let mut stream = json_stream(source)?;
        stream.enter_object()?;
        while let Some(key) = stream.key()? {
            // The configurations hold the code of the tasks; what tells runs apart stands elsewhere too.
            if matches!(key.as_str(), "configs" | "samples" | "pretty_env_info") {
                stream.skip()?;
                continue;
            }
            let piece = stream.piece()?;
            let text = text_of(stream.bytes(&piece));
            if let Some(json) = checked(&text, piece.line, true)?.json() {
                self.fields.insert(key, json);
            }
        }
        Ok(())
    }

    fn get(&self, name: &str) -> Option<Value<'_>> {
        Value::parse(self.fields.get(name)?).ok()
    }

    fn model(&self) -> Option<String> {
        let named = self.get("model_name").and_then(|name| name.string()).filter(|name| !name.is_empty());
        named.map(|name| name.into_owned()).or_else(|| Some(self.get("config")?.get("model")?.string()?.into_owned()))
    }

    fn run(&self, source: &Source) -> Run {
        let name = source.file_name();
        let name = match (self.model(), stamp(&name)) {
            // A path is no name; the whole of it is in the metadata.
            (Some(model), Some(stamp)) => format!("{} {stamp}", model.rsplit('/').next().unwrap_or(&model)),
            _ => source.stem(),
        };
        let id = format!("{} {}", self.model().unwrap_or_default(), source.stem());
        Run { id, name }
    }

    fn describe(&self, receiver: &mut dyn Receiver, experiment: usize) {
        let mut metadata = ObjectText::new();
        metadata.put_text("model", self.model().as_deref());
        let mut names: Vec<&String> = self.fields.keys().collect();
        names.sort();
        for name in names.into_iter().filter(|name| *name != "model") {
            metadata.put(name, self.get(name));
        }
        let record = receiver.record(experiment);
        record.metadata = metadata.finish().and_then(|text| serde_json::from_str(&text).ok());
        record.created = micros(self.get("date"));
        record.commit = self.get("git_hash").and_then(|hash| Some(hash.string()?.into_owned()));
        let effective = |(_, counts): (_, Value<'_>)| counts.get("effective")?.integer();
        record.declared_total = self.get("n-samples").and_then(|tasks| tasks.fields().map(effective).sum());
    }
}

/// The task of a samples file.
fn task_of(source: &Source) -> String {
    let name = source.file_name();
    let task = match stamp(&name) {
        Some(stamp) => name.split(&format!("_{stamp}")).next().unwrap_or(&name),
        None => without_packing(&name).trim_end_matches(".jsonl"),
    };
    task.strip_prefix("samples_").unwrap_or(task).to_string()
}

fn read_samples(source: &Source, experiment: usize, receiver: &mut dyn Receiver) -> Result<(), Stop> {
    let mut samples = Samples { task: task_of(source), experiment, ..Samples::default() };
    each_record(source, receiver, Some(experiment), &mut |receiver, record| samples.add(&record, receiver))
}

/// The documents of one task.
#[derive(Default)]
struct Samples {
    task: String,
    experiment: usize,
    /// Documents, by hashes of their ids.
    documents: HashMap<u128, Document>,
    /// Hashes of documents to how often they came with different ids.
    copies: HashMap<u128, u32>,
}

struct Document {
    /// Filters that it came with, hashed, and how often; the first one's line makes the case.
    filters: Vec<(u128, u64)>,
    /// How often the same document came before under another id.
    copy: u32,
}

/// Fields of a sample that are no metric.
const FIELDS: [&str; 12] = [
    "doc_id",
    "doc",
    "target",
    "arguments",
    "resps",
    "filtered_resps",
    "filter",
    "metrics",
    "doc_hash",
    "prompt_hash",
    "target_hash",
    "schema_version",
];

impl Samples {
    fn add(&mut self, record: &Record<'_>, receiver: &mut dyn Receiver) -> Result<(), Stop> {
        let sample = record.value;
        let Some(doc_id) = sample.get("doc_id").and_then(|id| id.as_text()) else {
            let message = "a sample needs the id of its document";
            return receiver.fault(Fault::field("doc_id", reason::NOT_A_ROW, message).at(record.line, None));
        };
        let mut case = root(format!("{}/{doc_id}", self.task));
        case.line = record.line;
        case.created = receiver.record(self.experiment).created;
        let doc = sample.get("doc").and_then(|doc| doc.json()).unwrap_or_else(|| "null".into());
        let document = self.documents.entry(xxh3_128(doc_id.as_bytes())).or_insert_with(|| {
            let copies = self.copies.entry(xxh3_128(doc.as_bytes())).or_default();
            *copies += 1;
            Document { filters: Vec::new(), copy: *copies - 1 }
        });
        let filter = xxh3_128(sample.get("filter").map_or("", |filter| filter.text).as_bytes());
        let at = document.filters.iter().position(|(known, _)| *known == filter);
        let at = at.unwrap_or_else(|| {
            document.filters.push((filter, 0));
            document.filters.len() - 1
        });
        // Of lines of one document and filter the last counts.
        let count = &mut document.filters[at].1;
        case.version = *count;
        *count += 1;
        receiver.note(self.experiment, reason::REPEATED_RECORD, u32::from(case.version > 0));
        if at == 0 {
            fill(&mut case, sample, &self.task, &doc, document.copy);
            receiver.span(self.experiment, requests(&case, sample))?;
            receiver.span(self.experiment, case.clone())?;
        }
        self.add_scores(&case, sample, receiver)
    }

    fn add_scores(&self, case: &Span, sample: Value<'_>, receiver: &mut dyn Receiver) -> Result<(), Stop> {
        let filter = sample.get("filter").and_then(|filter| filter.string()).filter(|filter| filter != "none");
        let listed: Option<Vec<_>> =
            sample.get("metrics").map(|names| names.items().filter_map(|name| name.string()).collect());
        for (metric, value) in sample.fields() {
            let is_metric = match &listed {
                Some(listed) => listed.contains(&metric),
                None => !FIELDS.contains(&&*metric),
            };
            if !is_metric || FIELDS.contains(&&*metric) {
                continue;
            }
            let name = filter.as_ref().map_or_else(|| metric.to_string(), |filter| format!("{metric},{filter}"));
            let answer = sample.get("filtered_resps").and_then(first_or_all);
            let mut score = Score { answer, ..Score::new(name, Reading::of(Some(value))) };
            if !matches!(value.kind, Kind::Array | Kind::Object) {
                score.hand_on(receiver, self.experiment, case)?;
                continue;
            }
            // What a metric of the whole corpus is made of: no score of this document.
            score.reading.state = State::NotApplicable;
            let mut span = score.span(format!("{}/score/{}", case.id, score.name), case);
            span.scores.clear();
            receiver.span(self.experiment, span)?;
        }
        Ok(())
    }
}

fn fill(case: &mut Span, sample: Value<'_>, task: &str, doc: &str, copy: u32) {
    let mut input = ObjectText::new();
    input.put_text("task", Some(task));
    input.put_json("doc", Some(doc));
    // A dataset may hold a document twice; to the tool these are two.
    input.put_json("copy", (copy > 0).then(|| copy.to_string()).as_deref());
    case.input = input.finish();
    case.output = sample.get("filtered_resps").and_then(first_or_all);
    case.expected = sample.get("target").and_then(|target| target.json());
    let mut metadata = ObjectText::new();
    metadata.put_text("task", Some(task));
    for name in ["doc_id", "doc_hash", "prompt_hash", "target_hash"] {
        metadata.put(name, sample.get(name));
    }
    case.metadata = metadata.finish();
}

/// The only element of an array, or the array.
fn first_or_all(value: Value<'_>) -> Option<String> {
    let mut items = value.items();
    match (items.next(), items.next()) {
        (Some(only), None) => only.json(),
        _ => value.json(),
    }
}

fn requests(case: &Span, sample: Value<'_>) -> Span {
    let mut span = child(format!("{}/requests", case.id), case);
    set_kind(&mut span, "requests", "llm", false);
    span.input = sample.get("arguments").and_then(|arguments| arguments.json());
    span.output = sample.get("resps").and_then(|resps| resps.json());
    span
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_one_run_share_a_stamp() {
        assert_eq!(
            stamp("results_m-2025-07-21T1441-16_2025-07-21T14-41-47.889425.json"),
            Some("2025-07-21T14-41-47.889425")
        );
        assert_eq!(stamp("samples_a_b_2025-07-21T14-41-47.889425.jsonl"), Some("2025-07-21T14-41-47.889425"));
        assert_eq!(stamp("results.json"), None);
    }
}
