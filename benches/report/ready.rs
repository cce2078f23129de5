//! Writes the section about results that are ready when the method is called.

use std::{io, sync::Arc};

use super::{
    comparison::{Column, comparison},
    measured::Measured,
    numbers::ratio,
};
use crate::{
    contenders::ready::{AWAIT, BOX_FUTURE, MACRO, Value},
    harness::ready::title,
};

const TEXT: &str = "\
## Ready results

A lookup in a cache is called behind `dyn`, and hits. A boxed async block awaits the result, and consumes it. (The option
`--only ready,` selects these tables.) The floor is a method that returns `Poll<T>` instead of a future. `static async fn` is called
without `dyn`. `enum by hand` has a variant for each arm of a value future, and contains fat pointers. `NowOrLater` is a type of
aws-smithy-async.
";

const NOTES: &str = "\
Put large results into an `Arc`, or use `ready_or_await!`. `.await` moves a large future by calls of `memcpy`, which is slower than a
box. `ready_or_await!` does not move a ready future. For small results, `ready_or_await!` saves little, and for some types it is slower
than `.await`. So write `.await` for small results. A lookup of a result with an `Arc` takes longer, because it clones and drops the
`Arc`. These are two atomic operations.

On x86-64 and aarch64, a result is stored in pieces that are as wide as the later loads. So the loads do not wait for the stores
(see the page `internals` of the documentation). The times on aarch64 were not measured. If the program is compiled for wider
registers, some futures of more than 32 bytes are copied in overlapping pieces. Then `.await` can take longer than a box. This command
measures these copies:
`RUSTFLAGS=\"-C target-cpu=x86-64-v3\" cargo bench --bench ratios -- --only ready,`
";

fn column<V: Value>() -> Column {
    Column::of_type::<V>(title::<V>())
}

pub(super) fn section(measured: &Measured) -> String {
    let columns = [
        column::<()>(),
        column::<u64>(),
        column::<io::Result<usize>>(),
        column::<Option<u64>>(),
        column::<io::Result<Arc<[u8]>>>(),
        column::<Vec<u8>>(),
        column::<Option<String>>(),
        column::<io::Result<Vec<u8>>>(),
        column::<[u64; 8]>(),
        column::<Result<[u64; 8], ()>>(),
        column::<[u64; 32]>(),
    ];
    let large = |form| ratio(measured.ratio(&title::<[u64; 32]>(), [form, BOX_FUTURE]));
    format!(
        "{TEXT}\n{}For `{}`, `.await` takes {} times as long as `BoxFuture`, and `ready_or_await!` takes {} times as long.\n\n{NOTES}\n",
        comparison(measured, "a lookup", &columns),
        <[u64; 32]>::NAME,
        large(AWAIT),
        large(MACRO),
    )
}
