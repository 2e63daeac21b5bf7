//! Runs every `.slt` file below `tests/sql/` in a session of its own.
//!
//! Files see the fixture below. Values are compared as text: floats with 12 significant digits, null
//! as `NULL`, empty text as `(empty)`.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use datafusion::arrow::array::Array;
use datafusion::arrow::datatypes::DataType;
use datafusion::arrow::record_batch::RecordBatch;
use datafusion::arrow::util::display::{ArrayFormatter, FormatOptions};
use evalhouse_model::{Experiment, Span};
use evalhouse_session::{Session, SessionError, SessionOptions};
use evalhouse_store::{Store, WriterOptions};
use sqllogictest::{AsyncDB, DBOutput, DefaultColumnType, Runner};

#[tokio::test(flavor = "multi_thread")]
async fn sql_logic_tests() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sql");
    let mut files = Vec::new();
    find_files(&root, &mut files);
    files.sort();
    assert!(!files.is_empty());
    let chosen = std::env::var("SLT").unwrap_or_default();
    let complete = std::env::var_os("SLT_COMPLETE").is_some();
    let store = fixture().await;
    let mut failures = Vec::new();
    for file in files.iter().filter(|file| file.to_string_lossy().contains(&chosen)) {
        let store = store.clone();
        let mut runner = Runner::new(move || {
            let store = store.clone();
            async move { Ok(Engine { session: Session::open(store, SessionOptions::default()).await? }) }
        });
        let outcome = if complete {
            let normalize = sqllogictest::default_normalizer;
            let same = sqllogictest::default_validator;
            let column_types = sqllogictest::default_column_validator;
            runner.update_test_file(file, " ", same, normalize, column_types).await.map_err(|e| e.to_string())
        } else {
            runner.run_file_async(file).await.map_err(|e| e.to_string())
        };
        if let Err(error) = outcome {
            failures.push(format!("{}\n{error}", file.display()));
        }
    }
    assert!(failures.is_empty(), "{} files failed:\n\n{}", failures.len(), failures.join("\n\n"));
}

fn find_files(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            find_files(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "slt") {
            files.push(path);
        }
    }
}

struct Engine {
    session: Session,
}

#[derive(Debug, thiserror::Error)]
#[error(transparent)]
struct EngineError(#[from] SessionError);

#[async_trait::async_trait]
impl AsyncDB for Engine {
    type Error = EngineError;
    type ColumnType = DefaultColumnType;

    async fn run(&mut self, sql: &str) -> Result<DBOutput<DefaultColumnType>, EngineError> {
        let frame = self.session.sql(sql).await?;
        let types = frame.schema().fields().iter().map(|field| column_type(field.data_type())).collect();
        let batches = frame.collect().await.map_err(|error| self.session.run_error(error))?;
        let rows = batches.iter().flat_map(|batch| (0..batch.num_rows()).map(|row| values(batch, row))).collect();
        Ok(DBOutput::Rows { types, rows })
    }

    async fn shutdown(&mut self) {}

    fn engine_name(&self) -> &str {
        "evalhouse"
    }
}

fn column_type(data_type: &DataType) -> DefaultColumnType {
    match data_type {
        kind if kind.is_integer() => DefaultColumnType::Integer,
        kind if kind.is_floating() => DefaultColumnType::FloatingPoint,
        DataType::Utf8 | DataType::Utf8View | DataType::LargeUtf8 => DefaultColumnType::Text,
        _ => DefaultColumnType::Any,
    }
}

/// The rows of an answer, values separated by `|`.
pub(crate) fn lines(batches: &[RecordBatch]) -> Vec<String> {
    batches.iter().flat_map(|batch| (0..batch.num_rows()).map(|row| values(batch, row).join("|"))).collect()
}

fn values(batch: &RecordBatch, row: usize) -> Vec<String> {
    batch.columns().iter().map(|column| value(column, row)).collect()
}

fn value(column: &Arc<dyn Array>, row: usize) -> String {
    use datafusion::arrow::array::AsArray;
    use datafusion::arrow::datatypes::Float64Type;
    if column.is_null(row) {
        return "NULL".into();
    }
    if let DataType::Float64 = column.data_type() {
        return float(column.as_primitive::<Float64Type>().value(row));
    }
    let options = FormatOptions::default().with_null("NULL");
    let text = ArrayFormatter::try_new(column, &options).unwrap().value(row).to_string();
    if text.is_empty() { "(empty)".into() } else { text.replace('\n', "\\n") }
}

/// Twelve significant digits, without trailing zeros.
fn float(value: f64) -> String {
    if value == 0.0 || !value.is_finite() {
        return format!("{value}").replace("-0", "0");
    }
    let rounded: f64 = format!("{value:.11e}").parse().unwrap();
    if rounded.abs() >= 1e-5 && rounded.abs() < 1e15 { format!("{rounded}") } else { format!("{rounded:e}") }
}

/// A store with two small experiments of one project, for files that ask about tables and paths.
async fn fixture() -> Store {
    let store = Store::create("memory://sql-logic-tests").await.unwrap();
    let mut staged = Vec::new();
    for (name, rows) in [("base", BASE), ("candidate", CANDIDATE)] {
        let experiment = Experiment {
            id: format!("id-{name}"),
            project: "demo".into(),
            name: name.into(),
            format: "braintrust".into(),
            ..Experiment::default()
        };
        let mut writer = store.writer(experiment, WriterOptions::default());
        let spans: Vec<Span> = rows.iter().enumerate().map(|(i, row)| row.span(i)).collect();
        let one = tokio::task::spawn_blocking(move || {
            spans.into_iter().try_for_each(|span| writer.push(span)).unwrap();
            writer.finish().unwrap()
        });
        staged.push(one.await.unwrap());
    }
    store.commit(staged).await.unwrap();
    store
}

struct Row {
    id: &'static str,
    trace: &'static str,
    parent: Option<&'static str>,
    input: Option<&'static str>,
    metadata: &'static str,
    score: Option<(&'static str, Option<f64>)>,
    metrics: &'static [(&'static str, f64)],
    kind: &'static str,
}

