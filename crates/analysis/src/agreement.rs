//! How far two judgements of the same cases agree.

use datafusion::arrow::datatypes::DataType;
use datafusion::functions_aggregate::expr_fn::count;
use datafusion::logical_expr::{Expr, ExprSchemable, cast, ident, lit};
use evalhouse_model::AgreementReport;
use evalhouse_session::Session;
use serde_json::Value;

use crate::answer::Answer;
use crate::scope::{cases_of, parse, side};
use crate::{AnalysisError, Selected};

/// Categories of a matrix that is shown.
const MATRIX_MAX: usize = 50;

/// What to compare.
#[derive(Debug, Clone, Default)]
pub struct AgreementOptions {
    /// Only cases that satisfy this condition.
    pub filter: Option<String>,
    /// Width of the bins that numbers are put into: 0.25 makes 0.8 and 0.9 one category.
    pub bin: Option<f64>,
}

/// Compares two expressions over the rows of an experiment, usually two scores, as judgements.
///
/// # Errors
/// When an expression does not parse, or there are more categories than judgements have.
pub async fn agreement(
    session: &Session,
    experiment: &Selected,
    first: &str,
    second: &str,
    options: &AgreementOptions,
) -> Result<AgreementReport, AnalysisError> {
    let rows = cases_of(session, experiment, options.filter.as_deref()).await?;
    let judgement = |text: &str| -> Result<Expr, AnalysisError> {
        let value = parse(session, "judgement", text, rows.schema())?;
        let is_number = value.get_type(rows.schema())?.is_numeric();
        match (is_number, options.bin) {
            (true, Some(bin)) if bin > 0.0 => {
                let number = cast(value, DataType::Float64);
                let steps = datafusion::functions::expr_fn::round(vec![number / lit(bin)]);
                // Rounded once more: 3 × 0.1 is written 0.30000000000000004.
                Ok(datafusion::functions::expr_fn::round(vec![steps * lit(bin), lit(9_i64)]))
            }
            (true, _) => Ok(cast(value, DataType::Float64)),
            (false, _) => Ok(cast(value, DataType::Utf8)),
        }
    };
    let both = rows.clone().select(vec![judgement(first)?.alias("a"), judgement(second)?.alias("b")])?;
    let both = both.filter(ident("a").is_not_null().and(ident("b").is_not_null()))?;
    let function = session.aggregate("agreement")?;
    let said = both.clone().aggregate(vec![], vec![function.call(vec![ident("a"), ident("b")]).alias("g")])?;
    let said = Answer::of(said).await?;
    let counted = both.aggregate(vec![ident("a"), ident("b")], vec![count(lit(1)).alias("n")])?;
    let counted = Answer::of(counted).await?;

    let fields = said.fields(0, "g");
    let mut report = AgreementReport {
        experiment: side(experiment),
        first: first.into(),
        second: second.into(),
        filter: options.filter.clone(),
        n: fields.int("n"),
        observed: fields.float("observed"),
        expected: fields.float("expected"),
        kappa: fields.float("kappa"),
        se: fields.float("se"),
        ci_low: fields.float("ci_low"),
        ci_high: fields.float("ci_high"),
        linear_kappa: fields.float("linear_kappa"),
        quadratic_kappa: fields.float("quadratic_kappa"),
        ..AgreementReport::default()
    };
    let mut categories: Vec<Value> = Vec::new();
    for row in 0..counted.rows() {
        for side in ["a", "b"] {
            let value = counted.value_of(row, side);
            if !categories.contains(&value) {
                categories.push(value);
            }
        }
        if categories.len() > MATRIX_MAX {
            break;
        }
    }
    if categories.len() > MATRIX_MAX {
        report
            .warnings
            .push(format!("more than {MATRIX_MAX} categories: the matrix is left out; --bin puts numbers into fewer"));
        return Ok(report);
    }
    categories.sort_by(|a, b| match (a.as_f64(), b.as_f64()) {
        (Some(a), Some(b)) => a.total_cmp(&b),
        _ => a.as_str().cmp(&b.as_str()),
    });
    let mut matrix = vec![vec![0; categories.len()]; categories.len()];
    for row in 0..counted.rows() {
        let place = |side: &str| {
            let value = counted.value_of(row, side);
            categories.iter().position(|known| known == &value)
        };
        if let (Some(i), Some(j)) = (place("a"), place("b")) {
            matrix[i][j] += counted.int(row, "n");
        }
    }
    report.categories = categories;
    report.matrix = matrix;
    if report.n > 0 && report.kappa.is_none() {
        report.warnings.push("every judgement is the same category: κ has no meaning".into());
    }
    Ok(report)
}
