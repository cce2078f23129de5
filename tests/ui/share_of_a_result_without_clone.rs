//! A future is shared although its result is not `Clone`.

use std::io;
use value_future::ValueFuture;

fn main() {
    let read: ValueFuture<'_, io::Result<u64>> = ValueFuture::pooled(async { Ok(5) });
    read.share();
}
