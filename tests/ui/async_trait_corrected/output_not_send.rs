//! A future whose output is `Send` is sent to another thread.

use std::sync::Arc;

use value_future::async_trait;

#[async_trait]
trait Service {
    async fn call(&self) -> Arc<u32>;
}

fn spawn(_: impl Future<Output = ()> + Send + 'static) {}

fn start(service: &'static (dyn Service + Sync)) {
    spawn(async {
        service.call().await;
    });
}

fn main() {}
