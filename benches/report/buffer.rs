//! Writes the section about async methods whose future contains a buffer.

use std::fmt::Write as _;

use super::{
    comparison::{Column, comparison},
    measured::Measured,
    numbers::{grouped, range, ratio},
};
use crate::{
    contenders::buffer::{BOX_PIN, FULL, TOO_LARGE},
    harness::buffer::{NESTED, OTHER_THREAD, PENDING, READY, sizes, title, title_of_large},
};

const TEXT: &str = "\
## Futures with a buffer

The future of a method behind `dyn` contains a buffer, and writes the whole buffer at the first poll (`--only buffer,`). The columns are
the sizes of the future in bytes.
";

const NOTES: &str = "\
* `ReusableBoxFuture` and `recycle-box` serve one call at a time, because the method takes `&mut self`. `stackfuture` contains the future
  inline, so moving it moves all bytes of the future.
";

/// The tables, and the text above each table.
const KINDS: [(&str, &str); 4] = [
    (READY, "Ready at the first poll:"),
    (PENDING, "Pending once:"),
    (NESTED, "Five nested calls. The innermost call is pending once:"),
    (OTHER_THREAD, "The future is polled once, and dropped on another thread:"),
];

/// Compares `Box::pin` with `pooled` if the future does not get a slot, because the pool is full or the future is too large.
fn without_a_slot(measured: &Measured) -> String {
    let titles = || sizes().into_iter().flat_map(|size| [title(READY, size), title(PENDING, size)]);
    let more = titles().map(|it| measured.row(&it, FULL).min - measured.row(&it, BOX_PIN).min);
    format!(
        "* If the pool is full, the future is boxed, and a call takes {} ns more than with `{BOX_PIN}`.\n\
         * A future with a buffer of 5,000 bytes is too large for a slot. (It is in none of these tables.) A call with this future takes \
         {} times as long as with `{BOX_PIN}`.",
        range(more, |more| format!("{more:.1}")),
        ratio(measured.ratio(&title_of_large(), [TOO_LARGE, BOX_PIN])),
    )
}

pub(super) fn section(measured: &Measured) -> String {
    let mut text = format!("{TEXT}\n");
    for (what, caption) in KINDS {
        let column = |size: usize| {
            #[expect(clippy::cast_precision_loss, reason = "the futures have at most 5,000 bytes")]
            let label = grouped(size as f64);
            Column::new(label, title(what, size))
        };
        let columns: Vec<_> = sizes().into_iter().map(column).collect();
        let _ = write!(text, "{caption}\n\n{}", comparison(measured, "a call", &columns));
    }
    format!("{text}{NOTES}{}\n\n", without_a_slot(measured))
}
