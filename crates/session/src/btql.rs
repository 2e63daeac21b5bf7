//! BTQL queries as plans.

use datafusion::arrow::datatypes::DataType;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::common::{JoinType, ScalarValue};
use datafusion::dataframe::DataFrame;
use datafusion::functions::core::expr_fn::get_field;
use datafusion::functions_aggregate::expr_fn::{max, min};
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
                self.kept_traces(cases, spans)?
            }
        };
        for unpivot in &query.unpivot {
            rows = self.unpivoted(rows, unpivot)?;
        }
        rows = self.sampled(rows)?;
        if !query.dimensions.is_empty() || !query.measures.is_empty() || !query.pivot.is_empty() {
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

    fn condition(&self, tree: &Tree, frame: &DataFrame) -> Planned<Expr> {
        Ok(self.session.lower_condition(tree, &Scope::of(frame.schema()))?)
    }

    /// Conditions of the filter: on one span, and calls of `any_span` and `filter_spans`.
    fn conditions(&self) -> Vec<Condition<'_>> {
        let parts = self.query.filter.iter().flat_map(Tree::conjuncts);
        parts
            .map(|part| match &part.node {
                Node::Call(call) if call.arguments.len() == 1 && call.name == "any_span" => {
                    Condition::AnySpan(&call.arguments[0], false)
                }
                Node::Call(call) if call.arguments.len() == 1 && call.name == "filter_spans" => {
                    Condition::FilterSpans(&call.arguments[0])
                }
                Node::Unary { op: evalhouse_language::UnaryOp::Not, operand } => match &operand.node {
                    Node::Call(call) if call.arguments.len() == 1 && call.name == "any_span" => {
                        Condition::AnySpan(&call.arguments[0], true)
                    }
                    _ => Condition::OneSpan(part),
                },
                _ => Condition::OneSpan(part),
            })
            .collect()
    }

    fn kept_spans(&self, mut spans: DataFrame) -> Planned<DataFrame> {
        for condition in self.conditions() {
            let tree = match condition {
                Condition::OneSpan(tree) | Condition::FilterSpans(tree) | Condition::AnySpan(tree, false) => tree,
                Condition::AnySpan(tree, true) => {
                    return fault("not any_span(…) asks of traces: use the shape traces or summary", tree.position);
                }
            };
            let condition = self.condition(tree, &spans)?;
            spans = spans.filter(condition)?;
        }
        Ok(spans)
    }

    /// Rows of the traces that have a span for which all plain conditions hold, and a span for each
    /// `any_span`.
    fn kept_traces(&self, rows: DataFrame, spans: DataFrame) -> Planned<DataFrame> {
        let mut kept = rows;
        let mut one: Option<DataFrame> = None;
        let mut last = Vec::new();
        for condition in self.conditions() {
            match condition {
                Condition::OneSpan(tree) => {
                    let so_far = one.unwrap_or_else(|| spans.clone());
                    let condition = self.condition(tree, &so_far)?;
                    one = Some(so_far.filter(condition)?);
                }
                Condition::AnySpan(tree, negated) => {
                    let some = spans.clone().filter(self.condition(tree, &spans)?)?;
                    kept = of_traces(kept, some, negated)?;
                }
                Condition::FilterSpans(tree) => last.push(tree),
            }
        }
        if let Some(one) = one {
            kept = of_traces(kept, one, false)?;
        }
        for tree in last {
            let condition = self.condition(tree, &kept)?;
            kept = kept.filter(condition)?;
        }
        Ok(kept)
    }

    /// An object or list as rows. A row without one is left out.
    fn unpivoted(&self, rows: DataFrame, unpivot: &Unpivot) -> Planned<DataFrame> {
        let value = self.session.lower(&unpivot.expr, &Scope::of(rows.schema()))?;
        let is_list = matches!(value.get_type(rows.schema())?, DataType::List(_));
        if is_list {
            if unpivot.key.is_some() {
                return fault("a list has no keys: unpivot it as (value)", unpivot.expr.position);
            }
            // A row without elements gives no row.
            let unnested = rows.with_column(&unpivot.value, value)?.unnest_columns(&[unpivot.value.as_str()])?;
            return Ok(unnested.filter(ident(&unpivot.value).is_not_null())?);
        }
        let entries = self.call("json_entries", vec![value])?;
        let unnested = rows.with_column("__entry", entries)?.unnest_columns(&["__entry"])?;
        let unnested = unnested.filter(ident("__entry").is_not_null())?;
        let mut named = unnested.with_column(&unpivot.value, get_field(ident("__entry"), "value"))?;
        if let Some(key) = &unpivot.key {
            named = named.with_column(key, get_field(ident("__entry"), "key"))?;
        }
        Ok(named.drop_columns(&["__entry"])?)
    }

    /// A part of the rows that is the same each time: chosen by the hash of their id.
    fn sampled(&self, rows: DataFrame) -> Planned<DataFrame> {
        const PARTS: i64 = 1_000_000;
        let hash = || self.call("comparison_hash", vec![ident(schema::ID)]);
        match self.query.sample {
            None => Ok(rows),
            Some(Sample::Share(share)) => {
                let part = binary_expr(hash()?, Operator::Modulo, cast(lit(PARTS), DataType::Decimal128(38, 0)));
                let limit = cast(lit((share * PARTS as f64).round() as i64), DataType::Decimal128(38, 0));
                Ok(rows.filter(part.lt(limit))?)
            }
            Some(Sample::Rows(count)) => {
                let by_hash = rows.with_column("__sample", hash()?)?;
                let order = vec![ident("__sample").sort(true, false), ident(schema::ID).sort(true, false)];
                let limit = usize::try_from(count).unwrap_or(usize::MAX);
                Ok(by_hash.sort(order)?.limit(0, Some(limit))?.drop_columns(&["__sample"])?)
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
        let key = datafusion::functions::expr_fn::concat(vec![padded, lit(":"), ident(schema::ID)]);
        let mut rows = rows.with_column(PAGINATION_KEY, key)?;
        let is_paging = |item: &SortItem| {
            matches!(&item.expr.node, Node::Path(steps) if matches!(steps.as_slice(),
                [Step::Key { name, .. }] if name == PAGINATION_KEY || name == schema::XACT))
        };
        let pages = query.sort.is_empty() || query.sort.iter().all(is_paging);
        let newest_first = query.sort.first().is_none_or(|item| item.descending);
        let limit = usize::try_from(query.limit.unwrap_or(LIMIT_DEFAULT)).unwrap_or(usize::MAX);
        if let Some(cursor) = &query.cursor {
            if !pages {
                let position = query.sort.first().map(|item| item.expr.position).unwrap_or_default();
                return fault(
                    "a cursor pages in order of time: leave out `sort`, or filter by the last value",
                    position,
                );
            }
            let after = if newest_first {
                ident(PAGINATION_KEY).lt(lit(cursor.as_str()))
            } else {
                ident(PAGINATION_KEY).gt(lit(cursor.as_str()))
            };
            rows = rows.filter(after)?;
        }
        if shape == Shape::Traces {
            // The limit counts traces, newest first.
            let traces = rows.clone().aggregate(
                vec![ident(schema::ROOT_SPAN_ID).alias("__trace")],
                vec![max(ident(PAGINATION_KEY)).alias("__newest")],
            )?;
            let first = traces.sort(vec![ident("__newest").sort(false, false)])?.limit(0, Some(limit))?;
            rows = rows.join(first, JoinType::LeftSemi, &[schema::ROOT_SPAN_ID], &["__trace"], None)?;
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
            let expr = self.session.lower(&item.expr, &Scope::of(rows.schema()))?;
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
        order.push(ident(PAGINATION_KEY).sort(!newest_first || !pages, false));
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
        let length = self.query.preview_length.unwrap_or(PREVIEW_DEFAULT);
        let mut columns = Vec::new();
        for name in [schema::ID, schema::SPAN_ID, schema::ROOT_SPAN_ID, schema::CREATED, schema::EXPERIMENT_ID] {
            columns.push((name.to_string(), ident(name)));
        }
        for name in PREVIEWS {
            let preview = if length < 0 { ident(name) } else { substring(ident(name), lit(1_i64), lit(length)) };
            columns.push((name.to_string(), preview));
        }
        columns.push((schema::TAGS.to_string(), ident(schema::TAGS)));
        for field in [schema::SCORES, schema::METRICS] {
            let prefix = format!("{field}.");
            let mut pairs = Vec::new();
            for known in rows.schema().fields().iter().filter(|known| known.name().starts_with(&prefix)) {
                pairs.push(lit(&known.name()[prefix.len()..]));
                pairs.push(ident(known.name()));
            }
            if field == schema::METRICS {
                for name in [schema::START, schema::END] {
                    pairs.extend([lit(name), ident(name)]);
                }
            }
            let object = if pairs.is_empty() { lit("{}") } else { self.call("json_object", pairs)? };
            columns.push((field.to_string(), object));
        }
        columns.extend(self.unpivot_names().map(|name| (name.clone(), ident(name))));
        Ok(columns)
    }

    fn unpivot_names(&self) -> impl Iterator<Item = &String> {
        self.query.unpivot.iter().flat_map(|unpivot| unpivot.key.iter().chain([&unpivot.value]))
    }

    /// Dimensions, measures and pivots.
    async fn grouped(&self, rows: DataFrame) -> Planned<DataFrame> {
        let query = self.query;
        let scope = Scope { schema: rows.schema(), baseline: None, aggregates: true };
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

enum Condition<'a> {
    OneSpan(&'a Tree),
    /// With `not`, no span.
    AnySpan(&'a Tree, bool),
    FilterSpans(&'a Tree),
}

/// The rows whose trace is among those of some spans, or with `negated` is not.
fn of_traces(rows: DataFrame, spans: DataFrame, negated: bool) -> Planned<DataFrame> {
    let traces = spans.aggregate(
        vec![ident(schema::EXPERIMENT_ID).alias("__experiment"), ident(schema::ROOT_SPAN_ID).alias("__trace")],
        vec![min(ident(schema::POSITION)).alias("__first")],
    )?;
    let join = if negated { JoinType::LeftAnti } else { JoinType::LeftSemi };
    let on = [schema::EXPERIMENT_ID, schema::ROOT_SPAN_ID];
    Ok(rows.join(traces, join, &on, &["__experiment", "__trace"], None)?)
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
