//! Pages are current: `make docs` writes what these tests compare, and the examples of
//! `docs/filters.md` are run.

use std::path::Path;
use std::process::Command;

use evalhouse_analysis::{CasesOptions, DiffOptions, Understood, cases, diff, understand};
use evalhouse_language::{Query, parse_query, query_from_json};

use crate::analysis::{bundled_data, chosen, imported};

#[test]
fn generated_pages_are_current() {
    let folder = tempfile::tempdir().unwrap();
    let program = env!("CARGO_BIN_EXE_evalhouse");
    let output = Command::new(program).arg("generate-docs").arg(folder.path()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    for page in ["functions.md", "cli.md", "openapi.json"] {
        let fresh = std::fs::read_to_string(folder.path().join(page)).unwrap();
        let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs").join(page);
        let kept = std::fs::read_to_string(kept).unwrap_or_default();
        assert!(fresh == kept, "docs/{page} is out of date: run `make docs`");
    }
}

/// The fenced parts of the page of the filter language that have this word after the fence.
fn examples(kind: &str) -> Vec<String> {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/filters.md");
    let page = std::fs::read_to_string(page).unwrap();
    let mut parts = page.split("```").skip(1).step_by(2).filter_map(|part| part.split_once('\n'));
    let found: Vec<String> =
        parts.by_ref().filter(|(found, _)| *found == kind).map(|(_, text)| text.trim_end().to_string()).collect();
    assert!(!found.is_empty(), "no example is marked `{kind}`");
    found
}

fn lines(kind: &str) -> Vec<String> {
    examples(kind).iter().flat_map(|text| text.lines()).map(str::to_string).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_conditions_and_values_of_the_filter_page_mean_something() {
    let session = imported(&bundled_data(), "support-assistant").await;
    let (base, candidate) = (chosen(&session, "baseline"), chosen(&session, "prompt-v2"));
    for condition in lines("sql condition") {
        let understood = understand(&session, &condition, &[&base, &candidate]).await;
        assert_eq!(understood.unwrap_or_else(|error| panic!("{error}")), Understood::Expression, "{condition}");
        let options = CasesOptions {
            against: Some(base.clone()),
            filter: Some(condition.clone()),
            limit: Some(1),
            ..CasesOptions::default()
        };
        cases(&session, &candidate, &options).await.unwrap_or_else(|error| panic!("`{condition}`: {error}"));
    }
    for value in lines("sql value") {
        let options = DiffOptions { key: Some(value.clone()), ..DiffOptions::default() };
        diff(&session, &base, &candidate, &options).await.unwrap_or_else(|error| panic!("`{value}`: {error}"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_phrases_of_the_filter_page_become_what_it_says() {
    let session = imported(&bundled_data(), "support-assistant").await;
    let (base, candidate) = (chosen(&session, "baseline"), chosen(&session, "prompt-v2"));
    for line in lines("text phrases") {
        let (phrase, expected) = line.split_once("   ").unwrap();
        let found = understand(&session, phrase, &[&base, &candidate]).await.unwrap();
        let Understood::Phrase { expression, sort } = found else { panic!("`{phrase}` is an expression") };
        let order = sort.map(|sort| format!(", by {sort}")).unwrap_or_default();
        assert_eq!(format!("{expression}{order}"), expected.trim(), "{phrase}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_queries_of_the_filter_page_are_answered() {
    let session = imported(&bundled_data(), "support-assistant").await;
    let in_text = examples("btql");
    let in_text = in_text.iter().flat_map(|text| text.split("\n\n")).map(|text| (text.to_string(), parse_query(text)));
    let in_json = examples("json").into_iter().map(|text| {
        let json = serde_json::from_str(&text).unwrap();
        (text, query_from_json(&json))
    });
    for (text, query) in in_text.chain(in_json) {
        let query: Query = query.unwrap_or_else(|error| panic!("{}", error.render(&text)));
        let frame = session.btql(&query).await.unwrap_or_else(|error| panic!("{text}: {error:?}"));
        let rows: usize = frame.collect().await.unwrap().iter().map(|batch| batch.num_rows()).sum();
        assert!(rows > 0, "nothing answers {text}");
    }
}
