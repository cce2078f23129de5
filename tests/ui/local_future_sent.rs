//! A `LocalValueFuture` is sent to another thread.

use value_future::LocalValueFuture;

fn main() {
    let future = LocalValueFuture::<u8>::ready(1);
    std::thread::spawn(move || drop(future));
}
