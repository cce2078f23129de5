//! A value future that is not awaited. The message says that the result is lost.

#![deny(unused_must_use)]

use value_future::{Pool, ValueFuture};

fn main() {
    ValueFuture::ready(5);
    Pool::<Option<u32>>::new().rent().1.close();
}
