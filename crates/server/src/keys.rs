//! API keys: who may do what. They live in the store, hashed.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{DateTime, SecondsFormat, Utc};
use evalhouse_store::{Document, Store, StoreError};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use tokio::sync::Mutex;

/// Kind of the documents that hold keys.
const KIND: &str = "api_key";
/// What every key begins with, so that it is told from other secrets.
const PREFIX: &str = "eh_";
/// Bytes of chance in a key.
const SECRET_BYTES: usize = 32;
/// How long a key that was made or revoked elsewhere may go unnoticed.
const FRESH: Duration = Duration::from_secs(2);
/// How long at least between two looks for a key that is not known.
const FRESH_FOR_UNKNOWN: Duration = Duration::from_millis(200);

/// What a key may do. Each role may do what those before it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Ask.
    Read,
    /// Log and change rows.
    Write,
    /// Change settings, and delete.
    Admin,
}

impl Role {
    /// Every role, weakest first.
    pub const ALL: [Self; 3] = [Self::Read, Self::Write, Self::Admin];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Admin => "admin",
        }
    }
}

impl std::fmt::Display for Role {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// A key as it is stored: everything but the key itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApiKey {
    /// Its name, one in the store.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// The only projects it may see; all without.
    pub projects: Option<BTreeSet<String>>,
    /// When it was made, RFC 3339 UTC.
    pub created: String,
    /// When it was revoked.
    pub revoked: Option<String>,
    /// SHA-256 of the key, hexadecimal.
    hash: String,
}

