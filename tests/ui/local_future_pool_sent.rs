//! A `LocalFuturePool` is sent to another thread.

use value_future::LocalFuturePool;

fn main() {
    let pool = LocalFuturePool::new();
    std::thread::spawn(move || drop(pool));
}
