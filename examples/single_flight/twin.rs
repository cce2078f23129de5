//! The counterpart of `cache`: `moka` behind a trait of `async-trait`.

use std::sync::Arc;

use crate::{cache::Answer, store::Store, store::Value};

#[async_trait::async_trait]
pub(crate) trait Cache: Send + Sync {
    async fn get(&self, key: usize) -> Answer;
}

pub(crate) struct Moka<S>(pub(crate) moka::future::Cache<usize, Value>, pub(crate) Arc<S>);

#[async_trait::async_trait]
impl<S: Store> Cache for Moka<S> {
    /// `try_get_with` also answers hits. But it allocates for them, and its future is large.
    async fn get(&self, key: usize) -> Answer {
        match self.0.get(&key).await {
            Some(value) => Ok(value),
            None => Box::pin(self.0.try_get_with(key, self.1.load(key))).await,
        }
    }
}
