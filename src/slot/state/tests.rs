//! The code does what the tables in `states.md` say, and the tables are sufficient for the rules below them.

mod actors;
mod each;
mod tables;
mod walk;
mod world;
