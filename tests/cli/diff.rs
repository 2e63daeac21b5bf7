//! `evalhouse diff`

use super::{Program, check, round_csv};

#[test]
fn the_planted_regression_is_found() {
    let program = Program::with_bundled_data();
    check("diff", program.run(&["diff", "baseline", "prompt-v2", "--project", "support-assistant"]));
    check("diff_json", program.run(&["diff", "support-assistant/baseline", "prompt-v2", "--format", "json"]).rounded());
    let mut csv = program.run(&["diff", "support-assistant/baseline", "prompt-v2", "--format", "csv"]);
    csv.stdout = round_csv(&csv.stdout);
    check("diff_csv", csv);
    check("diff_markdown", program.run(&["diff", "support-assistant/baseline", "prompt-v2", "--format", "markdown"]));
}

#[test]
fn counts_add_up() {
    let arguments = ["diff", "support-assistant/baseline", "prompt-v2", "--format", "json"];
    let diff = Program::with_bundled_data().run(&arguments).json();
    let count = |value: &serde_json::Value, name: &str| value[name].as_i64().unwrap();
    let matched = count(&diff["counts"], "matched");
    assert_eq!(matched + count(&diff["counts"], "base_only"), count(&diff["base"], "cases"));
    assert_eq!(matched + count(&diff["counts"], "candidate_only"), count(&diff["candidate"], "cases"));
    let classes = ["improved", "regressed", "unchanged", "lost_score", "gained_score", "no_score"];
    for score in diff["scores"].as_object().unwrap().values() {
        assert_eq!(classes.iter().map(|class| count(score, class)).sum::<i64>(), matched);
    }
}

#[test]
fn key_filter_and_cluster_are_said() {
    let arguments = [
        "diff",
        "support-assistant/baseline",
        "prompt-v2",
        "--key",
        "metadata.case_id",
        "--where",
        "metadata.category = 'refunds'",
        "--cluster",
        "metadata.tier",
    ];
    check("diff_options", Program::with_bundled_data().run(&arguments));
}

#[test]
fn cases_follow_the_comparison() {
    let arguments = ["diff", "support-assistant/baseline", "prompt-v2", "--cases", "--limit", "3"];
    check("diff_cases", Program::with_bundled_data().run(&arguments));
}

#[test]
fn an_unknown_side_is_the_users() {
    check("diff_unknown", Program::with_bundled_data().run(&["diff", "nothing", "prompt-v2"]));
}
