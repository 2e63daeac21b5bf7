//! `settings`, `keys`, `query`, `btql`, `optimize`, `vacuum`

use super::{Program, check};

fn imported() -> Program {
    let program = Program::new();
    let output = program.run(&["import", "runs", "--project", "support-assistant", "--quiet"]);
    assert_eq!(output.code, Some(0), "{output}");
    program
}

#[test]
fn settings_change_how_a_project_is_read() {
    let program = imported();
    let set = |name: &str, value: &str| program.run(&["settings", "support-assistant", "set", name, value]);
    check("settings_none", program.run(&["settings", "support-assistant"]));
    check("settings_key", set("comparison_key", "metadata.case_id"));
    check("settings_column", set("columns.tier", "upper(metadata.tier)"));
    check("settings_direction", set("scores.Helpfulness.direction", "lower"));
    check(
        "settings_aggregate",
        set("aggregate_scores.Overall", r#"{"type": "weighted", "categories": {"Factuality": 2, "Helpfulness": 1}}"#),
    );
    check("settings_all", program.run(&["settings", "support-assistant"]));
    check("settings_json", program.run(&["settings", "support-assistant", "--format", "json"]));
    check("settings_diff", program.run(&["diff", "support-assistant/baseline", "prompt-v2"]));
    check("settings_group", program.run(&["cases", "prompt-v2", "--group-by", "tier"]));
    check("settings_wrong", set("comparison_key", "metadata.case_id +"));
    check("settings_unknown", set("comparison_kye", "input"));
    check("settings_no_experiment", set("baseline.experiment", "nope"));
    check("settings_unset", program.run(&["settings", "support-assistant", "unset", "comparison_key"]));
}

#[test]
fn a_setting_that_breaks_another_is_refused() {
    let program = imported();
    let settings = |arguments: &[&str]| program.run(&[&["settings", "support-assistant"], arguments].concat());
    let minimum = |names: &str| format!(r#"{{"type": "minimum", "categories": [{names}]}}"#);
    check("settings_self", settings(&["set", "aggregate_scores.Foo", &minimum(r#""Foo", "Factuality""#)]));
    for (name, value) in [
        ("aggregate_scores.A", minimum(r#""Factuality", "Helpfulness""#)),
        ("aggregate_scores.B", minimum(r#""A", "Factuality""#)),
        ("columns.tier", "upper(metadata.tier)".to_string()),
        ("columns.tier2", "concat(tier, '2')".to_string()),
    ] {
        let set = settings(&["set", name, &value]);
        assert_eq!(set.code, Some(0), "{name}: {set}");
    }
    check("settings_used_score", settings(&["unset", "aggregate_scores.A"]));
    check("settings_used_column", settings(&["set", "columns.tier", "tier2"]));
    check("settings_wrong_type", settings(&["set", "columns.labels", r#"{"expr": "tags", "type": "number"}"#]));
    assert_eq!(settings(&["unset", "aggregate_scores.B"]).code, Some(0));
    assert_eq!(settings(&["unset", "aggregate_scores.A"]).code, Some(0));
    let shown = program.run(&["sql", "select distinct tier2 from cases where tier is not null order by 1 limit 2"]);
    assert_eq!(shown.code, Some(0), "{shown}");
}

#[test]
fn a_key_is_tried_before_it_is_saved() {
    let program = Program::with_bundled_data();
    check("keys_check", program.run(&["keys", "check", "support-assistant", "input.question"]));
    check("keys_check_wrong", program.run(&["keys", "check", "support-assistant", "inptu.question"]));
}

#[test]
fn named_queries_take_values() {
    let program = Program::with_bundled_data();
    check("query_list", program.run(&["query"]));
    check(
        "query",
        program.run(&["query", "score-by-field", "experiment=prompt-v2", "score=Factuality", "field=category"]),
    );
    check("query_missing", program.run(&["query", "score-by-field", "experiment=prompt-v2"]));
    check("query_unknown", program.run(&["query", "score-by-feild"]));
    check("query_injection", program.run(&["query", "mean-scores", "project=x' OR '1'='1"]));
}

#[test]
fn btql_is_answered() {
    let program = Program::with_bundled_data();
    let grouped = "dimensions: metadata.category | measures: avg(scores.Factuality) as f, count(1) as n | from: experiment('prompt-v2') summary | sort: f";
    check("btql", program.run(&["btql", grouped]));
    check("btql_wrong", program.run(&["btql", "select: id | from: experiment('prompt-v2') | fliter: true"]));
}

#[test]
fn optimize_and_vacuum_say_what_they_did() {
    let program = imported();
    let set = program.run(&["settings", "support-assistant", "set", "comparison_key", "metadata.case_id"]);
    assert_eq!(set.code, Some(0), "{set}");
    let before = program.run(&["diff", "support-assistant/baseline", "prompt-v2", "--format", "json"]).rounded();
    let optimized = program.run(&["optimize", "--format", "json"]).json();
    assert_eq!((&optimized["files_before"], &optimized["files_after"]), (&8.into(), &2.into()), "{optimized:#}");
    assert_eq!(optimized["keyed"], 4, "{optimized:#}");
    let vacuumed = program.run(&["vacuum", "--retain", "0s", "--force", "--format", "json"]);
    assert_eq!(vacuumed.code, Some(0), "{vacuumed}");
    let after = program.run(&["diff", "support-assistant/baseline", "prompt-v2", "--format", "json"]).rounded();
    assert_eq!(before.stdout, after.stdout);
}

/// Every query that is shipped runs on the bundled data, and its columns are those its header names.
#[test]
fn every_shipped_query_runs() {
    let program = Program::with_bundled_data();
    let listed = program.run(&["query", "--format", "json"]).json();
    let queries = listed["queries"].as_array().unwrap();
    assert!(queries.len() >= 16, "{}", queries.len());
    for query in queries {
        let name = query["name"].as_str().unwrap();
        let mut arguments = vec!["query".to_string(), name.to_string(), "--format".into(), "json".into()];
        for parameter in query["parameters"].as_array().unwrap() {
            let parameter = parameter["name"].as_str().unwrap();
            let value = match parameter {
                "project" => "support-assistant",
                "experiment" | "candidate" => "prompt-v2",
                "base" => "support-assistant/baseline",
                "score" => "Factuality",
                "field" => "category",
                _ => continue,
            };
            arguments.push(format!("{parameter}={value}"));
        }
        let output = program.run(&arguments.iter().map(String::as_str).collect::<Vec<_>>());
        assert_eq!(output.code, Some(0), "{name}: {output}");
        let answer = output.json();
        let rows = answer.as_array().unwrap();
        let columns: Vec<&str> = query["columns"].as_object().unwrap().keys().map(String::as_str).collect();
        if let Some(first) = rows.first() {
            let found: Vec<&str> = first.as_object().unwrap().keys().map(String::as_str).collect();
            assert_eq!(found, columns, "{name}");
        } else {
            assert!(["missing-scores", "duplicate-inputs"].contains(&name), "{name} answers nothing");
        }
    }
}
