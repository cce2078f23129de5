//! A `LocalFuturePool` belongs to one thread.

use value_future::LocalFuturePool;

fn main() {
    let pool = LocalFuturePool::new();
    std::thread::spawn(move || drop(pool));
}
