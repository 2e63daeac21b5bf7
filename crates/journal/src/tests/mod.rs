//! Tests of the crate as its users see it.

mod crash;
mod journal;
mod merge;
mod request;

use crate::{Incoming, ObjectKind, ObjectRef, Row};

fn experiment(id: &str) -> ObjectRef {
    ObjectRef { kind: ObjectKind::Experiment, id: id.to_owned() }
}

/// A row of an experiment.
fn incoming(object: &str, json: &str) -> Incoming {
    Incoming::new(experiment(object), Row::parse(json).unwrap()).unwrap()
}
