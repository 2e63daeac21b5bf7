//! `experiments`, `projects` and `datasets`: the registry's records as small in-memory tables.

use std::collections::BTreeMap;
use std::sync::Arc;

use datafusion::arrow::array::{
    ArrayRef, Int64Array, ListBuilder, StringArray, StringBuilder, TimestampMicrosecondArray,
};
use datafusion::arrow::datatypes::{DataType, Field, Schema, TimeUnit};
use datafusion::arrow::record_batch::RecordBatch;
use datafusion::catalog::TableProvider;
use datafusion::common::Result;
use datafusion::datasource::MemTable;
use evalhouse_model::{Experiment, ExperimentStatus};

use crate::paths::{EXTENSION_JSON, EXTENSION_KEY};

fn text_array<'a>(values: impl Iterator<Item = Option<&'a str>>) -> ArrayRef {
    Arc::new(values.collect::<StringArray>())
}

fn time_array(values: impl Iterator<Item = Option<i64>>) -> ArrayRef {
    Arc::new(values.collect::<TimestampMicrosecondArray>().with_timezone("UTC"))
}

fn int_array(values: impl Iterator<Item = Option<i64>>) -> ArrayRef {
    Arc::new(values.collect::<Int64Array>())
}

fn text(name: &str) -> Field {
    Field::new(name, DataType::Utf8, true)
}

fn json(name: &str) -> Field {
    text(name).with_metadata([(EXTENSION_KEY.to_string(), EXTENSION_JSON.to_string())].into())
}

fn int(name: &str) -> Field {
    Field::new(name, DataType::Int64, true)
}

fn time(name: &str) -> Field {
    Field::new(name, DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())), true)
}

fn table(columns: Vec<(Field, ArrayRef)>) -> Result<Arc<dyn TableProvider>> {
    let (fields, arrays): (Vec<Field>, Vec<ArrayRef>) = columns.into_iter().unzip();
    let schema = Arc::new(Schema::new(fields));
    let batch = RecordBatch::try_new(Arc::clone(&schema), arrays)?;
    Ok(Arc::new(MemTable::try_new(schema, vec![vec![batch]])?))
}

/// One row an experiment.
pub(crate) fn experiments(all: &[Experiment]) -> Result<Arc<dyn TableProvider>> {
    let texts = |pick: fn(&Experiment) -> Option<&str>| text_array(all.iter().map(pick));
    let ints = |pick: fn(&Experiment) -> Option<i64>| int_array(all.iter().map(pick));
    let metadata: Vec<Option<String>> = all.iter().map(|e| e.metadata.as_ref().map(ToString::to_string)).collect();
    let notes: Vec<Option<String>> = all
        .iter()
        .map(|e| (!e.notes.is_empty()).then(|| serde_json::to_string(&e.notes).unwrap_or_default()))
        .collect();
    let mut tags = ListBuilder::new(StringBuilder::new());
    for experiment in all {
        experiment.tags.iter().for_each(|tag| tags.values().append_value(tag));
        tags.append(true);
    }
    let tags = Arc::new(tags.finish()) as ArrayRef;
    table(vec![
        (text("project"), texts(|e| Some(&e.project))),
        (text("experiment"), texts(|e| Some(&e.name))),
        (text("experiment_id"), texts(|e| Some(&e.id))),
        (time("created"), time_array(all.iter().map(|e| e.created))),
        (text("status"), texts(|e| Some(if e.status == ExperimentStatus::Partial { "partial" } else { "complete" }))),
        (int("rows"), ints(|e| Some(e.rows))),
        (int("cases"), ints(|e| Some(e.cases))),
        (int("spans"), ints(|e| Some(e.spans))),
        (int("declared_total"), ints(|e| e.declared_total)),
        (text("dataset"), texts(|e| e.dataset.as_deref())),
        (text("dataset_version"), texts(|e| e.dataset_version.as_deref())),
        (text("base_experiment_id"), texts(|e| e.base_experiment_id.as_deref())),
        (text("branch"), texts(|e| e.branch.as_deref())),
        (text("commit"), texts(|e| e.commit.as_deref())),
        (Field::new("tags", tags.data_type().clone(), true), tags),
        (json("metadata"), text_array(metadata.iter().map(Option::as_deref))),
        (text("format"), texts(|e| Some(&e.format))),
        (text("source"), texts(|e| e.source.as_deref())),
        (json("notes"), text_array(notes.iter().map(Option::as_deref))),
    ])
}

/// One row a project.
pub(crate) fn projects(all: &[Experiment]) -> Result<Arc<dyn TableProvider>> {
    struct Totals {
        experiments: i64,
        rows: i64,
        first: Option<i64>,
        last: Option<i64>,
    }
    let mut projects: BTreeMap<&str, Totals> = BTreeMap::new();
    for experiment in all {
        let totals =
            projects.entry(&experiment.project).or_insert(Totals { experiments: 0, rows: 0, first: None, last: None });
        totals.experiments += 1;
        totals.rows += experiment.rows;
        totals.first = [totals.first, experiment.created].into_iter().flatten().min();
        totals.last = [totals.last, experiment.created].into_iter().flatten().max();
    }
    table(vec![
        (text("project"), text_array(projects.keys().map(|name| Some(*name)))),
        (int("experiments"), int_array(projects.values().map(|p| Some(p.experiments)))),
        (int("rows"), int_array(projects.values().map(|p| Some(p.rows)))),
        (time("first_created"), time_array(projects.values().map(|p| p.first))),
        (time("last_created"), time_array(projects.values().map(|p| p.last))),
    ])
}

/// One row a dataset and version that experiments name.
pub(crate) fn datasets(all: &[Experiment]) -> Result<Arc<dyn TableProvider>> {
    let mut datasets: BTreeMap<(&str, &str, Option<&str>), i64> = BTreeMap::new();
    for experiment in all {
        if let Some(dataset) = &experiment.dataset {
            *datasets.entry((&experiment.project, dataset, experiment.dataset_version.as_deref())).or_default() += 1;
        }
    }
    table(vec![
        (text("project"), text_array(datasets.keys().map(|(project, _, _)| Some(*project)))),
        (text("dataset"), text_array(datasets.keys().map(|(_, name, _)| Some(*name)))),
        (text("dataset_version"), text_array(datasets.keys().map(|(_, _, version)| *version))),
        (int("experiments"), int_array(datasets.values().map(|count| Some(*count)))),
    ])
}
