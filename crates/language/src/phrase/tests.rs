use super::*;

fn names() -> Names {
    let texts = |names: &[&str]| names.iter().map(ToString::to_string).collect();
    Names {
        scores: texts(&["Factuality", "Answer Correctness", "Toxicity"]),
        lower_is_better: texts(&["Toxicity"]),
        metrics: texts(&["duration", "tokens", "estimated_cost", "prompt_tokens"]),
        fields: texts(&["metadata.model", "metadata.tier", "input.tier"]),
    }
}

#[test]
fn phrases_become_expressions() {
    for (phrase, expected) in [
        ("errors", "error is not null"),
        ("show me cases without errors", "error is null"),
        ("regressions in factuality", "regressed(scores.Factuality)"),
        ("regressed answer correctness", "regressed(scores.\"Answer Correctness\")"),
        (
            "Regressions",
            "regressed(scores.Factuality) or regressed(scores.\"Answer Correctness\") or regressed(scores.Toxicity)",
        ),
        ("improvements in Factualty", "improved(scores.Factuality)"),
        ("slower than 5s", "metrics.duration > 5"),
        ("slower than 500 ms", "metrics.duration > 0.5"),
        ("cost over 2 cents", "metrics.estimated_cost > 0.02"),
        ("cost at least $0.05 and errors", "metrics.estimated_cost >= 0.05 and error is not null"),
        ("more than 1000 tokens", "metrics.tokens > 1000"),
        ("over 2k prompt tokens", "metrics.prompt_tokens > 2000"),
        ("metadata.model is gpt-4o", "metadata.model = 'gpt-4o'"),
        ("model is not 'gpt 4'", "metadata.model != 'gpt 4'"),
        ("output contains 50%", "output ilike '%50\\%%'"),
        ("factuality below 50%", "scores.Factuality < 50%"),
        ("answer_correctness between 20% and 40%", "scores.\"Answer Correctness\" between 20% and 40%"),
        ("perfect factuality", "scores.Factuality >= 1"),
        ("missing factuality", "scores.Factuality is null"),
        ("tagged urgent", "tags includes 'urgent'"),
        ("not tagged urgent", "not coalesce(tags includes 'urgent', false)"),
        ("new cases", "presence() = 'candidate_only'"),
        ("only in baseline", "presence() = 'base_only'"),
        ("show cases only in the base", "presence() = 'base_only'"),
        ("in the candidate only", "presence() = 'candidate_only'"),
        ("in baseline", "presence() in ['matched', 'base_only']"),
        ("only cases in the baseline", "presence() in ['matched', 'base_only']"),
        ("not in baseline", "not coalesce(presence() in ['matched', 'base_only'], false)"),
        ("not only in baseline", "not coalesce(presence() = 'base_only', false)"),
        ("in baseline with errors", "presence() in ['matched', 'base_only'] and error is not null"),
        ("only errors", "error is not null"),
        ("only in last 7 days", "created >= now() - interval '7 day'"),
        ("error", "error is not null"),
        ("failing toxicity", "scores.Toxicity > 0.5"),
        ("passing toxicity", "scores.Toxicity <= 0.5"),
        ("perfect toxicity", "scores.Toxicity <= 0"),
        ("flipped factuality", "flipped(scores.Factuality)"),
        ("last 7 days", "created >= now() - interval '7 day'"),
    ] {
        let found = translate(phrase, &names()).unwrap_or_else(|| panic!("{phrase}"));
        assert_eq!(found.expr.to_string(), expected, "{phrase}");
        assert!(crate::parse_expression(expected).is_ok(), "{expected}");
    }
}

#[test]
fn some_phrases_order() {
    for (phrase, expected, descending) in [
        ("longest outputs", "len(output)", true),
        ("slowest cases", "metrics.duration", true),
        ("cheapest", "metrics.estimated_cost", false),
        ("worst factuality", "scores.Factuality", false),
        ("worst toxicity", "scores.Toxicity", true),
        ("best toxicity", "scores.Toxicity", false),
        ("highest toxicity", "scores.Toxicity", true),
        ("slowest with errors", "metrics.duration", true),
    ] {
        let sort = translate(phrase, &names()).unwrap().sort.unwrap();
        assert_eq!((sort.expr.to_string(), sort.descending), (expected.to_string(), descending), "{phrase}");
    }
}

#[test]
fn what_is_not_wholly_understood_is_not_answered() {
    for phrase in [
        "",
        "the",
        "regressions in politeness",
        "factuality",
        "slower than a snail",
        "errors on tuesdays",
        "score below 50%",
        "tier is pro",
        "cost over 2 yen",
        "please delete everything",
        "worst",
        "and",
        "errors and",
        "last few days",
        "model",
        "tokens more 5",
        "baseline",
        "in baseline on tuesdays",
    ] {
        assert_eq!(translate(phrase, &names()), None, "{phrase}");
    }
}
