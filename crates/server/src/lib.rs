//! The HTTP server: what the SDKs speak, and every answer of the engine as JSON.
//!
//! - [`Server`] binds to an address and answers requests until it is told to stop.
//! - [`App`] is what handlers answer from: the [`Engine`] gives sessions, the [`Gate`] lets queries in.
//! - A resource is one file with a table of [`Route`]s; the router and [`openapi_description`] are both
//!   made from the tables.
//! - [`create_key`], [`list_keys`] and [`revoke_key`] look after API keys.
//!
//! A request passes, from outside in: the log and the counters, the net that catches panics, the guard
//! against foreign sites, compression; then its route's check of the key and of the parameters.

mod answers;
mod app;
mod auth;
mod body;
mod braintrust;
mod engine;
mod error;
mod gate;
mod given;
mod guard;
mod health;
mod keys;
mod logs;
mod metrics;
mod observe;
mod openapi;
mod options;
mod page;
mod route;
mod router;
mod rows;
mod schema;
mod scorings;
mod serve;

pub use app::App;
pub use auth::{Access, Caller};
pub use body::{JsonBody, Payload};
pub use engine::Engine;
pub use error::{ApiError, ErrorAnswer, ErrorDetail};
pub use gate::Gate;
pub use given::{Given, Parameter};
pub use keys::{ApiKey, KeyError, Role, create_key, list_keys, revoke_key};
pub use logs::{LogFormat, LogLevel, start_logs};
pub use metrics::Metrics;
pub use openapi::description as openapi_description;
pub use options::{DEFAULT_PORT, Limits, PageFiles, ServerOptions};
pub use route::Route;
pub use router::routes;
pub use schema::Components;
pub use serve::{ServeError, Server};
