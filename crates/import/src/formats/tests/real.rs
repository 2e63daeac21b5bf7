//! Real files, and the figures that their tools stored in them or published.

use std::path::Path;

use serde_json::Value as Json;

use super::{check, data, read};

fn expected(folder: &Path) -> Json {
    serde_json::from_str(&std::fs::read_to_string(folder.join("expected.json")).unwrap()).unwrap()
}

/// Standard error of the mean of some values.
fn standard_error(values: &[f64]) -> f64 {
    let (n, mean) = (values.len() as f64, values.iter().sum::<f64>() / values.len() as f64);
    (values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (n - 1.0) / n).sqrt()
}

#[test]
fn inspect_logs_give_the_figures_stored_in_them() {
    let Some(folder) = data("inspect") else { return };
    let mut checked = 0;
    for file in expected(&folder)["files"].as_array().unwrap() {
        let name = file["file"].as_str().unwrap();
        let (format, collected) = read(&folder.join(name));
        assert_eq!(format, "inspect", "{name}");
        let collected = collected.unwrap_or_else(|_| panic!("{name}"));
        let [experiment] = collected.experiments.as_slice() else { panic!("{name}") };
        check(experiment);
        assert_eq!(experiment.roots().count() as u64, file["samples"].as_u64().unwrap(), "{name}");
        assert_eq!(experiment.cases() as u64, file["cases"].as_u64().unwrap(), "{name}");
        for metric in file["published_metrics"].as_array().unwrap() {
            let score = metric["name"].as_str().unwrap();
            let mean = metric["metrics"]["accuracy"].as_f64().unwrap();
            assert!((experiment.mean(score) - mean).abs() < 1e-9, "{name} {score}");
            let values: Vec<f64> = experiment.scores(score).into_values().flatten().collect();
            if let Some(stored) = metric["metrics"]["stderr"].as_f64().filter(|_| values.len() > 1) {
                assert!((standard_error(&values) - stored).abs() < 1e-9, "{name} {score}");
            }
            checked += 1;
        }
        for (model, tokens) in file["tokens"].as_object().into_iter().flatten() {
            let usage = &experiment.record.metadata.as_ref().unwrap()["stats"]["model_usage"][model];
            assert_eq!(usage["total_tokens"].as_u64(), tokens.as_u64(), "{name} {model}");
        }
    }
    assert!(checked > 10);
}

/// The log that `tests/fixtures/inspect/generate.py` made with the tool, against its data frame.
#[test]
fn an_inspect_log_gives_the_values_of_its_data_frame() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/inspect");
    let (_, collected) = read(&folder.join("sums.eval"));
    let collected = collected.unwrap_or_else(|_| panic!("the log cannot be read"));
    let [log] = collected.experiments.as_slice() else { panic!() };
    check(log);
    let frame: Json = serde_json::from_str(&std::fs::read_to_string(folder.join("samples_df.json")).unwrap()).unwrap();
    let rows = frame.as_array().unwrap();
    assert_eq!((log.roots().count(), log.cases(), log.record.declared_total), (rows.len(), rows.len() / 2, Some(6)));
    let grade = |value: &Json| match value.as_str() {
        Some("C") => Some(1.0),
        Some(_) => Some(0.0),
        None => value.as_f64(),
    };
    for row in rows {
        let case = format!("{}_epoch_{:04}", row["id"].as_str().unwrap(), row["epoch"].as_u64().unwrap());
        for scorer in ["match", "includes", "unsure"] {
            assert_eq!(log.scores(scorer)[case.as_str()], grade(&row[format!("score_{scorer}")]), "{case} {scorer}");
        }
        let facts: Json = serde_json::from_str(row["score_facts"].as_str().unwrap()).unwrap();
        assert_eq!(log.scores("length")[case.as_str()], facts["length"].as_f64(), "{case}");
        let is_short = f64::from(u8::from(facts["is_short"] == true));
        assert_eq!(log.scores("is_short")[case.as_str()], Some(is_short), "{case}");
    }
    let tools = log.spans.iter().filter(|span| span.span_type.as_deref() == Some("tool"));
    assert_eq!(tools.filter(|span| matches!(span.output.as_deref(), Some("2" | "\"2\""))).count(), rows.len());
}

