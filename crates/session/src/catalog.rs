//! What a query can name: tables, columns, functions, experiments.

use datafusion::arrow::datatypes::DataType;
use datafusion::logical_expr::Documentation;
use datafusion::prelude::SessionContext;
use evalhouse_model::{Experiment, schema};
use evalhouse_store::{Snapshot, decode_path};

use crate::paths::{EXTENSION_JSON, EXTENSION_KEY, PATH_KEY};
use crate::{CASES, DATASET_ROWS, DATASETS, EXPERIMENTS, LOG_SPANS, PROJECTS, SCORES, SPANS};

/// Everything that a query can name.
#[derive(Debug, Clone, Default)]
pub struct Catalog {
    tables: Vec<TableInfo>,
    functions: Vec<FunctionInfo>,
    experiments: Vec<Experiment>,
}

/// One table.
#[derive(Debug, Clone)]
pub struct TableInfo {
    /// Name in SQL.
    pub name: String,
    /// One sentence.
    pub description: &'static str,
    /// Columns in order.
    pub columns: Vec<ColumnInfo>,
}

/// One column.
#[derive(Debug, Clone)]
pub struct ColumnInfo {
    /// Name as a query writes it, quoted where it must be: `scores."Answer Correctness"`.
    pub name: String,
    /// Type in words: `text`, `json`, `integer`, `double`, `boolean`, `timestamp`, …
    pub data_type: String,
    /// One sentence; empty for a score, metric or path.
    pub description: &'static str,
}

/// One function.
#[derive(Debug, Clone)]
pub struct FunctionInfo {
    /// Name in SQL.
    pub name: String,
    /// `scalar`, `aggregate`, `window` or `table`.
    pub kind: &'static str,
    /// How to call it.
    pub syntax: String,
    /// What it does.
    pub description: String,
}

impl Catalog {
    pub(crate) async fn of(context: &SessionContext, snapshot: &Snapshot) -> datafusion::error::Result<Self> {
        let mut tables = Vec::new();
        for (name, description) in [
            (CASES, "One row a test case and trial: the root span, scores and metrics rolled up over its trace."),
            (SPANS, "One row a span, roots included, as logged."),
            (SCORES, "One row a case and score; null where the case was not scored."),
            (EXPERIMENTS, "One row an experiment."),
            (PROJECTS, "One row a project."),
            (DATASETS, "One row a dataset that experiments name."),
            (DATASET_ROWS, "One row a record of a dataset."),
            (LOG_SPANS, "One row a span that was logged to a project outside of any experiment."),
        ] {
            let schema = context.table_provider(name).await?.schema();
            let columns = schema.fields().iter().map(|field| ColumnInfo {
                name: written_name(field),
                data_type: type_name(field),
                description: description_of(field.name()),
            });
            tables.push(TableInfo { name: name.into(), description, columns: columns.collect() });
        }
        Ok(Self { tables, functions: functions(context), experiments: snapshot.experiments().to_vec() })
    }

    /// The tables.
    pub fn tables(&self) -> &[TableInfo] {
        &self.tables
    }

    /// The functions, by name.
    pub fn functions(&self) -> &[FunctionInfo] {
        &self.functions
    }

    pub(crate) fn add_table_function(&mut self, name: &str, syntax: &str, description: &str) {
        self.functions.push(FunctionInfo {
            name: name.into(),
            kind: "table",
            syntax: syntax.into(),
            description: description.into(),
        });
        self.functions.sort_by(|a, b| a.name.cmp(&b.name));
    }

    /// The stored experiments.
    pub fn experiments(&self) -> &[Experiment] {
        &self.experiments
    }
}

fn functions(context: &SessionContext) -> Vec<FunctionInfo> {
    let state = context.state();
    let info = |name: &String, kind, documentation: Option<&Documentation>| FunctionInfo {
        name: name.clone(),
        kind,
        syntax: documentation.map_or_else(|| format!("{name}(…)"), |d| d.syntax_example.clone()),
        description: documentation.map(|d| d.description.trim().to_string()).unwrap_or_default(),
    };
    let mut functions: Vec<FunctionInfo> = Vec::new();
    functions.extend(state.scalar_functions().iter().map(|(name, f)| info(name, "scalar", f.documentation())));
    functions.extend(state.aggregate_functions().iter().map(|(name, f)| info(name, "aggregate", f.documentation())));
    functions.extend(state.window_functions().iter().map(|(name, f)| info(name, "window", f.documentation())));
    functions.sort_by(|a, b| a.name.cmp(&b.name));
    functions.dedup_by(|a, b| a.name == b.name);
    functions
}

