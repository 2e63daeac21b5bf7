//! Requests that a web page of somebody else sends to this server are refused.
//!
//! A page can make the browser of whoever looks at it send requests to a server on their machine. It
//! can name that server by a domain of its own (DNS rebinding), which `Host` gives away, or by its
//! address, which `Origin` gives away.

use std::collections::HashSet;
use std::net::{IpAddr, SocketAddr};

use axum::http::header::{HOST, ORIGIN};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderValue, Uri};

use crate::error::ApiError;
use crate::options::ServerOptions;

/// Knows by which names this server may be called.
#[derive(Debug)]
pub(crate) struct Guard {
    names: HashSet<String>,
    /// Listening on every address of the machine, it is called by any of them. An address is never
    /// the work of DNS.
    any_address: bool,
    /// Pages served from elsewhere that may call: those of the public URL.
    origins: HashSet<String>,
}

impl Guard {
    pub(crate) fn new(options: &ServerOptions, listen: SocketAddr) -> Self {
        let mut names: HashSet<String> = ["localhost", "127.0.0.1", "::1"].map(str::to_string).into();
        names.insert(listen.ip().to_string());
        names.extend(options.allow_hosts.iter().map(|name| plain(name)));
        let public = options.public_url.as_ref();
        names.extend(public.and_then(|url| url.host_str()).map(plain));
        let origins = public.map(|url| url.origin().ascii_serialization().to_ascii_lowercase());
        Self { names, any_address: listen.ip().is_unspecified(), origins: origins.into_iter().collect() }
    }

    /// Refuses a request that is not meant for this server or comes from another site's page.
    pub(crate) fn check(&self, uri: &Uri, headers: &HeaderMap) -> Result<(), ApiError> {
        let hosts: Vec<&HeaderValue> = headers.get_all(HOST).iter().collect();
        let host = match hosts.as_slice() {
            [host] => authority(host).ok_or_else(|| ApiError::bad_request("the `Host` header is no host"))?,
            [] => return Err(ApiError::bad_request("the `Host` header is missing")),
            _ => return Err(ApiError::bad_request("there are several `Host` headers")),
        };
        for called in std::iter::once(&host).chain(uri.authority()) {
            if !self.is_ours(called.host()) {
                let hint = "`evalhouse serve --allow-host NAME` lets requests for another name in";
                return Err(ApiError::forbidden("the `Host` of the request is not this server").with_hint(hint));
            }
        }
        if headers.get_all(ORIGIN).iter().all(|origin| self.is_same(origin, &host)) {
            return Ok(());
        }
        let hint = "`evalhouse serve --public-url URL` names the site whose pages may send requests";
        Err(ApiError::forbidden("the `Origin` of the request is another site").with_hint(hint))
    }

    fn is_ours(&self, host: &str) -> bool {
        let host = plain(host);
        let is_address = || host.parse::<IpAddr>().is_ok();
        self.names.contains(&host) || host.ends_with(".localhost") || (self.any_address && is_address())
    }

    /// Whether a page is of this server: called by the same name and port as the request.
    fn is_same(&self, origin: &HeaderValue, host: &Authority) -> bool {
        let Ok(origin) = origin.to_str().map(str::to_ascii_lowercase) else { return false };
        let of_page = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"));
        self.origins.contains(&origin) || of_page.is_some_and(|page| page == host.as_str().to_ascii_lowercase())
    }
}

fn authority(value: &HeaderValue) -> Option<Authority> {
    let authority = Authority::try_from(value.as_bytes()).ok()?;
    // `user@host` is no host.
    (!authority.as_str().contains('@') && !authority.host().is_empty()).then_some(authority)
}

/// A name as it is compared: lower case, without the brackets of an address or the last dot.
fn plain(host: &str) -> String {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guard(listen: &str, public: Option<&str>, allowed: &[&str]) -> Guard {
        let options = ServerOptions {
            public_url: public.map(|url| url.parse().unwrap()),
            allow_hosts: allowed.iter().map(ToString::to_string).collect(),
            ..ServerOptions::default()
        };
        Guard::new(&options, listen.parse().unwrap())
    }

    fn lets_in(guard: &Guard, host: &str, origin: Option<&str>) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(HOST, host.parse().unwrap());
        if let Some(origin) = origin {
            headers.insert(ORIGIN, origin.parse().unwrap());
        }
        guard.check(&Uri::from_static("/"), &headers).is_ok()
    }

    #[test]
    fn a_local_server_has_local_names() {
        let guard = guard("127.0.0.1:8787", None, &[]);
        for host in ["localhost:8787", "LOCALHOST", "127.0.0.1:1", "[::1]:8787", "app.localhost:8787", "localhost."] {
            assert!(lets_in(&guard, host, None), "{host}");
        }
        for host in ["evil.example", "localhost.evil.example", "192.168.0.1", "a@localhost", "127.0.0.1.evil.example"] {
            assert!(!lets_in(&guard, host, None), "{host}");
        }
        assert!(guard.check(&Uri::from_static("/"), &HeaderMap::new()).is_err());
        let mut headers = HeaderMap::new();
        headers.insert(HOST, HeaderValue::from_static("localhost"));
        assert!(guard.check(&Uri::from_static("http://evil.example/"), &headers).is_err());
        headers.append(HOST, HeaderValue::from_static("localhost"));
        assert!(guard.check(&Uri::from_static("/"), &headers).is_err());
    }

    #[test]
    fn only_its_own_pages_may_call() {
        let guard = guard("127.0.0.1:8787", None, &[]);
        assert!(lets_in(&guard, "localhost:8787", Some("http://localhost:8787")));
        for origin in ["http://evil.example", "null", "http://localhost:3000", "file://localhost:8787", ""] {
            assert!(!lets_in(&guard, "localhost:8787", Some(origin)), "{origin}");
        }
    }

    #[test]
    fn further_names_are_given() {
        let guard = guard("0.0.0.0:8787", Some("https://evals.example.com/"), &["evalhouse"]);
        for host in ["evals.example.com", "evalhouse:8787", "10.1.2.3:8787", "[fd00::1]:8787"] {
            assert!(lets_in(&guard, host, None), "{host}");
        }
        assert!(!lets_in(&guard, "other.example.com", None));
        assert!(lets_in(&guard, "evalhouse:8787", Some("https://evals.example.com")));
    }
}
