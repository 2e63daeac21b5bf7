//! The two Delta tables: opened, created, committed to.

use std::collections::HashMap;

use deltalake_core::DeltaTable;
use deltalake_core::DeltaTableError;
use deltalake_core::kernel::transaction::{CommitBuilder, CommitProperties, TransactionError};
use deltalake_core::kernel::{Action, Add, DataType, MetadataExt, StructField, StructType};
use deltalake_core::operations::create::CreateBuilder;
use deltalake_core::protocol::{DeltaOperation, SaveMode};
use evalhouse_model::schema;

use crate::StoreError;
use crate::columns::Columns;
use crate::encode::FORMAT_VERSION;
use crate::location::Location;

/// Table of cases and spans.
pub(crate) const SPANS: &str = "spans";
/// Table of records.
pub(crate) const REGISTRY: &str = "registry";
/// Table property that holds the format version.
const FORMAT_PROPERTY: &str = "evalhouse.format";

/// Opens a table, or says that there is none.
pub(crate) async fn open(location: &Location, name: &str) -> Result<Option<DeltaTable>, StoreError> {
    let mut table = DeltaTable::new(location.log_store(name)?);
    match table.load().await {
        Ok(()) => {}
        Err(DeltaTableError::NotATable(_) | DeltaTableError::InvalidTableLocation(_)) => return Ok(None),
        Err(error) => {
            // A listing of nothing is reported in several ways, depending on the object store.
            return match table.log_store().is_delta_table_location().await {
                Ok(false) => Ok(None),
                _ => Err(error.into()),
            };
        }
    }
    let found = table.snapshot()?.metadata().configuration().get(FORMAT_PROPERTY).and_then(|v| v.parse().ok());
    match found {
        Some(found) if found > FORMAT_VERSION => {
            Err(StoreError::NewerFormat { url: location.text.clone(), found, supported: FORMAT_VERSION })
        }
        _ => Ok(Some(table)),
    }
}

/// Opens a table, creating it when there is none. Two creators at once end with one table.
pub(crate) async fn open_or_create(location: &Location, name: &str) -> Result<DeltaTable, StoreError> {
    if let Some(table) = open(location, name).await? {
        return Ok(table);
    }
    let columns = match name {
        SPANS => Columns::default().to_schema()?,
        _ => registry_schema()?,
    };
    let partitions: &[&str] = if name == SPANS { &[schema::IS_ROOT] } else { &[] };
    if location.url.scheme() == "file" {
        let folder = location.url.to_file_path().map_err(|()| StoreError::InvalidUrl {
            url: location.text.clone(),
            reason: "it is no folder path".into(),
        })?;
        std::fs::create_dir_all(folder.join(name))?;
    }
    let created = CreateBuilder::new()
        .with_log_store(location.log_store(name)?)
        .with_table_name(format!("evalhouse {name}"))
        .with_columns(columns.fields().cloned())
        .with_partition_columns(partitions.iter().copied())
        .with_configuration([(FORMAT_PROPERTY.to_string(), Some(FORMAT_VERSION.to_string()))])
        .with_raise_if_key_not_exists(false)
        .with_save_mode(SaveMode::Ignore)
        .await;
    match created {
        Ok(table) => Ok(table),
        Err(error) => match open(location, name).await? {
            Some(table) => Ok(table),
            None => Err(error.into()),
        },
    }
}

/// The registry: append-only records, newest wins.
fn registry_schema() -> Result<StructType, StoreError> {
    let text = |name: &str| StructField::nullable(name, DataType::STRING);
    StructType::try_new([
        text("kind"),
        text("id"),
        text("project"),
        text("name"),
        StructField::nullable("written", DataType::TIMESTAMP),
        StructField::nullable("deleted", DataType::BOOLEAN),
        text("body"),
    ])
    .map_err(|e| StoreError::Delta(e.into()))
}

/// The outcome of one attempt to commit.
pub(crate) enum Commit {
    Done,
    /// Another writer was first: look again and decide again.
    Outdated,
}

/// Commits `actions` on top of exactly the version that `table` has loaded.
pub(crate) async fn commit(table: &DeltaTable, actions: Vec<Action>, mode: SaveMode) -> Result<Commit, StoreError> {
    let operation = DeltaOperation::Write { mode, partition_by: None, predicate: None };
    let builder: CommitBuilder = CommitProperties::default().with_max_retries(0).into();
    let outcome =
        builder.with_actions(actions).build(Some(table.snapshot()?.snapshot()), table.log_store(), operation).await;
    match outcome {
        Ok(_) => Ok(Commit::Done),
        Err(
            DeltaTableError::VersionAlreadyExists(_)
            | DeltaTableError::Transaction {
                source:
                    TransactionError::MaxCommitAttempts(_)
                    | TransactionError::VersionAlreadyExists(_)
                    | TransactionError::CommitConflict(_),
            },
        ) => Ok(Commit::Outdated),
        Err(error) => Err(error.into()),
    }
}

/// The action that gives the table its columns, and tells older programs that they would misread it.
pub(crate) fn set_columns(table: &DeltaTable, columns: &Columns) -> Result<Action, StoreError> {
    let metadata = table.snapshot()?.metadata().clone();
    let metadata = metadata.with_schema(&columns.to_schema()?).map_err(DeltaTableError::from)?;
    let raised = metadata
        .add_config_key(FORMAT_PROPERTY.to_string(), FORMAT_VERSION.to_string())
        .map_err(DeltaTableError::from)?;
    Ok(Action::Metadata(raised))
}

/// Whether an older program made the table, and so with fewer columns.
pub(crate) fn is_older(table: &DeltaTable) -> Result<bool, StoreError> {
    let known = table.snapshot()?.metadata().configuration().get(FORMAT_PROPERTY).and_then(|text| text.parse().ok());
    Ok(known.is_none_or(|known: u32| known < FORMAT_VERSION))
}

/// The action that adds a file of rows that the table had before.
pub(crate) fn moved_file(path: String, size: u64, is_root: Option<bool>, statistics: String) -> Action {
    match add_file(path, size, is_root, statistics) {
        Action::Add(add) => Action::Add(Add { data_change: false, ..add }),
        other => other,
    }
}

/// The action that adds a file.
pub(crate) fn add_file(path: String, size: u64, is_root: Option<bool>, statistics: String) -> Action {
    let partition: HashMap<String, Option<String>> =
        is_root.map(|root| (schema::IS_ROOT.to_string(), Some(root.to_string()))).into_iter().collect();
    Action::Add(Add {
        path,
        partition_values: partition,
        size: i64::try_from(size).unwrap_or(i64::MAX),
        modification_time: chrono::Utc::now().timestamp_millis(),
        data_change: true,
        stats: Some(statistics),
        ..Add::default()
    })
}
