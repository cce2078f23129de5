#[path = "../contenders.rs"]
mod contenders;
#[path = "../harness.rs"]
mod harness;
#[path = "../run.rs"]
mod run;

use tikv_jemallocator::Jemalloc;

#[global_allocator]
static ALLOCATOR: contenders::Counting<Jemalloc> = contenders::Counting(Jemalloc);

fn main() {
    run::run("jemalloc");
}
