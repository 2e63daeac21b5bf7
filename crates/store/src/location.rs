//! Where a store is: one URL, one object store, one prefix.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use deltalake_core::logstore::{LogStoreRef, StorageConfig, default_logstore};
use object_store::local::LocalFileSystem;
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::prefix::PrefixStore;
use object_store::{ObjectStore, ObjectStoreScheme};
use url::Url;

use crate::StoreError;

/// Stores of `memory://NAME` URLs live as long as the process, so that the name means one store.
static MEMORY_STORES: LazyLock<Mutex<HashMap<String, Arc<InMemory>>>> = LazyLock::new(Mutex::default);

/// A parsed store URL with the object store behind it.
#[derive(Debug, Clone)]
pub struct Location {
    /// As the user wrote it, for messages.
    pub text: String,
    /// Normalised, with a trailing slash.
    pub url: Url,
    /// The object store at the root of the URL's authority (a bucket, a disk).
    pub root: Arc<dyn ObjectStore>,
    /// Path of the store below that root.
    pub prefix: Path,
}

impl Location {
    /// Parses a folder path or a `file`, `memory`, `s3`, `gs` or `az` URL. Credentials and endpoints
    /// come from the usual environment variables (`AWS_…`, `GOOGLE_…`, `AZURE_…`).
    pub fn parse(text: &str) -> Result<Self, StoreError> {
        let invalid = |reason: String| StoreError::InvalidUrl { url: text.to_string(), reason };
        let mut url = match Url::parse(text) {
            Ok(url) if text.contains("://") => url,
            _ => folder_url(text).map_err(invalid)?,
        };
        if url.query().is_some() || url.fragment().is_some() {
            return Err(invalid("a store URL has no `?` or `#`".into()));
        }
        if !url.path().ends_with('/') {
            url.set_path(&format!("{}/", url.path()));
        }
        let (root, prefix): (Arc<dyn ObjectStore>, Path) = match url.scheme() {
            "file" => {
                let path = Path::from_url_path(url.path()).map_err(|e| invalid(e.to_string()))?;
                (Arc::new(LocalFileSystem::new()), path)
            }
            "memory" => {
                let name = url.host_str().unwrap_or_default().to_string();
                let mut stores = MEMORY_STORES.lock().unwrap_or_else(PoisonError::into_inner);
                let store = stores.entry(name).or_default();
                (Arc::clone(store) as _, Path::from_url_path(url.path()).map_err(|e| invalid(e.to_string()))?)
            }
            scheme => {
                ObjectStoreScheme::parse(&url).map_err(|_| invalid(format!("unknown scheme `{scheme}`")))?;
                if matches!(scheme, "http" | "https") {
                    return Err(invalid("a plain web server cannot be written to".into()));
                }
                let environment = std::env::vars().map(|(name, value)| (name.to_ascii_lowercase(), value));
                let (store, path) =
                    object_store::parse_url_opts(&url, environment).map_err(|e| invalid(e.to_string()))?;
                (Arc::from(store), path)
            }
        };
        Ok(Self { text: text.to_string(), url, root, prefix })
    }

    /// The object-store path of a table, from the root.
    pub fn table_path(&self, table: &str) -> Path {
        self.prefix.clone().join(table)
    }

    /// The log of the Delta table of this name.
    pub(crate) fn log_store(&self, table: &str) -> Result<LogStoreRef, StoreError> {
        let url = self
            .url
            .join(&format!("{table}/"))
            .map_err(|e| StoreError::InvalidUrl { url: self.text.clone(), reason: e.to_string() })?;
        let prefixed = Arc::new(PrefixStore::new(Arc::clone(&self.root), self.table_path(table)));
        Ok(default_logstore(prefixed, Arc::clone(&self.root), &url, &StorageConfig::default()))
    }
}

fn folder_url(text: &str) -> Result<Url, String> {
    if text.is_empty() {
        return Err("it is empty".into());
    }
    let path = std::path::absolute(text).map_err(|e| e.to_string())?;
    Url::from_directory_path(&path).map_err(|()| "it is no folder path".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_name_stores() {
        assert_eq!(Location::parse("file:///a/b").unwrap().prefix.as_ref(), "a/b");
        assert_eq!(Location::parse("memory://x/y").unwrap().url.as_str(), "memory://x/y/");
        assert_eq!(Location::parse("s3://bucket/some/prefix").unwrap().prefix.as_ref(), "some/prefix");
        assert_eq!(Location::parse("gs://bucket/p").unwrap().prefix.as_ref(), "p");
        assert!(Location::parse("./relative").unwrap().url.path().ends_with("/relative/"));
        for bad in ["", "http://x/y", "ftp://x", "s3://b/p?q=1"] {
            assert!(matches!(Location::parse(bad), Err(StoreError::InvalidUrl { .. })), "{bad}");
        }
    }
}
