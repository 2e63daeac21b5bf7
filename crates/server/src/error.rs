//! Errors of requests, and the one place where errors of the crates below become statuses.

use std::time::Duration;

use axum::Json;
use axum::http::header::{RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use datafusion::error::DataFusionError;
use evalhouse_analysis::{AnalysisError, NamedQueryError};
use evalhouse_journal::{FaultReason, JournalError, RowFault};
use evalhouse_live::LiveError;
use evalhouse_report::ReportError;
use evalhouse_session::SessionError;
use evalhouse_store::{StoreError, WriteError};
use serde::{Deserialize, Serialize};

/// When somebody whose rows found no room should come back.
const JOURNAL_FULL_RETRY: Duration = Duration::from_secs(2);

/// Why a request is not answered, in words for who sent it.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{message}")]
pub struct ApiError {
    status: StatusCode,
    message: String,
    hint: Option<String>,
    retry_after: Option<Duration>,
    /// What the log is told of a fault of ours: its kind, never data.
    fault: Option<String>,
}

/// The body of every answer that is an error.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ErrorAnswer {
    /// What is wrong.
    pub error: ErrorDetail,
}

/// What is wrong with a request.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ErrorDetail {
    /// What happened, with the value and the place.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
    /// The HTTP status.
    pub status: u16,
}

impl ApiError {
    /// An error of the given status.
    pub fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self { status, message: message.into(), hint: None, retry_after: None, fault: None }
    }

    /// Something in the request that cannot be used: 400.
    pub fn bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message)
    }

    /// Something that does not exist, or not for this key: 404.
    pub fn not_found(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, message)
    }

    /// Something that this key may not do: 403.
    pub fn forbidden(message: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, message)
    }

    /// A missing or wrong key: 401.
    pub fn unauthorized(message: impl Into<String>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, message)
            .with_hint("send `Authorization: Bearer KEY`; `evalhouse keys create NAME` makes a key")
    }

    /// A fault of ours: 500. The kind goes to the log; the client learns that there is one.
    pub fn fault(kind: impl Into<String>) -> Self {
        let message = "the server failed; its log has the request's id and the kind of failure";
        Self { fault: Some(kind.into()), ..Self::new(StatusCode::INTERNAL_SERVER_ERROR, message) }
    }

    /// The error with the way out.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The error with the time after which to try again.
    #[must_use]
    pub fn retry_after(mut self, time: Duration) -> Self {
        self.retry_after = Some(time);
        self
    }

    /// What happened.
    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    /// Its status.
    pub fn status(&self) -> StatusCode {
        self.status
    }
}

/// The kind of a failure that a response carries to the log.
#[derive(Debug, Clone)]
pub(crate) struct Fault(pub(crate) String);

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let detail = ErrorDetail { message: self.message, hint: self.hint, status: self.status.as_u16() };
        let mut response = (self.status, Json(ErrorAnswer { error: detail })).into_response();
        if let Some(time) = self.retry_after {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(time.as_secs().max(1)));
        }
        if self.status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if let Some(kind) = self.fault {
            response.extensions_mut().insert(Fault(kind));
        }
        response
    }
}

impl From<AnalysisError> for ApiError {
    fn from(error: AnalysisError) -> Self {
        let status = match error {
            AnalysisError::Session(error) => return error.into(),
            AnalysisError::UnknownExperiment { .. }
            | AnalysisError::NoExperiment { .. }
            | AnalysisError::UnknownCase { .. }
            | AnalysisError::UnknownProject { .. } => StatusCode::NOT_FOUND,
            AnalysisError::AmbiguousExperiment { .. }
            | AnalysisError::AmbiguousCase { .. }
            | AnalysisError::Expression { .. }
            | AnalysisError::UnknownScore { .. }
            | AnalysisError::SettingChange { .. } => StatusCode::BAD_REQUEST,
            AnalysisError::Setting { .. } => StatusCode::CONFLICT,
        };
        let hint = error.hint();
        hint.into_iter().fold(Self::new(status, as_parameter(error.to_string())), Self::with_hint)
    }
}

/// The analyses name options as the command line writes them; here they are parameters.
fn as_parameter(text: String) -> String {
    text.strip_prefix("--").map(str::to_string).unwrap_or(text)
}

impl From<SessionError> for ApiError {
    fn from(error: SessionError) -> Self {
        let message = error.to_string();
        match error {
            SessionError::Store(error) => error.into(),
            SessionError::Query { .. } | SessionError::Language { .. } => Self::bad_request(message),
            SessionError::ReadOnly { .. } => {
                Self::forbidden(message).with_hint("SQL over HTTP reads; it changes nothing and names no files")
            }
            SessionError::Resources { .. } => Self::new(StatusCode::UNPROCESSABLE_ENTITY, message)
                .with_hint("ask for fewer columns or rows; `evalhouse serve --query-memory` raises the limit"),
            SessionError::Engine(error) => Self::fault(format!("engine: {}", variant(error.find_root()))),
        }
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        let busy = |error: &StoreError| {
            Self::new(StatusCode::SERVICE_UNAVAILABLE, error.to_string()).retry_after(Duration::from_secs(1))
        };
        match &error {
            StoreError::Conflict { .. } | StoreError::Contention { .. } => busy(&error),
            StoreError::MixedFile { .. } => {
                let refused = Self::forbidden(format!("this key may see only some projects, and {error}"));
                error.hint().into_iter().fold(refused, ApiError::with_hint)
            }
            StoreError::InvalidUrl { .. } | StoreError::NotFound { .. } | StoreError::NewerFormat { .. } => {
                Self::fault(format!("store: {error}"))
            }
            StoreError::Corrupt { place, .. } => Self::fault(format!("store: {place} does not parse")),
            StoreError::Delta(error) => Self::fault(format!("store: table: {error}")),
            StoreError::ObjectStore(error) => Self::fault(format!("store: object store: {error}")),
            StoreError::Io(error) => Self::fault(format!("store: temporary file: {error}")),
            StoreError::Parquet(_) => Self::fault("store: parquet"),
            StoreError::Arrow(_) => Self::fault("store: arrow"),
            StoreError::Spill(_) => Self::fault("store: temporary rows"),
        }
    }
}

