//! What a request gives in its path and query string, checked against what its route takes.

use axum::extract::{FromRequestParts, RawPathParams};
use axum::http::request::Parts;
use serde_json::{Value, json};
use url::form_urlencoded;

use crate::error::ApiError;
use crate::route::Query;

/// A parameter of a query string.
#[derive(Debug)]
pub struct Parameter {
    /// Its name, which is that of the command line's option.
    pub(crate) name: &'static str,
    /// What it means.
    pub(crate) about: &'static str,
    pub(crate) kind: Kind,
    /// Whether it may be given several times.
    pub(crate) repeats: bool,
    pub(crate) required: bool,
}

/// What the value of a parameter is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Kind {
    Text,
    /// A whole number from 0 on, at most this.
    Count(usize),
    Number,
    Flag,
    /// One of these words.
    Choice(&'static [&'static str]),
}

impl Parameter {
    /// A text.
    pub const fn text(name: &'static str, about: &'static str) -> Self {
        Self::new(name, about, Kind::Text)
    }

    /// A whole number from 0 to `max`.
    pub const fn count(name: &'static str, about: &'static str, max: usize) -> Self {
        Self::new(name, about, Kind::Count(max))
    }

    /// A number.
    pub const fn number(name: &'static str, about: &'static str) -> Self {
        Self::new(name, about, Kind::Number)
    }

    /// True or false.
    pub const fn flag(name: &'static str, about: &'static str) -> Self {
        Self::new(name, about, Kind::Flag)
    }

    /// One of some words.
    pub const fn choice(name: &'static str, about: &'static str, words: &'static [&'static str]) -> Self {
        Self::new(name, about, Kind::Choice(words))
    }

    const fn new(name: &'static str, about: &'static str, kind: Kind) -> Self {
        Self { name, about, kind, repeats: false, required: false }
    }

    /// It may be given several times.
    #[must_use]
    pub const fn repeats(mut self) -> Self {
        self.repeats = true;
        self
    }

    /// It has to be given.
    #[must_use]
    pub const fn required(mut self) -> Self {
        self.required = true;
        self
    }

    /// Its JSON schema.
    pub(crate) fn schema(&self) -> Value {
        let one = match self.kind {
            Kind::Text => json!({"type": "string"}),
            Kind::Count(max) => json!({"type": "integer", "minimum": 0, "maximum": max}),
            Kind::Number => json!({"type": "number"}),
            Kind::Flag => json!({"type": "boolean"}),
            Kind::Choice(words) => json!({"type": "string", "enum": words}),
        };
        if self.repeats { json!({"type": "array", "items": one}) } else { one }
    }

    fn check(&self, value: &str) -> Result<(), ApiError> {
        let wrong =
            |expected: String| Err(ApiError::bad_request(format!("{} is `{value}`, expected {expected}", self.name)));
        match self.kind {
            Kind::Text => Ok(()),
            Kind::Count(max) => match value.parse::<usize>() {
                Ok(count) if count <= max => Ok(()),
                _ => wrong(format!("a whole number from 0 to {max}")),
            },
            Kind::Number if value.parse().is_ok_and(f64::is_finite) => Ok(()),
            Kind::Number => wrong("a number".into()),
            Kind::Flag if ["true", "false"].contains(&value) => Ok(()),
            Kind::Flag => wrong("true or false".into()),
            Kind::Choice(words) if words.contains(&value) => Ok(()),
            Kind::Choice(words) => wrong(format!("one of {}", words.join(", "))),
        }
    }
}

/// What a request gives: every value is of its parameter's kind.
#[derive(Debug, Clone, Default)]
pub struct Given {
    path: Vec<(String, String)>,
    query: Vec<(String, String)>,
}

impl Given {
    /// Reads what a request gives.
    ///
    /// # Errors
    /// 400 for a parameter that is unknown, given twice, missing, or of another kind.
    pub(crate) fn read(path: Vec<(String, String)>, query: Option<&str>, takes: Query) -> Result<Self, ApiError> {
        let pairs = form_urlencoded::parse(query.unwrap_or_default().as_bytes());
        let query: Vec<(String, String)> = pairs.into_owned().collect();
        for (at, (name, value)) in query.iter().enumerate() {
            match takes.parameters().iter().find(|known| known.name == name) {
                Some(known) => {
                    known.check(value)?;
                    if !known.repeats && query.iter().take(at).any(|(earlier, _)| earlier == name) {
                        return Err(ApiError::bad_request(format!("{name} is given twice")));
                    }
                }
                None if matches!(takes, Query::Only(_)) => return Err(unknown(name, takes)),
                None => {}
            }
        }
        for parameter in takes.parameters().iter().filter(|parameter| parameter.required) {
            if !query.iter().any(|(name, _)| name == parameter.name) {
                return Err(ApiError::bad_request(format!("{} is missing: {}", parameter.name, parameter.about)));
            }
        }
        Ok(Self { path, query })
    }

