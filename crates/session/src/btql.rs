//! BTQL queries as plans.

use datafusion::arrow::datatypes::DataType;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::common::{JoinType, ScalarValue};
use datafusion::dataframe::DataFrame;
use datafusion::functions::core::expr_fn::get_field;
use datafusion::functions_aggregate::expr_fn::max;
use datafusion::logical_expr::expr::{ScalarFunction, Sort};
use datafusion::logical_expr::utils::find_aggregate_exprs;
use datafusion::logical_expr::{Expr, ExprFunctionExt, ExprSchemable, Operator, binary_expr, cast, ident, lit};
use datafusion::prelude::{coalesce, substring};
use evalhouse_language::{
    Expr as Tree, LanguageError, Named, Node, Position, Query, Sample, Shape, SortItem, Step, Unpivot,
};
use evalhouse_model::{ObjectKind, schema};

use crate::lower::Scope;
use crate::{CASES, Session, SessionError};

/// Rows of an answer without a `limit`.
const LIMIT_DEFAULT: u64 = 1_000;
/// Characters of a preview, unless the query says otherwise.
const PREVIEW_DEFAULT: i64 = 124;
/// Values that a pivot makes columns of.
const PIVOT_MAX: usize = 100;
/// Column by which answers are paged: newest first, and no two rows alike.
pub const PAGINATION_KEY: &str = "_pagination_key";

/// The key of a row of its own, where a page is made of traces.
const ROW_KEY: &str = "__row_key";

/// The columns that tell traces apart.
const TRACE: [&str; 2] = [schema::EXPERIMENT_ID, schema::ROOT_SPAN_ID];

/// What `select: *` gives of a span.
const SPAN_COLUMNS: [&str; 22] = [
    schema::ID,
    schema::SPAN_ID,
    schema::ROOT_SPAN_ID,
    schema::SPAN_PARENTS,
    schema::IS_ROOT,
    schema::CREATED,
    schema::PROJECT,
    schema::EXPERIMENT,
    schema::EXPERIMENT_ID,
    schema::INPUT,
    schema::OUTPUT,
    schema::EXPECTED,
    schema::ERROR,
    schema::METADATA,
    schema::TAGS,
    schema::SCORES,
    schema::METRICS,
    schema::SPAN_ATTRIBUTES,
    schema::CONTEXT,
    schema::ORIGIN,
    schema::EXTRA,
    schema::XACT,
];
/// What a summary says of the spans of a trace.
const SPAN_TYPE_INFO: &str = "span_type_info";
/// Fields that a summary shows the beginning of.
const PREVIEWS: [&str; 5] = [schema::INPUT, schema::OUTPUT, schema::EXPECTED, schema::ERROR, schema::METADATA];

impl Session {
    /// Plans a BTQL query. Rows of queries without groups have the column [`PAGINATION_KEY`] last:
    /// its value in the last row is the cursor of the next page, where there is one.
    ///
    /// # Errors
    /// When a name, function or source is unknown, or types do not fit.
    pub async fn btql(&self, query: &Query) -> Result<DataFrame, SessionError> {
        self.btql_as_of(query, None).await
    }

    /// Plans a BTQL query over the rows as they were when a transaction had been written and no later
    /// one. Without a version, as [`Self::btql`].
    ///
    /// # Errors
    /// As [`Self::btql`], and when an older version is asked of a shape whose rows are traces.
    pub async fn btql_as_of(&self, query: &Query, version: Option<u64>) -> Result<DataFrame, SessionError> {
        let wrong = |error: LanguageError| SessionError::Language { text: String::new(), error };
        let plan = Plan { session: self, query, version };
        plan.frame().await.map_err(|error| match error {
            Fault::Language(error) => wrong(error),
            Fault::Session(error) => error,
        })
    }
}

enum Fault {
    Language(LanguageError),
    Session(SessionError),
}

impl From<LanguageError> for Fault {
    fn from(error: LanguageError) -> Self {
        Self::Language(error)
    }
}

impl From<SessionError> for Fault {
    fn from(error: SessionError) -> Self {
        Self::Session(error)
    }
}

impl From<datafusion::error::DataFusionError> for Fault {
    fn from(error: datafusion::error::DataFusionError) -> Self {
        Self::Session(SessionError::of(error))
    }
}

type Planned<T> = Result<T, Fault>;

