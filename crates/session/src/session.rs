//! The session: DataFusion, configured in this one place.

use std::collections::BTreeSet;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;

use datafusion::arrow::record_batch::RecordBatch;
use datafusion::catalog::{TableFunctionImpl, TableProvider};
use datafusion::common::{DFSchema, JoinType, ScalarValue, TableReference};
use datafusion::config::Dialect;
use datafusion::dataframe::DataFrame;
use datafusion::datasource::object_store::ObjectStoreUrl;
use datafusion::datasource::{ViewTable, provider_as_source};
use datafusion::execution::context::SQLOptions;
use datafusion::execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};
use datafusion::execution::memory_pool::{FairSpillPool, MemoryPool, TrackConsumersPool};
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::execution::session_state::{SessionState, SessionStateBuilder};
use datafusion::execution::{FunctionRegistry, SessionStateDefaults};
use datafusion::functions_aggregate::expr_fn::max;
use datafusion::logical_expr::{AggregateUDF, Expr, LogicalPlan, LogicalPlanBuilder, ScalarUDF, ident, lit};
use datafusion::physical_plan::PhysicalExpr;
use datafusion::prelude::{SessionConfig, SessionContext, coalesce};
use datafusion::sql::parser::Statement;
use evalhouse_model::{Experiment, ObjectKind, schema};
use evalhouse_store::{Snapshot, Store};

use crate::bounded::bounded;
use crate::catalog::Catalog;
use crate::cooperative::Cooperative;
use crate::paths::{PathColumns, PathPlanner, Resolution};
use crate::project::aggregate_columns;
use crate::syntax;
use crate::tables::{self, Part, SpansTable};
use crate::{CASES, DATASET_ROWS, DATASETS, EXPERIMENTS, LOG_SPANS, PROJECTS, SCORES, SPANS, SessionError};

/// DuckDB's SQL: lists in brackets, names in any case.
const DIALECT: Dialect = Dialect::DuckDB;
/// The least memory a session is given, whatever the machine has.
const MEMORY_LIMIT_MIN: usize = 256 << 20;
/// Consumers named in an out-of-memory message.
const CONSUMERS_NAMED: usize = 3;

/// How a session may use the machine.
#[derive(Debug, Clone, Default)]
pub struct SessionOptions {
    /// Bytes that queries may hold in memory before they spill to disk; default half the machine's.
    pub memory_limit: Option<usize>,
    /// Threads; default one a core.
    pub threads: Option<usize>,
    /// Where to spill; default the system's temporary folder.
    pub temp_dir: Option<PathBuf>,
    /// The only projects that the session knows of; default all.
    pub projects: Option<BTreeSet<String>>,
}

impl SessionOptions {
    /// Bytes that queries may hold in memory before they spill to disk.
    pub fn memory_limit_or_default(&self) -> usize {
        self.memory_limit.unwrap_or_else(half_of_memory).max(MEMORY_LIMIT_MIN)
    }
}

/// A read-only SQL session over one snapshot of a store. Cheap to clone.
#[derive(Clone)]
pub struct Session {
    store: Store,
    snapshot: Snapshot,
    /// Paths that the snapshot has as columns are columns.
    context: SessionContext,
    /// Every path is read from the JSON: for queries whose subqueries hide the columns.
    json_context: SessionContext,
    /// The cases as stored, without what the projects' settings add.
    pub(crate) base_cases: LogicalPlan,
    /// The cases as queries see them.
    pub(crate) cases: LogicalPlan,
    /// The spans, for conditions on any span of a trace.
    pub(crate) spans: LogicalPlan,
    columns: Arc<PathColumns>,
    catalog: Arc<Catalog>,
    memory_limit: usize,
}

