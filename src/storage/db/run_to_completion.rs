//! Work that a disconnected client does not interrupt.

use super::InternalError;

/// Runs `work` in a task of its own. A client that disconnects drops the handler, and must not leave
/// rows without their effects in memory or on the wire.
///
/// # Errors
/// Returns the error of `work`, or an error if `work` panics.
pub async fn run_to_completion<T: Send + 'static, E: From<InternalError> + Send + 'static>(
    work: impl Future<Output = Result<T, E>> + Send + 'static,
) -> Result<T, E> {
    let done = tokio::spawn(work).await;
    done.unwrap_or_else(|error| Err(InternalError::broken(error).into()))
}