fn fault<T>(message: impl Into<String>, position: Position) -> Planned<T> {
    Err(Fault::Language(LanguageError::new(message, position)))
}

struct Plan<'a> {
    session: &'a Session,
    query: &'a Query,
    /// The newest transaction whose rows count.
    version: Option<u64>,
}

impl Plan<'_> {
    async fn frame(&self) -> Planned<DataFrame> {
        let query = self.query;
        let (kind, ids, shape) = self.source()?;
        let spans = self.session.rows_of(kind, &ids, self.version).await?;
        let mut rows = match shape {
            Shape::Spans => self.kept_spans(spans)?,
            Shape::Traces => self.kept_traces(spans.clone(), spans)?,
            Shape::Summary => {
                let position = query.from.as_ref().map(|source| source.position).unwrap_or_default();
                if kind != ObjectKind::Experiment {
                    return fault("the shape summary is one of experiments", position);
                }
                if self.version.is_some() {
                    return fault("the shape summary has no older versions: use spans or traces", position);
                }
                let ids = ids.iter().map(|id| lit(ScalarValue::Utf8View(Some(id.clone())))).collect();
                let cases =
                    self.session.table(CASES).await?.filter(ident(schema::EXPERIMENT_ID).in_list(ids, false))?;
                self.summarized(self.kept_traces(cases, spans)?)?
            }
        };
        for (unpivot, place) in query.unpivot.iter().zip(self.places()) {
            rows = self.unpivoted(rows, unpivot, &place)?;
        }
        rows = self.sampled(rows, shape)?;
        if !query.dimensions.is_empty() || !query.measures.is_empty() || !query.pivot.is_empty() {
            if query.cursor.is_some() {
                return fault("groups have no pages: leave out `cursor`, and raise `limit`", Position::default());
            }
            return self.grouped(rows).await;
        }
        self.listed(rows, shape)
    }

    fn source(&self) -> Planned<(ObjectKind, Vec<String>, Shape)> {
        let Some(source) = &self.query.from else {
            return fault("the query names no source, such as from: experiment('name')", Position::default());
        };
        let snapshot = self.session.snapshot();
        let (kind, all) = match source.name.as_str() {
            "experiment" => (ObjectKind::Experiment, snapshot.experiments()),
            "dataset" => (ObjectKind::Dataset, snapshot.datasets()),
            "project_logs" => (ObjectKind::Logs, snapshot.logs()),
            other => {
                let message = format!("there is no source `{other}`: this store holds experiments, datasets and logs");
                let error = LanguageError::new(message, source.position);
                return Err(error.suggest(other, ["experiment", "dataset", "project_logs"]).into());
            }
        };
        if source.ids.is_empty() {
            return fault(format!("{}(…) takes at least one id or name", source.name), source.position);
        }
        let find = |text: &String| {
            let found = all.iter().find(|e| &e.id == text).or_else(|| {
                let mut named = all.iter().filter(|e| &e.name == text || &format!("{}/{}", e.project, e.name) == text);
                named.next().filter(|_| named.next().is_none())
            });
            found.map(|e| e.id.clone()).ok_or_else(|| {
                let error = LanguageError::new(format!("there is no one {} `{text}`", source.name), source.position);
                Fault::Language(error.suggest(text, all.iter().map(|e| e.name.as_str())))
            })
        };
        Ok((kind, source.ids.iter().map(find).collect::<Planned<Vec<_>>>()?, source.shape))
    }

    /// A condition over rows, some of the traces of `spans`.
    fn condition(&self, tree: &Tree, rows: &DataFrame, spans: &DataFrame) -> Planned<Expr> {
        let scope = Scope { spans: Some(spans.logical_plan()), ..Scope::of(rows.schema()) };
        Ok(self.session.lower_condition(tree, &scope)?)
    }

    fn kept_spans(&self, spans: DataFrame) -> Planned<DataFrame> {
        let mut kept = spans.clone();
        for part in self.query.filter.iter().flat_map(Tree::conjuncts) {
            let condition = self.condition(filter_spans(part).unwrap_or(part), &kept, &spans)?;
            kept = kept.filter(condition)?;
        }
        Ok(kept)
    }

    /// Rows of the traces that have a span for which all conditions hold but those of `filter_spans`,
    /// which are asked of the rows.
    fn kept_traces(&self, rows: DataFrame, spans: DataFrame) -> Planned<DataFrame> {
        let mut kept = rows;
        let mut some: Option<DataFrame> = None;
        let mut of_rows = Vec::new();
        for part in self.query.filter.iter().flat_map(Tree::conjuncts) {
            if let Some(tree) = filter_spans(part) {
                of_rows.push(self.condition(tree, &kept, &spans)?);
                continue;
            }
            match self.condition(part, &spans, &spans) {
                Ok(condition) => some = Some(some.unwrap_or_else(|| spans.clone()).filter(condition)?),
                // What only cases have is asked of the case.
                Err(error) => of_rows.push(self.condition(part, &kept, &spans).map_err(|_| error)?),
            }
        }
        if let Some(some) = some {
            kept = of_traces(kept, some)?;
        }
        for condition in of_rows {
            kept = kept.filter(condition)?;
        }
        Ok(kept)
    }

    /// An object or list as rows. A row without one is left out.
    fn unpivoted(&self, rows: DataFrame, unpivot: &Unpivot, place: &str) -> Planned<DataFrame> {
        let value = self.session.lower(&unpivot.expr, &Scope::of(rows.schema()))?;
        let is_list = matches!(value.get_type(rows.schema())?, DataType::List(_));
        if is_list && unpivot.key.is_some() {
            return fault("a list has no keys: unpivot it as (value)", unpivot.expr.position);
        }
        let list = if is_list { unpivot.value.as_str() } else { "__entry" };
        let entries = if is_list { value } else { self.call("json_entries", vec![value])? };
        // Its place tells an element from the others of the row.
        let length = self.call("array_length", vec![ident(list)])?;
        let length = coalesce(vec![cast(length, DataType::Int64), lit(0_i64)]);
        let places = self.call("range", vec![lit(0_i64), length])?;
        let listed = rows.with_column(list, entries)?.with_column(place, places)?;
        // A row without elements gives no row.
        let unnested = listed.unnest_columns(&[list, place])?.filter(ident(list).is_not_null())?;
        if is_list {
            return Ok(unnested);
        }
        let mut named = unnested.with_column(&unpivot.value, get_field(ident("__entry"), "value"))?;
        if let Some(key) = &unpivot.key {
            named = named.with_column(key, get_field(ident("__entry"), "key"))?;
        }
        Ok(named.drop_columns(&["__entry"])?)
    }

    /// Columns with the place of an unpivoted element in its row.
    fn places(&self) -> impl Iterator<Item = String> + use<> {
        (0..self.query.unpivot.len()).map(|i| format!("__place{i}"))
    }

    /// A part of the rows, or of the traces, that is the same each time: chosen by the hash of their id.
    fn sampled(&self, rows: DataFrame, shape: Shape) -> Planned<DataFrame> {
        const PARTS: i64 = 1_000_000;
        let id = if shape == Shape::Traces { schema::ROOT_SPAN_ID } else { schema::ID };
        let hash = |id: &str| self.call("comparison_hash", vec![ident(id)]);
        match self.query.sample {
            None => Ok(rows),
            Some(Sample::Share(share)) => {
                let part = binary_expr(hash(id)?, Operator::Modulo, cast(lit(PARTS), DataType::Decimal128(38, 0)));
                let limit = cast(lit((share * PARTS as f64).round() as i64), DataType::Decimal128(38, 0));
                Ok(rows.filter(part.lt(limit))?)
            }
            Some(Sample::Rows(count)) => {
                let limit = usize::try_from(count).unwrap_or(usize::MAX);
                let first = |rows: DataFrame, columns: Vec<String>| -> Planned<DataFrame> {
                    let order = columns.iter().map(|column| ident(column).sort(true, false));
                    let by_hash = rows.with_column("__sample", hash(&columns[0])?)?;
                    let order = std::iter::once(ident("__sample").sort(true, false)).chain(order).collect();
                    Ok(by_hash.sort(order)?.limit(0, Some(limit))?.drop_columns(&["__sample"])?)
                };
                if shape == Shape::Traces {
                    let traces = rows.clone().aggregate(trace_of_span(), vec![])?;
                    let traces = first(traces, ["__trace", "__experiment"].map(String::from).to_vec())?;
                    return Ok(rows.join(traces, JoinType::LeftSemi, &TRACE, &["__experiment", "__trace"], None)?);
                }
                let own = [id, schema::EXPERIMENT_ID].map(String::from);
                first(rows, own.into_iter().chain(self.places()).collect())
            }
        }
    }

    fn call(&self, name: &str, arguments: Vec<Expr>) -> Planned<Expr> {
        Ok(Expr::ScalarFunction(ScalarFunction::new_udf(self.session.function(name)?, arguments)))
    }

    /// The columns of a query without groups, ordered and paged.
    fn listed(&self, rows: DataFrame, shape: Shape) -> Planned<DataFrame> {
        let query = self.query;
        let created = cast(ident(schema::CREATED), DataType::Int64);
        let has_xact = rows.schema().has_column_with_unqualified_name(schema::XACT);
        let written = has_xact.then(|| ident(schema::XACT)).into_iter().chain([created, lit(0_i64)]).collect();
        let written = cast(coalesce(written), DataType::Utf8);
        let padded = datafusion::functions::expr_fn::lpad(vec![written, lit(20_i64), lit("0")]);
        let mut key = vec![padded, lit(":"), ident(schema::ID)];
        // Experiments may hold spans of one id, and of one span an unpivot makes several rows.
        if query.from.as_ref().is_some_and(|source| source.ids.len() > 1) {
            key.extend([lit(":"), ident(schema::EXPERIMENT_ID)]);
        }
        for place in self.places() {
            let place = cast(ident(place), DataType::Utf8);
            key.extend([lit(":"), datafusion::functions::expr_fn::lpad(vec![place, lit(10_i64), lit("0")])]);
        }
        let key = datafusion::functions::expr_fn::concat(key);
        let mut rows = rows.with_column(PAGINATION_KEY, key)?;
        let is_paging = |item: &SortItem| {
            matches!(&item.expr.node, Node::Path(steps) if matches!(steps.as_slice(),
                [Step::Key { name, .. }] if name == PAGINATION_KEY || name == schema::XACT))
        };
        let pages = query.sort.is_empty() || query.sort.iter().all(is_paging);
        let newest_first = !pages || query.sort.first().is_none_or(|item| item.descending);
        let limit = usize::try_from(query.limit.unwrap_or(LIMIT_DEFAULT)).unwrap_or(usize::MAX);
        if query.cursor.is_some() && !pages {
            let position = query.sort.first().map(|item| item.expr.position).unwrap_or_default();
            return fault("a cursor pages in order of time: leave out `sort`, or filter by the last value", position);
        }
        // The rows of the page: those after the cursor.
        let paged = |rows: DataFrame, key: &str| match &query.cursor {
            Some(cursor) if newest_first => rows.filter(ident(key).lt(lit(cursor.as_str()))),
            Some(cursor) => rows.filter(ident(key).gt(lit(cursor.as_str()))),
            None => Ok(rows),
        };
        if shape == Shape::Traces {
            // A trace comes whole, so all its rows have one key, that of the newest; the limit counts traces.
            let newest = vec![max(ident(PAGINATION_KEY)).alias("__newest")];
            let traces = paged(rows.clone().aggregate(trace_of_span(), newest)?, "__newest")?;
            let first = traces.sort(vec![ident("__newest").sort(!newest_first, false)])?.limit(0, Some(limit))?;
            rows = rows.join(first, JoinType::Inner, &TRACE, &["__experiment", "__trace"], None)?;
            rows = rows.with_column(ROW_KEY, ident(PAGINATION_KEY))?.with_column(PAGINATION_KEY, ident("__newest"))?;
        } else {
            rows = paged(rows, PAGINATION_KEY)?;
        }
        let mut columns = Vec::new();
        let mut names: Vec<String> = Vec::new();
        let all = [Named { expr: Tree { node: Node::Star, position: Position::default() }, alias: None }];
        let select = if query.select.is_empty() { &all[..] } else { &query.select };
        for item in select {
            if item.expr.node == Node::Star {
                for (name, expr) in self.all_columns(&rows, shape)? {
                    if !names.contains(&name) {
                        columns.push(expr.alias(&name));
                        names.push(name);
                    }
                }
                continue;
            }
            let expr = match self.preview_named(item, shape) {
                Some(field) => self.preview(field),
                None => self.session.lower(&item.expr, &Scope::of(rows.schema()))?,
            };
            let name = name_of(item);
            if names.contains(&name) {
                return fault(format!("two columns are called `{name}`: name one with `as`"), item.expr.position);
            }
            columns.push(expr.alias(&name));
            names.push(name);
        }
        let mut order = Vec::new();
        for (i, item) in query.sort.iter().enumerate() {
            let hidden = format!("__sort{i}");
            let by = match &item.expr.node {
                Node::Path(steps) => match steps.as_slice() {
                    [Step::Key { name, .. }] if name == schema::XACT => ident(PAGINATION_KEY),
                    [Step::Key { name, .. }] if names.contains(name) => ident(name),
                    _ => {
                        columns.push(self.session.lower(&item.expr, &Scope::of(rows.schema()))?.alias(&hidden));
                        ident(&hidden)
                    }
                },
                _ => {
                    columns.push(self.session.lower(&item.expr, &Scope::of(rows.schema()))?.alias(&hidden));
                    ident(&hidden)
                }
            };
            order.push(by.sort(!item.descending, false));
        }
        order.push(ident(PAGINATION_KEY).sort(!newest_first, false));
        if shape == Shape::Traces {
            columns.push(ident(ROW_KEY));
            order.push(ident(ROW_KEY).sort(!newest_first, false));
        }
        if !names.iter().any(|name| name == PAGINATION_KEY) {
            names.push(PAGINATION_KEY.into());
            columns.push(ident(PAGINATION_KEY));
        }
        let mut listed = rows.select(columns)?.sort(order)?;
        if shape != Shape::Traces {
            listed = listed.limit(0, Some(limit))?;
        }
        Ok(listed.select(names.iter().map(ident).collect::<Vec<_>>())?)
    }

    /// What `*` stands for.
    fn all_columns(&self, rows: &DataFrame, shape: Shape) -> Planned<Vec<(String, Expr)>> {
        let has = |name: &str| rows.schema().has_column_with_unqualified_name(name);
        if shape != Shape::Summary {
            let known = SPAN_COLUMNS.into_iter().filter(|name| has(name));
            let mut columns: Vec<(String, Expr)> = known.map(|name| (name.to_string(), ident(name))).collect();
            columns.extend(self.unpivot_names().map(|name| (name.clone(), ident(name))));
            return Ok(columns);
        }
        let mut columns = Vec::new();
        for name in [schema::ID, schema::SPAN_ID, schema::ROOT_SPAN_ID, schema::CREATED, schema::EXPERIMENT_ID] {
            columns.push((name.to_string(), ident(name)));
        }
        for name in PREVIEWS {
            columns.push((name.to_string(), self.preview(name)));
        }
        columns.push((schema::TAGS.to_string(), ident(schema::TAGS)));
        columns.extend([schema::SCORES, schema::METRICS, SPAN_TYPE_INFO].map(|name| (name.to_string(), ident(name))));
        columns.extend(self.unpivot_names().map(|name| (name.clone(), ident(name))));
        Ok(columns)
    }

    /// The field that an item of a summary asks the beginning of: a preview by its bare name.
    fn preview_named(&self, item: &Named, shape: Shape) -> Option<&'static str> {
        let Node::Path(steps) = &item.expr.node else { return None };
        let [Step::Key { name, .. }] = steps.as_slice() else { return None };
        let is_unpivoted = self.unpivot_names().any(|unpivoted| unpivoted == name);
        PREVIEWS.into_iter().find(|field| shape == Shape::Summary && !is_unpivoted && name == field)
    }

    fn preview(&self, field: &str) -> Expr {
        match self.query.preview_length.unwrap_or(PREVIEW_DEFAULT) {
            ..0 => ident(field),
            length => substring(ident(field), lit(1_i64), lit(length)),
        }
    }

    /// Cases with their rolled-up scores and metrics as the objects of these names, and what is said of
    /// the trace: name and type, whether all model calls were cached, whether a span has failed.
    fn summarized(&self, cases: DataFrame) -> Planned<DataFrame> {
        let names: Vec<String> = cases.schema().fields().iter().map(|field| field.name().clone()).collect();
        let object = |field: &str, more: &[&str]| -> Planned<Expr> {
            let prefix = format!("{field}.");
            let own = names.iter().filter_map(|name| Some((name.strip_prefix(&prefix)?, ident(name))));
            let pairs = own.chain(more.iter().map(|name| (*name, ident(*name))));
            let pairs: Vec<Expr> = pairs.flat_map(|(name, value)| [lit(name), value]).collect();
            match pairs.is_empty() {
                true => self.call("canonical_json", vec![lit("{}")]),
                false => self.call("json_object", pairs),
            }
        };
        let metric = |name: &str| {
            let column = format!("{}.{name}", schema::METRICS);
            if names.contains(&column) { coalesce(vec![ident(column), lit(0.0)]) } else { lit(0.0) }
        };
        let cached = metric("llm_calls").gt(lit(0.0)).and(metric("cached").gt_eq(metric("llm_calls")));
        let has_error = ident(schema::ERROR).is_not_null().or(metric("errors").gt(lit(0.0)));
        let kind = [lit("name"), ident(schema::NAME), lit("type"), ident(schema::TYPE)];
        let info = kind.into_iter().chain([lit("cached"), cached, lit("has_error"), has_error]).collect();
        let (scores, metrics) = (object(schema::SCORES, &[])?, object(schema::METRICS, &[schema::START, schema::END])?);
        let scored = cases.with_column(schema::SCORES, scores)?.with_column(schema::METRICS, metrics)?;
        Ok(scored.with_column(SPAN_TYPE_INFO, self.call("json_object", info)?)?)
    }

    fn unpivot_names(&self) -> impl Iterator<Item = &String> {
        self.query.unpivot.iter().flat_map(|unpivot| unpivot.key.iter().chain([&unpivot.value]))
    }

    /// Dimensions, measures and pivots.
    async fn grouped(&self, rows: DataFrame) -> Planned<DataFrame> {
        let query = self.query;
        let scope = Scope { aggregates: true, ..Scope::of(rows.schema()) };
        let mut names: Vec<String> = Vec::new();
        let mut groups = Vec::new();
        for item in &query.dimensions {
            let expr = self.session.lower(&item.expr, &Scope::of(rows.schema()))?;
            names.push(name_of(item));
            groups.push(expr);
        }
        let mut outputs: Vec<(String, Expr)> = Vec::new();
        for item in &query.measures {
            outputs.push((name_of(item), self.measure(item, &scope)?));
        }
        if !query.pivot.is_empty() {
            // The values of the last dimension become columns.
            let (Some(by), Some(_)) = (groups.pop(), names.pop()) else {
                return fault(
                    "`pivot` makes columns of the values of the last dimension: name one",
                    Position::default(),
                );
            };
            let by = cast(by, DataType::Utf8);
            let values = rows.clone().aggregate(vec![by.clone().alias("value")], vec![])?;
            let values = values.filter(ident("value").is_not_null())?.sort(vec![ident("value").sort(true, false)])?;
            let values = texts(values.limit(0, Some(PIVOT_MAX + 1))?).await?;
            if values.len() > PIVOT_MAX {
                let position = query.pivot[0].expr.position;
                return fault(format!("more than {PIVOT_MAX} values would become columns"), position);
            }
            for value in values {
                for item in &query.pivot {
                    let is_value = by.clone().eq(lit(value.as_str()));
                    let measure = self.measure(item, &scope)?;
                    outputs.push((format!("{value}_{}", name_of(item)), of_rows(measure, &is_value)?));
                }
            }
        }
        let mut seen: Vec<&String> = Vec::new();
        for name in names.iter().chain(outputs.iter().map(|(name, _)| name)) {
            if seen.contains(&name) {
                return fault(format!("two columns are called `{name}`: name one with `as`"), Position::default());
            }
            seen.push(name);
        }
        // Sort keys may be aggregates that are not shown.
        let mut order: Vec<(Expr, bool)> = Vec::new();
        for item in &query.sort {
            let by = match &item.expr.node {
                Node::Path(steps) => match steps.as_slice() {
                    [Step::Key { name, .. }] if seen.contains(&name) => ident(name),
                    _ => self.session.lower(&item.expr, &scope)?,
                },
                _ => self.session.lower(&item.expr, &scope)?,
            };
            order.push((by, item.descending));
        }
        let sorts = order.iter().map(|(by, _)| by);
        let aggregates = find_aggregate_exprs(outputs.iter().map(|(_, expr)| expr).chain(sorts));
        let named_groups = groups.iter().zip(&names).map(|(group, name)| group.clone().alias(name)).collect();
        let named_aggregates =
            aggregates.iter().enumerate().map(|(i, aggregate)| aggregate.clone().alias(format!("__a{i}"))).collect();
        let summed = rows.aggregate(named_groups, named_aggregates)?;
        let over = |expr: Expr| -> Planned<Expr> {
            let replaced = expr.transform_down(|part| {
                if let Some(i) = aggregates.iter().position(|aggregate| *aggregate == part) {
                    return Ok(Transformed::yes(ident(format!("__a{i}"))));
                }
                match groups.iter().position(|group| *group == part) {
                    Some(i) => Ok(Transformed::yes(ident(&names[i]))),
                    None => Ok(Transformed::no(part)),
                }
            });
            Ok(replaced.data()?)
        };
        let mut columns: Vec<Expr> = names.iter().map(ident).collect();
        for (name, expr) in &outputs {
            columns.push(over(expr.clone())?.alias(name));
        }
        let mut sorts: Vec<Sort> = Vec::new();
        for (i, (by, descending)) in order.into_iter().enumerate() {
            let hidden = format!("__sort{i}");
            let by = match by {
                Expr::Column(column) if seen.iter().any(|name| **name == column.name) => Expr::Column(column),
                by => {
                    columns.push(over(by)?.alias(&hidden));
                    ident(&hidden)
                }
            };
            sorts.push(by.sort(!descending, false));
        }
        // Groups in their own order where nothing else is asked for.
        sorts.extend(names.iter().map(|name| ident(name).sort(true, false)));
        let mut answer = summed.select(columns)?;
        if !sorts.is_empty() {
            answer = answer.sort(sorts)?;
        }
        let limit = usize::try_from(query.limit.unwrap_or(LIMIT_DEFAULT)).unwrap_or(usize::MAX);
        let shown: Vec<Expr> = seen.iter().map(|name| ident(name.as_str())).collect();
        Ok(answer.limit(0, Some(limit))?.select(shown)?)
    }

    fn measure(&self, item: &Named, scope: &Scope<'_>) -> Planned<Expr> {
        let expr = self.session.lower(&item.expr, scope)?;
        if find_aggregate_exprs([&expr]).is_empty() {
            return fault("a measure sums up rows: it needs an aggregate such as avg(…)", item.expr.position);
        }
        Ok(expr)
    }
}

