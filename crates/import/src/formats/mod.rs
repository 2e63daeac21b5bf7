//! The formats of other tools: one file a format, behind one trait.
//!
//! A format tells from a [`Look`] whether a file is one of its own, and reads it into experiments and
//! spans. Adding one is a file here, a line in [`FORMATS`] and a page in `docs/import/`.

mod attributes;
mod braintrust_table;
mod deepeval;
mod generic;
mod helm;
mod inspect;
mod langfuse;
mod langsmith;
mod lm_eval;
mod mlflow;
mod openai_evals;
mod opik;
mod otlp;
mod pairwise;
mod phoenix;
mod promptfoo;
mod python;
pub(crate) mod score;
pub(crate) mod spans;
mod swe_bench;
mod tau_bench;
#[cfg(test)]
mod tests;
mod trace_index;
mod weave;

pub(crate) use braintrust_table::BraintrustTable;

use crate::discover::Source;
use crate::error::Fault;
use crate::load::Stop;
use crate::look::Look;
use crate::receive::Receiver;
use crate::request::ImportRequest;

/// What a file is to a format.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Claim {
    /// Not one of its files.
    No,
    /// The file from which a run is read, told by this.
    Main(String),
    /// A part of a run whose main file lies beside it under this name.
    PartOf(String),
}

impl Claim {
    /// A main file if `is_main`, told by `evidence`.
    pub(crate) fn main_if(is_main: bool, evidence: &str) -> Self {
        if is_main { Self::Main(evidence.to_string()) } else { Self::No }
    }
}

/// One format of eval results.
pub(crate) trait ForeignFormat: Send + Sync {
    /// The name that users write, and that an experiment keeps.
    fn name(&self) -> &'static str;

    /// What becomes of what: pairs of ours and theirs, for `--explain`.
    fn mapping(&self) -> &'static [(&'static str, &'static str)];

    /// What the columns of a file are, where the format has to guess it: pairs of ours and theirs.
    fn columns(&self, source: &Source, request: &ImportRequest) -> Result<Vec<(String, String)>, Fault> {
        let _ = (source, request);
        Ok(Vec::new())
    }

    /// Whether a file is one of this format.
    fn claim(&self, look: &Look, source: &Source) -> Claim;

    /// The id that the run of a main file has in the tool, if its first bytes tell: two files of one
    /// run are one experiment.
    fn run_id(&self, look: &Look, source: &Source) -> Option<String> {
        let _ = (look, source);
        None
    }

    /// The other files of the run of a main file.
    fn parts(&self, source: &Source) -> Vec<Source> {
        let _ = source;
        Vec::new()
    }

    /// Reads a main file, and what belongs to it, from begin to end.
    fn read(&self, source: &Source, request: &ImportRequest, receiver: &mut dyn Receiver) -> Result<(), Stop>;
}

/// Every foreign format, the most telling first.
pub(crate) static FORMATS: [&dyn ForeignFormat; 18] = [
    &inspect::Inspect,
    &promptfoo::Promptfoo,
    &lm_eval::LmEval,
    &otlp::Otlp,
    &mlflow::Mlflow,
    &phoenix::Phoenix,
    &langfuse::Langfuse,
    &langsmith::LangSmith,
    &openai_evals::OpenAiEvals,
    &helm::Helm,
    &swe_bench::SweBench,
    &tau_bench::TauBench,
    &deepeval::DeepEval,
    &weave::Weave,
    &opik::Opik,
    &pairwise::Pairwise,
    &BraintrustTable,
    &generic::Generic,
];

/// The format with a name.
pub(crate) fn by_name(name: &str) -> Option<&'static dyn ForeignFormat> {
    FORMATS.into_iter().find(|format| format.name() == name)
}

/// The format of rows that nothing tells but the names of their columns.
pub(crate) static GENERIC: &dyn ForeignFormat = &generic::Generic;

/// The first format that claims a file. Rows that only their columns tell come after all others, our
/// own shape among them.
pub(crate) fn of_file(look: &Look, source: &Source) -> Option<(&'static dyn ForeignFormat, Claim)> {
    let mut telling = FORMATS.into_iter().filter(|format| format.name() != GENERIC.name());
    telling.find_map(|format| match format.claim(look, source) {
        Claim::No => None,
        claim => Some((format, claim)),
    })
}
