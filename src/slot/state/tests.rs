//! Tests that the transition functions do what the tables in `slot/states.md` say, and that the rules in that file follow from the tables.

mod each;
mod invariants;
mod reachable;
mod tables;
mod world;
