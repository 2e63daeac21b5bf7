//! A local server of the S3 protocol, in this process.

use std::sync::{Arc, OnceLock};

use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use s3s::auth::SimpleAuth;
use s3s::service::S3ServiceBuilder;

const BUCKET: &str = "evals";

/// A URL below a bucket of the local server, which is started on first use.
pub(crate) fn fresh_url(test: &str) -> String {
    static STARTED: OnceLock<tempfile::TempDir> = OnceLock::new();
    STARTED.get_or_init(start);
    format!("s3://{BUCKET}/{test}")
}

fn start() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join(BUCKET)).unwrap();
    let files = s3s_fs::FileSystem::new(folder.path()).unwrap();
    let (port, started) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async move {
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            port.send(listener.local_addr().unwrap().port()).unwrap();
            let service = {
                let mut builder = S3ServiceBuilder::new(files);
                builder.set_auth(SimpleAuth::from_single("test-key", "test-secret"));
                builder.build()
            };
            // The server looks for a file and then writes it: a conditional put is atomic, as it is in
            // S3, only when requests come one at a time.
            let turn = Arc::new(tokio::sync::Mutex::new(()));
            loop {
                let (socket, _) = listener.accept().await.unwrap();
                let (service, turn) = (service.clone(), Arc::clone(&turn));
                let service = service_fn(move |request| {
                    let (service, turn) = (service.clone(), Arc::clone(&turn));
                    async move {
                        let _mine = turn.lock().await;
                        hyper::service::Service::call(&service, request).await
                    }
                });
                tokio::spawn(async move {
                    let _ = Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(socket), service).await;
                });
            }
        });
    });
    let port = started.recv().unwrap();
    for (name, value) in [
        ("AWS_ENDPOINT", format!("http://127.0.0.1:{port}")),
        ("AWS_ALLOW_HTTP", "true".to_string()),
        ("AWS_ACCESS_KEY_ID", "test-key".to_string()),
        ("AWS_SECRET_ACCESS_KEY", "test-secret".to_string()),
        ("AWS_REGION", "us-east-1".to_string()),
    ] {
        // SAFETY: `OnceLock` runs this once, and every reader of these variables calls it first.
        unsafe { std::env::set_var(name, value) };
    }
    folder
}
