//! The tables in `states.md` are what the code does, and are enough to keep the rules below them.

mod actors;
mod each;
mod tables;
mod walk;
mod world;
