//! The formats, each on a small file of its own, on real files where there are any, and on damaged
//! ones.

mod facts;
mod files;
mod mistakes;
mod mutations;
mod real;
mod traps;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::{Path, PathBuf};

use evalhouse_model::canonical::canonical_json;
use evalhouse_model::{Experiment, ExperimentStatus, Span};

use super::{Claim, ForeignFormat, GENERIC, of_file};
use crate::discover::{Source, discover};
use crate::error::{Extent, Fault};
use crate::load::Stop;
use crate::look::Look;
use crate::receive::{Receiver, Run};
use crate::request::ImportRequest;

/// What a reader handed on.
#[derive(Default)]
struct Collected {
    experiments: Vec<Collection>,
    faults: Vec<Fault>,
}

#[derive(Default)]
struct Collection {
    run: Run,
    record: Experiment,
    spans: Vec<Span>,
}

impl Receiver for Collected {
    fn experiment(&mut self, run: &Run) -> Result<usize, Stop> {
        if let Some(known) = self.experiments.iter().position(|known| known.run.id == run.id) {
            return Ok(known);
        }
        self.experiments.push(Collection { run: run.clone(), ..Collection::default() });
        Ok(self.experiments.len() - 1)
    }

    fn experiments(&self) -> usize {
        self.experiments.len()
    }

    fn record(&mut self, experiment: usize) -> &mut Experiment {
        &mut self.experiments[experiment].record
    }

    fn span(&mut self, experiment: usize, span: Span) -> Result<(), Stop> {
        self.experiments[experiment].spans.push(span);
        Ok(())
    }

    fn fault(&mut self, fault: Fault) -> Result<(), Stop> {
        if fault.extent == Extent::File {
            return Err(fault.into());
        }
        self.faults.push(fault);
        Ok(())
    }
}

/// Files on disk, and the main file among them.
struct Files {
    folder: tempfile::TempDir,
    main: String,
}

impl Files {
    fn new(files: &[(&str, &[u8])]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for (name, content) in files {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, content).unwrap();
        }
        Self { folder, main: files[0].0.to_string() }
    }

    fn read(&self) -> (String, Result<Collected, Stop>) {
        read(&self.folder.path().join(&self.main))
    }
}

/// The file, unless it is an archive that cannot be unpacked.
fn source(path: &Path) -> Option<Source> {
    discover(&[path.display().to_string()]).unwrap().sources.into_iter().next()
}

/// The format of a file, and what its reader hands on.
fn read(path: &Path) -> (String, Result<Collected, Stop>) {
    let nothing = || (String::new(), Ok(Collected::default()));
    let Some(source) = source(path) else { return nothing() };
    let Ok((format, claim)) = claimed(&source) else { return nothing() };
    let main = match claim {
        Claim::PartOf(name) => source.sibling(&name).unwrap(),
        _ => source,
    };
    let mut collected = Collected::default();
    let read = format.read(&main, &ImportRequest::default(), &mut collected);
    (format.name().to_string(), read.map(|()| collected))
}

fn claimed(source: &Source) -> Result<(&'static dyn ForeignFormat, Claim), Fault> {
    let look = Look::at(source)?;
    Ok(of_file(&look, source).unwrap_or_else(|| (GENERIC, GENERIC.claim(&look, source))))
}

/// Reads a file that must be good.
#[track_caller]
fn read_well(files: &[(&str, &[u8])], format: &str) -> Vec<Collection> {
    let (found, collected) = Files::new(files).read();
    assert_eq!(found, format);
    let collected = collected.unwrap_or_else(|stop| match stop {
        Stop::Fault(fault) => panic!("{fault}"),
        _ => panic!("stopped"),
    });
    assert!(collected.faults.is_empty(), "{:?}", collected.faults);
    collected.experiments.iter().for_each(check);
    collected.experiments
}