impl Session {
    /// Opens a session over the store as it is now.
    ///
    /// # Errors
    /// When the store cannot be read or the spill folder cannot be used.
    pub async fn open(store: Store, options: SessionOptions) -> Result<Self, SessionError> {
        let snapshot = match &options.projects {
            Some(projects) => store.snapshot().await?.of_projects(projects)?,
            None => store.snapshot().await?,
        };
        let url = store_url(&store).map_err(SessionError::of)?;
        let memory_limit = options.memory_limit_or_default();
        let mut columns = tables::path_columns(&snapshot);
        for (path, aggregate) in snapshot.all_settings().iter().flat_map(|(_, settings)| aggregate_columns(settings)) {
            // One that refines a score of its own name is stored all the same.
            columns.entry(path).or_insert(aggregate);
        }
        let columns = Arc::new(columns);
        let of_experiments = snapshot.files_of(ObjectKind::Experiment);
        let cases = Arc::new(SpansTable::new(&snapshot, url.clone(), Part::Cases, of_experiments));
        let state = build_state(&options, memory_limit, &columns)?;
        state.runtime_env().register_object_store(url.as_ref(), Arc::clone(&store.location().root));
        let json_state = with_resolution(&state, &columns, Resolution::Json);
        let (context, json_context) =
            (SessionContext::new_with_state(state), SessionContext::new_with_state(json_state));
        let base_cases = LogicalPlanBuilder::scan(CASES, provider_as_source(Arc::clone(&cases) as _), None)
            .and_then(LogicalPlanBuilder::build)
            .map_err(SessionError::of)?;
        let mut session = Self {
            store,
            snapshot,
            context,
            json_context,
            cases: base_cases.clone(),
            spans: base_cases.clone(),
            base_cases,
            columns,
            catalog: Arc::new(Catalog::default()),
            memory_limit,
        };
        let view = session.cases_with_settings(session.base_cases.clone())?;
        let cases: Arc<dyn TableProvider> = match view {
            Some(view) => {
                session.cases = view.clone();
                Arc::new(ViewTable::new(view, None))
            }
            None => cases,
        };
        // Both contexts share one catalog, so a table is registered once.
        session.register_tables(cases, &url)?;
        session.spans = session.table(SPANS).await?.into_unoptimized_plan();
        session.catalog = Arc::new(Catalog::of(&session.context, &session.snapshot).await.map_err(SessionError::of)?);
        Ok(session)
    }

    /// Plans a query. The frame is lazy; dropping its stream cancels it.
    ///
    /// # Errors
    /// [`SessionError::Query`] when the query is wrong, [`SessionError::ReadOnly`] when it is not one.
    pub async fn sql(&self, query: &str) -> Result<DataFrame, SessionError> {
        self.sql_with(query, &[]).await
    }

    /// Plans a query with values for its parameters: `$name` stands for a constant, wherever an
    /// expression may stand, also as an argument of a table function.
    ///
    /// # Errors
    /// As [`Self::sql`], and when a parameter has no value.
    pub async fn sql_with(&self, query: &str, values: &[(String, ScalarValue)]) -> Result<DataFrame, SessionError> {
        syntax::refuse_endless(query).map_err(|message| SessionError::Query { message })?;
        let state = self.context.state();
        let mut statement = state.sql_to_statement(query, &DIALECT).map_err(SessionError::of)?;
        if let Statement::Statement(inner) = &mut statement {
            syntax::keys_after_indexes(inner.as_mut());
            if let Some(name) = syntax::bind(inner.as_mut(), values) {
                return Err(SessionError::Query { message: format!("the parameter `${name}` has no value") });
            }
        }
        let plan = match state.statement_to_plan(statement.clone()).await {
            Ok(plan) => plan,
            Err(first) => {
                let retried = self.json_context.state().statement_to_plan(statement).await;
                retried.map_err(|_| SessionError::of(first))?
            }
        };
        self.frame(plan)
    }

    /// A frame over a plan made of this session's tables.
    ///
    /// # Errors
    /// [`SessionError::ReadOnly`] when the plan does more than read.
    pub fn frame(&self, plan: LogicalPlan) -> Result<DataFrame, SessionError> {
        refuse_writes(&plan)?;
        Ok(DataFrame::new(self.context.state(), plan))
    }