/// The condition of a `filter_spans(…)`.
fn filter_spans(tree: &Tree) -> Option<&Tree> {
    match &tree.node {
        Node::Call(call) if call.name == "filter_spans" && call.arguments.len() == 1 => call.arguments.first(),
        _ => None,
    }
}

/// The rows whose trace is among those of some spans.
fn of_traces(rows: DataFrame, spans: DataFrame) -> Planned<DataFrame> {
    let traces = spans.aggregate(trace_of_span(), vec![])?;
    Ok(rows.join(traces, JoinType::LeftSemi, &TRACE, &["__experiment", "__trace"], None)?)
}

/// What tells traces apart under names that a join does not confuse with the rows' own: experiments
/// may hold traces of one id.
fn trace_of_span() -> Vec<Expr> {
    TRACE.into_iter().zip(["__experiment", "__trace"]).map(|(column, name)| ident(column).alias(name)).collect()
}

/// A measure over the rows for which a condition holds.
fn of_rows(measure: Expr, condition: &Expr) -> Planned<Expr> {
    let restricted = measure.transform_up(|part| match part {
        Expr::AggregateFunction(call) => {
            let both = match &call.params.filter {
                Some(own) => own.as_ref().clone().and(condition.clone()),
                None => condition.clone(),
            };
            Ok(Transformed::yes(Expr::AggregateFunction(call).filter(both).build()?))
        }
        other => Ok(Transformed::no(other)),
    });
    Ok(restricted.data()?)
}

/// The name of a column: its alias, the last part of its path, or the expression.
fn name_of(item: &Named) -> String {
    if let Some(alias) = &item.alias {
        return alias.clone();
    }
    if let Node::Path(steps) = &item.expr.node
        && let Some(Step::Key { name, .. }) = steps.last()
    {
        return name.clone();
    }
    item.expr.to_string()
}

/// The few values of a column of text.
async fn texts(frame: DataFrame) -> Planned<Vec<String>> {
    use datafusion::arrow::array::AsArray;
    let mut found = Vec::new();
    for batch in frame.collect().await? {
        let column = datafusion::arrow::compute::cast(batch.column(0), &DataType::Utf8)
            .map_err(datafusion::error::DataFusionError::from)?;
        found.extend(column.as_string::<i32>().iter().flatten().map(str::to_string));
    }
    Ok(found)
}
