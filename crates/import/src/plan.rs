//! What each file is, and which experiment its rows will be: decided before anything is read whole.

use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Mutex;

use evalhouse_model::{Experiment, SkippedFile};
use uuid::Uuid;

use crate::discover::Source;
use crate::error::Fault;
use crate::formats::{self, Claim, ForeignFormat};
use crate::look::Look;
use crate::reason;
use crate::receive::Run;
use crate::request::{Format, ImportRequest};
use crate::row::{RowIdentity, identity_of};
use crate::rows::Rows;

/// Namespace of the ids that evalhouse makes, itself a random id. It must never change: the same
/// source gives the same ids.
const NAMESPACE: Uuid = Uuid::from_u128(0x7b1c_9f52_4e0d_4c8a_9a63_d5f0_86e1_2b74);

/// What names of tables have in them: `.csv`, `.csv.gz`.
const TABLE_ENDINGS: [&str; 3] = [".csv", ".tsv", ".parquet"];
/// Columns that a message lists.
const COLUMNS_LISTED: usize = 12;

/// The project of rows that have no folder.
const DEFAULT_PROJECT: &str = "default";

/// The experiment that rows are of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) id: String,
    pub(crate) project: String,
    pub(crate) name: String,
    /// The name is the file's, because the rows give none.
    pub(crate) is_named_after_file: bool,
}

/// A file of eval results.
#[derive(Clone)]
pub(crate) struct Planned {
    pub(crate) source: Source,
    pub(crate) kind: Kind,
    /// Other files of the same run, in the order of the paths.
    pub(crate) others: Vec<Source>,
    /// Place among all files, in the order of the paths.
    pub(crate) index: usize,
    /// An earlier file of the same project has the same name: an experiment that is named after this
    /// one gets a part of its id, whichever is read first.
    pub(crate) shares_name: bool,
}

impl Planned {
    /// The name of the file's format.
    pub(crate) fn format(&self) -> &'static str {
        match &self.kind {
            Kind::Rows(_) => Format::NATIVE.name(),
            Kind::Foreign(foreign) => foreign.format.name(),
        }
    }
}

/// How a file is read.
#[derive(Clone)]
pub(crate) enum Kind {
    /// Rows of our own shape; the experiment of the first one.
    Rows(Target),
    /// The main file of a run of another tool.
    Foreign(Foreign),
}

/// What was told of a file of another tool.
#[derive(Clone)]
pub(crate) struct Foreign {
    pub(crate) format: &'static dyn ForeignFormat,
    /// What told the format.
    pub(crate) evidence: String,
    /// The run's own id, where the file says it at its begin.
    pub(crate) run_id: Option<String>,
}

/// What a look at a file's first bytes gave.
pub(crate) enum Looked {
    Rows(Box<Planned>),
    /// A folder's file that is no eval result.
    Skipped(SkippedFile),
    /// A file that the user named and that cannot be read.
    Failed(SkippedFile),
}

/// Looks at the first bytes of a source.
pub(crate) fn look(source: Source, index: usize, request: &ImportRequest) -> Looked {
    let planned =
        |source, kind| Looked::Rows(Box::new(Planned { source, kind, index, shares_name: false, others: Vec::new() }));
    let opened = match foreign(&source, request) {
        Ok(Some((main, foreign))) => {
            return planned(main.unwrap_or(source), Kind::Foreign(foreign));
        }
        Ok(None) if request.from.is_some_and(|from| from != Format::NATIVE) => {
            let format = request.from.map_or("", Format::name);
            return Looked::Skipped(SkippedFile { path: source.label, reason: format!("is no {format}") });
        }
        Ok(None) => Rows::open_source(&source, Rc::new(|_| {}), request.from.is_some()),
        Err(fault) => Err(fault),
    };
    if let Err(fault) = &opened
        && fault.reason == reason::NOT_RECOGNISED
        && let Some(evidence) = generic(&source)
    {
        return planned(source, Kind::Foreign(Foreign { format: formats::GENERIC, evidence, run_id: None }));
    }
    match opened {
        Ok(rows) => {
            let identity = rows.first_row.as_deref().map(identity_of).unwrap_or_default();
            let kind = Kind::Rows(Target::of(&identity, &source, request));
            planned(source, kind)
        }
        Err(fault) => {
            let fault = if fault.reason == reason::NOT_RECOGNISED { of_table(&source).unwrap_or(fault) } else { fault };
            // Other programs' files are zip archives too, and a text may begin like Parquet.
            let may_be_other = fault.reason == reason::CORRUPT_COMPRESSION && !is_telling(&source.file_name());
            let is_other = matches!(&*fault.reason, reason::NOT_RECOGNISED | reason::UTF16) || may_be_other;
            if is_other && !source.is_named {
                Looked::Skipped(SkippedFile { path: source.label, reason: fault.message })
            } else {
                Looked::Failed(failed(&source.label, &fault))
            }
        }
    }
}

