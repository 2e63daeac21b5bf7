//! The settings of a project, as shown.

use serde::{Deserialize, Serialize};

use crate::ProjectSettings;

/// The settings of one project.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct SettingsAnswer {
    /// Project name.
    pub project: String,
    /// What is set; everything else has its default.
    pub settings: ProjectSettings,
}
