//! A script that certainly passes the last generation. Random scripts do so only by chance.

use super::{
    driver::Driver,
    kind::{Kind, LocalPools, SharedPools},
    script::{KeyPick, Op, Setup},
};

/// The steps of an operation that issues its key. After the operation has ended, two late keys are used: the latest key of the first slot,
/// and the first key that was issued.
const OPERATION: [Op; 7] = [
    Op::TryRent,
    Op::Poll(0, 0),
    Op::IssueKey(0),
    Op::Complete(0),
    Op::DropConsumer(0),
    Op::AbandonKey(KeyPick::Current(0)),
    Op::CompleteKey(KeyPick::Issued(0)),
];

/// Runs 20 operations on a pool of two slots. The generation of a slot wraps around after three operations.
fn run<K: Kind>() {
    let first_generation = u32::MAX - 2;
    let setup = Setup { initial: 0, max: Some(2), first_generation, pool_dropped_first: true };
    let mut driver = Driver::<K>::new(&setup);
    for _ in 0..20 {
        assert!(!driver.oracle.is_full());
        for op in &OPERATION {
            driver.step(op);
        }
    }
    assert_eq!((driver.oracle.live(), driver.oracle.retired()), (0, 0));
    assert_eq!(driver.oracle.operations.len(), 20);
    for _ in 0..2 {
        driver.step(&Op::Rent);
    }
    assert!(driver.oracle.is_full());
    driver.step(&Op::TryRent);
}

#[test]
fn a_bounded_pool_works_after_its_last_generation() {
    run::<SharedPools>();
}

#[test]
fn a_bounded_local_pool_works_after_its_last_generation() {
    run::<LocalPools>();
}
