//! `trials`, `history`, `summary`, `explain`, `agreement`, `fields`, groups and phrases

use super::{Program, check};

#[test]
fn trials_show_flaky_cases_first() {
    let program = Program::with_bundled_data();
    check("trials", program.run(&["trials", "prompt-v2", "--limit", "5"]));
    check("trials_json", program.run(&["trials", "prompt-v2", "--limit", "2", "--format", "json"]).rounded());
}

#[test]
fn a_history_shows_every_score_over_time() {
    let program = Program::with_bundled_data();
    check("history", program.run(&["history", "support-assistant"]));
    let one = ["history", "support-assistant", "--score", "Factuality", "--format", "json"];
    check("history_json", program.run(&one).rounded());
    check("history_unknown_score", program.run(&["history", "support-assistant", "--score", "Factualty"]));
    check("history_unknown_project", program.run(&["history", "support-asistant"]));
}

#[test]
fn a_summary_ranks_experiments_with_ties() {
    let program = Program::with_bundled_data();
    check("summary", program.run(&["summary"]));
    check("summary_json", program.run(&["summary", "--format", "json"]).rounded());
    check("summary_groups", program.run(&["summary", "--group-by", "metadata.category"]));
}

#[test]
fn an_explanation_finds_the_planted_slice() {
    let program = Program::with_bundled_data();
    let asked = ["explain", "baseline", "prompt-v2", "--score", "Factuality"];
    check("explain", program.run(&[&asked[..], &["--project", "support-assistant"]].concat()));
    let asked = ["explain", "support-assistant/baseline", "prompt-v2", "--score", "Factuality", "--format", "json"];
    let answer = program.run(&asked).json();
    let first = &answer["slices"][0];
    assert_eq!(first["where"], "metadata.category = 'refunds'", "{answer:#}");
    assert!(first["p_adjusted"].as_f64().unwrap() < 1e-4, "{first:#}");
    // The filter of a slice is a filter: as many cases as the slice says.
    let filter = first["where"].as_str().unwrap();
    let diff = ["diff", "support-assistant/baseline", "prompt-v2", "--where", filter, "--format", "json"];
    let diff = program.run(&diff).json();
    assert_eq!(diff["scores"]["Factuality"]["n"], first["n"]);
}

#[test]
fn agreement_of_two_scores_is_told() {
    let program = Program::with_bundled_data();
    let asked = ["agreement", "prompt-v2", "Factuality", "Helpfulness", "--bin", "0.25"];
    check("agreement", program.run(&asked));
    check("agreement_unknown", program.run(&["agreement", "prompt-v2", "Factuality", "Helpfulnes"]));
}

#[test]
fn fields_are_inferred() {
    check("fields", Program::with_bundled_data().run(&["fields", "prompt-v2"]));
}

#[test]
fn groups_are_compared_inside() {
    let program = Program::with_bundled_data();
    let sides = ["diff", "support-assistant/baseline", "prompt-v2"];
    let by = ["--group-by", "metadata.category", "--sort", "regressions:Factuality"];
    check("diff_groups", program.run(&[&sides[..], &by].concat()));
    let one = ["cases", "prompt-v2", "--group-by", "metadata.category, metadata.tier", "--aggregate", "median"];
    check("cases_groups", program.run(&one));
}

/// An option that groups cannot honour is refused, not left out.
#[test]
fn options_of_groups_are_honoured_or_refused() {
    let program = Program::with_bundled_data();
    let by = ["--group-by", "metadata.category"];
    let sides = ["support-assistant/baseline", "prompt-v2"];
    for (command, option) in [
        (&["diff", sides[0], sides[1]][..], &["--cases"][..]),
        (&["diff", sides[0], sides[1]], &["--columns", "input"]),
        (&["cases", sides[1]], &["--align", "worst"]),
        (&["summary"], &["--score", "Factuality"]),
        (&["summary"], &["--cost", "tokens"]),
        (&["summary"], &["--frontier"]),
    ] {
        let output = program.run(&[command, &by, option].concat());
        assert_eq!(output.code, Some(2), "{command:?} {option:?}: {output}");
    }
    let clustered = [&["diff", sides[0], sides[1], "--cluster", "metadata.tier", "--format", "json"], &by[..]].concat();
    let answer = program.run(&clustered).json();
    assert_eq!(answer["cluster"], "metadata.tier", "{answer:#}");
    let nested = program.run(&["summary", "--group-by", "metadata.category, metadata.tier", "--format", "json"]).json();
    assert_eq!(nested["groups"][0]["values"].as_array().map(Vec::len), Some(2), "{nested:#}");
}

#[test]
fn a_phrase_becomes_a_filter_that_is_shown() {
    let program = Program::with_bundled_data();
    let asked = |phrase: &str| {
        let against = ["cases", "prompt-v2", "--against", "support-assistant/baseline", "--limit", "2", "--where"];
        program.run(&[&against[..], &[phrase]].concat())
    };
    check("phrase_regressions", asked("regressions in Factuality"));
    check("phrase_base_only", asked("only in baseline"));
    check("phrase_unknown", asked("something wonderful"));
    check("phrase_show", program.run(&["show", "prompt-v2", "--where", "slower than 2s"]));
    check("phrase_error", asked("error"));
}

#[test]
fn the_order_of_a_phrase_is_kept_or_refused() {
    let program = Program::with_bundled_data();
    let diff = |more: &[&str]| {
        program.run(&[&["diff", "support-assistant/baseline", "prompt-v2", "--format", "json"], more].concat())
    };
    let rows = |more: &[&str]| diff(more).json()["cases"]["rows"].clone();
    let asked = rows(&["--cases", "--limit", "20", "--where", "worst Factuality"]);
    assert_eq!(asked, rows(&["--cases", "--limit", "20", "--sort", "scores.Factuality asc"]));
    assert_ne!(asked, rows(&["--cases", "--limit", "20"]));
    let slowest = ["--where", "slowest with errors"];
    let others: [&[&str]; 4] = [
        &["show", "prompt-v2"],
        &["trials", "prompt-v2"],
        &["fields", "prompt-v2"],
        &["explain", "support-assistant/baseline", "prompt-v2", "--score", "Factuality"],
    ];
    for refused in others.map(|command| program.run(&[command, &slowest].concat())).into_iter().chain([diff(&slowest)])
    {
        assert_eq!(refused.code, Some(2), "{refused}");
        assert!(refused.stderr.contains("asks for the order `metrics.duration desc`"), "{refused}");
    }
}
