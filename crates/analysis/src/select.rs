//! From what a user types to an experiment: an id, a name, `project/name`, or a rule.

use evalhouse_model::Experiment;
use evalhouse_session::Session;

use crate::AnalysisError;

/// An experiment, and the rule that chose it when a rule did.
#[derive(Debug, Clone, PartialEq)]
pub struct Selected {
    /// The record.
    pub experiment: Experiment,
    /// `latest in the project`, `recorded base experiment`, …
    pub rule: Option<String>,
}

impl Selected {
    fn named(experiment: &Experiment) -> Self {
        Self { experiment: experiment.clone(), rule: None }
    }

    fn by_rule(experiment: &Experiment, rule: impl Into<String>) -> Self {
        Self { experiment: experiment.clone(), rule: Some(rule.into()) }
    }

    /// `project/name`.
    pub fn full_name(&self) -> String {
        format!("{}/{}", self.experiment.project, self.experiment.name)
    }
}

/// Finds the experiment that `text` means. `project` narrows names and rules.
///
/// # Errors
/// [`AnalysisError::UnknownExperiment`] with the nearest name, [`AnalysisError::AmbiguousExperiment`]
/// with the names to choose from, [`AnalysisError::NoExperiment`] when a rule finds nothing.
pub fn select(session: &Session, text: &str, project: Option<&str>) -> Result<Selected, AnalysisError> {
    let all: Vec<&Experiment> =
        session.experiments().iter().filter(|e| project.is_none_or(|project| e.project == project)).collect();
    if let Some(found) = all.iter().find(|e| e.id == text) {
        return Ok(Selected::named(found));
    }
    let named: Vec<&&Experiment> =
        all.iter().filter(|e| e.name == text || format!("{}/{}", e.project, e.name) == text).collect();
    match named.as_slice() {
        [one] => return Ok(Selected::named(one)),
        [] => {}
        several => {
            let candidates = several.iter().map(|e| format!("{}/{}", e.project, e.name)).collect();
            return Err(AnalysisError::AmbiguousExperiment { text: text.into(), candidates });
        }
    }
    let (scope, rule) = match text.rsplit_once('/') {
        Some((scope, rule)) if all.iter().any(|e| e.project == scope) => (Some(scope), rule),
        _ => (project, text),
    };
    let in_scope = || all.iter().copied().filter(|e| scope.is_none_or(|scope| e.project == scope));
    if rule == "latest" {
        let chosen = newest(in_scope());
        return chosen
            .map(|e| Selected::by_rule(e, latest_rule(scope)))
            .ok_or_else(|| nothing(text, ": the store is empty"));
    }
    if let Some(branch) = rule.strip_prefix("latest:") {
        let chosen = newest(in_scope().filter(|e| e.branch.as_deref() == Some(branch)));
        let detail = format!(": no experiment was run on branch `{branch}`");
        return chosen
            .map(|e| Selected::by_rule(e, format!("latest on branch {branch}")))
            .ok_or_else(|| nothing(text, &detail));
    }
    if rule == "baseline" {
        let candidate = newest(in_scope()).ok_or_else(|| nothing(text, ": the store is empty"))?;
        return baseline_of(session, candidate);
    }
    Err(AnalysisError::UnknownExperiment { text: text.into(), suggestion: nearest(&all, text) })
}

/// Finds the baseline that `text` means for a candidate. The word `baseline` applies the rules in
/// order: the recorded base experiment, the latest earlier one on the same branch, the latest earlier
/// one in the project.
///
/// # Errors
/// As [`select`].
pub fn select_baseline(session: &Session, text: &str, candidate: &Selected) -> Result<Selected, AnalysisError> {
    // An experiment that is called `baseline` is meant by its name.
    let in_project = |e: &&Experiment| e.project == candidate.experiment.project && e.name == text;
    if text == "baseline" && !session.experiments().iter().any(|e| in_project(&e)) {
        return baseline_of(session, &candidate.experiment);
    }
    match select(session, text, Some(&candidate.experiment.project)) {
        Err(AnalysisError::UnknownExperiment { .. }) => select(session, text, None),
        other => other,
    }
}

fn baseline_of(session: &Session, candidate: &Experiment) -> Result<Selected, AnalysisError> {
    let all = session.experiments();
    if let Some(base) = &candidate.base_experiment_id
        && let Some(found) = all.iter().find(|e| &e.id == base)
    {
        return Ok(Selected::by_rule(found, "recorded base experiment"));
    }
    let others = || all.iter().filter(|e| e.project == candidate.project && e.id != candidate.id);
    let earlier = || others().filter(|e| age(e) <= age(candidate));
    if let Some(branch) = &candidate.branch
        && let Some(found) = newest(earlier().filter(|e| e.branch.as_ref() == Some(branch)))
    {
        return Ok(Selected::by_rule(found, format!("latest earlier on branch {branch}")));
    }
    if let Some(found) = newest(earlier()) {
        return Ok(Selected::by_rule(found, "latest earlier in the project"));
    }
    let latest = newest(others()).map(|found| Selected::by_rule(found, "latest in the project"));
    latest.ok_or_else(|| {
        nothing("baseline", &format!(": `{}` is alone in project `{}`", candidate.name, candidate.project))
    })
}

fn newest<'a>(experiments: impl Iterator<Item = &'a Experiment>) -> Option<&'a Experiment> {
    experiments.max_by(|a, b| (age(a), &a.name).cmp(&(age(b), &b.name)))
}

fn age(experiment: &Experiment) -> i64 {
    experiment.created.unwrap_or(i64::MIN)
}

fn latest_rule(scope: Option<&str>) -> String {
    scope.map_or_else(|| "latest in the store".to_string(), |project| format!("latest in project {project}"))
}

fn nothing(rule: &str, detail: &str) -> AnalysisError {
    AnalysisError::NoExperiment { rule: rule.into(), detail: detail.into() }
}

fn nearest(all: &[&Experiment], text: &str) -> Option<String> {
    let names = all.iter().flat_map(|e| [e.name.clone(), format!("{}/{}", e.project, e.name)]);
    let scored = names.map(|name| (strsim::jaro_winkler(&name.to_lowercase(), &text.to_lowercase()), name));
    scored.filter(|(similarity, _)| *similarity > 0.75).max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, name)| name)
}
