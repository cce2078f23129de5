//! Tests that the code does what the tables in `states.md` say, and that the rules below the tables follow from them.

mod each;
mod invariants;
mod reachable;
mod tables;
mod world;
