//! The ends of a local pool stay on its thread.

use std::thread;

use value_future::LocalPool;

fn main() {
    let (completer, _completion) = LocalPool::<Option<u64>>::new().rent();
    thread::spawn(move || completer.complete(Some(7)));
}
