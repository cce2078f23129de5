//! A key of a pool of one output, given to a pool of another one.

use value_future::Pool;

fn main() {
    let numbers = Pool::<Option<u32>>::new();
    let texts = Pool::<Option<String>>::new();
    let (completer, _completion) = numbers.rent();
    let _ = texts.complete_key(completer.into_key(), None);
}