/// The name of a column as a query writes it.
fn written_name(field: &datafusion::arrow::datatypes::Field) -> String {
    let Some(path) = field.metadata().get(PATH_KEY) else { return field.name().clone() };
    let (json, keys) = decode_path(path);
    let keys =
        keys.iter().map(|key| if is_plain(key) { key.clone() } else { format!("\"{}\"", key.replace('"', "\"\"")) });
    std::iter::once(json.to_string()).chain(keys).collect::<Vec<_>>().join(".")
}

fn is_plain(key: &str) -> bool {
    let mut characters = key.chars();
    let starts_well = characters.next().is_some_and(|c| c.is_alphabetic() || c == '_');
    starts_well && characters.all(|c| c.is_alphanumeric() || c == '_')
}

/// A type in words.
pub(crate) fn type_name(field: &datafusion::arrow::datatypes::Field) -> String {
    if field.metadata().get(EXTENSION_KEY).is_some_and(|name| name == EXTENSION_JSON) {
        return "json".into();
    }
    match field.data_type() {
        DataType::Utf8 | DataType::Utf8View | DataType::LargeUtf8 => "text".into(),
        DataType::Int64 => "integer".into(),
        DataType::Float64 => "double".into(),
        DataType::Boolean => "boolean".into(),
        DataType::Timestamp(..) => "timestamp".into(),
        DataType::Duration(_) | DataType::Interval(_) => "duration".into(),
        DataType::List(_) => "list of text".into(),
        DataType::Decimal128(38, 0) => "128-bit hash".into(),
        other => other.to_string(),
    }
}

fn description_of(column: &str) -> &'static str {
    match column {
        schema::PROJECT => "Project name.",
        schema::EXPERIMENT => "Experiment name.",
        schema::EXPERIMENT_ID => "Experiment id.",
        schema::ID => "Row id.",
        schema::SPAN_ID => "Span id.",
        schema::ROOT_SPAN_ID => "Trace id, equal on all spans of one test case.",
        schema::SPAN_PARENTS => "Ids of the parent spans; null on a root.",
        schema::IS_ROOT => "True on the root of a trace.",
        schema::POSITION => "Position of the row in its source, from 0.",
        schema::CREATED => "Creation time, UTC.",
        schema::NAME => "Span name; score name in `scores`.",
        schema::TYPE => "Span type: eval, task, llm, tool, function, score, …",
        schema::PURPOSE => "`scorer` on a scorer span and on everything below it.",
        schema::START => "Start, Unix seconds.",
        schema::END => "End, Unix seconds.",
        schema::COMPARISON_KEY_HASH => {
            "Hash of the default comparison key, the canonical JSON of `input`; null when input is null."
        }
        schema::TRIAL_INDEX => "0-based index among the cases of one experiment with equal keys.",
        schema::SPAN_COUNT => "Spans in the trace, root included.",
        schema::INPUT => "Input.",
        schema::OUTPUT => "Output.",
        schema::EXPECTED => "Expected output.",
        schema::ERROR => "Error.",
        schema::METADATA => "Metadata.",
        schema::TAGS => "Tags.",
        schema::SCORES => "The span's own scores as logged.",
        schema::METRICS => "The span's own metrics as logged.",
        schema::SPAN_ATTRIBUTES => "Span attributes as logged.",
        schema::CONTEXT => "Where in the caller's code the span was logged.",
        schema::ORIGIN => "The dataset row that the case came from.",
        schema::EXTRA => "Fields of the source without a column.",
        schema::XACT => "Transaction that wrote the row; null where the source has none.",
        "score" => "Value of the score; null where the case was not scored.",
        "rows" => "Cases times trials.",
        "cases" => "Distinct comparison keys.",
        "spans" => "Spans, roots included.",
        "declared_total" => "Rows that the source said it would hold.",
        "status" => "`complete` or `partial`.",
        "notes" => "What the import tolerated or skipped, by reason.",
        _ => "",
    }
}
