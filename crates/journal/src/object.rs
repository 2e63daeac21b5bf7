//! What a row belongs to.

use std::fmt;

use crate::fault::{FaultReason, RowFault};
use crate::row::Row;

/// Kinds of objects that rows are logged to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ObjectKind {
    /// An experiment.
    Experiment,
    /// A dataset.
    Dataset,
    /// The logs of a project.
    ProjectLogs,
    /// The logs of a playground.
    PromptSession,
}

impl ObjectKind {
    /// The kind's number in log files.
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Experiment => 1,
            Self::Dataset => 2,
            Self::ProjectLogs => 3,
            Self::PromptSession => 4,
        }
    }

    /// The kind with this number.
    pub(crate) fn from_code(code: u8) -> Option<Self> {
        [Self::Experiment, Self::Dataset, Self::ProjectLogs, Self::PromptSession]
            .into_iter()
            .find(|kind| kind.code() == code)
    }
}

impl fmt::Display for ObjectKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Experiment => "experiment",
            Self::Dataset => "dataset",
            Self::ProjectLogs => "project_logs",
            Self::PromptSession => "prompt_session",
        })
    }
}

/// One object: row ids are unique within it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectRef {
    /// Its kind.
    pub kind: ObjectKind,
    /// Its id; for project logs, the project's.
    pub id: String,
}

impl ObjectRef {
    /// The object that a row names. A row of an experiment may also name its project.
    ///
    /// # Errors
    /// When the row names none, or several.
    pub fn of(row: &Row) -> Result<Self, RowFault> {
        let fields = [
            ("experiment_id", ObjectKind::Experiment),
            ("dataset_id", ObjectKind::Dataset),
            ("prompt_session_id", ObjectKind::PromptSession),
        ];
        let mut object = None;
        for (field, kind) in fields {
            if let Some(id) = row.name(field)? {
                if object.is_some() {
                    return Err(FaultReason::SeveralObjects.of_field(field));
                }
                object = Some(Self { kind, id });
            }
        }
        if object.is_none() && row.name("log_id")?.as_deref() == Some("g") {
            object = row.name("project_id")?.map(|id| Self { kind: ObjectKind::ProjectLogs, id });
        }
        object.ok_or(FaultReason::NoObject.into())
    }
}

impl fmt::Display for ObjectRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.kind, self.id)
    }
}
