//! Scorers that run over the cases of an experiment, and go on when whoever asked goes away.
//!
//! A scoring reads cases as one query and logs a score span for each, as an SDK would: what it wrote is
//! there whatever becomes of the rest. The id of a span follows from the case and the name of the score,
//! so that a scorer that is applied again replaces what it said before.

use std::sync::{Arc, Mutex, PoisonError};

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type};
use evalhouse_analysis::{SCORE_VALUE, ScoringOptions, Selected, count_cases_to_score, score_values};
use evalhouse_journal::{Incoming, ObjectKind, ObjectRef, Row};
use evalhouse_model::{Scoring, schema};
use evalhouse_session::Session;
use futures::StreamExt;
use serde_json::value::to_raw_value;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::app::App;
use crate::auth::Caller;
use crate::error::ApiError;

/// Scorings that ended and are still told of.
const ENDED_MAX: usize = 50;
/// Scorings that run at a time.
const RUNNING_MAX: usize = 8;
/// Rows that are logged at a time.
const ROWS_AT_A_TIME: usize = 500;
/// Batches that wait to be logged.
const BATCHES_WAITING: usize = 2;

/// The scorings of this server.
#[derive(Debug, Default)]
pub(crate) struct Scorings(Mutex<Vec<Arc<Job>>>);

#[derive(Debug)]
struct Job {
    told: Mutex<Scoring>,
    cancel: CancellationToken,
}

