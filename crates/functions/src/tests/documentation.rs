//! Every function is documented, and what its example shows is what it does.

use std::collections::BTreeSet;
use std::path::Path;

use arrow::util::pretty::pretty_format_batches;
use datafusion::logical_expr::Documentation;

use super::{query, session};
use crate::{aggregate_functions, documentation_markdown, scalar_functions};

fn documented() -> Vec<(String, Option<Documentation>)> {
    let scalars = scalar_functions();
    let aggregates = aggregate_functions();
    scalars
        .iter()
        .map(|f| (f.name().to_owned(), f.documentation().cloned()))
        .chain(aggregates.iter().map(|f| (f.name().to_owned(), f.documentation().cloned())))
        .collect()
}

#[test]
fn names_are_unique() {
    let names: Vec<_> = documented().into_iter().map(|(name, _)| name).collect();
    let distinct: BTreeSet<_> = names.iter().collect();
    assert_eq!(distinct.len(), names.len(), "{names:?}");
}

#[test]
fn every_function_is_documented_and_tested() {
    let files = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/sql/functions");
    let all = documented();
    for (name, documentation) in &all {
        let documentation = documentation.as_ref().unwrap_or_else(|| panic!("{name} has no documentation"));
        assert!(documentation.syntax_example.starts_with(&format!("{name}(")), "{name}");
        assert!(documentation.arguments.as_ref().is_some_and(|a| !a.is_empty()), "{name}: arguments");
        assert!(documentation.sql_example.is_some(), "{name}: example");
        for related in documentation.related_udfs.iter().flatten() {
            assert!(all.iter().any(|(other, _)| other == related && other != name), "{name}: {related}");
        }
        assert!(files.join(format!("{name}.slt")).is_file(), "{name} has no .slt file");
    }
}

#[test]
fn the_page_has_a_section_for_each() {
    let page = documentation_markdown();
    let sections: Vec<_> = page.lines().filter_map(|line| line.strip_prefix("## `")).collect();
    assert_eq!(sections.len(), documented().len());
    assert!(sections.is_sorted());
}

#[tokio::test]
async fn every_example_prints_what_it_says() {
    let session = session(4);
    for (name, documentation) in documented() {
        let example = documentation.and_then(|documentation| documentation.sql_example).unwrap();
        let text = example.trim().trim_start_matches("```sql").trim_end_matches("```").trim();
        for statement in text.split("> ").filter(|statement| !statement.trim().is_empty()) {
            let (sql, expected) = statement.split_once(";\n").unwrap();
            let batches = query(&session, sql).await.unwrap_or_else(|e| panic!("{name}: {e}"));
            let actual = pretty_format_batches(&batches).unwrap().to_string();
            assert_eq!(actual.trim(), expected.trim(), "{name}\n{actual}");
        }
    }
}
