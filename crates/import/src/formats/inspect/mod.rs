//! Logs of Inspect AI: `.eval` archives and `.json` documents.
//!
//! One log is one experiment, one sample in one epoch one case. See `docs/import/inspect.md`.

mod archive;
mod attempts;
mod document;
mod events;
mod header;
mod sample;
mod scores;

use crate::discover::Source;
use crate::json::Value;
use crate::load::Stop;
use crate::look::{Container, Look, Shape};
use crate::receive::Receiver;
use crate::request::ImportRequest;

use super::{Claim, ForeignFormat};
use header::Header;

/// The format of Inspect's logs.
pub(crate) struct Inspect;

impl ForeignFormat for Inspect {
    fn name(&self) -> &'static str {
        "inspect"
    }

    fn mapping(&self) -> &'static [(&'static str, &'static str)] {
        &[
            ("experiment", "the log: `eval.eval_id`; named after the file"),
            ("declared_total", "`results.total_samples`, else selected samples × epochs"),
            ("case", "a sample: `id`, `input` and `choices` together are the input"),
            ("trial", "the order of `epoch`"),
            ("output", "`output.completion`"),
            ("expected", "`target`"),
            ("scores", "`scores`: C and yes are 1, P is 0.5, I, N and no are 0, other texts are labels"),
            ("metadata", "`metadata` of the sample; id, epoch, usage and limits below `metadata.inspect`"),
            ("metrics", "usage of `model` events outside of scorers; `total_time`, `working_time`"),
            ("spans", "`span_begin` and `span_end`, `model`, `tool`, `subtask` and `step` events"),
        ]
    }

    fn claim(&self, look: &Look, _source: &Source) -> Claim {
        if look.container == (Container::Zip { is_inspect_log: true }) {
            return Claim::Main("a zip archive with `header.json` or `_journal/start.json`".into());
        }
        let fields = look.json(Shape::Object);
        let is_log = fields.is_some_and(|f| f.has_all(&["version", "status", "eval"]) && f.has("eval.task"));
        Claim::main_if(is_log, "a JSON object with `version`, `status` and `eval.task`")
    }

    fn run_id(&self, look: &Look, source: &Source) -> Option<String> {
        if let Some(fields) = look.json(Shape::Object) {
            let parts = ["eval.run_id", "eval.task_id", "eval.task", "eval.created"];
            let parts: Vec<_> = parts.iter().filter_map(|path| fields.value(path)).collect();
            return Some(fields.value("eval.eval_id").map_or_else(|| parts.join("/"), str::to_string));
        }
        archive::run_id(source)
    }

    fn read(&self, source: &Source, _request: &ImportRequest, receiver: &mut dyn Receiver) -> Result<(), Stop> {
        match Look::at(source)?.container {
            Container::Zip { .. } => archive::read(source, receiver),
            _ => document::read(source, receiver),
        }
    }
}

/// Opens the experiment of a log and describes it.
fn open(header: &Header, source: &Source, receiver: &mut dyn Receiver) -> Result<usize, Stop> {
    let experiment = receiver.experiment(&header.run(source))?;
    header.describe(receiver, experiment);
    Ok(experiment)
}

/// Counts what storing the text of a sample changes.
fn rewrites(value: &Value<'_>, is_replaced: bool) -> [(&'static str, u32); 3] {
    use crate::reason::{LONE_SURROGATE, NAN_VALUE, REPLACED_UTF8};
    [(NAN_VALUE, value.nan), (LONE_SURROGATE, value.lone_surrogates), (REPLACED_UTF8, u32::from(is_replaced))]
}
