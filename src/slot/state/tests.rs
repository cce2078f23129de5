//! Tests that the code does what the tables in `states.md` say, and that the rules below the tables follow from them.

mod actors;
mod each;
mod tables;
mod walk;
mod world;
