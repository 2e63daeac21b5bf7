//! What plans read: an analysis as a table function is optimized with its query as a whole, so that
//! only the files, row groups and columns of the answer are touched.

use std::collections::BTreeSet;

use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::datasource::physical_plan::FileScanConfig;
use datafusion::datasource::source::DataSourceExec;
use datafusion::physical_plan::{ExecutionPlan, collect, displayable};
use evalhouse_analysis::{DiffOptions, ExplainOptions, diff_plan, explain_plan, with_table_functions};
use evalhouse_model::Span;
use evalhouse_session::{Session, SessionOptions};
use evalhouse_store::{OptimizeOptions, Store};
use std::sync::Arc;

use super::{chosen, set};
use crate::store::{memory_url, put, span};

const EXPERIMENTS: usize = 12;
/// More cases than a row group of a merged file has to have.
const CASES: usize = 9_000;

/// The files that a plan scans, the columns that it takes from them, and of each scan with a condition
/// its files and the condition.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Read {
    files: BTreeSet<String>,
    pub(super) columns: BTreeSet<String>,
    conditions: Vec<(String, String)>,
}

impl Read {
    /// The condition that reaches the files of an experiment.
    fn condition(&self, experiment: &str) -> &str {
        let own = |(files, _): &&(String, String)| files.starts_with(experiment);
        self.conditions.iter().find(own).map_or("", |(_, condition)| condition)
    }
}

fn cases(experiment: usize, count: usize) -> Vec<Span> {
    let case = |i: usize| Span {
        position: i as i64,
        output: Some(format!("\"answer {i}\"")),
        metadata: Some(format!("{{\"category\":\"c{}\"}}", i % 3)),
        scores: vec![("good".into(), Some((i % (experiment + 2)) as f64)), ("other".into(), Some(0.5))],
        ..span(&format!("r{i}"), &format!("t{i}"), None)
    };
    (0..count).map(case).collect()
}

async fn stored(count: usize) -> Store {
    let store = Store::create(&memory_url()).await.unwrap();
    for experiment in 0..EXPERIMENTS {
        put(&store, &format!("e{experiment:02}"), cases(experiment, count)).await;
    }
    store
}

pub(super) async fn session(store: &Store) -> Session {
    with_table_functions(Session::open(store.clone(), SessionOptions::default()).await.unwrap())
}

pub(super) async fn planned(session: &Session, sql: &str) -> Arc<dyn ExecutionPlan> {
    session.sql(sql).await.unwrap().create_physical_plan().await.unwrap()
}

pub(super) fn read(plan: &Arc<dyn ExecutionPlan>) -> Read {
    let mut read = Read::default();
    plan.apply(|node| {
        if let Some(scan) = node.downcast_ref::<DataSourceExec>()
            && let Some(config) = scan.data_source().downcast_ref::<FileScanConfig>()
        {
            let groups = config.file_groups.iter().flat_map(|group| group.files());
            let files = groups.map(|file| file.object_meta.location.filename().unwrap().to_string());
            let files: Vec<String> = files.collect();
            let shown = displayable(node.as_ref()).one_line().to_string();
            read.columns.extend(projected(&shown));
            if let Some((_, condition)) = shown.split_once("predicate=") {
                let condition = condition.split("pruning_predicate=").next().unwrap();
                read.conditions.push((files.join(" "), condition.trim().to_string()));
            }
            read.files.extend(files);
        }
        Ok(TreeNodeRecursion::Continue)
    })
    .unwrap();
    assert!(!read.files.is_empty(), "no scan in {}", displayable(plan.as_ref()).indent(false));
    read
}

/// The columns that a scan takes from its files, whatever it calls them.
fn projected(scan: &str) -> Vec<String> {
    let Some((_, listed)) = scan.split_once("projection=[") else { return Vec::new() };
    let listed = listed.split(']').next().unwrap();
    let name = |column: &str| column.split(" as ").next().unwrap().split('@').next().unwrap().to_string();
    listed.split(", ").filter(|column| !column.is_empty()).map(name).collect()
}

/// Sum of a metric of the scans of a plan that has run: (pruned, matched).
async fn row_groups(session: &Session, sql: &str) -> (usize, usize) {
    let plan = planned(session, sql).await;
    let context = session.sql("SELECT 1").await.unwrap().task_ctx();
    collect(Arc::clone(&plan), Arc::new(context)).await.unwrap();
    let (mut pruned, mut matched) = (0, 0);
    plan.apply(|node| {
        for metric in node.metrics().into_iter().flat_map(|set| set.iter().cloned().collect::<Vec<_>>()) {
            if let datafusion::physical_plan::metrics::MetricValue::PruningMetrics { name, pruning_metrics } =
                metric.value()
                && name == "row_groups_pruned_statistics"
            {
                pruned += pruning_metrics.pruned();
                matched += pruning_metrics.matched();
            }
        }
        Ok(TreeNodeRecursion::Continue)
    })
    .unwrap();
    (pruned, matched)
}

