//! The documentation tells the truth: each test measures what a sentence says, and reads the sentence.
//!
//! A figure that the code can compute is looked for in the text, so that neither changes without the
//! other. `claims_of_threads.rs` has the figures that grow with the threads of the program.

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