impl Row {
    fn span(&self, position: usize) -> Span {
        Span {
            id: self.id.into(),
            span_id: format!("s-{}", self.id),
            root_span_id: self.trace.into(),
            span_parents: self.parent.iter().map(|parent| format!("s-{parent}")).collect(),
            is_root: self.parent.is_none(),
            position: position as i64,
            line: position as u64 + 1,
            created: Some(1_700_000_000_000_000 + position as i64),
            name: Some(self.kind.into()),
            span_type: Some(self.kind.into()),
            purpose: (self.kind == "score").then(|| "scorer".into()),
            input: self.input.map(Into::into),
            metadata: Some(self.metadata.into()),
            scores: self.score.iter().map(|(name, value)| (Arc::from(*name), *value)).collect(),
            metrics: self.metrics.iter().map(|(name, value)| (Arc::from(*name), *value)).collect(),
            start: self.metrics.iter().find(|(name, _)| *name == "start").map(|(_, value)| *value),
            end: self.metrics.iter().find(|(name, _)| *name == "end").map(|(_, value)| *value),
            ..Span::default()
        }
    }
}

const fn root(id: &'static str, input: Option<&'static str>, metadata: &'static str) -> Row {
    Row {
        id,
        trace: id,
        parent: None,
        input,
        metadata,
        score: None,
        metrics: &[("start", 10.0), ("end", 12.5)],
        kind: "eval",
    }
}

const fn score(id: &'static str, trace: &'static str, name: &'static str, value: Option<f64>) -> Row {
    Row {
        id,
        trace,
        parent: Some(trace),
        input: None,
        metadata: "{}",
        score: Some((name, value)),
        metrics: &[("tokens", 1000.0)],
        kind: "score",
    }
}

const fn llm(id: &'static str, trace: &'static str, tokens: &'static [(&'static str, f64)]) -> Row {
    Row { id, trace, parent: Some(trace), input: None, metadata: "{}", score: None, metrics: tokens, kind: "llm" }
}

/// The pinned example of the rules: A 1, B .5, C 0; A has a second trial in neither.
const BASE: &[Row] = &[
    root(
        "a",
        Some(r#"{"q":"A","messages":[{"role":"user","content":"hi"}]}"#),
        r#"{"model":"small","tier":"free","n":1}"#,
    ),
    score("a1", "a", "f", Some(1.0)),
    llm("a2", "a", &[("prompt_tokens", 10.0), ("completion_tokens", 5.0)]),
    root("b", Some(r#"{"q":"B"}"#), r#"{"model":"small","tier":"pro","n":2}"#),
    score("b1", "b", "f", Some(0.5)),
    root("c", Some(r#"{"q":"C"}"#), r#"{"model":"small","tier":"pro","n":3}"#),
    score("c1", "c", "f", Some(0.0)),
];

/// A .5, B .5, D 1, one row without a key, and a score that nothing in `base` has.
const CANDIDATE: &[Row] = &[
    root(
        "a",
        Some(r#"{"messages":[{"content":"hi","role":"user"}],"q":"A"}"#),
        r#"{"model":"large","tier":"free","n":1.5,"Case":"x"}"#,
    ),
    score("a1", "a", "f", Some(0.5)),
    root("b", Some(r#"{"q":"B"}"#), r#"{"model":"large","n":"two"}"#),
    score("b1", "b", "f", Some(0.5)),
    score("b2", "b", "Answer Correctness", Some(0.25)),
    root("d", Some(r#"{"q":"D"}"#), r#"{"model":"large","deep":{"er":{"x":true}}}"#),
    score("d1", "d", "f", Some(1.0)),
    root("e", None, r#"{"model":"large"}"#),
    score("e1", "e", "f", None),
];