fn columns(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| name.to_string()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_analysis_reads_its_experiments_and_its_columns() {
    let store = stored(4).await;
    let session = session(&store).await;
    let diff = read(&planned(&session, "SELECT avg(delta) FROM diff('e00', 'e01') WHERE name = 'good'").await);
    assert_eq!(diff.files.len(), 2, "{diff:?}");
    assert!(diff.files.iter().all(|file| file.starts_with("e00") || file.starts_with("e01")), "{diff:?}");
    assert_eq!(diff.columns, columns(&["comparison_key_hash", "scores.good"]));

    // Texts are read only when asked for.
    let shown = "SELECT input FROM diff('e00', 'e01') WHERE name = 'other' AND class = 'regressed'";
    let shown = read(&planned(&session, shown).await);
    assert_eq!(shown.files.len(), 2);
    assert!(shown.columns.contains("input") && !shown.columns.contains("output"), "{shown:?}");
    assert!(!shown.columns.contains("scores.good"), "{shown:?}");

    let one = read(&planned(&session, "SELECT count(*) FROM experiment('e05') WHERE scores.good > 1").await);
    assert_eq!((one.files.len(), one.columns), (1, columns(&[])));
    let trials = read(&planned(&session, "SELECT mean FROM trials('e03') WHERE name = 'other'").await);
    assert_eq!((trials.files.len(), trials.columns), (1, columns(&["comparison_key_hash", "scores.other"])));
    let groups = "SELECT g1, mean FROM groups('e02', 'metadata.category') WHERE name = 'good'";
    let groups = read(&planned(&session, groups).await);
    assert_eq!((groups.files.len(), groups.columns), (1, columns(&["metadata.category", "scores.good"])));
    let history = read(&planned(&session, "SELECT mean FROM history('p', 'good')").await);
    assert_eq!(history.files.len(), EXPERIMENTS);
    assert_eq!(history.columns, columns(&["comparison_key_hash", "experiment_id", "scores.good"]));

    // Statistics of files answer conditions on scores: no experiment but the last has a 12.
    let high = read(&planned(&session, "SELECT id FROM cases WHERE scores.good >= 3 AND experiment >= 'e10'").await);
    assert_eq!(high.files.len(), 2, "{high:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn after_optimize_an_experiment_is_a_few_row_groups_of_one_file() {
    let store = stored(CASES).await;
    session(&store).await.optimize(&OptimizeOptions::default()).await.unwrap();
    let session = session(&store).await;
    let sql = "SELECT avg(delta) FROM diff('e00', 'e01') WHERE name = 'good'";
    let plan = read(&planned(&session, sql).await);
    assert_eq!(plan.files.len(), 1, "{plan:?}");
    assert_eq!(plan.columns, columns(&["comparison_key_hash", "scores.good"]));
    let (pruned, matched) = row_groups(&session, sql).await;
    assert!(matched <= 4 && pruned >= 2 * (EXPERIMENTS - 2), "{matched} row groups read, {pruned} not");
}

#[tokio::test(flavor = "multi_thread")]
async fn after_optimize_a_saved_key_costs_what_the_default_does() {
    let store = stored(4).await;
    let set = |settings: &mut evalhouse_model::ProjectSettings| {
        settings.comparison_key = Some("[input.question, metadata.category]".into());
        Ok::<(), ()>(())
    };
    store.change_settings("p", set).await.unwrap().unwrap();
    let queries = [
        "SELECT avg(delta) FROM diff('e00', 'e01') WHERE name = 'good'",
        "SELECT mean FROM trials('e03') WHERE name = 'good'",
    ];
    let computed = session(&store).await;
    for sql in queries {
        let computed = read(&planned(&computed, sql).await);
        assert_eq!(computed.columns, columns(&["input", "metadata", "scores.good"]), "{sql}");
    }
    computed.optimize(&OptimizeOptions::default()).await.unwrap();
    let saved = session(&store).await;
    for sql in queries {
        let saved = read(&planned(&saved, sql).await);
        assert_eq!((saved.files.len(), saved.columns), (1, columns(&["saved_key_hash", "scores.good"])), "{sql}");
    }
    // Another key than the saved one is computed.
    let other = "SELECT avg(delta) FROM diff('e00', 'e01', 'metadata.category') WHERE name = 'good'";
    assert_eq!(read(&planned(&saved, other).await).columns, columns(&["metadata", "scores.good"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_condition_on_a_diff_reaches_the_scan() {
    let store = stored(CASES).await;
    let sql = |category: &str| {
        format!("SELECT avg(delta) FROM diff('e00', 'e01') WHERE name = 'good' AND metadata.category = '{category}'")
    };
    let session = session(&store).await;
    let before = read(&planned(&session, &sql("c1")).await);
    let condition = before.condition("e01");
    assert!(condition.contains("metadata.category") && condition.contains("c1"), "{before:?}");
    assert_eq!(before.columns, columns(&["comparison_key_hash", "scores.good"]));
    // What is no column is read from the JSON, and keeps the same cases.
    let count = async |condition: &str| {
        let sql = format!("SELECT count(*) FROM diff('e00', 'e01') WHERE name = 'good' AND {condition}");
        crate::sql::lines(&session.sql(&sql).await.unwrap().collect().await.unwrap())
    };
    assert_eq!(count("metadata.category = 'c1'").await, [(CASES / 3).to_string()]);
    assert_eq!(count("json_as_text(metadata, 'category') = 'c1'").await, [(CASES / 3).to_string()]);

    session.optimize(&OptimizeOptions::default()).await.unwrap();
    let session = self::session(&store).await;
    let after = read(&planned(&session, &sql("c1")).await);
    assert!(after.conditions.iter().any(|(_, condition)| condition.contains("metadata.category")), "{after:?}");
    // Statistics of row groups answer it: no case of the candidate has this category.
    let (_, matched) = row_groups(&session, &sql("c1")).await;
    let (_, without) = row_groups(&session, &sql("c9")).await;
    assert!(without < matched, "{without} row groups read without a match, {matched} with");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_condition_on_a_diff_of_trials_keeps_its_meaning() {
    let store = Store::create(&memory_url()).await.unwrap();
    let again = |(i, case): (usize, Span)| {
        let id = format!("again{i}");
        Span { id: id.clone(), span_id: id.clone(), root_span_id: id, position: 6 + i as i64, ..case }
    };
    for experiment in ["e00", "e01"] {
        let twice = cases(1, 6).into_iter().chain(cases(1, 6).into_iter().enumerate().map(again));
        put(&store, experiment, twice.collect()).await;
    }
    let session = session(&store).await;
    let sql = "SELECT count(*) FROM diff('e00', 'e01') WHERE name = 'good' AND metadata.category = 'c1'";
    assert_eq!(crate::sql::lines(&session.sql(sql).await.unwrap().collect().await.unwrap()), ["2"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn summaries_and_custom_columns_read_what_they_name() {
    let store = stored(4).await;
    set(&store, &[("columns.kind", "metadata.category")]).await;
    let session = session(&store).await;
    let summary = read(&planned(&session, "SELECT mean FROM summary('e03', 'e04') WHERE name = 'good'").await);
    assert_eq!(summary.files.len(), 2, "{summary:?}");
    assert_eq!(summary.columns, columns(&["comparison_key_hash", "experiment_id", "scores.good"]));
    let custom = "SELECT avg(scores.good) FROM experiment('e02') WHERE kind = 'c1'";
    let custom = read(&planned(&session, custom).await);
    assert_eq!(custom.files.len(), 1, "{custom:?}");
    assert!(custom.condition("e02").contains("metadata.category"), "{custom:?}");
    assert!(!custom.columns.contains("metadata"), "{custom:?}");
}

/// The command's diff and explanation are plans like those of the table functions.
#[tokio::test(flavor = "multi_thread")]
async fn commands_read_what_they_need() {
    let session = session(&stored(4).await).await;
    let (base, candidate) = (chosen(&session, "e00"), chosen(&session, "e01"));
    let filter = Some("metadata.category = 'c1'".to_string());
    let options = DiffOptions { filter: filter.clone(), ..DiffOptions::default() };
    let diff = diff_plan(&session, &base, &candidate, &options).await.unwrap();
    let diff = read(&diff.create_physical_plan().await.unwrap());
    assert_eq!(diff.files.len(), 2, "{diff:?}");
    assert!(["e00", "e01"].iter().all(|side| diff.condition(side).contains("metadata.category")), "{diff:?}");
    let texts = ["input", "output", "expected", "metadata"];
    assert!(texts.iter().all(|column| !diff.columns.contains(*column)), "{diff:?}");
    assert!(diff.columns.contains("scores.good") && diff.columns.contains("scores.other"), "{diff:?}");

    let options = ExplainOptions { score: "good".into(), filter, ..ExplainOptions::default() };
    let why = explain_plan(&session, &base, &candidate, &options).await.unwrap();
    let why = read(&why.create_physical_plan().await.unwrap());
    assert_eq!(why.files.len(), 2, "{why:?}");
    assert!(["e00", "e01"].iter().all(|side| why.condition(side).contains("metadata.category")), "{why:?}");
    let expected = columns(&["comparison_key_hash", "experiment_id", "metadata.category", "scores.good"]);
    assert!(why.columns.is_subset(&expected) && why.columns.contains("scores.good"), "{why:?}");
}