/// Why a key was not made or revoked.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// There is a key of this name.
    #[error("there is a key `{name}` already")]
    Taken {
        /// The name.
        name: String,
    },
    /// There is no key of this name.
    #[error("there is no key `{name}`{}", suggestion.as_ref().map(|near| format!("; did you mean `{near}`?")).unwrap_or_default())]
    Unknown {
        /// As the user wrote it.
        name: String,
        /// The nearest name.
        suggestion: Option<String>,
    },
    /// A name that says nothing.
    #[error("`{name}` is no name for a key: {reason}")]
    Name {
        /// As the user wrote it.
        name: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The system has no random numbers.
    #[error("the system gives no random numbers: {0}")]
    Random(#[from] getrandom_shared::Error),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Makes a key. Returns the key itself, which is stored nowhere.
///
/// # Errors
/// [`KeyError::Taken`], [`KeyError::Name`], and when the store cannot be written.
pub async fn create_key(
    store: &Store,
    name: &str,
    role: Role,
    projects: Option<BTreeSet<String>>,
) -> Result<String, KeyError> {
    let wrong = |reason| KeyError::Name { name: name.into(), reason };
    if name.trim().is_empty() || name.trim() != name {
        return Err(wrong("it is empty or has blanks around it"));
    }
    if name.chars().any(char::is_control) || name.chars().count() > 100 {
        return Err(wrong("it has control characters or more than 100 characters"));
    }
    let known = list_keys(store).await?;
    if known.iter().any(|key| key.name == name) {
        return Err(KeyError::Taken { name: name.into() });
    }
    let mut secret = [0_u8; SECRET_BYTES];
    getrandom_shared::getrandom(&mut secret)?;
    let token = format!("{PREFIX}{}", hex(&secret));
    let key = ApiKey { name: name.into(), role, projects, created: now(), revoked: None, hash: hash(&token) };
    put(store, &key).await?;
    Ok(token)
}

/// The keys, revoked ones too, oldest first.
///
/// # Errors
/// When the store cannot be read.
pub async fn list_keys(store: &Store) -> Result<Vec<ApiKey>, StoreError> {
    let read = |document: Document| {
        let place = format!("key `{}`", document.name);
        serde_json::from_value(document.body).map_err(|source| StoreError::Corrupt { place, source })
    };
    let mut keys: Vec<ApiKey> = store.documents(KIND).await?.into_iter().map(read).collect::<Result<_, _>>()?;
    keys.sort_by(|a, b| (&a.created, &a.name).cmp(&(&b.created, &b.name)));
    Ok(keys)
}

/// Revokes a key. One that is revoked already stays as it is.
///
/// # Errors
/// [`KeyError::Unknown`], and when the store cannot be written.
pub async fn revoke_key(store: &Store, name: &str) -> Result<(), KeyError> {
    let keys = list_keys(store).await?;
    let Some(key) = keys.iter().find(|key| key.name == name) else {
        let near = keys.iter().map(|key| (strsim::jaro_winkler(&key.name, name), &key.name));
        let best = near.filter(|(near, _)| *near > 0.75).max_by(|a, b| a.0.total_cmp(&b.0));
        return Err(KeyError::Unknown { name: name.into(), suggestion: best.map(|(_, name)| name.clone()) });
    };
    if key.revoked.is_none() {
        put(store, &ApiKey { revoked: Some(now()), ..key.clone() }).await?;
    }
    Ok(())
}

async fn put(store: &Store, key: &ApiKey) -> Result<(), StoreError> {
    let corrupt = |source| StoreError::Corrupt { place: format!("key `{}`", key.name), source };
    let body = serde_json::to_value(key).map_err(corrupt)?;
    // The name is the id: two that are made at once under one name end as one.
    let document = Document { id: key.name.clone(), project: String::new(), name: key.name.clone(), written: 0, body };
    store.put_document(KIND, document).await
}

fn now() -> String {
    DateTime::<Utc>::to_rfc3339_opts(&Utc::now(), SecondsFormat::Secs, true)
}

fn hash(token: &str) -> String {
    hex(&Sha256::digest(token.as_bytes()))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The keys of a store, looked up again as they change.
#[derive(Debug)]
pub(crate) struct KeyRing {
    store: Store,
    known: Mutex<Option<Known>>,
}

#[derive(Debug, Clone)]
struct Known {
    keys: Arc<[ApiKey]>,
    at: Instant,
}

impl KeyRing {
    pub(crate) fn new(store: Store) -> Self {
        Self { store, known: Mutex::default() }
    }

    /// Whether any key was ever made: then a request needs one.
    pub(crate) async fn is_in_use(&self) -> Result<bool, StoreError> {
        Ok(!self.keys(FRESH).await?.is_empty())
    }

    /// Whether there is a key that is not revoked.
    pub(crate) async fn opens(&self) -> Result<bool, StoreError> {
        Ok(self.keys(FRESH).await?.iter().any(|key| key.revoked.is_none()))
    }

    /// The key that a token is, revoked or not.
    pub(crate) async fn find(&self, token: &str) -> Result<Option<ApiKey>, StoreError> {
        match found(&self.keys(FRESH).await?, token) {
            Some(key) => Ok(Some(key)),
            None => Ok(found(&self.keys(FRESH_FOR_UNKNOWN).await?, token)),
        }
    }

    async fn keys(&self, fresh: Duration) -> Result<Arc<[ApiKey]>, StoreError> {
        let mut known = self.known.lock().await;
        if let Some(known) = known.as_ref().filter(|known| known.at.elapsed() < fresh) {
            return Ok(Arc::clone(&known.keys));
        }
        let at = Instant::now();
        let keys: Arc<[ApiKey]> = list_keys(&self.store).await?.into();
        *known = Some(Known { keys: Arc::clone(&keys), at });
        Ok(keys)
    }
}

/// Compares with every key, each in constant time, so that the time tells nothing of any.
fn found(keys: &[ApiKey], token: &str) -> Option<ApiKey> {
    let hash = hash(token);
    let mut found = None;
    for key in keys {
        if bool::from(key.hash.as_bytes().ct_eq(hash.as_bytes())) {
            found = Some(key.clone());
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn store(name: &str) -> Store {
        Store::create(&format!("memory://{name}/")).await.unwrap()
    }

    #[tokio::test]
    async fn a_key_is_made_once_found_and_revoked() {
        let store = store("keys-made").await;
        let projects = BTreeSet::from(["p".to_string()]);
        let token = create_key(&store, "nightly", Role::Write, Some(projects.clone())).await.unwrap();
        assert!(token.starts_with(PREFIX) && token.len() == PREFIX.len() + 2 * SECRET_BYTES);
        assert!(matches!(create_key(&store, "nightly", Role::Read, None).await, Err(KeyError::Taken { .. })));

        let stored = store.documents(KIND).await.unwrap();
        assert!(!stored[0].body.to_string().contains(&token));

        let ring = KeyRing::new(store.clone());
        let key = ring.find(&token).await.unwrap().unwrap();
        assert_eq!((key.role, key.projects), (Role::Write, Some(projects)));
        assert!(ring.find("eh_nothing").await.unwrap().is_none());

        revoke_key(&store, "nightly").await.unwrap();
        let ring = KeyRing::new(store.clone());
        assert!(ring.find(&token).await.unwrap().unwrap().revoked.is_some());
        assert!(ring.is_in_use().await.unwrap() && !ring.opens().await.unwrap());
        let unknown = revoke_key(&store, "nightli").await.unwrap_err().to_string();
        assert!(unknown.ends_with("did you mean `nightly`?"), "{unknown}");
    }

    #[tokio::test]
    async fn names_say_something() {
        let store = store("keys-named").await;
        for name in ["", " ", " x", "a\nb", &"x".repeat(101)] {
            assert!(matches!(create_key(&store, name, Role::Read, None).await, Err(KeyError::Name { .. })), "{name}");
        }
    }
}
