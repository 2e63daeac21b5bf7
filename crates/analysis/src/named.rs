//! Named queries: files of SQL with a header that says what they ask, take and give.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use datafusion::common::ScalarValue;
use evalhouse_model::{NamedQuery, QueryParameter};

/// The shipped queries, by name.
const SHIPPED: [(&str, &str); 16] = [
    ("best-per-case", include_str!("../../../queries/best-per-case.sql")),
    ("cost-per-point", include_str!("../../../queries/cost-per-point.sql")),
    ("duplicate-inputs", include_str!("../../../queries/duplicate-inputs.sql")),
    ("errors", include_str!("../../../queries/errors.sql")),
    ("flaky-cases", include_str!("../../../queries/flaky-cases.sql")),
    ("hardest-cases", include_str!("../../../queries/hardest-cases.sql")),
    ("longest-outputs", include_str!("../../../queries/longest-outputs.sql")),
    ("mean-scores", include_str!("../../../queries/mean-scores.sql")),
    ("missing-scores", include_str!("../../../queries/missing-scores.sql")),
    ("regressions", include_str!("../../../queries/regressions.sql")),
    ("score-agreement", include_str!("../../../queries/score-agreement.sql")),
    ("score-by-field", include_str!("../../../queries/score-by-field.sql")),
    ("score-trend", include_str!("../../../queries/score-trend.sql")),
    ("slowest-cases", include_str!("../../../queries/slowest-cases.sql")),
    ("slowest-spans", include_str!("../../../queries/slowest-spans.sql")),
    ("tokens-by-model", include_str!("../../../queries/tokens-by-model.sql")),
];

/// Something wrong with a named query or its parameters.
#[derive(Debug, thiserror::Error)]
pub enum NamedQueryError {
    /// A folder or file cannot be read.
    #[error("cannot read `{}`: {source}", path.display())]
    Read {
        /// The folder or file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The header of a file is not understood.
    #[error("`{name}`, line {line}: {message}")]
    Header {
        /// The query.
        name: String,
        /// Line, from 1.
        line: usize,
        /// What is wrong.
        message: String,
    },
    /// No query has this name.
    #[error("there is no query `{name}`{}", suggestion.as_ref().map(|near| format!("; did you mean `{near}`?")).unwrap_or_default())]
    Unknown {
        /// As the user wrote it.
        name: String,
        /// The nearest name.
        suggestion: Option<String>,
    },
    /// A parameter is missing, unknown, or of another type.
    #[error("query `{query}`: {message}")]
    Parameter {
        /// The query.
        query: String,
        /// What is wrong.
        message: String,
    },
}

/// Every query that can be run: the shipped ones, and those of the folders, which win over them.
///
/// # Errors
/// When a folder cannot be read or a header is not understood.
pub fn named_queries(folders: &[PathBuf]) -> Result<Vec<NamedQuery>, NamedQueryError> {
    let mut all: BTreeMap<String, NamedQuery> = BTreeMap::new();
    for (name, text) in SHIPPED {
        all.insert(name.to_string(), read(name, text, "shipped")?);
    }
    for folder in folders {
        let unreadable = |source| NamedQueryError::Read { path: folder.clone(), source };
        for entry in std::fs::read_dir(folder).map_err(unreadable)? {
            let path = entry.map_err(unreadable)?.path();
            let is_sql = path.extension().is_some_and(|extension| extension == "sql");
            let Some(name) = path.file_stem().and_then(|stem| stem.to_str()).filter(|_| is_sql) else { continue };
            let text = std::fs::read_to_string(&path)
                .map_err(|source| NamedQueryError::Read { path: path.clone(), source })?;
            all.insert(name.to_string(), read(name, &text, &shown(&path))?);
        }
    }
    Ok(all.into_values().collect())
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

/// Finds a query by name.
///
/// # Errors
/// [`NamedQueryError::Unknown`] with the nearest name.
pub fn find_query<'a>(queries: &'a [NamedQuery], name: &str) -> Result<&'a NamedQuery, NamedQueryError> {
    let found = queries.iter().find(|query| query.name == name);
    found.ok_or_else(|| {
        let scored = queries.iter().map(|query| (strsim::jaro_winkler(&query.name, name), &query.name));
        let best = scored.filter(|(near, _)| *near > 0.75).max_by(|a, b| a.0.total_cmp(&b.0));
        NamedQueryError::Unknown { name: name.into(), suggestion: best.map(|(_, name)| name.clone()) }
    })
}

