//! A `ValueFuture` is created from a future that is not `Send`.

use std::rc::Rc;

use value_future::ValueFuture;

fn main() {
    let shared = Rc::new(5);
    drop(ValueFuture::boxed(async move { *shared }));
}
