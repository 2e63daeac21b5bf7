//! Experiments as Parquet spans in two Delta tables, on a disk or an object store.
//!
//! - [`Store`] opens or creates a store at a URL and commits experiments to it.
//! - [`ExperimentWriter`] takes spans and makes checked, rolled-up, sorted Parquet files of them.
//! - [`Snapshot`] is what a reader sees: files with statistics, columns, experiments.
//!
//! ```no_run
//! # async fn example(spans: Vec<evalhouse_model::Span>) -> Result<(), Box<dyn std::error::Error>> {
//! use evalhouse_model::Experiment;
//! use evalhouse_store::{Store, WriterOptions};
//!
//! let store = Store::create("./.evalhouse").await?;
//! let experiment = Experiment { id: "e1".into(), project: "p".into(), name: "first".into(), ..Default::default() };
//! let mut writer = store.writer(experiment, WriterOptions::default());
//! let staged = tokio::task::spawn_blocking(move || {
//!     for span in spans {
//!         writer.push(span)?;
//!     }
//!     writer.finish()
//! })
//! .await??;
//! store.commit(vec![staged]).await?;
//! # Ok(())
//! # }
//! ```
//!
//! The format is written down in `docs/FORMAT.md`. Nothing here knows SQL.

mod columns;
mod decode;
mod documents;
mod encode;
mod error;
mod fixed_columns;
mod location;
mod objects;
mod optimize;
mod reader;
mod registry;
mod set_aside;
mod shred;
mod snapshot;
mod span_files;
mod spill;
mod statistics;
mod store;
mod table;
mod traces;
mod upsert;
mod vacuum;
mod writer;

pub use columns::{Columns, Kind, PathColumn, decode_path, encode_path, is_dynamic_field};
pub use documents::Document;
pub use encode::{EXPERIMENT_FOOTER_KEY, FOOTER_KEY, FORMAT_VERSION, FileFooter};
pub use error::{RowError, StoreError, WriteError};
pub use location::Location;
pub use optimize::{KeyHasher, OptimizeOptions, OptimizeOutcome};
pub use snapshot::{DataFile, Snapshot};
pub use store::Store;
pub use upsert::{Touched, Wanted};
pub use vacuum::VacuumOutcome;
pub use writer::{ExperimentWriter, StagedExperiment, WriterOptions};
