//! Model-based tests of `Pool` and `LocalPool`. A random script runs on a pool and on a model of the pool, the *oracle*. Both must have the
//! same results, wakes, drops and counters.
//!
//! Each run uses the same scripts. `PROPTEST_RNG_SEED` selects other scripts, and `PROPTEST_CASES` sets their number.

mod common;
mod model {
    mod compare;
    pub(crate) mod driver;
    mod generation_wraparound;
    mod keys;
    pub(crate) mod kind;
    mod observer;
    mod operations;
    mod oracle;
    pub(crate) mod script;
}

use std::env;

use model::{
    driver::Driver,
    kind::{Kind, LocalPools, SharedPools},
    script::scripts,
};
use proptest::test_runner::{Config, RngAlgorithm, RngSeed, TestRunner};

/// Values for `first_generation` with which neither tokens nor generations wrap during a script.
const SMALL: &[u32] = &[1, 2, 1000];
/// Values for `first_generation` near the end of 16 bits, so that tokens wrap.
const NEAR_16_BITS: &[u32] = &[0xfffe, 0xffff, 0x1_0000];
/// Values for `first_generation` near the end of 32 bits, so that generations wrap.
const NEAR_32_BITS: &[u32] = &[u32::MAX - 2, u32::MAX - 1, u32::MAX];

fn assert_agrees_with_the_model<K: Kind>(first_generations: &'static [u32]) {
    let defaults = Config::default();
    let cases = if cfg!(miri) { 1 } else { 150 };
    let seed = RngSeed::Fixed(0x0076_616c_7565);
    let mut runner = TestRunner::new(Config {
        cases: if env::var_os("PROPTEST_CASES").is_some() { defaults.cases } else { cases },
        rng_seed: if defaults.rng_seed == RngSeed::Random { seed } else { defaults.rng_seed },
        // The default algorithm is slow under Miri: one minute for each script.
        rng_algorithm: if cfg!(miri) { RngAlgorithm::XorShift } else { defaults.rng_algorithm },
        failure_persistence: None,
        ..defaults
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
    assert_agrees_with_the_model::<SharedPools>(SMALL);
}

#[test]
fn a_pool_agrees_with_the_model_when_tokens_wrap() {
    assert_agrees_with_the_model::<SharedPools>(NEAR_16_BITS);
}

#[test]
fn a_pool_agrees_with_the_model_when_generations_wrap() {
    assert_agrees_with_the_model::<SharedPools>(NEAR_32_BITS);
}

#[test]
fn a_local_pool_agrees_with_the_model() {
    assert_agrees_with_the_model::<LocalPools>(SMALL);
}

#[test]
fn a_local_pool_agrees_with_the_model_when_tokens_wrap() {
    assert_agrees_with_the_model::<LocalPools>(NEAR_16_BITS);
}

#[test]
fn a_local_pool_agrees_with_the_model_when_generations_wrap() {
    assert_agrees_with_the_model::<LocalPools>(NEAR_32_BITS);
}
