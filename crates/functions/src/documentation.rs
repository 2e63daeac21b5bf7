//! The reference page of the functions, made from what they say of themselves.

use std::fmt::Write;

use datafusion::logical_expr::Documentation;

use crate::{aggregate_functions, scalar_functions};

/// The text of `docs/functions.md`: one section a function, sorted by name.
pub fn documentation_markdown() -> String {
    let scalars = scalar_functions();
    let aggregates = aggregate_functions();
    let mut documented: Vec<(&str, &str, &Documentation)> = Vec::new();
    for function in &scalars {
        documented.extend(function.documentation().map(|doc| (function.name(), "scalar", doc)));
    }
    for function in &aggregates {
        documented.extend(function.documentation().map(|doc| (function.name(), "aggregate", doc)));
    }
    documented.sort_by_key(|(name, _, _)| *name);
    let mut page = String::from(
        "# Functions\n\nThe SQL functions of evalhouse, beside those of DataFusion. This page is \
         generated from the code.\n",
    );
    for (name, kind, documentation) in documented {
        page.push_str(&section(name, kind, documentation));
    }
    page
}

fn section(name: &str, kind: &str, documentation: &Documentation) -> String {
    let group = documentation.doc_section.label;
    let mut text = format!(
        "\n## `{name}`\n\n*{group}, {kind}*\n\n{}\n\n```sql\n{}\n```\n",
        documentation.description, documentation.syntax_example
    );
    // Writing to a string cannot fail.
    if let Some(arguments) = &documentation.arguments {
        text.push('\n');
        for (argument, description) in arguments {
            let _ = writeln!(text, "- `{argument}`: {description}");
        }
    }
    if let Some(example) = &documentation.sql_example {
        let _ = writeln!(text, "\n{example}");
    }
    if let Some(related) = &documentation.related_udfs {
        let links: Vec<String> = related.iter().map(|name| format!("[`{name}`](#{name})")).collect();
        let _ = writeln!(text, "\nSee also {}.", links.join(", "));
    }
    text
}
