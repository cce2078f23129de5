//! A value future is awaited twice.

use value_future::ValueFuture;

async fn twice(future: ValueFuture<'_, u32>) -> u32 {
    future.await + future.await
}

fn main() {
    drop(twice(ValueFuture::ready(5)));
}
