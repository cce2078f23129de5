//! A completer of a `LocalPool` is sent to another thread.

use std::thread;

use value_future::LocalPool;

fn main() {
    let (completer, _completion) = LocalPool::<Option<u64>>::new().rent();
    thread::spawn(move || completer.complete(Some(7)));
}
