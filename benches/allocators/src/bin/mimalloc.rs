#[path = "../contenders.rs"]
mod contenders;
#[path = "../harness.rs"]
mod harness;
#[path = "../run.rs"]
mod run;

use mimalloc::MiMalloc;

#[global_allocator]
static ALLOCATOR: contenders::Counting<MiMalloc> = contenders::Counting(MiMalloc);

fn main() {
    run::run("mimalloc");
}
