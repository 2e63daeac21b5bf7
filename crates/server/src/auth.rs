//! Who sends a request, and what they may do.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::header::{AUTHORIZATION, COOKIE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue};
use evalhouse_store::StoreError;

use crate::error::ApiError;
use crate::keys::{KeyRing, Role};

/// Where the page keeps the key it was given.
const PAGE_COOKIE: &str = "evalhouse_key";

/// What a route asks of who calls it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Nothing: anybody may.
    Open,
    /// A key of at least this role. What it is shown, it sees through its own session, and what it
    /// changes, the handler asks [`Caller::permit`] about.
    Needs(Role),
    /// A key of at least this role that is not restricted to projects.
    NeedsAllProjects(Role),
}

/// Who sends a request.
#[derive(Debug, Clone)]
pub struct Caller {
    name: Arc<str>,
    role: Role,
    projects: Option<Arc<BTreeSet<String>>>,
}

impl Caller {
    /// Somebody on this machine, where no keys are in use.
    fn local() -> Self {
        Self { name: "local".into(), role: Role::Admin, projects: None }
    }

    /// The name of the key.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What the key may do.
    pub fn role(&self) -> Role {
        self.role
    }

    /// The only projects that the caller may see; all without.
    pub fn projects(&self) -> Option<&BTreeSet<String>> {
        self.projects.as_deref()
    }

    /// Makes sure that the caller may see a project.
    ///
    /// # Errors
    /// 404 where not, as if there were none.
    pub fn permit(&self, project: &str) -> Result<(), ApiError> {
        match self.projects() {
            Some(projects) if !projects.contains(project) => {
                Err(ApiError::not_found(format!("there is no project `{project}` for the key `{}`", self.name)))
            }
            _ => Ok(()),
        }
    }

    /// Makes sure that the caller may use a route.
    pub(crate) fn admit(&self, access: Access) -> Result<(), ApiError> {
        let (role, is_whole) = match access {
            Access::Open => return Ok(()),
            Access::Needs(role) => (role, false),
            Access::NeedsAllProjects(role) => (role, true),
        };
        if self.role < role {
            let message = format!("the key `{}` may {}; this needs a key that may {role}", self.name, self.role);
            let hint = format!("`evalhouse keys create NAME --role {role}` makes one");
            return Err(ApiError::forbidden(message).with_hint(hint));
        }
        if is_whole && self.projects.is_some() {
            let message = format!("the key `{}` is restricted to some projects; this needs one that is not", self.name);
            return Err(ApiError::forbidden(message).with_hint("`evalhouse keys create NAME` without --project"));
        }
        Ok(())
    }
}

impl<S: Sync> FromRequestParts<S> for Caller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let caller = parts.extensions.get::<Self>().cloned();
        caller.ok_or_else(|| ApiError::fault("a route that is open to all asks who calls"))
    }
}

/// Tells who sends a request.
#[derive(Debug)]
pub(crate) struct Auth {
    ring: KeyRing,
    /// Whether a request without a key is let in while no key was ever made.
    is_local: bool,
}

impl Auth {
    pub(crate) fn new(ring: KeyRing, is_local: bool) -> Self {
        Self { ring, is_local }
    }

    /// Whether a request needs no key: nobody else can send one, and no key was ever made.
    pub(crate) async fn is_open(&self) -> Result<bool, StoreError> {
        Ok(self.is_local && !self.ring.is_in_use().await?)
    }

    /// Who sends a request with these headers.
    pub(crate) async fn caller(&self, headers: &HeaderMap) -> Result<Caller, ApiError> {
        if self.is_open().await? {
            return Ok(Caller::local());
        }
        let token = match headers.get(AUTHORIZATION) {
            Some(value) => bearer(value),
            None => headers.get_all(COOKIE).iter().find_map(in_cookie),
        };
        let Some(token) = token else {
            return Err(ApiError::unauthorized("this needs an API key"));
        };
        let Some(key) = self.ring.find(token).await? else {
            return Err(ApiError::unauthorized("the API key is not known"));
        };
        if key.revoked.is_some() {
            return Err(ApiError::unauthorized("the API key has been revoked"));
        }
        Ok(Caller { name: key.name.into(), role: key.role, projects: key.projects.map(Arc::new) })
    }
}

fn bearer(value: &HeaderValue) -> Option<&str> {
    let (scheme, token) = value.to_str().ok()?.trim().split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// The key that somebody gave the page, which keeps it in a cookie: a download is a link, and links have
/// no headers. The cookie is `SameSite=Strict`, and [`crate::guard`] refuses other sites.
fn in_cookie(value: &HeaderValue) -> Option<&str> {
    let mut cookies = value.to_str().ok()?.split(';').filter_map(|one| one.trim().split_once('='));
    cookies.find(|(name, _)| *name == PAGE_COOKIE).map(|(_, token)| token)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_follows_its_scheme() {
        let token = |text: &'static str| bearer(&HeaderValue::from_static(text)).map(str::to_string);
        assert_eq!(token("Bearer eh_1"), Some("eh_1".into()));
        assert_eq!(token("bearer  eh_1 "), Some("eh_1".into()));
        assert_eq!(token("Basic eh_1"), None);
        assert_eq!(token("eh_1"), None);
    }

    #[test]
    fn a_cookie_is_found_among_others() {
        let token = |text: &'static str| in_cookie(&HeaderValue::from_static(text)).map(str::to_string);
        assert_eq!(token("a=1; evalhouse_key=eh_1; b=2"), Some("eh_1".into()));
        assert_eq!(token("my_evalhouse_key=eh_1"), None);
        assert_eq!(token("evalhouse_key"), None);
    }

    #[test]
    fn roles_and_projects_are_asked_for() {
        let projects = Some(Arc::new(BTreeSet::from(["p".to_string()])));
        let caller = Caller { name: "k".into(), role: Role::Write, projects };
        assert!(caller.admit(Access::Needs(Role::Read)).is_ok());
        assert!(caller.admit(Access::Needs(Role::Admin)).is_err());
        assert!(caller.admit(Access::NeedsAllProjects(Role::Read)).is_err());
        assert!(caller.permit("p").is_ok() && caller.permit("q").is_err());
        assert!(Caller::local().admit(Access::NeedsAllProjects(Role::Admin)).is_ok());
    }
}
