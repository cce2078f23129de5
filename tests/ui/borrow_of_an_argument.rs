//! A future borrows from an argument, but the lifetime in the type of the future is that of `self`.

use value_future::ValueFuture;

struct Lengths;

impl Lengths {
    fn get(&self, key: &str) -> ValueFuture<'_, usize> {
        ValueFuture::pooled(async move { key.len() })
    }
}

fn main() {
    drop(Lengths.get("four"));
}
