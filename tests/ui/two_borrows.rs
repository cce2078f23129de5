//! A future that borrows from more than `self`, whose type says that it borrows from `self` only.

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