/// Whether the name of a file says that it is an archive or a file of eval results.
pub(crate) fn is_telling(name: &str) -> bool {
    [".zip", ".eval", ".parquet", ".tar", ".tgz", ".gz", ".zst", ".zstd"].iter().any(|ending| name.ends_with(ending))
}

/// That a table has no columns that can be guessed, which says more than that it is no JSON.
fn of_table(source: &Source) -> Option<Fault> {
    let name = source.file_name();
    let look = Look::at(source).ok()?;
    let columns = look.columns().filter(|_| TABLE_ENDINGS.iter().any(|ending| name.contains(ending)))?;
    let listed = columns.iter().take(COLUMNS_LISTED).map(|column| format!("`{column}`")).collect::<Vec<_>>().join(", ");
    let more = if columns.len() > COLUMNS_LISTED { ", …" } else { "" };
    let message = format!("a table whose columns do not say which is an input and which a result: {listed}{more}");
    let fault = Fault::file(reason::NOT_RECOGNISED, message).at(1, None);
    Some(fault.with_hint("say what they are: `--column input=NAME --column scores.SCORE=NAME`"))
}

/// What tells that a file is one of rows whose columns can be guessed.
fn generic(source: &Source) -> Option<String> {
    match formats::GENERIC.claim(&Look::at(source).ok()?, source) {
        Claim::Main(evidence) => Some(evidence),
        _ => None,
    }
}

/// Whether a file is another tool's; with the main file of its run, where that is another file.
fn foreign(source: &Source, request: &ImportRequest) -> Result<Option<(Option<Source>, Foreign)>, Fault> {
    if request.from == Some(Format::NATIVE) {
        return Ok(None);
    }
    let look = Look::at(source)?;
    let (format, claim) = match request.from.map(Format::name).and_then(formats::by_name) {
        Some(format) => (format, format.claim(&look, source)),
        None => match formats::of_file(&look, source) {
            Some(claimed) => claimed,
            // Columns are given for rows that no format knows better.
            None if !request.columns.is_empty() => (formats::GENERIC, formats::GENERIC.claim(&look, source)),
            None => return Ok(None),
        },
    };
    let foreign =
        |evidence, look: &Look, source: &Source| Foreign { format, evidence, run_id: format.run_id(look, source) };
    match claim {
        Claim::Main(evidence) => Ok(Some((None, foreign(evidence, &look, source)))),
        Claim::PartOf(name) => {
            let Some(main) = source.sibling(&name) else { return Ok(None) };
            let evidence = format!("a part of the run whose main file is {name}");
            let look = Look::at(&main)?;
            let foreign = foreign(evidence, &look, &main);
            Ok(Some((Some(main), foreign)))
        }
        // The user says what it is: of a folder's files only of those that may be meant.
        Claim::No if source.is_named || has_given_columns(&look, request) => {
            Ok(Some((None, foreign("given with `--from` or `--column`".into(), &look, source))))
        }
        Claim::No => Ok(None),
    }
}

/// Whether a file has every column that the user has given a role.
fn has_given_columns(look: &Look, request: &ImportRequest) -> bool {
    let names: Vec<&str> = request.columns.iter().map(|(_, column)| column.as_str()).collect();
    !names.is_empty() && look.has_columns(&names)
}

/// A fault as an entry of the report.
pub(crate) fn failed(label: &str, fault: &Fault) -> SkippedFile {
    SkippedFile { path: label.to_string(), reason: fault.render(label) }
}

impl Target {
    /// The experiment that a row belongs to: by what the user asked, else by what the row says, else
    /// by where its file lies.
    pub(crate) fn of(row: &RowIdentity, source: &Source, request: &ImportRequest) -> Self {
        let given = request.project.clone().or_else(|| row.project.clone());
        let project = given.unwrap_or_else(|| project_of(source, request));
        let given_name = request.experiment.as_ref().or(row.experiment.as_ref());
        let name = given_name.cloned().unwrap_or_else(|| source.stem());
        let row_id = row.experiment_id.clone().filter(|_| request.experiment.is_none());
        Self {
            id: row_id.unwrap_or_else(|| experiment_id(&project, &name)),
            is_named_after_file: given_name.is_none(),
            project,
            name,
        }
    }

    /// The experiment of a run of another tool.
    pub(crate) fn of_run(run: &Run, format: &str, source: &Source, request: &ImportRequest) -> Self {
        let project = project_of(source, request);
        match &request.experiment {
            Some(name) => {
                let id = experiment_id(&project, name);
                Self { id, project, name: name.clone(), is_named_after_file: false }
            }
            None => {
                let id = Uuid::new_v5(&NAMESPACE, format!("{format}\0{project}\0{}", run.id).as_bytes()).to_string();
                Self { id, project, name: run.name.clone(), is_named_after_file: false }
            }
        }
    }