    /// The session with table functions: name, how to call it, what it gives, and the function.
    #[must_use]
    pub fn with_table_functions(
        mut self,
        functions: impl IntoIterator<Item = (&'static str, &'static str, &'static str, Arc<dyn TableFunctionImpl>)>,
    ) -> Self {
        let (mut planned, mut json) = (self.context.state(), self.json_context.state());
        let mut catalog = Catalog::clone(&self.catalog);
        for (name, syntax, description, function) in functions {
            planned.register_udtf(name, Arc::clone(&function));
            json.register_udtf(name, function);
            catalog.add_table_function(name, syntax, description);
        }
        self.context = SessionContext::new_with_state(planned);
        self.json_context = SessionContext::new_with_state(json);
        self.catalog = Arc::new(catalog);
        self
    }

    /// A frame over a few rows that an earlier plan has given.
    ///
    /// # Errors
    /// When there is no batch.
    pub fn frame_of_batches(&self, batches: Vec<RecordBatch>) -> Result<DataFrame, SessionError> {
        self.context.read_batches(batches).map_err(SessionError::of)
    }

    /// The session with a memory pool of its own, which no other query takes from. Everything else,
    /// caches too, is shared.
    ///
    /// # Errors
    /// When the engine refuses the limit: a fault of the caller.
    pub fn with_memory_limit(mut self, bytes: usize) -> Result<Self, SessionError> {
        let limited = |context: &SessionContext| {
            let runtime = RuntimeEnvBuilder::from_runtime_env(&context.runtime_env()).with_memory_pool(pool(bytes));
            let state = SessionStateBuilder::new_from_existing(context.state());
            let state = state.with_runtime_env(runtime.build_arc().map_err(SessionError::of)?).build();
            Ok::<_, SessionError>(SessionContext::new_with_state(state))
        };
        self.context = limited(&self.context)?;
        self.json_context = limited(&self.json_context)?;
        self.memory_limit = bytes;
        Ok(self)
    }

    /// One of the session's tables as a frame.
    ///
    /// # Errors
    /// When there is no such table.
    pub async fn table(&self, name: &str) -> Result<DataFrame, SessionError> {
        self.context.table(TableReference::bare(name)).await.map_err(SessionError::of)
    }

    /// The rows of experiments, datasets or logs: as they are, or as they were when a transaction had
    /// been written and no later one.
    ///
    /// # Errors
    /// When the plan cannot be made.
    pub async fn rows_of(
        &self,
        kind: ObjectKind,
        ids: &[String],
        version: Option<u64>,
    ) -> Result<DataFrame, SessionError> {
        let name = match kind {
            ObjectKind::Experiment => SPANS,
            ObjectKind::Dataset => DATASET_ROWS,
            ObjectKind::Logs => LOG_SPANS,
        };
        let of = |frame: DataFrame, prefix: &str| {
            let ids = ids.iter().map(|id| lit(ScalarValue::Utf8View(Some(format!("{prefix}{id}"))))).collect();
            frame.filter(ident(schema::EXPERIMENT_ID).in_list(ids, false))
        };
        let rows = of(self.table(name).await?, "").map_err(SessionError::of)?;
        match version {
            None => Ok(rows),
            Some(version) => self.as_of(rows, |history| of(history, schema::HISTORY_PREFIX), version),
        }
    }

    /// Rows as of a transaction: those that it or an older one wrote, and of those that changed since,
    /// the version that held then.
    fn as_of(
        &self,
        rows: DataFrame,
        of: impl Fn(DataFrame) -> datafusion::error::Result<DataFrame>,
        version: u64,
    ) -> Result<DataFrame, SessionError> {
        let url = store_url(&self.store).map_err(SessionError::of)?;
        let files = self.snapshot.history().to_vec();
        let table = SpansTable::new(&self.snapshot, url, Part::Spans, files);
        let columns: Vec<Expr> = rows.schema().fields().iter().map(|field| ident(field.name())).collect();
        let plan = || -> datafusion::error::Result<DataFrame> {
            let version = lit(i64::try_from(version).unwrap_or(i64::MAX));
            let held = |frame: DataFrame| {
                let xact = coalesce(vec![ident(schema::XACT), lit(0_i64)]);
                frame.filter(xact.lt_eq(version.clone()))
            };
            let scan = LogicalPlanBuilder::scan("history", provider_as_source(Arc::new(table)), None)?.build()?;
            let history = held(of(DataFrame::new(self.context.state(), scan))?)?;
            let now = held(rows)?;
            let still = now.clone().select(vec![ident(schema::ID).alias("__still")])?;
            let changed = history.join(still, JoinType::LeftAnti, &[schema::ID], &["__still"], None)?;
            let xact = || coalesce(vec![ident(schema::XACT), lit(0_i64)]);
            let newest = changed
                .clone()
                .aggregate(vec![ident(schema::ID).alias("__id")], vec![max(xact()).alias("__newest")])?;
            let then = changed
                .with_column("__xact", xact())?
                .join(newest, JoinType::LeftSemi, &[schema::ID, "__xact"], &["__id", "__newest"], None)?
                // What a deletion leaves is a version too: the row was not there.
                .filter(ident(schema::EXTRA).is_null().or(ident(schema::EXTRA).not_eq(lit(schema::TOMBSTONE))))?
                .select(columns.clone())?;
            now.select(columns.clone())?.union(then)
        };
        plan().map_err(SessionError::of)
    }

    /// A scalar function of the session.
    ///
    /// # Errors
    /// When there is none of this name: a fault of the caller.
    pub fn function(&self, name: &str) -> Result<Arc<ScalarUDF>, SessionError> {
        self.context.udf(name).map_err(SessionError::Engine)
    }

    /// An aggregate function of the session.
    ///
    /// # Errors
    /// When there is none of this name: a fault of the caller.
    pub fn aggregate(&self, name: &str) -> Result<Arc<AggregateUDF>, SessionError> {
        self.context.udaf(name).map_err(SessionError::Engine)
    }

    fn register_tables(&self, cases: Arc<dyn TableProvider>, url: &ObjectStoreUrl) -> Result<(), SessionError> {
        let register = |name: &str, table: Arc<dyn TableProvider>| {
            self.context.register_table(name, table).map(|_| ()).map_err(SessionError::of)
        };
        register(CASES, cases)?;
        let scores = tables::scores(self, self.cases.clone());
        for (name, kind) in
            [(SPANS, ObjectKind::Experiment), (DATASET_ROWS, ObjectKind::Dataset), (LOG_SPANS, ObjectKind::Logs)]
        {
            let files = self.snapshot.files_of(kind);
            register(name, Arc::new(SpansTable::new(&self.snapshot, url.clone(), Part::Spans, files)))?;
        }
        register(SCORES, Arc::new(ViewTable::new(scores.map_err(SessionError::of)?, None)))?;
        let experiments = self.snapshot.experiments();
        register(EXPERIMENTS, tables::experiments(experiments).map_err(SessionError::of)?)?;
        register(PROJECTS, tables::projects(experiments).map_err(SessionError::of)?)?;
        register(DATASETS, tables::datasets(experiments).map_err(SessionError::of)?)
    }

    /// An expression over the columns of `schema`, typed and ready to be evaluated.
    pub(crate) fn physical(
        &self,
        expression: Expr,
        schema: &DFSchema,
    ) -> datafusion::error::Result<Arc<dyn PhysicalExpr>> {
        self.context.create_physical_expr(expression, schema)
    }

    /// Paths that are columns.
    pub(crate) fn path_columns(&self) -> &PathColumns {
        &self.columns
    }

    /// What queries can name.
    pub fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    /// The snapshot that every query of the session sees.
    pub fn snapshot(&self) -> &Snapshot {
        &self.snapshot
    }

    /// Records of the stored experiments.
    pub fn experiments(&self) -> &[Experiment] {
        self.snapshot.experiments()
    }

    /// The store.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Sorts an engine error that came up while a frame ran.
    pub fn run_error(&self, error: datafusion::error::DataFusionError) -> SessionError {
        match SessionError::of(error) {
            SessionError::Resources { message, .. } => {
                SessionError::Resources { limit_mib: self.memory_limit >> 20, message }
            }
            other => other,
        }
    }
}

fn build_state(
    options: &SessionOptions,
    memory_limit: usize,
    columns: &Arc<PathColumns>,
) -> Result<SessionState, SessionError> {
    let mut config =
        SessionConfig::new().with_information_schema(true).with_default_catalog_and_schema("evalhouse", "public");
    if let Some(threads) = options.threads {
        config = config.with_target_partitions(threads.max(1));
    }
    let settings = config.options_mut();
    // Names keep the case they are written in: `metadata.userId` is not `metadata.userid`.
    settings.sql_parser.enable_ident_normalization = false;
    settings.sql_parser.dialect = DIALECT;
    settings.execution.parquet.pushdown_filters = true;
    settings.execution.parquet.reorder_filters = true;
    settings.execution.parquet.bloom_filter_on_read = true;
    // Moves reads of JSON below a projection that has a column of that name already, and the query
    // fails (DataFusion 55.2).
    settings.optimizer.enable_leaf_expression_pushdown = false;

    let disk = match &options.temp_dir {
        Some(folder) => DiskManagerMode::Directories(vec![folder.clone()]),
        None => DiskManagerMode::OsTmpDirectory,
    };
    let runtime = RuntimeEnvBuilder::new()
        .with_memory_pool(pool(memory_limit))
        .with_disk_manager_builder(DiskManagerBuilder::default().with_mode(disk))
        .build_arc()
        .map_err(SessionError::of)?;
    let state = SessionStateBuilder::new().with_config(config).with_runtime_env(runtime).with_default_features();
    let mut state = state.with_physical_optimizer_rule(Arc::new(Cooperative)).build();
    for function in bounded(&state.scalar_functions().clone()) {
        state.register_udf(function).map_err(SessionError::of)?;
    }
    datafusion_functions_json::register_all(&mut state).map_err(SessionError::of)?;
    for function in evalhouse_functions::scalar_functions() {
        state.register_udf(function).map_err(SessionError::of)?;
    }
    for function in evalhouse_functions::aggregate_functions() {
        state.register_udaf(function).map_err(SessionError::of)?;
    }
    Ok(with_resolution(&state, columns, Resolution::Columns))
}

/// Memory that spills when it is full, and names who holds it when it cannot.
fn pool(bytes: usize) -> Arc<dyn MemoryPool> {
    let named = NonZeroUsize::new(CONSUMERS_NAMED).unwrap_or(NonZeroUsize::MIN);
    Arc::new(TrackConsumersPool::new(FairSpillPool::new(bytes), named))
}

/// The same state, planning paths in the given way.
fn with_resolution(state: &SessionState, columns: &Arc<PathColumns>, resolution: Resolution) -> SessionState {
    let json_at = state.scalar_functions().get("json_at").cloned();
    let paths = Arc::new(PathPlanner { columns: Arc::clone(columns), resolution, json_at });
    let mut planners: Vec<Arc<dyn datafusion::logical_expr::planner::ExprPlanner>> = vec![paths];
    planners.extend(SessionStateDefaults::default_expr_planners());
    SessionStateBuilder::new_from_existing(state.clone()).with_expr_planners(planners).build()
}

fn store_url(store: &Store) -> datafusion::error::Result<ObjectStoreUrl> {
    let url = &store.location().url;
    ObjectStoreUrl::parse(format!("{}://{}", url.scheme(), url.authority()))
}

fn refuse_writes(plan: &LogicalPlan) -> Result<(), SessionError> {
    let read_only = SQLOptions::new().with_allow_ddl(false).with_allow_dml(false).with_allow_statements(false);
    read_only.verify_plan(plan).map_err(|_| SessionError::ReadOnly { statement: statement_name(plan) })
}

fn statement_name(plan: &LogicalPlan) -> String {
    match plan {
        LogicalPlan::Ddl(statement) => statement.name().to_string(),
        LogicalPlan::Dml(statement) => statement.op.to_string(),
        LogicalPlan::Copy(_) => "COPY".into(),
        LogicalPlan::Statement(statement) => statement.name().to_string(),
        _ => "this statement".into(),
    }
}

fn half_of_memory() -> usize {
    let mut system = sysinfo::System::new();
    system.refresh_memory();
    usize::try_from(system.total_memory() / 2).unwrap_or(usize::MAX)
}
