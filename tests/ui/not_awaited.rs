//! A value future is not awaited, and the result of `close` is ignored. The messages of the compiler say that the result is lost.

#![deny(unused_must_use)]

use value_future::{Pool, ValueFuture};

fn main() {
    ValueFuture::ready(5);
    Pool::<Option<u32>>::new().rent().1.close();
}
