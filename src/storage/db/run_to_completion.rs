//! What is carried through once it has begun.

use super::StoreError;

/// Runs it in a task of its own: a client that hangs up half way does not leave rows without
/// what goes with them, in memory or on the wire.
///
/// # Errors
/// Those of `work`; and if it panics.
pub async fn run_to_completion<T: Send + 'static, E: From<StoreError> + Send + 'static>(
    work: impl Future<Output = Result<T, E>> + Send + 'static,
) -> Result<T, E> {
    let done = tokio::spawn(work).await;
    done.unwrap_or_else(|error| Err(StoreError::broken(error).into()))
}
