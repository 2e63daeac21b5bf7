//! One route: what it is called by, what it asks for, what it answers.
//!
//! A resource lists its routes in one table. The router is made from it, and so is the OpenAPI
//! description: a route cannot be in one and not in the other.

use axum::handler::Handler;
use axum::http::Method;
use axum::routing::{MethodFilter, MethodRouter, on};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::app::App;
use crate::auth::Access;
use crate::given::Parameter;
use crate::keys::Role;
use crate::schema::Components;

/// Makes the schema of a body.
pub(crate) type SchemaOf = fn(&mut Components) -> Value;

/// One method of one path.
pub struct Route {
    pub(crate) method: Method,
    /// As axum writes it: `/api/v1/experiments/{experiment}`.
    pub(crate) path: &'static str,
    /// What it does, in one sentence.
    pub(crate) summary: &'static str,
    pub(crate) access: Access,
    pub(crate) query: Query,
    pub(crate) body: Option<SchemaOf>,
    pub(crate) answer: Answer,
    pub(crate) handler: MethodRouter<App>,
}

/// What a route takes in its query string.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Query {
    /// These parameters; others are refused.
    Only(&'static [&'static Parameter]),
    /// These, and others that the handler knows.
    AtLeast(&'static [&'static Parameter]),
}

impl Query {
    pub(crate) fn parameters(self) -> &'static [&'static Parameter] {
        match self {
            Self::Only(parameters) | Self::AtLeast(parameters) => parameters,
        }
    }
}

/// What a route answers when all is well.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Answer {
    /// JSON of this shape.
    Json(SchemaOf),
    /// Rows in the format asked for.
    Rows,
    /// Text of this media type.
    Text(&'static str),
}

impl Route {
    /// A `GET` of a path.
    pub fn get<H: Handler<T, App>, T: 'static>(path: &'static str, summary: &'static str, handler: H) -> Self {
        Self::new(Method::GET, path, summary, on(MethodFilter::GET, handler))
    }

    /// A `POST` to a path.
    pub fn post<H: Handler<T, App>, T: 'static>(path: &'static str, summary: &'static str, handler: H) -> Self {
        Self::new(Method::POST, path, summary, on(MethodFilter::POST, handler))
    }

    /// A `PATCH` of a path.
    pub fn patch<H: Handler<T, App>, T: 'static>(path: &'static str, summary: &'static str, handler: H) -> Self {
        Self::new(Method::PATCH, path, summary, on(MethodFilter::PATCH, handler))
    }

    /// A `DELETE` of a path.
    pub fn delete<H: Handler<T, App>, T: 'static>(path: &'static str, summary: &'static str, handler: H) -> Self {
        Self::new(Method::DELETE, path, summary, on(MethodFilter::DELETE, handler))
    }

    fn new(method: Method, path: &'static str, summary: &'static str, handler: MethodRouter<App>) -> Self {
        Self {
            method,
            path,
            summary,
            access: Access::Needs(Role::Read),
            query: Query::Only(&[]),
            body: None,
            answer: Answer::Json(|_| Value::Object(Default::default())),
            handler,
        }
    }

    /// Who may call it; without, whoever may read.
    #[must_use]
    pub fn access(mut self, access: Access) -> Self {
        self.access = access;
        self
    }

    /// The parameters of its query string; any other is refused.
    #[must_use]
    pub fn takes(mut self, parameters: &'static [&'static Parameter]) -> Self {
        self.query = Query::Only(parameters);
        self
    }

    /// The parameters of its query string; the handler looks after others.
    #[must_use]
    pub fn takes_also(mut self, parameters: &'static [&'static Parameter]) -> Self {
        self.query = Query::AtLeast(parameters);
        self
    }

    /// The shape of its body.
    #[must_use]
    pub fn body<T: Serialize + DeserializeOwned>(mut self) -> Self {
        self.body = Some(|components| components.of::<T>());
        self
    }

    /// The shape of its body, where it is not that of one type.
    #[must_use]
    pub fn body_with(mut self, schema: SchemaOf) -> Self {
        self.body = Some(schema);
        self
    }

    /// The shape of its answer.
    #[must_use]
    pub fn answers<T: Serialize + DeserializeOwned>(self) -> Self {
        self.answers_with(|components| components.of::<T>())
    }

    /// The shape of its answer, where it is not that of one type.
    #[must_use]
    pub fn answers_with(mut self, schema: SchemaOf) -> Self {
        self.answer = Answer::Json(schema);
        self
    }

    /// It answers rows in the format asked for.
    #[must_use]
    pub(crate) fn answers_rows(mut self) -> Self {
        self.answer = Answer::Rows;
        self
    }

    /// It answers text.
    #[must_use]
    pub(crate) fn answers_text(mut self, media_type: &'static str) -> Self {
        self.answer = Answer::Text(media_type);
        self
    }

    /// Names in the path, in order.
    pub(crate) fn path_parameters(&self) -> impl Iterator<Item = &'static str> {
        self.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
    }
}
