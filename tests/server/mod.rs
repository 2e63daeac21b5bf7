//! The server, in this process on a free port, asked as clients ask.

mod answers;
mod hostile;
mod keys;
mod limits;
mod logged;
mod observed;
mod page;
mod page_answers;
mod sql;
mod stops;

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use evalhouse_import::{ImportRequest, NoProgress};
use evalhouse_live::{Live, LiveError, LiveOptions};
use evalhouse_server::{Role, Server, ServerOptions, create_key};
use evalhouse_session::SessionOptions;
use evalhouse_store::Store;
use reqwest::header::CONTENT_TYPE;
use reqwest::{Client, Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::analysis::bundled_data;
use crate::cli::{BUNDLED, Program, round};

/// A server that runs until it is dropped.
struct Running {
    address: SocketAddr,
    client: Client,
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<Result<(), LiveError>>,
    _journal: TempDir,
}

impl Running {
    /// Over the bundled experiments, which nothing may change.
    async fn with_bundled_data() -> Self {
        Self::over(Store::open(&BUNDLED.display().to_string()).await.unwrap(), local()).await
    }

    /// Over a store, on a free port.
    async fn over(store: Store, options: ServerOptions) -> Self {
        let journal = tempfile::tempdir().unwrap();
        let live = Live::open(store, journal.path(), LiveOptions::default()).await.unwrap();
        let server = Server::bind(live, SessionOptions::default(), &options).await.unwrap();
        let address = server.address();
        let (stop, stopped) = oneshot::channel();
        let stopped = async move {
            // Dropped with the test, or told.
            let _ = stopped.await;
        };
        let task = tokio::spawn(server.run(stopped));
        Self { address, client: Client::new(), stop: Some(stop), task, _journal: journal }
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, self.url(path))
    }

    async fn get(&self, path: &str) -> Answer {
        Answer::of(self.request(Method::GET, path)).await
    }

    async fn sql(&self, query: &str) -> Answer {
        Answer::of(self.request(Method::POST, "/api/v1/sql").json(&json!({ "query": query }))).await
    }
}

/// What came back.
#[derive(Debug)]
struct Answer {
    status: StatusCode,
    content_type: String,
    bytes: Vec<u8>,
}

impl Answer {
    async fn of(request: RequestBuilder) -> Self {
        let response = request.send().await.unwrap();
        let content_type = response.headers().get(CONTENT_TYPE).map(|value| value.to_str().unwrap().to_string());
        let status = response.status();
        let bytes = response.bytes().await.unwrap().to_vec();
        Self { status, content_type: content_type.unwrap_or_default(), bytes }
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }

    #[track_caller]
    fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes).unwrap_or_else(|error| panic!("{error} in {}", self.text()))
    }

    /// The answer of a request that went well.
    #[track_caller]
    fn ok(&self) -> Value {
        assert_eq!(self.status, StatusCode::OK, "{}", self.text());
        self.json()
    }

    /// The message of a request that was refused with this status.
    #[track_caller]
    fn refused(&self, status: u16) -> String {
        assert_eq!(self.status.as_u16(), status, "{}", self.text());
        let error = &self.json()["error"];
        assert_eq!(error["status"], status);
        let hint = error["hint"].as_str().map(|hint| format!(" ({hint})")).unwrap_or_default();
        format!("{}{hint}", error["message"].as_str().unwrap())
    }
}

/// Listening on this machine alone, on a free port.
fn local() -> ServerOptions {
    ServerOptions { listen: ([127, 0, 0, 1], 0).into(), page: Some(evalhouse_page::file), ..ServerOptions::default() }
}

/// A store in a folder, with the bundled experiments as the project of this name.
async fn import(folder: &Path, project: &str) -> Store {
    let store = Store::create(&folder.join("store").display().to_string()).await.unwrap();
    import_file(&store, project, None, bundled_data().display().to_string()).await;
    store
}

/// Adds an experiment of one row to a store.
async fn add(store: &Store, project: &str, experiment: &str, row: &Value) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("rows.jsonl");
    let mut row = row.clone();
    for name in ["id", "span_id", "root_span_id"] {
        row[name] = json!(experiment);
    }
    std::fs::write(&file, format!("{row}\n")).unwrap();
    import_file(store, project, Some(experiment.into()), file.display().to_string()).await;
}

async fn import_file(store: &Store, project: &str, experiment: Option<String>, path: String) {
    let project = Some(project.to_string());
    let request = ImportRequest { paths: vec![path], project, experiment, ..Default::default() };
    let report = evalhouse_import::import(store, request, Arc::new(NoProgress)).await.unwrap();
    assert!(report.failed.is_empty(), "{:?}", report.failed);
}

/// Makes a key, perhaps for one project alone.
async fn key(store: &Store, name: &str, role: Role, project: Option<&str>) -> String {
    let projects = project.map(|project| BTreeSet::from([project.to_string()]));
    create_key(store, name, role, projects).await.unwrap()
}
