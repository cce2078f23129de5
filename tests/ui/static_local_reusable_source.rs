//! A `static` contains a `LocalReusableSource`.

use value_future::LocalReusableSource;

static SOURCE: LocalReusableSource<Option<u8>> = LocalReusableSource::new();

fn main() {
    let _ = SOURCE.begin();
}