/// What must hold of every experiment: one root a trace, parents that are there, ids that are unique,
/// texts that are JSON, scores that are finite.
#[track_caller]
fn check(experiment: &Collection) {
    let mut roots: HashMap<&str, u32> = HashMap::new();
    let mut best: HashMap<&str, u64> = HashMap::new();
    for span in &experiment.spans {
        let version = best.entry(&span.id).or_insert(span.version);
        *version = span.version.max(*version);
    }
    let live: Vec<&Span> =
        experiment.spans.iter().filter(|span| best[span.id.as_str()] == span.version && !span.deleted).collect();
    let ids: HashSet<(&str, &str)> = live.iter().map(|s| (s.root_span_id.as_str(), s.span_id.as_str())).collect();
    let unique: HashSet<&str> = live.iter().map(|span| span.id.as_str()).collect();
    assert_eq!(unique.len(), live.len(), "ids repeat in {:?}", experiment.run);
    for span in &live {
        if span.span_parents.is_empty() {
            *roots.entry(&span.root_span_id).or_default() += 1;
        }
        for parent in &span.span_parents {
            assert!(ids.contains(&(span.root_span_id.as_str(), parent.as_str())), "{parent} of {span:?}");
        }
    }
    check_texts(experiment);
    for span in &live {
        assert_eq!(roots.get(span.root_span_id.as_str()), Some(&1), "roots of {}", span.root_span_id);
    }
}

/// What must hold of every span: texts are JSON of one line, scores are finite.
#[track_caller]
fn check_texts(experiment: &Collection) {
    for span in &experiment.spans {
        let texts = [&span.input, &span.output, &span.expected, &span.error, &span.metadata, &span.extra];
        for text in texts.into_iter().flatten() {
            let known = serde_json::from_str::<&serde_json::value::RawValue>(text);
            assert!(known.is_ok() && !text.contains('\n'), "{text}");
        }
        assert!(span.scores.iter().all(|(_, score)| score.is_none_or(f64::is_finite)), "{span:?}");
    }
}

impl Collection {
    fn roots(&self) -> impl Iterator<Item = &Span> {
        self.spans.iter().filter(|span| span.span_parents.is_empty())
    }

    fn root(&self, id: &str) -> &Span {
        self.roots()
            .find(|span| span.id == id)
            .unwrap_or_else(|| panic!("no case {id} among {:?}", self.roots().map(|span| &span.id).collect::<Vec<_>>()))
    }

    /// Distinct inputs.
    fn cases(&self) -> usize {
        let keys: HashSet<String> =
            self.roots().filter_map(|span| canonical_json(span.input.as_deref()?).ok()).collect();
        keys.len()
    }

    /// The values of a score by case.
    fn scores(&self, name: &str) -> BTreeMap<&str, Option<f64>> {
        let carried = |span: &Span| span.scores.iter().find(|(known, _)| &**known == name).map(|(_, value)| *value);
        self.spans.iter().filter_map(|span| Some((span.root_span_id.as_str(), carried(span)?))).collect()
    }

    /// The mean over the cases that have a value.
    fn mean(&self, name: &str) -> f64 {
        let values: Vec<f64> = self.scores(name).into_values().flatten().collect();
        values.iter().sum::<f64>() / values.len() as f64
    }

    /// The state of a score of a case, and its original value.
    fn state(&self, case: &str, name: &str) -> (String, Option<String>) {
        let span = self
            .spans
            .iter()
            .find(|span| span.root_span_id == case && span.scores.iter().any(|(known, _)| &**known == name));
        let output = span.and_then(|span| span.output.clone()).unwrap_or_else(|| panic!("no score {name} of {case}"));
        let output: serde_json::Value = serde_json::from_str(&output).unwrap();
        let value = output.get("value").map(ToString::to_string);
        (output["state"].as_str().unwrap().to_string(), value)
    }

    fn is_partial(&self) -> bool {
        self.record.status == ExperimentStatus::Partial
    }

    /// Metrics of all spans that are no scorer's and not below one, summed.
    fn sum(&self, metric: &str) -> f64 {
        let scorers: HashSet<&str> =
            self.spans.iter().filter(|span| span.purpose.is_some()).map(|span| span.span_id.as_str()).collect();
        let is_below = |span: &Span| span.span_parents.iter().any(|parent| scorers.contains(parent.as_str()));
        let spans = self.spans.iter().filter(|span| span.purpose.is_none() && !is_below(span));
        spans.flat_map(|span| &span.metrics).filter(|(name, _)| &**name == metric).map(|(_, value)| value).sum()
    }
}

fn data(folder: &str) -> Option<PathBuf> {
    let root = std::env::var_os("EVALHOUSE_DATA")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"), PathBuf::from);
    let path = root.join("original-formats").join(folder);
    if path.exists() {
        return Some(path);
    }
    println!("skipped: there is no original-formats/{folder} in the data folder; set EVALHOUSE_DATA");
    None
}
