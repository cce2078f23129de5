//! A `LocalReusableSource` belongs to one thread, so it cannot be a `static`.

use value_future::LocalReusableSource;

static SOURCE: LocalReusableSource<Option<u8>> = LocalReusableSource::new();

fn main() {
    let _ = SOURCE.begin();
}
