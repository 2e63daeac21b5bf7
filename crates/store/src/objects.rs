//! Experiments, datasets and logs as objects that a server creates, describes and deletes.

use std::collections::HashSet;

use deltalake_core::kernel::Action;
use deltalake_core::protocol::SaveMode;
use evalhouse_model::{Experiment, schema};

use crate::StoreError;
use crate::optimize::{Rewritten, not_of};
use crate::registry::{self, ExperimentBody, Record};
use crate::snapshot::DataFile;
use crate::store::{ATTEMPTS_MAX, Store, back_off};
use crate::table::{self, Commit, SPANS};

impl Store {
    /// Stores the record of an object: a new one without rows, or what is newly said of one that has
    /// some. Counts are those of the rows and are left alone.
    ///
    /// # Errors
    /// [`StoreError::Contention`] when other writers win every attempt.
    pub async fn describe(&self, object: &Experiment) -> Result<(), StoreError> {
        let mut registry = self.registry().lock().await;
        registry.update_state().await?;
        let before = registry.experiment_body(self.location(), &object.id).await?;
        let body = match before {
            Some(before) => {
                let known = before.experiment;
                let (rows, cases, spans) = (known.rows, known.cases, known.spans);
                let experiment = Experiment { rows, cases, spans, xact: known.xact, ..object.clone() };
                ExperimentBody { experiment, ..before }
            }
            None => ExperimentBody {
                experiment: object.clone(),
                case_file: None,
                scores: None,
                metrics: None,
                saved_key: None,
            },
        };
        registry::append(self.location(), &mut registry, vec![Record::of_experiment(&body)?]).await
    }

    /// Removes an object: its rows, older versions of them, and its record.
    ///
    /// # Errors
    /// [`StoreError::Contention`] when other writers win every attempt.
    pub async fn delete(&self, object: &Experiment) -> Result<(), StoreError> {
        let history = format!("{}{}", schema::HISTORY_PREFIX, object.id);
        let ids: HashSet<String> = [object.id.clone(), history].into();
        let mut moved: Vec<ExperimentBody> = Vec::new();
        let mut spans = self.spans().lock().await;
        for attempt in 0..=ATTEMPTS_MAX {
            if attempt == ATTEMPTS_MAX {
                return Err(StoreError::Contention { attempts: ATTEMPTS_MAX });
            }
            spans.update_state().await?;
            let base = self.location().table_path(SPANS);
            let mut actions: Vec<Action> = Vec::new();
            moved.clear();
            // Collected: the iterator cannot be held while files are read.
            let views: Vec<_> = spans.snapshot()?.log_data().into_iter().collect();
            for view in views {
                let file = DataFile::of(&base, &view);
                let remove = Action::Remove(view.remove_action(true));
                match file.experiment_id() {
                    Some(id) if ids.contains(id) => actions.push(remove),
                    None if ids.iter().any(|id| file.may_hold(id)) => {
                        match self.without_rows(&file, &|batch| not_of(batch, &ids), &ids).await? {
                            Rewritten::Same => {}
                            Rewritten::Empty => actions.push(remove),
                            Rewritten::Less(add, bodies) => {
                                actions.extend([remove, *add]);
                                moved.extend(bodies);
                            }
                        }
                    }
                    _ => {}
                }
            }
            if actions.is_empty() {
                break;
            }
            if let Commit::Done = table::commit(&spans, actions, SaveMode::Overwrite).await? {
                break;
            }
            back_off(attempt).await;
        }
        drop(spans);
        let mut records = moved.iter().map(Record::of_experiment).collect::<Result<Vec<_>, _>>()?;
        let body = ExperimentBody {
            experiment: object.clone(),
            case_file: None,
            scores: None,
            metrics: None,
            saved_key: None,
        };
        records.push(Record { deleted: true, ..Record::of_experiment(&body)? });
        let mut registry = self.registry().lock().await;
        registry.update_state().await?;
        registry::append(self.location(), &mut registry, records).await
    }
}
