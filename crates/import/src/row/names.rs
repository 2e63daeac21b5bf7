//! Names of scores and metrics, shared between the rows that repeat them.

use std::collections::HashMap;
use std::sync::Arc;

/// Names kept at most; a source with more of them makes its own each time.
const NAMES_MAX: usize = 16 << 10;

/// A table of shared names.
#[derive(Debug, Default)]
pub(crate) struct Names {
    known: HashMap<Box<str>, Arc<str>>,
}

impl Names {
    /// The shared form of a name.
    pub(crate) fn get(&mut self, name: &str) -> Arc<str> {
        if let Some(known) = self.known.get(name) {
            return Arc::clone(known);
        }
        let shared: Arc<str> = Arc::from(name);
        if self.known.len() < NAMES_MAX {
            self.known.insert(name.into(), Arc::clone(&shared));
        }
        shared
    }
}
