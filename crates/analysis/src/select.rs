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
    if let Some(name) = rule.strip_prefix("baseline:") {
        let newest = newest(in_scope()).ok_or_else(|| nothing(text, ": the store is empty"))?;
        return named_baseline(session, scope.unwrap_or(&newest.project), name);
    }
    Err(AnalysisError::UnknownExperiment { text: text.into(), suggestion: nearest(&all, text) })
}

/// Every experiment of a project, or of the store.
///
/// # Errors
/// [`AnalysisError::UnknownProject`] when there is none.
pub fn select_all(session: &Session, project: Option<&str>) -> Result<Vec<Selected>, AnalysisError> {
    let all = session.experiments().iter().filter(|e| project.is_none_or(|project| e.project == project));
    let found: Vec<Selected> = all.map(Selected::named).collect();
    match (found.is_empty(), project) {
        (false, _) => Ok(found),
        (true, Some(project)) => Err(AnalysisError::UnknownProject { project: project.into(), detail: String::new() }),
        (true, None) => Err(nothing("all", ": the store is empty")),
    }
}

/// Finds the baseline that `text` means for a candidate. The word `baseline` applies the rules in
/// order: the base that the experiment recorded and the project's baseline (a setting says which of
/// the two wins), the latest earlier one on the same branch, the latest earlier one in the project.
/// `baseline:NAME` is a named baseline of the project.
///
/// # Errors
/// As [`select`].
pub fn select_baseline(session: &Session, text: &str, candidate: &Selected) -> Result<Selected, AnalysisError> {
    // An experiment that is called `baseline` is meant by its name.
    let in_project = |e: &&Experiment| e.project == candidate.experiment.project && e.name == text;
    if text == "baseline" && !session.experiments().iter().any(|e| in_project(&e)) {
        return baseline_of(session, &candidate.experiment);
    }
    if let Some(name) = text.strip_prefix("baseline:") {
        return named_baseline(session, &candidate.experiment.project, name);
    }
    match select(session, text, Some(&candidate.experiment.project)) {
        Err(AnalysisError::UnknownExperiment { .. }) => select(session, text, None),
        other => other,
    }
}

fn named_baseline(session: &Session, project: &str, name: &str) -> Result<Selected, AnalysisError> {
    let settings = session.settings(project);
    let Some(target) = settings.baselines.get(name) else {
        let known: Vec<&str> = settings.baselines.keys().map(String::as_str).collect();
        let known = if known.is_empty() { "it names none".to_string() } else { format!("it has {}", known.join(", ")) };
        return Err(nothing(
            &format!("baseline:{name}"),
            &format!(": project `{project}` has no baseline of this name; {known}"),
        ));
    };
    let found = in_project(session, project, target).ok_or_else(|| AnalysisError::Setting {
        project: project.into(),
        name: format!("baselines.{name}"),
        message: format!("there is no experiment `{target}` in the project"),
    })?;
    Ok(Selected::by_rule(found, format!("baseline {name} of the project")))
}

fn in_project<'a>(session: &'a Session, project: &str, id_or_name: &str) -> Option<&'a Experiment> {
    let mut of_project = session.experiments().iter().filter(|e| e.project == project);
    of_project.find(|e| e.id == id_or_name || e.name == id_or_name)
}

/// The baseline that the rules choose for an experiment, whatever experiments are called.
///
/// # Errors
/// [`AnalysisError::NoExperiment`] when no rule finds one, [`AnalysisError::Setting`] when one names what is gone.
pub fn baseline_of(session: &Session, candidate: &Experiment) -> Result<Selected, AnalysisError> {
    let all = session.experiments();
    let settings = session.settings(&candidate.project).baseline;
    let recorded = candidate.base_experiment_id.as_ref().and_then(|base| all.iter().find(|e| &e.id == base));
    let recorded = recorded.map(|found| Selected::by_rule(found, "recorded base experiment"));
    let of_project = match &settings.experiment {
        Some(target) => {
            let found = in_project(session, &candidate.project, target).ok_or_else(|| AnalysisError::Setting {
                project: candidate.project.clone(),
                name: "baseline.experiment".into(),
                message: format!("there is no experiment `{target}` in the project"),
            })?;
            // The project's baseline itself is held against what came before it.
            (found.id != candidate.id).then(|| Selected::by_rule(found, "baseline of the project"))
        }
        None => None,
    };
    let chosen = if settings.overrides_recorded { of_project.or(recorded) } else { recorded.or(of_project) };
    if let Some(chosen) = chosen {
        return Ok(chosen);
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
