//! Tests that compare sentences of the documentation with the code. Each test measures what a sentence says. Most tests also look for the
//! sentence, with `said!`.
//!
//! If the code can compute a figure, the test looks for this figure in the text. So neither changes without the other.
//! `claims_of_threads.rs` tests the figures that grow with the number of threads.

mod common;
#[path = "common/counting.rs"]
mod counting;
#[path = "common/words.rs"]
mod words;

mod claims {
    mod aborts;
    mod allocations;
    mod pools;
    mod sharing;
    mod sizes;
    mod sources;
    mod texts;
}
