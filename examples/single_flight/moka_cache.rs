//! [`MokaCache`], a cache of the crate `moka` behind a trait with the attribute of `async-trait`.

use std::sync::Arc;

use crate::{single_flight::Answer, store::Store, store::Value};

#[async_trait::async_trait]
pub(crate) trait BoxedCache: Send + Sync {
    async fn get(&self, key: usize) -> Answer;
}

pub(crate) struct MokaCache<S>(pub(crate) moka::future::Cache<usize, Value>, pub(crate) Arc<S>);

#[async_trait::async_trait]
impl<S: Store> BoxedCache for MokaCache<S> {
    // `try_get_with` alone would suffice, but it allocates for hits as well, and its future is large.
    async fn get(&self, key: usize) -> Answer {
        match self.0.get(&key).await {
            Some(value) => Ok(value),
            None => Box::pin(self.0.try_get_with(key, self.1.load(key))).await,
        }
    }
}