/// The values of a query's parameters, from `key=value` pairs and defaults.
///
/// # Errors
/// [`NamedQueryError::Parameter`] when one is missing, unknown, given twice, or of another type.
pub fn query_values(query: &NamedQuery, given: &[String]) -> Result<Vec<(String, ScalarValue)>, NamedQueryError> {
    let wrong = |message: String| NamedQueryError::Parameter { query: query.name.clone(), message };
    let known = || {
        let names: Vec<&str> = query.parameters.iter().map(|parameter| parameter.name.as_str()).collect();
        if names.is_empty() { "it takes none".to_string() } else { format!("it takes {}", names.join(", ")) }
    };
    let mut texts: BTreeMap<&str, &str> = BTreeMap::new();
    for pair in given {
        let Some((name, value)) = pair.split_once('=') else {
            return Err(wrong(format!("`{pair}` is no parameter, expected NAME=VALUE; {}", known())));
        };
        if !query.parameters.iter().any(|parameter| parameter.name == name) {
            return Err(wrong(format!("there is no parameter `{name}`; {}", known())));
        }
        if texts.insert(name, value).is_some() {
            return Err(wrong(format!("`{name}` is given twice")));
        }
    }
    let value = |parameter: &QueryParameter| {
        let text = texts.get(parameter.name.as_str()).copied().or(parameter.default.as_deref());
        let Some(text) = text else {
            let meaning = &parameter.meaning;
            return Err(wrong(format!("`{}` is missing: {meaning}; give it as {}=…", parameter.name, parameter.name)));
        };
        let expected = |what: &str| wrong(format!("`{}` is '{text}', expected {what}", parameter.name));
        // An absent text is null of its type, so that `$name IS NULL` has a meaning.
        let is_null = text == "null" && !texts.contains_key(parameter.name.as_str());
        let scalar = match (parameter.data_type.as_str(), is_null) {
            ("text", true) => ScalarValue::Utf8(None),
            ("integer", true) => ScalarValue::Int64(None),
            ("number", true) => ScalarValue::Float64(None),
            (_, true) => ScalarValue::Boolean(None),
            ("text", false) => ScalarValue::from(text),
            ("integer", false) => ScalarValue::from(text.parse::<i64>().map_err(|_| expected("a whole number"))?),
            ("number", false) => {
                let number = text.parse::<f64>().ok().filter(|number| number.is_finite());
                ScalarValue::from(number.ok_or_else(|| expected("a number"))?)
            }
            (_, false) => ScalarValue::from(text.parse::<bool>().map_err(|_| expected("true or false"))?),
        };
        Ok((parameter.name.clone(), scalar))
    };
    query.parameters.iter().map(value).collect()
}

/// Reads a header.
fn read(name: &str, text: &str, source: &str) -> Result<NamedQuery, NamedQueryError> {
    let mut query = NamedQuery { name: name.into(), source: source.into(), sql: text.into(), ..NamedQuery::default() };
    for (at, line) in text.lines().enumerate() {
        let Some(comment) = line.strip_prefix("--") else { break };
        let comment = comment.trim();
        let wrong = |message: String| NamedQueryError::Header { name: name.into(), line: at + 1, message };
        if let Some(parameter) = comment.strip_prefix("param ") {
            query.parameters.push(parameter_of(parameter).map_err(wrong)?);
        } else if let Some(column) = comment.strip_prefix("column ") {
            let (name, meaning) = column.split_once(':').unwrap_or((column, ""));
            query.columns.insert(name.trim().to_string(), meaning.trim().to_string());
        } else if query.question.is_empty() {
            query.question = comment.trim_start_matches("Question:").trim().to_string();
        }
    }
    Ok(query)
}

/// `limit integer = 50: rows to show`, `base text required: the baseline`.
fn parameter_of(text: &str) -> Result<QueryParameter, String> {
    let usage = || {
        format!("`{text}` is no parameter, expected `NAME TYPE required: meaning` or `NAME TYPE = DEFAULT: meaning`")
    };
    let (declared, meaning) = text.split_once(':').ok_or_else(usage)?;
    let mut words = declared.split_whitespace();
    let (Some(name), Some(data_type)) = (words.next(), words.next()) else { return Err(usage()) };
    if !["text", "integer", "number", "boolean"].contains(&data_type) {
        return Err(format!("`{data_type}` is no type, expected text, integer, number or boolean"));
    }
    let default = match words.next() {
        Some("required") => None,
        Some("=") => Some(words.collect::<Vec<_>>().join(" ")),
        _ => return Err(usage()),
    };
    Ok(QueryParameter { name: name.into(), data_type: data_type.into(), default, meaning: meaning.trim().into() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_is_shipped_and_explained() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../queries");
        let mut files: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.extension().is_some_and(|extension| extension == "sql"))
            .map(|path| path.file_stem().unwrap().to_str().unwrap().to_string())
            .collect();
        files.sort();
        let queries = named_queries(&[]).unwrap();
        assert_eq!(queries.iter().map(|query| query.name.clone()).collect::<Vec<_>>(), files);
        for query in queries {
            assert!(query.question.ends_with('?'), "{}", query.name);
            assert!(!query.columns.is_empty(), "{}", query.name);
            for parameter in &query.parameters {
                assert!(query.sql.contains(&format!("${}", parameter.name)), "{}: {}", query.name, parameter.name);
            }
        }
    }

    #[test]
    fn parameters_are_typed_and_complete() {
        let query =
            read("q", "-- Why?\n-- param a text required: it\n-- param n integer = 5: rows\nSELECT 1", "test").unwrap();
        let values = |given: &[&str]| {
            let given: Vec<String> = given.iter().map(ToString::to_string).collect();
            query_values(&query, &given).map_err(|error| error.to_string())
        };
        let found = values(&["a=x=y"]).unwrap();
        assert_eq!(found, [("a".into(), ScalarValue::from("x=y")), ("n".into(), ScalarValue::from(5_i64))]);
        for (given, message) in [
            (vec![], "`a` is missing"),
            (vec!["a=1", "b=2"], "there is no parameter `b`"),
            (vec!["a=1", "n=many"], "expected a whole number"),
            (vec!["a=1", "a=2"], "given twice"),
            (vec!["a"], "expected NAME=VALUE"),
        ] {
            assert!(values(&given).unwrap_err().contains(message), "{given:?}");
        }
        assert!(read("q", "-- Why?\n-- param a\nSELECT 1", "test").is_err());
    }
}
