//! Random scripts, done to a pool of each kind and to a model of it that is a list of plain facts:
//! what is returned, what is woken, what is dropped and what is counted has to be the same.
//!
//! The scripts are the same each time. `PROPTEST_RNG_SEED` gives others, and `PROPTEST_CASES` more.

mod common;
mod model {
    mod compare;
    pub(crate) mod driver;
    mod ends;
    mod keys;
    pub(crate) mod kind;
    mod oracle;
    pub(crate) mod script;
    mod used_up;
    mod witness;
}

use std::env;

use model::{
    driver::Driver,
    kind::{Kind, Local, Shared},
    script::scripts,
};
use proptest::test_runner::{Config, RngAlgorithm, RngSeed, TestRunner};

/// The beginning, the last generation that 16 bits hold, and the very last one.
const ORDINARY: &[u32] = &[1, 2, 1000];
const EDGE_OF_16_BITS: &[u32] = &[0xfffe, 0xffff, 0x1_0000];
const EDGE_OF_32_BITS: &[u32] = &[u32::MAX - 2, u32::MAX - 1, u32::MAX];

fn agrees_with_the_model<K: Kind>(first_generations: &'static [u32]) {
    let given = Config::default();
    let cases = if cfg!(miri) { 1 } else { 150 };
    let seed = RngSeed::Fixed(0x0076_616c_7565);
    let mut runner = TestRunner::new(Config {
        cases: if env::var_os("PROPTEST_CASES").is_some() { given.cases } else { cases },
        rng_seed: if given.rng_seed == RngSeed::Random { seed } else { given.rng_seed },
        // The usual one computes so much that Miri takes a minute for a script.
        rng_algorithm: if cfg!(miri) { RngAlgorithm::XorShift } else { given.rng_algorithm },
        failure_persistence: None,
        ..given
    });
    let run = runner.run(&scripts(first_generations), |(setup, script)| {
        Driver::<K>::run(&setup, &script);
        Ok(())
    });
    if let Err(failure) = run {
        panic!("{failure}");
    }
}

#[test]
fn a_pool_agrees_with_the_model() {
    agrees_with_the_model::<Shared>(ORDINARY);
}

#[test]
fn a_pool_agrees_where_generations_exceed_16_bits() {
    agrees_with_the_model::<Shared>(EDGE_OF_16_BITS);
}

#[test]
fn a_pool_agrees_until_its_slots_are_used_up() {
    agrees_with_the_model::<Shared>(EDGE_OF_32_BITS);
}

#[test]
fn a_local_pool_agrees_with_the_model() {
    agrees_with_the_model::<Local>(ORDINARY);
}

#[test]
fn a_local_pool_agrees_where_generations_exceed_16_bits() {
    agrees_with_the_model::<Local>(EDGE_OF_16_BITS);
}

#[test]
fn a_local_pool_agrees_until_its_slots_are_used_up() {
    agrees_with_the_model::<Local>(EDGE_OF_32_BITS);
}
