//! Sessions for requests: opened once, and again when the store has changed.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use evalhouse_live::Live;
use evalhouse_session::{Session, SessionOptions};
use evalhouse_store::Store;

use crate::auth::Caller;
use crate::error::ApiError;

/// A session is opened anew after this time, whatever the store says.
const AGE_MAX: Duration = Duration::from_secs(3_600);

/// Where requests get their sessions. Every session sees all that the store had when it was asked for.
#[derive(Debug)]
pub struct Engine {
    live: Live,
    options: SessionOptions,
    /// Bytes that one query may hold in memory.
    query_memory: usize,
    /// One session for all projects, and one for each set of projects that some key is restricted to.
    sessions: Mutex<HashMap<Option<BTreeSet<String>>, Place>>,
}

/// Where the newest session of some projects is kept; locked while it is opened.
type Place = Arc<tokio::sync::Mutex<Option<Opened>>>;

#[derive(Clone)]
struct Opened {
    session: Session,
    at: Instant,
}

impl std::fmt::Debug for Opened {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Opened").field("at", &self.at).finish_non_exhaustive()
    }
}

impl Engine {
    /// Sessions over the store that rows are written to.
    pub(crate) fn new(live: Live, options: SessionOptions, query_memory: usize) -> Self {
        Self { live, options, query_memory, sessions: Mutex::default() }
    }

    /// The store.
    pub fn store(&self) -> &Store {
        self.live.store()
    }

    /// A session over everything that was written and that the caller may see, for one query.
    ///
    /// # Errors
    /// When the store cannot be read, or what was logged cannot be put there.
    pub async fn session(&self, caller: &Caller) -> Result<Session, ApiError> {
        self.live.settle_all().await?;
        self.stored(caller).await
    }

    /// A session over what the caller may see of the store as it is now, for one query. It is for those
    /// who have put there what they are going to read.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub(crate) async fn stored(&self, caller: &Caller) -> Result<Session, ApiError> {
        let session = self.opened(caller.projects()).await?;
        Ok(session.with_memory_limit(self.query_memory)?)
    }

    /// Makes sure that the store can be read.
    ///
    /// # Errors
    /// When it cannot.
    pub(crate) async fn check(&self) -> Result<(), ApiError> {
        self.opened(None).await.map(|_| ())
    }

    async fn opened(&self, projects: Option<&BTreeSet<String>>) -> Result<Session, ApiError> {
        let place = {
            let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(sessions.entry(projects.cloned()).or_default())
        };
        let known = place.lock().await.clone();
        match known {
            Some(known) if self.is_current(&known).await? => Ok(known.session),
            _ => self.reopen(&place, projects).await,
        }
    }

    async fn reopen(&self, place: &Place, projects: Option<&BTreeSet<String>>) -> Result<Session, ApiError> {
        let mut opened = place.lock().await;
        // Somebody else may have opened it meanwhile.
        if let Some(known) = opened.as_ref()
            && self.is_current(known).await?
        {
            return Ok(known.session.clone());
        }
        let options = SessionOptions { projects: projects.cloned(), ..self.options.clone() };
        let at = Instant::now();
        let session = evalhouse_analysis::with_table_functions(Session::open(self.store().clone(), options).await?);
        *opened = Some(Opened { session: session.clone(), at });
        Ok(session)
    }

    async fn is_current(&self, known: &Opened) -> Result<bool, ApiError> {
        Ok(known.at.elapsed() < AGE_MAX && self.store().is_current(known.session.snapshot()).await?)
    }
}
