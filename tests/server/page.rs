//! The page: what the server sends of it. What it does in a browser, `web/tests` drive.

use reqwest::Method;
use reqwest::header::CONTENT_SECURITY_POLICY;

use super::{Answer, Running, import, key, local};
use evalhouse_server::Role;

#[tokio::test(flavor = "multi_thread")]
async fn every_place_opens_the_page_and_nothing_else_runs_on_it() {
    let server = Running::with_bundled_data().await;
    let first = server.get("/").await.text();
    for path in [
        "/",
        "/app/org",
        "/app/org/sql",
        "/app/org/p/support-assistant?where=x",
        "/app/org/p/a%2Fb%20c/settings",
        "/app/org/p/p/experiments/ex%2Fperi%20ment%3F%23",
        "/app/org/p/p/datasets/d",
        "/app/org/p/p/logs",
        "/app/org/object?object_type=experiment&object_id=x&id=y",
    ] {
        let response = server.request(Method::GET, path).send().await.unwrap();
        assert_eq!(response.status(), 200, "{path}");
        let policy = response.headers()[CONTENT_SECURITY_POLICY].to_str().unwrap().to_string();
        assert!(policy.contains("default-src 'self'") && !policy.contains("unsafe"), "{policy}");
        assert_eq!(response.text().await.unwrap(), first);
    }
    assert!(!first.contains("<script>") && !first.contains("style=") && !first.contains("//"), "{first}");
    let mut assets = first.split('"').filter(|text| text.starts_with("/assets/")).peekable();
    if assets.peek().is_none() {
        // Built by cargo alone: `make` builds the page first.
        assert!(first.contains("built without its page"));
        println!("skipped: this program was built without its page");
        return;
    }
    for path in assets {
        let asset = server.get(path).await;
        assert_eq!(asset.status, 200, "{path}");
        assert!(
            ["text/javascript", "text/css", "image/svg+xml"].iter().any(|kind| asset.content_type.starts_with(kind))
        );
    }
    for path in ["/assets/nothing.js", "/assets/..%2Findex.html", "/assets/%2e%2e%2fCargo.toml", "/assets/%00"] {
        assert_eq!(server.get(path).await.status, 404, "{path}");
    }
}

/// The page itself is for everybody; what it shows needs the key, which it keeps in a cookie.
#[tokio::test(flavor = "multi_thread")]
async fn the_page_brings_its_key_in_a_cookie() {
    let folder = tempfile::tempdir().unwrap();
    let store = import(folder.path(), "p").await;
    let token = key(&store, "reader", Role::Read, None).await;
    let server = Running::over(store, local()).await;
    assert_eq!(server.get("/").await.status, 200);
    let ask = async |cookie: &str| {
        Answer::of(server.request(Method::GET, "/api/v1/experiments").header("cookie", cookie)).await
    };
    ask(&format!("theme=dark; evalhouse_key={token}")).await.ok();
    ask("evalhouse_key=eh_0").await.refused(401);
    ask(&format!("other={token}")).await.refused(401);
    // A header is what counts where there is one.
    let request = server.request(Method::GET, "/api/v1/experiments").bearer_auth("eh_0");
    Answer::of(request.header("cookie", format!("evalhouse_key={token}"))).await.refused(401);
    // Another site's page cannot use it.
    let request = server.request(Method::GET, "/api/v1/experiments").header("origin", "http://evil.example");
    Answer::of(request.header("cookie", format!("evalhouse_key={token}"))).await.refused(403);
}
