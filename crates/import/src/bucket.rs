//! Files in an object store.

use std::io;
use std::path::Path;
use std::sync::Arc;

use futures::TryStreamExt;
use glob::MatchOptions;
use object_store::{ObjectStore, ObjectStoreExt};
use tokio::runtime::Handle;
use url::Url;

use crate::content::RemoteObject;
use crate::discover::{is_hidden, path_error};
use crate::error::ImportError;

/// As in a folder: `*` stays in its level, and `**` does not.
const PATTERNS: MatchOptions =
    MatchOptions { case_sensitive: true, require_literal_separator: true, require_literal_leading_dot: false };

/// An object store, as a URL names it.
#[derive(Debug, Clone)]
pub(crate) struct Bucket {
    store: Arc<dyn ObjectStore>,
    /// Scheme and authority, for labels.
    origin: String,
    runtime: Handle,
}

/// One object that a URL names.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) key: String,
    pub(crate) bytes: u64,
    /// The URL is this object's own, not a folder's or pattern's.
    pub(crate) is_named: bool,
}

impl Bucket {
    /// Whether a path is a URL of an object store.
    pub(crate) fn is_url(path: &str) -> bool {
        let scheme = path.split_once("://").map(|(scheme, _)| scheme);
        scheme.is_some_and(|scheme| !scheme.is_empty() && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric()))
    }

    /// Finds the objects that a URL names: one, or all below a folder or pattern. Credentials and
    /// endpoints come from the usual environment variables (`AWS_…`, `GOOGLE_…`, `AZURE_…`).
    pub(crate) fn find(text: &str) -> Result<(Self, Vec<Found>), ImportError> {
        let failed = |source: io::Error| path_error(text, source);
        let pattern_at = text.find(['*', '?', '[']);
        let is_pattern = pattern_at.is_some();
        // A pattern is no part of the URL: its characters have other meanings there.
        let fixed = &text[..text[..pattern_at.unwrap_or(text.len())].rfind('/').map_or(0, |at| at + 1)];
        let url = Url::parse(if is_pattern { fixed } else { text }).map_err(|e| failed(invalid(&e)))?;
        let environment = std::env::vars().map(|(name, value)| (name.to_ascii_lowercase(), value));
        let (store, prefix) = object_store::parse_url_opts(&url, environment).map_err(|e| failed(invalid(&e)))?;
        let origin = format!("{}://{}", url.scheme(), url.host_str().unwrap_or_default());
        let bucket = Self { store: Arc::from(store), origin, runtime: Handle::current() };
        if let Some(bytes) = bucket.size_of(prefix.as_ref()).filter(|_| !is_pattern) {
            let key = prefix.to_string();
            return Ok((bucket, vec![Found { key, bytes, is_named: true }]));
        }
        let folder = if prefix.as_ref().is_empty() {
            String::new()
        } else {
            format!("{}/", glob::Pattern::escape(prefix.as_ref()))
        };
        let pattern = is_pattern.then(|| glob::Pattern::new(&format!("{folder}{}", &text[fixed.len()..])));
        let pattern = pattern
            .transpose()
            .map_err(|error| ImportError::Pattern { pattern: text.to_string(), message: error.msg.to_string() })?;
        let listed = bucket.runtime.block_on(bucket.store.list(Some(&prefix)).try_collect::<Vec<_>>());
        let mut keys = Vec::new();
        for object in listed.map_err(|e| failed(io::Error::other(e)))? {
            let key = object.location.to_string();
            let below = key.strip_prefix(prefix.as_ref()).unwrap_or(&key);
            let is_wanted = pattern.as_ref().is_none_or(|p| p.matches_with(&key, PATTERNS));
            if is_wanted && !below.split('/').any(|segment| is_hidden(Path::new(segment))) {
                keys.push(Found { key, bytes: object.size, is_named: false });
            }
        }
        if keys.is_empty() && !is_pattern {
            return Err(failed(io::Error::new(io::ErrorKind::NotFound, "no such object or folder")));
        }
        keys.sort_by(|a, b| a.key.cmp(&b.key));
        Ok((bucket, keys))
    }

    /// An object as a user would write it.
    pub(crate) fn label(&self, key: &str) -> String {
        format!("{}/{key}", self.origin)
    }

    /// The bytes of an object.
    pub(crate) fn object(&self, key: &str, bytes: u64) -> RemoteObject {
        RemoteObject::new(Arc::clone(&self.store), path_of(key), bytes, self.runtime.clone())
    }

    /// The size of an object, if there is one with this key.
    pub(crate) fn size_of(&self, key: &str) -> Option<u64> {
        self.runtime.block_on(self.store.head(&path_of(key))).ok().map(|object| object.size)
    }

    /// Names of the objects in the folder of a key.
    pub(crate) fn siblings(&self, key: &str) -> io::Result<Vec<String>> {
        let folder = key.rsplit_once('/').map(|(folder, _)| path_of(folder));
        let listed = self.runtime.block_on(self.store.list_with_delimiter(folder.as_ref()));
        let objects = listed.map_err(io::Error::other)?.objects;
        Ok(objects.iter().filter_map(|object| object.location.filename().map(str::to_string)).collect())
    }
}

/// The path of a key that a store has listed: its odd characters are encoded already.
fn path_of(key: &str) -> object_store::path::Path {
    object_store::path::Path::parse(key).unwrap_or_else(|_| object_store::path::Path::from(key))
}

fn invalid(error: &dyn std::error::Error) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, error.to_string())
}
