//! Many paths followed at once through one value, in time that does not grow with their number.

use std::collections::BTreeMap;

/// Distinct paths in order, each with what is to be done there.
pub(crate) struct Paths<'a, T>(Vec<(&'a [String], T)>);

/// The paths that lead through one place, which is as deep as `depth`.
pub(crate) struct Below<'p, T> {
    paths: &'p [(&'p [String], T)],
    depth: usize,
}

impl<'a, T: Default> Paths<'a, T> {
    /// Sorts paths; `add` puts what is said of one path together.
    pub(crate) fn new<I>(items: impl IntoIterator<Item = (&'a [String], I)>, add: impl Fn(&mut T, I)) -> Self {
        let mut paths = BTreeMap::<&[String], T>::new();
        for (path, item) in items {
            add(paths.entry(path).or_default(), item);
        }
        Self(paths.into_iter().collect())
    }

    /// All of them, seen from the row.
    pub(crate) fn all(&self) -> Below<'_, T> {
        Below { paths: &self.0, depth: 0 }
    }
}

impl<T> Below<'_, T> {
    pub(crate) fn is_empty(&self) -> bool {
        self.paths.is_empty()
    }

    /// What is to be done in this very place.
    pub(crate) fn here(&self) -> Option<&T> {
        // A path sorts before those it begins.
        self.paths.first().filter(|(path, _)| path.len() == self.depth).map(|(_, item)| item)
    }

    /// The paths that go on to a field of this place.
    pub(crate) fn at(&self, field: &str) -> Below<'_, T> {
        let name_of = |path: &[String]| path.get(self.depth).map(|name| name.as_str().cmp(field));
        let first = self.paths.partition_point(|(path, _)| name_of(path).is_none_or(|order| order.is_lt()));
        let paths = &self.paths[first..];
        let count = paths.partition_point(|(path, _)| name_of(path).is_some_and(|order| order.is_eq()));
        Below { paths: &paths[..count], depth: self.depth + 1 }
    }
}