impl Job {
    fn tell(&self) -> Scoring {
        self.told.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn change(&self, change: impl FnOnce(&mut Scoring)) {
        change(&mut self.told.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

impl Scorings {
    /// Those of an experiment, newest first.
    pub(crate) fn of(&self, experiment_id: &str) -> Vec<Scoring> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.iter().rev().map(|job| job.tell()).filter(|told| told.experiment_id == experiment_id).collect()
    }

    /// Stops one that the caller may see; what it wrote stays.
    ///
    /// # Errors
    /// 404 where there is none.
    pub(crate) fn cancel(&self, caller: &Caller, id: &str) -> Result<Scoring, ApiError> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let found = all.iter().find(|job| {
            let told = job.tell();
            told.id == id && caller.permit(&told.project).is_ok()
        });
        let job = found.ok_or_else(|| ApiError::not_found(format!("there is no scoring `{id}`")))?;
        job.cancel.cancel();
        job.change(|told| {
            if told.state == RUNNING {
                told.state = "cancelled".into();
            }
        });
        Ok(job.tell())
    }

    fn add(&self, told: Scoring) -> Result<Arc<Job>, ApiError> {
        let job = Arc::new(Job { told: Mutex::new(told), cancel: CancellationToken::new() });
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let running = all.iter().filter(|job| job.tell().state == RUNNING).count();
        if running >= RUNNING_MAX {
            let message = format!("{running} scorings run already");
            return Err(ApiError::new(axum::http::StatusCode::TOO_MANY_REQUESTS, message)
                .with_hint("wait until one has ended, or cancel one"));
        }
        let mut ended = all.len() - running;
        all.retain(|job| {
            let goes = ended > ENDED_MAX && job.tell().state != RUNNING;
            ended -= usize::from(goes);
            !goes
        });
        all.push(Arc::clone(&job));
        Ok(job)
    }
}

const RUNNING: &str = "running";

/// Starts a scoring and tells of it. It is checked before: a scorer that means nothing starts nothing.
///
/// # Errors
/// What is wrong with the scorer or the filter.
pub(crate) async fn start(
    app: &App,
    session: Session,
    experiment: Selected,
    name: String,
    options: ScoringOptions,
) -> Result<Scoring, ApiError> {
    let counted = (session.clone(), experiment.clone(), options.clone());
    let total = app.gate().run(async move { Ok(count_cases_to_score(&counted.0, &counted.1, &counted.2).await?) });
    let told = Scoring {
        id: Uuid::new_v4().to_string(),
        project: experiment.experiment.project.clone(),
        experiment: experiment.experiment.name.clone(),
        experiment_id: experiment.experiment.id.clone(),
        name,
        scorer: options.expression.clone(),
        state: RUNNING.into(),
        total: total.await?,
        ..Scoring::default()
    };
    let job = app.scorings().add(told.clone())?;
    let app = app.clone();
    tokio::spawn(async move {
        let ended = tokio::select! {
            () = job.cancel.cancelled() => return,
            ended = run(&app, session, experiment, options, &job) => ended,
        };
        job.change(|told| match ended {
            _ if told.state != RUNNING => {}
            Ok(()) => told.state = "done".into(),
            Err(error) => {
                told.state = "failed".into();
                told.message = Some(error.message().to_string());
            }
        });
    });
    Ok(told)
}

async fn run(
    app: &App,
    session: Session,
    experiment: Selected,
    options: ScoringOptions,
    job: &Job,
) -> Result<(), ApiError> {
    let object = ObjectRef { kind: ObjectKind::Experiment, id: experiment.experiment.id.clone() };
    let (sender, mut batches) = mpsc::channel::<Result<RecordBatch, ApiError>>(BATCHES_WAITING);
    let query = app.gate().start(async move {
        let mut stream = match score_values(&session, &experiment, &options).await {
            Ok(stream) => stream,
            Err(error) => return drop(sender.send(Err(error.into())).await),
        };
        while let Some(batch) = stream.next().await {
            let batch = batch.map_err(|error| session.run_error(error).into());
            // Nobody takes it when the scoring was cancelled.
            if sender.send(batch).await.is_err() {
                return;
            }
        }
    });
    // It ends with this.
    let _query = query.await?;
    let about = job.tell();
    while let Some(batch) = batches.recv().await {
        let (rows, skipped) = score_spans(&batch?, &object, &about)?;
        job.change(|told| told.skipped += skipped);
        for part in rows.chunks(ROWS_AT_A_TIME) {
            app.live().log(part.to_vec()).await?;
            job.change(|told| told.scored += part.len() as i64);
        }
    }
    Ok(())
}

/// The score spans of a batch of cases, and how many cases have no score.
fn score_spans(batch: &RecordBatch, object: &ObjectRef, about: &Scoring) -> Result<(Vec<Incoming>, i64), ApiError> {
    let wrong = |error| ApiError::fault(format!("scoring: {error}"));
    let column = |name: &str, data_type: &DataType| {
        let column = batch.column_by_name(name).ok_or_else(|| ApiError::fault(format!("scoring: no {name}")))?;
        cast(column, data_type).map_err(wrong)
    };
    let [ids, spans, roots] = [schema::ID, schema::SPAN_ID, schema::ROOT_SPAN_ID].map(|n| column(n, &DataType::Utf8));
    let (ids, spans, roots) = (ids?, spans?, roots?);
    let [ids, spans, roots] = [&ids, &spans, &roots].map(|column| column.as_string::<i32>());
    let values = column(SCORE_VALUE, &DataType::Float64)?;
    let values = values.as_primitive::<Float64Type>();
    let now = chrono::Utc::now();
    let mut rows = Vec::with_capacity(batch.num_rows());
    for row in 0..batch.num_rows() {
        let value = values.value(row);
        if values.is_null(row) || !value.is_finite() {
            continue;
        }
        let name = format!("{}/{}/{}", about.experiment_id, ids.value(row), about.name);
        let id = Uuid::new_v5(&Uuid::NAMESPACE_URL, format!("evalhouse:score:{name}").as_bytes()).to_string();
        let seconds = now.timestamp_micros() as f64 / 1e6;
        let fields = [
            ("id", json!(id)),
            ("span_id", json!(id)),
            ("root_span_id", json!(roots.value(row))),
            ("span_parents", json!([spans.value(row)])),
            ("span_attributes", json!({ "name": about.name, "type": "score", "purpose": "scorer" })),
            ("created", json!(now.to_rfc3339_opts(chrono::SecondsFormat::Micros, true))),
            ("output", json!({ "score": value })),
            ("scores", json!({ about.name.clone(): value })),
            ("metadata", json!({ "scorer": about.scorer, "source": "app" })),
            ("metrics", json!({ "start": seconds, "end": seconds })),
        ];
        rows.push(Incoming::new(object.clone(), row_of(fields))?);
    }
    let skipped = batch.num_rows() - rows.len();
    Ok((rows, skipped as i64))
}

fn row_of<const N: usize>(fields: [(&str, Value); N]) -> Row {
    let mut row = Row::default();
    for (name, value) in fields {
        // A JSON value is always JSON.
        if let Ok(raw) = to_raw_value(&value) {
            row.set(name, raw);
        }
    }
    row
}
