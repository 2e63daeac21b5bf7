//! What the Braintrust SDKs call: the protocol of their writes and reads, over the same store.
//!
//! The Python SDK speaks the `/v1/…` operations, the JavaScript SDK the older `/api/…` ones and `/btql`.
//! Both end in the same few functions: projects and objects are got or made in [`objects`], rows go
//! through [`evalhouse_live`], and reads are plans over a session that has seen every answered write.

mod btql;
mod datasets;
mod events;
mod experiments;
mod fetch;
mod logs;
mod objects;
mod organisation;
mod projects;
mod shapes;
mod summary;

use crate::route::Route;

/// The routes of the protocol, by resource.
pub(crate) fn routes() -> Vec<Route> {
    let resources = [
        organisation::routes,
        projects::routes,
        experiments::routes,
        datasets::routes,
        logs::routes,
        fetch::routes,
        summary::routes,
        btql::routes,
    ];
    resources.into_iter().flat_map(|resource| resource()).collect()
}
