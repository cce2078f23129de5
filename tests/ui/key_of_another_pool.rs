//! A key of one pool is passed to a pool with another output type.

use value_future::Pool;

fn main() {
    let numbers = Pool::<Option<u32>>::new();
    let texts = Pool::<Option<String>>::new();
    let (completer, _completion) = numbers.rent();
    let _ = texts.complete_key(completer.into_key(), None);
}
