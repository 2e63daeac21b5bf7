//! What a log says of its run.

use evalhouse_model::ExperimentStatus;

use crate::discover::Source;
use crate::formats::spans::micros;
use crate::json::{ObjectText, Value};
use crate::reason;
use crate::receive::{Receiver, Run};

use super::scores::Names;

/// The version of the log format that this reader was written for.
const VERSION: i64 = 2;

/// The parts of a log beside its samples, JSON text.
#[derive(Debug, Default)]
pub(super) struct Header {
    pub(super) version: Option<String>,
    pub(super) status: Option<String>,
    pub(super) eval: Option<String>,
    plan: Option<String>,
    results: Option<String>,
    stats: Option<String>,
    error: Option<String>,
    tags: Option<String>,
    metadata: Option<String>,
    invalidated: Option<String>,
}

impl Header {
    /// Whether a key of a log is one of these parts.
    pub(super) fn set(&mut self, key: &str, value: Value<'_>) {
        let part = match key {
            "version" => &mut self.version,
            "status" => &mut self.status,
            "eval" => &mut self.eval,
            "plan" => &mut self.plan,
            "results" => &mut self.results,
            "stats" => &mut self.stats,
            "error" => &mut self.error,
            "tags" => &mut self.tags,
            "metadata" => &mut self.metadata,
            "invalidated" => &mut self.invalidated,
            _ => return,
        };
        *part = value.json();
    }

    /// Reads the parts from an object that holds nothing else.
    pub(super) fn of(object: Value<'_>) -> Self {
        let mut header = Self::default();
        for (key, value) in object.fields() {
            header.set(&key, value);
        }
        header
    }

    pub(super) fn eval(&self) -> Option<Value<'_>> {
        part(&self.eval)
    }

    pub(super) fn status(&self) -> String {
        let status = part(&self.status).and_then(|status| status.string().map(|text| text.into_owned()));
        status.unwrap_or_else(|| "started".into())
    }

    /// The name of the only scorer of a log from before there were several.
    pub(super) fn legacy_scorer(&self) -> Option<String> {
        let name = part(&self.results)?.at(&["scorer", "name"])?;
        name.string().map(|name| name.into_owned())
    }

    /// The names of scores that the log tells of.
    pub(super) fn score_names(&self) -> Names {
        Names::of(self.eval(), part(&self.results))
    }

    /// When the run was started, microseconds since the Unix epoch.
    pub(super) fn created(&self) -> Option<i64> {
        micros(self.eval()?.get("created"))
    }

    /// The id of the run, or what stands for it in logs from before there were ids.
    pub(super) fn run_id(&self) -> Option<String> {
        let eval = self.eval()?;
        if let Some(id) = eval.get("eval_id").and_then(|id| id.string()) {
            return Some(id.into_owned());
        }
        let parts = ["run_id", "task_id", "task", "created"];
        let parts: Vec<_> = parts.iter().filter_map(|name| eval.get(name)?.as_text()).collect();
        Some(parts.join("/"))
    }

    pub(super) fn run(&self, source: &Source) -> Run {
        Run { id: self.run_id().unwrap_or_else(|| source.stem()), name: source.stem() }
    }

    /// The number of samples that the run was to have.
    pub(super) fn declared_total(&self) -> Option<i64> {
        if let Some(total) = part(&self.results).and_then(|results| results.get("total_samples")) {
            return total.integer();
        }
        let eval = self.eval()?;
        let dataset = eval.get("dataset")?;
        // `samples` counts the whole dataset; the ids are of the samples that were selected.
        let selected = dataset.get("sample_ids").map(|ids| ids.items().count() as i64).filter(|count| *count > 0);
        let samples = selected.or_else(|| dataset.get("samples")?.integer())?;
        let epochs = eval.at(&["config", "epochs"]).and_then(|epochs| epochs.integer()).unwrap_or(1);
        samples.checked_mul(epochs.max(1))
    }

    /// Fills the record of the experiment.
    pub(super) fn describe(&self, receiver: &mut dyn Receiver, experiment: usize) {
        let status = self.status();
        if part(&self.version).and_then(|version| version.integer()).is_some_and(|version| version > VERSION) {
            receiver.note(experiment, reason::NEWER_VERSION, 1);
        }
        let record = receiver.record(experiment);
        record.created = self.created();
        record.declared_total = self.declared_total();
        record.metadata = self.metadata(&status);
        if let Some(eval) = self.eval() {
            let text = |path: &[&str]| eval.at(path).and_then(|value| value.as_text().map(|text| text.into_owned()));
            record.dataset = text(&["dataset", "name"]).or_else(|| text(&["dataset", "location"]));
            record.commit = text(&["revision", "commit"]);
            let tags = part(&self.tags).or_else(|| eval.get("tags"));
            record.tags =
                tags.iter().flat_map(Value::items).filter_map(|tag| Some(tag.string()?.into_owned())).collect();
        }
        if status == "success" {
            record.status = ExperimentStatus::Complete;
        } else {
            receiver.unfinished(experiment);
        }
    }

    /// Completes the record with what came behind the samples.
    pub(super) fn describe_rest(&self, receiver: &mut dyn Receiver, experiment: usize) {
        let metadata = self.metadata(&self.status());
        let total = self.declared_total();
        let record = receiver.record(experiment);
        record.metadata = metadata;
        record.declared_total = total;
    }

    /// What the log says of its run, with the names that it uses; `model` and `task` come first.
    fn metadata(&self, status: &str) -> Option<serde_json::Value> {
        let mut metadata = ObjectText::new();
        let eval = self.eval();
        let set_apart = ["model", "task", "dataset", "tags", "metadata"];
        for name in ["model", "task"] {
            metadata.put(name, eval.and_then(|eval| eval.get(name)));
        }
        let mut dataset = ObjectText::new();
        dataset.put_all(eval.and_then(|eval| eval.get("dataset")), &["sample_ids"]);
        metadata.put_json("dataset", dataset.finish().as_deref());
        metadata.put_all(eval, &set_apart);
        metadata.put_all(eval.and_then(|eval| eval.get("metadata")), RECORDED);
        metadata.put("plan", part(&self.plan));
        // The tool's own figures, to hold against those of the stored cases.
        metadata.put("results", part(&self.results));
        metadata.put("stats", part(&self.stats));
        metadata.put("error", part(&self.error));
        metadata.put("invalidated", part(&self.invalidated));
        metadata.put("log_metadata", part(&self.metadata));
        metadata.put_text("status", Some(status));
        metadata.put("format_version", part(&self.version));
        metadata.finish().and_then(|text| serde_json::from_str(&text).ok())
    }
}

/// Names of the record's metadata that the metadata of an eval must not take.
const RECORDED: &[&str] = &["model", "task", "dataset", "plan", "results", "stats", "error", "status"];

fn part(text: &Option<String>) -> Option<Value<'_>> {
    Value::parse(text.as_deref()?).ok()
}
