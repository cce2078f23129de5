//! What random scripts come to by chance, once for certain: so that it is known to be in the model.

use super::{
    driver::Driver,
    kind::{Kind, Local, Shared},
    script::{KeyPick, Op, Setup},
};

/// An operation whose key was given out, and then its key and the first one of all.
const KEYED: [Op; 7] = [
    Op::TryRent,
    Op::Poll(0, 0),
    Op::IssueKey(0),
    Op::Complete(0),
    Op::DropConsumer(0),
    Op::AbandonKey(KeyPick::Current(0)),
    Op::CompleteKey(KeyPick::Issued(0)),
];

/// Two slots, each of which has three generations left.
fn works_on<K: Kind>() {
    let first_generation = u32::MAX - 2;
    let setup = Setup { initial: 0, max: Some(2), first_generation, closed_first: true };
    let mut driver = Driver::<K>::new(&setup);
    for _ in 0..20 {
        assert!(!driver.oracle.is_full());
        for op in &KEYED {
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
fn a_bounded_pool_whose_generations_are_used_up_works_on() {
    works_on::<Shared>();
}

#[test]
fn a_bounded_local_pool_whose_generations_are_used_up_works_on() {
    works_on::<Local>();
}
