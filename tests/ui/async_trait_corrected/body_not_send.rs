//! A body holds an `Arc` across an await.

use std::sync::Arc;

use value_future::async_trait;

#[async_trait]
trait Service {
    async fn call(&self) -> usize;
}

struct Counts;

#[async_trait]
impl Service for Counts {
    async fn call(&self) -> usize {
        let shared = Arc::new(5);
        std::future::ready(()).await;
        *shared
    }
}

fn main() {}
