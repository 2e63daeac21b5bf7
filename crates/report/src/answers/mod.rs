//! How each answer of `evalhouse-model` is laid out.

mod cases;
mod diff;
mod experiments;
mod import;
mod settings;
mod summary;
mod trace;

pub use diff::DiffWithCases;