    /// The name with a part of the id, for when the name alone is taken.
    pub(crate) fn name_with_id(&self) -> String {
        let short = self.id.char_indices().nth(8).map_or(self.id.as_str(), |(at, _)| &self.id[..at]);
        format!("{}-{short}", self.name)
    }

    /// The name when the file holds other experiments too.
    pub(crate) fn name_among_many(&self) -> String {
        if self.is_named_after_file { self.name_with_id() } else { self.name.clone() }
    }
}

/// The project of a file that names none.
pub(crate) fn project_of(source: &Source, request: &ImportRequest) -> String {
    request.project.clone().or_else(|| source.folder_name()).unwrap_or_else(|| DEFAULT_PROJECT.into())
}

/// The id of an experiment whose rows give none.
fn experiment_id(project: &str, name: &str) -> String {
    Uuid::new_v5(&NAMESPACE, format!("{project}\0{name}").as_bytes()).to_string()
}

/// The namespace of row ids in an experiment.
pub(crate) fn row_namespace(experiment_id: &str) -> Uuid {
    Uuid::new_v5(&NAMESPACE, experiment_id.as_bytes())
}

/// Which ids and names are taken, by stored experiments and by this import.
pub(crate) struct Claims {
    stored: HashMap<String, Experiment>,
    stored_names: HashMap<(String, String), String>,
    claimed: Mutex<Claimed>,
}

#[derive(Default)]
struct Claimed {
    /// Experiment id to file index and label.
    ids: HashMap<String, (usize, String)>,
    /// Project and name to experiment id and label.
    names: HashMap<(String, String), (String, String)>,
}

impl Claims {
    pub(crate) fn new(stored: Vec<Experiment>) -> Self {
        let names = stored.iter().map(|e| ((e.project.clone(), e.name.clone()), e.id.clone())).collect();
        let stored = stored.into_iter().map(|experiment| (experiment.id.clone(), experiment)).collect();
        Self { stored, stored_names: names, claimed: Mutex::default() }
    }

    /// The stored experiment with an id.
    pub(crate) fn stored(&self, id: &str) -> Option<&Experiment> {
        self.stored.get(id)
    }

    /// Every stored experiment that was made of a source with this hash.
    pub(crate) fn stored_with_hash(&self, hash: &str) -> impl Iterator<Item = &Experiment> {
        self.stored.values().filter(move |experiment| experiment.source_hash.as_deref() == Some(hash))
    }

    /// Takes an experiment for a file, or says why it cannot be.
    pub(crate) fn claim(&self, target: &Target, planned_index: usize, label: &str) -> Result<(), Fault> {
        if let Some(stored) = self.stored(&target.id).filter(|stored| stored.project != target.project) {
            let message = format!(
                "experiment `{}` is stored as `{}/{}` already, and this would be `{}/{}`",
                target.id, stored.project, stored.name, target.project, target.name
            );
            return Err(Fault::file(reason::EXPERIMENT_ELSEWHERE, message)
                .with_hint("name its project with `--project`, or store a copy with `--experiment NAME`"));
        }
        let mut claimed = self.claimed.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let (owner, owner_label) =
            claimed.ids.entry(target.id.clone()).or_insert_with(|| (planned_index, label.to_string()));
        if *owner != planned_index {
            let message = format!("experiment `{}` is in `{owner_label}` already", target.id);
            return Err(Fault::file(reason::DUPLICATE_EXPERIMENT, message)
                .with_hint("import one of the two files, or put them into one"));
        }
        Ok(())
    }

    /// Takes a name in a project for an experiment, or says whose it is.
    pub(crate) fn claim_name(&self, target: &Target, label: &str) -> Result<(), Fault> {
        let name = (target.project.clone(), target.name.clone());
        let taken = |by: String| {
            let message = format!("project `{}` has an experiment `{}` already, {by}", target.project, target.name);
            Fault::file(reason::NAME_TAKEN, message).with_hint("give this one another name with `--experiment NAME`")
        };
        if let Some(id) = self.stored_names.get(&name).filter(|id| **id != target.id) {
            return Err(taken(format!("with id `{id}`")));
        }
        let mut claimed = self.claimed.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let (id, owner) = claimed.names.entry(name).or_insert_with(|| (target.id.clone(), label.to_string()));
        if *id == target.id { Ok(()) } else { Err(taken(format!("from `{owner}`"))) }
    }

    /// Gives back a name that a file has taken.
    pub(crate) fn release_name(&self, target: &Target, label: &str) {
        let name = (target.project.clone(), target.name.clone());
        let mut claimed = self.claimed.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if claimed.names.get(&name).is_some_and(|(id, owner)| *id == target.id && owner == label) {
            claimed.names.remove(&name);
        }
    }
}
