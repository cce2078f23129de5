//! Writes the section about the attribute `async_trait`.

use std::{fmt::Write as _, io};

use super::{
    comparison::{Column, comparison},
    measured::Measured,
};
use crate::harness::attribute::{BEFORE_THE_BODY, IN_THE_BODY, NESTED, PENDING, title};

const TEXT: &str = "\
## The attribute

These tables compare four forms of the same trait: with the attribute of `async-trait`, with methods that return a `BoxFuture`, with
the attribute of this crate, and with methods that return a `ValueFuture` (`--only attribute,`). The methods are called behind `dyn`,
and awaited in a boxed async block.
";

/// The tables, and the text above each table.
const KINDS: [(&str, &str); 4] = [
    (
        BEFORE_THE_BODY,
        "The result is known before the body runs. With the attribute of this crate, `#[ready]` returns the result:",
    ),
    (IN_THE_BODY, "The body finds the result, and is ready at the first poll:"),
    (PENDING, "The body is pending once:"),
    (NESTED, "Five nested calls. The innermost call is pending once:"),
];

pub(super) fn section(measured: &Measured) -> String {
    let mut text = format!("{TEXT}\n");
    for (what, caption) in KINDS {
        let columns = [
            Column::of_type::<u64>(title::<u64>(what)),
            Column::of_type::<io::Result<usize>>(title::<io::Result<usize>>(what)),
            Column::of_type::<Vec<u8>>(title::<Vec<u8>>(what)),
        ];
        let _ = write!(text, "{caption}\n\n{}", comparison(measured, "a call", &columns));
    }
    text + "`cargo bench --bench cost` measures the code size and the compile time of such methods: see [cost.md](cost.md).\n\n"
}
