//! One SQL query on its way from text to rows.

use datafusion::common::ScalarValue;
use datafusion::execution::SendableRecordBatchStream;
use evalhouse_session::Session;

/// Plans and starts a query. Dropping the stream cancels it.
pub(crate) async fn start(session: &Session, sql: &str) -> anyhow::Result<SendableRecordBatchStream> {
    start_with(session, sql, &[]).await
}

/// Plans and starts a query with values for its parameters.
pub(crate) async fn start_with(
    session: &Session,
    sql: &str,
    values: &[(String, ScalarValue)],
) -> anyhow::Result<SendableRecordBatchStream> {
    let frame = session.sql_with(sql, values).await?;
    Ok(frame.execute_stream().await.map_err(|error| session.run_error(error))?)
}
