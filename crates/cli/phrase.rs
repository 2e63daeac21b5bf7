//! A filter on its way from what was typed to an expression: always said when they differ.

use anyhow::Context;
use evalhouse_analysis::{AnalysisError, Selected, Understood, check_condition, names, understand};
use evalhouse_model::LanguageModelSettings;
use evalhouse_report::Tone;
use evalhouse_session::Session;
use serde_json::{Value, json};

use crate::error::InputError;
use crate::printer::Printer;

/// Where the endpoint, the model and the key are looked for when the project does not say.
const URL_VARIABLE: &str = "EVALHOUSE_LLM_URL";
const MODEL_VARIABLE: &str = "EVALHOUSE_LLM_MODEL";
const KEY_VARIABLE: &str = "EVALHOUSE_LLM_API_KEY";
/// Seconds that an answer may take.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(60);

/// Turns a filter into the expression that it means. A phrase is translated by the grammar, or by the
/// project's language model where there is one, and the expression is printed. Returns the order that
/// the phrase asks for, if any.
pub(crate) async fn resolve(
    session: &Session,
    filter: &mut Option<String>,
    experiments: &[&Selected],
    printer: &Printer,
) -> anyhow::Result<Option<String>> {
    let Some(text) = filter.clone() else { return Ok(None) };
    let error = match understand(session, &text, experiments).await {
        Ok(Understood::Expression) => return Ok(None),
        Ok(Understood::Phrase { expression, sort }) => {
            let order = sort.as_ref().map(|sort| format!("  sort: {sort}")).unwrap_or_default();
            printer.line(&format!("{} {expression}{order}", Tone::Strong.paint("where:")));
            *filter = Some(expression);
            return Ok(sort);
        }
        Err(error) => error,
    };
    // One word, or something with operators in it, is a slip in an expression and no phrase.
    let is_phrase = text.split_whitespace().count() > 1 && !text.contains(['=', '<', '>', '(', '[']);
    if !is_phrase {
        return Err(error.into());
    }
    let project = experiments.last().map(|one| one.experiment.project.as_str()).unwrap_or_default();
    let settings = session.settings(project).language_model.unwrap_or_default();
    let Some(endpoint) = Endpoint::of(&settings) else { return Err(unknown_phrase(&text, &error).into()) };
    let expression = endpoint.translate(session, &text, experiments).await?;
    check_condition(session, &expression).await.with_context(|| {
        InputError::new(format!("the model `{}` answered `{expression}`, which is no filter", endpoint.model))
    })?;
    printer.line(&format!("{} {expression}  (by {})", Tone::Strong.paint("where:"), endpoint.model));
    *filter = Some(expression);
    Ok(None)
}

/// As [`resolve`], for an answer that has no order: a phrase that asks for one is refused.
pub(crate) async fn resolve_unordered(
    session: &Session,
    filter: &mut Option<String>,
    experiments: &[&Selected],
    printer: &Printer,
) -> anyhow::Result<()> {
    let phrase = filter.clone().unwrap_or_default();
    match resolve(session, filter, experiments, printer).await? {
        None => Ok(()),
        Some(order) => Err(InputError::with_hint(
            format!("`{phrase}` asks for the order `{order}`, and this answer has none"),
            "`cases` and `diff --cases` list cases in an order; elsewhere leave it out",
        )
        .into()),
    }
}

fn unknown_phrase(text: &str, error: &AnalysisError) -> InputError {
    InputError::with_hint(
        format!("`{text}` is neither a filter nor a phrase that is understood\n{error}"),
        format!(
            "phrases are such as `regressions in Factuality`, `slower than 5s`, `errors`, `tagged urgent`; for others name a language model: \
             `evalhouse settings PROJECT set language_model.base_url URL` and `language_model.model NAME`, or {URL_VARIABLE} and {MODEL_VARIABLE}"
        ),
    )
}

/// An OpenAI-compatible endpoint.
struct Endpoint {
    url: String,
    model: String,
    key: Option<String>,
}

impl Endpoint {
    fn of(settings: &LanguageModelSettings) -> Option<Self> {
        let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let url = settings.base_url.clone().or_else(|| variable(URL_VARIABLE))?;
        let model = settings.model.clone().or_else(|| variable(MODEL_VARIABLE))?;
        let key = variable(settings.api_key_variable.as_deref().unwrap_or(KEY_VARIABLE));
        Some(Self { url: url.trim_end_matches('/').to_string(), model, key })
    }

    async fn translate(&self, session: &Session, text: &str, experiments: &[&Selected]) -> anyhow::Result<String> {
        let known = names(session, experiments);
        let listed = |names: &[String]| names.iter().take(100).cloned().collect::<Vec<_>>().join(", ");
        let system = format!(
            "Translate the user's phrase into one filter expression over eval cases. Answer with the expression alone.\n\
             Grammar: SQL conditions (= != < <= > >= and or not in [..] is null like ilike between), \
             `match` for whole words, `tags includes 'x'`, percent literals such as 80%, \
             regressed(score), improved(score), delta(score).\n\
             Scores (write scores.NAME, quote names that are no plain words): {}\n\
             Metrics (metrics.NAME): {}\nFields: {}",
            listed(&known.scores),
            listed(&known.metrics),
            listed(&known.fields)
        );
        let body = json!({
            "model": self.model,
            "temperature": 0,
            "messages": [{"role": "system", "content": system}, {"role": "user", "content": text}],
        });
        let url = format!("{}/chat/completions", self.url);
        let client = reqwest::Client::builder().timeout(PATIENCE).build()?;
        let mut request = client.post(&url).json(&body);
        if let Some(key) = &self.key {
            request = request.bearer_auth(key);
        }
        let place = || InputError::new(format!("the language model at {url} did not answer"));
        let response = request.send().await.with_context(place)?;
        let status = response.status();
        if !status.is_success() {
            return Err(InputError::new(format!("the language model at {url} answered {status}")).into());
        }
        let unreadable = || InputError::new(format!("the language model at {url} sent no answer that can be read"));
        let answer: Value = response.json().await.with_context(unreadable)?;
        let content = answer["choices"][0]["message"]["content"].as_str();
        let Some(content) = content else {
            return Err(InputError::new(format!("the language model at {url} answered without a message")).into());
        };
        // Models like to put code into fences.
        let lines = content.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with("```"));
        Ok(lines.collect::<Vec<_>>().join(" ").trim_matches('`').to_string())
    }
}
