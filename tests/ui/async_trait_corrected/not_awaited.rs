//! The corrected version of `tests/ui/async_trait/not_awaited.rs`. `tests/compile_errors.rs` compiles it as a module.

#![deny(unused_must_use)]

use value_future::async_trait;

#[async_trait]
trait Service {
    async fn call(&self);
}

async fn forgets(service: &dyn Service) {
    service.call().await;
}

fn main() {}