    /// A part of the path.
    pub fn path(&self, name: &str) -> &str {
        self.path.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str()).unwrap_or_default()
    }

    /// The value of a parameter.
    pub fn text(&self, parameter: &Parameter) -> Option<&str> {
        self.query.iter().find(|(name, _)| name == parameter.name).map(|(_, value)| value.as_str())
    }

    /// The value of a parameter, to keep.
    pub fn owned(&self, parameter: &Parameter) -> Option<String> {
        self.text(parameter).map(str::to_string)
    }

    /// Every value of a parameter that may be given several times.
    pub fn texts(&self, parameter: &Parameter) -> Vec<String> {
        let values = self.query.iter().filter(|(name, _)| name == parameter.name);
        values.map(|(_, value)| value.clone()).collect()
    }

    /// Every expression of a parameter whose values are lists with commas.
    pub fn expressions(&self, parameter: &Parameter) -> Vec<String> {
        let texts = self.texts(parameter);
        texts.iter().flat_map(|text| evalhouse_language::split_at_commas(text)).map(str::to_string).collect()
    }

    /// A parameter in the words of its own type.
    ///
    /// # Errors
    /// 400 with what the type says.
    pub fn parsed<T: std::str::FromStr<Err = String>>(&self, parameter: &Parameter) -> Result<Option<T>, ApiError> {
        let parsed = self.text(parameter).map(str::parse).transpose();
        parsed.map_err(|message| ApiError::bad_request(format!("{}: {message}", parameter.name)))
    }

    /// The value of a count.
    pub fn count(&self, parameter: &Parameter) -> Option<usize> {
        self.text(parameter)?.parse().ok()
    }

    /// The value of a number.
    pub fn number(&self, parameter: &Parameter) -> Option<f64> {
        self.text(parameter)?.parse().ok()
    }

    /// Whether a flag is set.
    pub fn flag(&self, parameter: &Parameter) -> bool {
        self.text(parameter) == Some("true")
    }

    /// What is given beyond these parameters.
    pub fn others<'a>(&'a self, known: &'a [&Parameter]) -> impl Iterator<Item = (&'a str, &'a str)> {
        let is_other = |name: &str| !known.iter().any(|known| known.name == name);
        self.query.iter().filter(move |(name, _)| is_other(name)).map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

fn unknown(name: &str, takes: Query) -> ApiError {
    let known = takes.parameters();
    let near = known.iter().map(|known| (strsim::jaro_winkler(known.name, name), known.name));
    let best = near.filter(|(near, _)| *near > 0.7).max_by(|a, b| a.0.total_cmp(&b.0));
    let suggestion = best.map(|(_, name)| format!("; did you mean `{name}`?")).unwrap_or_default();
    let shown: String = name.chars().take(60).collect();
    let error = ApiError::bad_request(format!("there is no parameter `{shown}` here{suggestion}"));
    let names: Vec<&str> = known.iter().map(|known| known.name).collect();
    error.with_hint(if names.is_empty() { "it takes none".into() } else { format!("it takes {}", names.join(", ")) })
}

impl<S: Sync> FromRequestParts<S> for Given {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        parts.extensions.get::<Self>().cloned().ok_or_else(|| ApiError::fault("a route that is in no table"))
    }
}

/// The parts of the path that have a name.
pub(crate) async fn path_of(parts: &mut Parts) -> Result<Vec<(String, String)>, ApiError> {
    match RawPathParams::from_request_parts(parts, &()).await {
        Ok(path) => Ok(path.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect()),
        Err(rejection) if rejection.status().is_client_error() => {
            Err(ApiError::bad_request("the path is not UTF-8 when its percent signs are decoded"))
        }
        // A path without names.
        Err(_) => Ok(Vec::new()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHERE: Parameter = Parameter::text("where", "a condition");
    const LIMIT: Parameter = Parameter::count("limit", "rows", 10);
    const SORT: Parameter = Parameter::text("sort", "an order").repeats();
    const SCORE: Parameter = Parameter::text("score", "a score").required();

    fn read(query: &str) -> Result<Given, String> {
        Given::read(Vec::new(), Some(query), Query::Only(&[&WHERE, &LIMIT, &SORT])).map_err(|error| error.to_string())
    }

    #[test]
    fn values_are_read() {
        let given = read("where=a%20%3D%201&limit=3&sort=a,f(b,c)&sort=d+desc").unwrap();
        assert_eq!(given.text(&WHERE), Some("a = 1"));
        assert_eq!(given.count(&LIMIT), Some(3));
        assert_eq!(given.expressions(&SORT), ["a", "f(b,c)", "d desc"]);
    }

    #[test]
    fn what_is_wrong_is_named() {
        assert!(read("wher=x").unwrap_err().contains("did you mean `where`?"));
        assert!(read("limit=-1").unwrap_err().contains("expected a whole number from 0 to 10"));
        assert!(read("limit=11").is_err());
        assert!(read("limit=1&limit=1").unwrap_err().contains("given twice"));
        let missing = Given::read(Vec::new(), None, Query::Only(&[&SCORE])).unwrap_err();
        assert_eq!(missing.to_string(), "score is missing: a score");
    }
}
