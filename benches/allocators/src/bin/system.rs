#[path = "../contenders.rs"]
mod contenders;
#[path = "../harness.rs"]
mod harness;
#[path = "../run.rs"]
mod run;

use std::alloc::System;

#[global_allocator]
static ALLOCATOR: contenders::Counting<System> = contenders::Counting(System);

fn main() {
    run::run("system");
}
