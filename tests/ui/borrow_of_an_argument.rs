//! A future that borrows from an argument, with a type that borrows from `self` only.

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
