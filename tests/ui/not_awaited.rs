//! Value futures are created, but not awaited. The message of the compiler says that the result is lost.

#![deny(unused_must_use)]

use value_future::{Pool, ValueFuture};

fn main() {
    ValueFuture::ready(5);
    Pool::<Option<u32>>::new().rent().1.close();
}