#[test]
fn lm_eval_runs_give_the_figures_of_their_results() {
    let Some(folder) = data("lm-eval") else { return };
    let mut checked = 0;
    for file in expected(&folder)["files"].as_array().unwrap() {
        let Some(published) = file["published"].as_object() else { continue };
        let name = file["file"].as_str().unwrap();
        let (format, collected) = read(&folder.join(name));
        assert_eq!(format, "lm-eval", "{name}");
        let collected = collected.unwrap_or_else(|_| panic!("{name}"));
        let [experiment] = collected.experiments.as_slice() else { panic!("{name}") };
        check(experiment);
        let declared: u64 =
            file["n_samples"].as_object().unwrap().values().filter_map(|task| task["effective"].as_u64()).sum();
        assert_eq!(experiment.record.declared_total, Some(declared as i64), "{name}");
        assert_eq!(experiment.roots().count() as u64, declared, "{name}");
        for (task, metrics) in published {
            for (metric, mean) in metrics.as_object().unwrap() {
                let (Some(score), Some(mean)) = (metric.strip_suffix(",none"), mean.as_f64()) else { continue };
                let of_task = |case: &str| case.starts_with(&format!("{task}/"));
                let values: Vec<f64> = experiment
                    .scores(score)
                    .into_iter()
                    .filter(|(case, _)| of_task(case))
                    .filter_map(|(_, v)| v)
                    .collect();
                // Group figures and those of whole corpora have no values of their own.
                if values.is_empty() {
                    continue;
                }
                assert!(
                    (values.iter().sum::<f64>() / values.len() as f64 - mean).abs() < 1e-9,
                    "{name} {task} {score}"
                );
                let stored = metrics.get(format!("{score}_stderr,none")).and_then(Json::as_f64);
                if let Some(stored) = stored {
                    assert!((standard_error(&values) - stored).abs() < 1e-9, "{name} {task} {score}");
                }
                checked += 1;
            }
        }
    }
    assert!(checked >= 6, "{checked}");
}

#[test]
fn a_samples_file_leads_to_its_run() {
    let Some(folder) = data("lm-eval") else { return };
    let samples = "qwen3-8b_negotiationtom/samples_negotiationtom_belief_2026-07-08T16-04-34.219874.jsonl";
    let (format, collected) = read(&folder.join(samples));
    assert_eq!((format.as_str(), collected.ok().unwrap().experiments[0].roots().count()), ("lm-eval", 60));
}

#[test]
fn promptfoo_outputs_give_their_own_counts() {
    let Some(folder) = data("promptfoo") else { return };
    for file in expected(&folder)["files"].as_array().unwrap() {
        let name = file["file"].as_str().unwrap().rsplit('/').next().unwrap();
        let (format, collected) = read(&folder.join(name));
        assert_eq!(format, "promptfoo", "{name}");
        let experiments = collected.unwrap_or_else(|_| panic!("{name}")).experiments;
        experiments.iter().for_each(check);
        let rows: usize = experiments.iter().map(|one| one.roots().count()).sum();
        assert_eq!(rows as u64, file["rows"].as_u64().unwrap(), "{name}");
        let passes: f64 = experiments.iter().flat_map(|one| one.scores("pass").into_values().flatten()).sum();
        assert_eq!(passes, file["stats"]["successes"].as_f64().unwrap(), "{name}");
        for (theirs, ours) in
            [("prompt", "prompt_tokens"), ("completion", "completion_tokens"), ("cached", "cached_tokens")]
        {
            let tokens: f64 = experiments.iter().map(|one| one.sum(ours)).sum();
            let stored = file["stats"]["tokenUsage"][theirs].as_f64().unwrap();
            // Tokens of graded assertions are in the tool's sum and on spans of scorers here.
            assert!(tokens <= stored, "{name} {theirs}: {tokens} of {stored}");
        }
        if let Some(mean) = file["computed"]["mean_score"].as_f64() {
            let values: Vec<f64> =
                experiments.iter().flat_map(|one| one.scores("score").into_values().flatten()).collect();
            assert!((values.iter().sum::<f64>() / values.len() as f64 - mean).abs() < 1e-9, "{name}");
        }
    }
}
