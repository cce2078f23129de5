//! The section of results that are ready when the method is called.

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

A cache hit behind `dyn`, awaited in a boxed async block that consumes the value (`--only ready,`). The floor is a method that
returns `Poll<T>`. The enum by hand has the same four variants as `Arm`, with fat pointers. `NowOrLater` is a type of
aws-smithy-async.
";

const NOTES: &str = "\
Put large results into an `Arc`, or use `ready_or_await!`. `.await` moves a large future by calls of `memcpy`, which is slower than a
box. The macro does not move a ready future. For small results it saves little, and it is slower for some: write `.await`. A clone
and a drop of an `Arc` are two atomic operations, which take most of the time of such a result.

On x86-64 and aarch64, results are stored in the pieces in which they will be loaded. So no load waits for its stores (see the
page about internals). The times for aarch64 were not measured. If the program is compiled for wider registers, some futures of more
than 32 bytes are copied in overlapping pieces. Then `.await` can take longer than a box. This command measures it:
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
