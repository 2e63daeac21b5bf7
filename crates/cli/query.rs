//! One SQL query on its way from text to rows.

use datafusion::execution::SendableRecordBatchStream;
use evalhouse_session::Session;

/// Plans and starts a query. Dropping the stream cancels it.
pub(crate) async fn start(session: &Session, sql: &str) -> anyhow::Result<SendableRecordBatchStream> {
    let frame = session.sql(sql).await?;
    Ok(frame.execute_stream().await.map_err(|error| session.run_error(error))?)
}
