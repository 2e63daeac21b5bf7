//! What plans read: an analysis as a table function is optimized with its query as a whole, so that
//! only the files, row groups and columns of the answer are touched.

use std::collections::BTreeSet;

use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::datasource::physical_plan::FileScanConfig;
use datafusion::datasource::source::DataSourceExec;
use datafusion::physical_plan::{ExecutionPlan, collect, displayable};
use evalhouse_analysis::with_table_functions;
use evalhouse_model::Span;
use evalhouse_session::{Session, SessionOptions};
use evalhouse_store::{OptimizeOptions, Store};
use std::sync::Arc;

use crate::store::{memory_url, put, span};

const EXPERIMENTS: usize = 12;
/// More cases than a row group of a merged file has to have.
const CASES: usize = 9_000;

/// The files that a plan scans, and the columns that it takes from them.
#[derive(Debug, Default, PartialEq)]
struct Read {
    files: BTreeSet<String>,
    columns: BTreeSet<String>,
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

async fn session(store: &Store) -> Session {
    with_table_functions(Session::open(store.clone(), SessionOptions::default()).await.unwrap())
}

async fn planned(session: &Session, sql: &str) -> Arc<dyn ExecutionPlan> {
    session.sql(sql).await.unwrap().create_physical_plan().await.unwrap()
}

fn read(plan: &Arc<dyn ExecutionPlan>) -> Read {
    let mut read = Read::default();
    plan.apply(|node| {
        if let Some(scan) = node.downcast_ref::<DataSourceExec>()
            && let Some(config) = scan.data_source().downcast_ref::<FileScanConfig>()
        {
            let groups = config.file_groups.iter().flat_map(|group| group.files());
            read.files.extend(groups.map(|file| file.object_meta.location.filename().unwrap().to_string()));
            read.columns.extend(projected(&displayable(node.as_ref()).one_line().to_string()));
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

    // A condition on a column of the candidate reaches its scan; texts are read only when asked for.
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