impl From<LiveError> for ApiError {
    fn from(error: LiveError) -> Self {
        let message = error.to_string();
        match error {
            LiveError::Row { .. } => Self::bad_request(message),
            LiveError::UnknownObject { .. } => Self::not_found(message),
            LiveError::Journal(error) => error.into(),
            LiveError::Store(error) | LiveError::Write(WriteError::Store(error)) => error.into(),
            // Checked before it was answered: what is stored is at fault.
            LiveError::Write(WriteError::Row(_)) => Self::fault("logged rows: a row that was taken is refused"),
        }
    }
}

impl From<JournalError> for ApiError {
    fn from(error: JournalError) -> Self {
        let (message, hint) = (error.to_string(), error.hint());
        match error {
            JournalError::Full { .. } => {
                let busy = Self::new(StatusCode::TOO_MANY_REQUESTS, message).retry_after(JOURNAL_FULL_RETRY);
                hint.into_iter().fold(busy, Self::with_hint)
            }
            JournalError::Locked { .. }
            | JournalError::Corrupt { .. }
            | JournalError::Poisoned(_)
            | JournalError::Io { .. } => Self::fault(format!("journal: {message}")),
        }
    }
}

impl From<RowFault> for ApiError {
    fn from(fault: RowFault) -> Self {
        match fault.reason {
            FaultReason::TooLarge { .. } | FaultReason::TooMany { .. } => {
                Self::new(StatusCode::PAYLOAD_TOO_LARGE, fault.to_string()).with_hint("send it in parts")
            }
            _ => Self::bad_request(fault.to_string()),
        }
    }
}

impl From<NamedQueryError> for ApiError {
    fn from(error: NamedQueryError) -> Self {
        match &error {
            NamedQueryError::Unknown { .. } => {
                Self::not_found(error.to_string()).with_hint("GET /api/v1/queries lists them")
            }
            NamedQueryError::Parameter { .. } => Self::bad_request(error.to_string()),
            NamedQueryError::Read { .. } | NamedQueryError::Header { .. } => Self::fault(error.to_string()),
        }
    }
}

impl From<ReportError> for ApiError {
    fn from(error: ReportError) -> Self {
        match error {
            ReportError::Arrow(_) | ReportError::Parquet(_) => {
                Self::bad_request("the rows have a column of a type that this format cannot hold")
                    .with_hint("choose another format, or cast the column to text")
            }
            ReportError::Json(_) => Self::fault("answer: JSON"),
            _ => Self::fault("answer: cannot be written"),
        }
    }
}

/// The kind of an engine error; its text may quote rows and queries.
fn variant(error: &DataFusionError) -> &'static str {
    match error {
        DataFusionError::ArrowError(..) => "arrow",
        DataFusionError::ParquetError(_) => "parquet",
        DataFusionError::ObjectStore(_) => "object store",
        DataFusionError::IoError(_) => "input or output",
        DataFusionError::Internal(_) => "internal",
        DataFusionError::ExecutionJoin(_) => "a task died",
        DataFusionError::ResourcesExhausted(_) => "resources",
        DataFusionError::External(_) => "external",
        _ => "other",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_users_error_is_never_a_fault() {
        let errors: Vec<ApiError> = vec![
            AnalysisError::UnknownExperiment { text: "x".into(), suggestion: None }.into(),
            AnalysisError::Expression { place: "--where", text: "x".into(), message: "no".into() }.into(),
            SessionError::Query { message: "no".into() }.into(),
            SessionError::ReadOnly { statement: "COPY".into() }.into(),
            SessionError::Resources { limit_mib: 1, message: "full".into() }.into(),
            StoreError::MixedFile { file: "f".into() }.into(),
        ];
        for error in errors {
            assert!(error.status().is_client_error(), "{error}");
            assert!(error.fault.is_none());
        }
    }

    #[test]
    fn options_are_named_as_parameters() {
        let error = AnalysisError::Expression { place: "--where", text: "x".into(), message: "no".into() };
        assert!(ApiError::from(error).to_string().starts_with("where: "));
    }

    #[test]
    fn a_fault_says_nothing_of_itself() {
        let error = SessionError::Engine(DataFusionError::Internal("row: secret".into()));
        let error = ApiError::from(error);
        assert!(!format!("{error:?}").contains("secret"));
        assert_eq!(error.status(), StatusCode::INTERNAL_SERVER_ERROR);
    }
}
