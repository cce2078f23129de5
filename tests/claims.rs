//! Tests that compare sentences of the documentation with the code. Each test checks that a sentence is true. Most tests also call
//! `documented!`, which checks that a file contains the sentence.
//!
//! If a test can measure or compute a figure, it looks for this figure in the text. So the test fails if only the code or only the text
//! changes. `claims_of_threads.rs` tests the figures that grow with the number of threads.

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
