//! Slots between threads: given back where they were not rented. Under loom a magazine has one slot, a cache two, and
//! the first chunk two.

use loom::{sync::mpsc::channel, thread};
use value_future::{Completer, Completion, Pool};

use crate::common::{Value, assert_idle, bounded_model, model, take};

type Ends = (Completer<Value>, Completion<Value>);

/// To the end.
fn run((completer, completion): Ends) {
    completer.complete(None).unwrap();
    assert_eq!(take(completion), None);
}

fn bounded(slots: u32) -> Pool<Value> {
    Pool::<Value>::builder().max_slots(slots).build()
}

#[test]
fn a_return_on_another_thread_against_rent() {
    model(|| {
        let pool = Pool::<Value>::new();
        let ends = pool.rent();
        let other = thread::spawn(move || run(ends));
        let ends = pool.rent();
        run(ends);
        other.join().unwrap();
        assert_idle(&pool, 2);
        assert!(pool.stats().high_water <= 2);
    });
}

/// Each rents and returns, so each has a cache; nobody gets what another has.
#[test]
fn rent_and_return_on_two_threads() {
    bounded_model(3, || {
        let pool = Pool::<Value>::new();
        let theirs = pool.clone();
        let other = thread::spawn(move || {
            run(theirs.rent());
            run(theirs.rent());
        });
        let two = [pool.rent(), pool.rent()];
        assert_ne!(
            two[0].0.key_while_held().untyped().index(),
            two[1].0.key_while_held().untyped().index()
        );
        two.into_iter().for_each(run);
        other.join().unwrap();
        assert_idle(&pool, 4);
    });
}

/// A slot is vacant in the other thread's stripe, or is about to be.
#[test]
fn a_pool_of_one_finds_its_slot_in_another_stripe() {
    model(|| {
        let pool = bounded(1);
        let ends = pool.rent();
        let other = thread::spawn(move || run(ends));
        let early = pool.try_rent();
        let was_early = early.is_ok();
        early.into_iter().for_each(run);
        other.join().unwrap();
        run(pool.try_rent().unwrap());
        assert_idle(&pool, 2 + u64::from(was_early));
        assert_eq!(pool.stats().high_water, 1);
    });
}

/// Whatever two find who look for a slot when it comes back: afterwards it is there.
#[test]
fn a_full_pool_against_a_return() {
    bounded_model(3, || {
        let pool = bounded(1);
        let ends = pool.rent();
        assert!(pool.try_rent().is_err());
        let returning = thread::spawn(move || run(ends));
        let theirs = pool.clone();
        let looking = thread::spawn(move || theirs.try_rent().into_iter().for_each(run));
        pool.try_rent().into_iter().for_each(run);
        returning.join().unwrap();
        looking.join().unwrap();
        run(pool.try_rent().unwrap());
    });
}

/// Two threads share two slots: there is one for each at any time.
#[test]
fn a_pool_of_two_is_never_full_for_two() {
    bounded_model(3, || {
        let pool = bounded(2);
        let theirs = pool.clone();
        let other = thread::spawn(move || {
            run(theirs.try_rent().unwrap());
            run(theirs.try_rent().unwrap());
        });
        run(pool.try_rent().unwrap());
        run(pool.try_rent().unwrap());
        other.join().unwrap();
        assert_idle(&pool, 4);
    });
}

/// One slot is vacant at any time: first the one in the second thread's stripe, and then, before that
/// is taken, the one in the first thread's. Who looks through both finds one.
#[test]
fn a_vacant_slot_is_found_while_others_come_and_go() {
    bounded_model(3, || {
        let pool = bounded(2);
        let first = pool.rent();
        let theirs = pool.clone();
        let (returned, wait) = channel();
        let second = thread::spawn(move || {
            run(theirs.rent());
            let third = theirs.clone();
            let third = thread::spawn(move || third.try_rent().map(run).is_ok());
            wait.recv().unwrap();
            let ours = theirs.try_rent().map(run).is_ok();
            (ours, third.join().unwrap())
        });
        run(first);
        returned.send(()).unwrap();
        assert_eq!(second.join().unwrap(), (true, true));
    });
}

/// A thread that rents nothing finds the stripe full, and wants to make room. Meanwhile its slots are taken out.
#[test]
fn a_full_stripe_against_rent() {
    bounded_model(3, || {
        let pool = Pool::<Value>::new();
        let [first, second, third] = [(); 3].map(|()| pool.rent());
        let filling = thread::spawn(move || [first, second].into_iter().for_each(run));
        filling.join().unwrap();
        let returning = thread::spawn(move || run(third));
        let two = [pool.rent(), pool.rent()];
        returning.join().unwrap();
        let all = two.into_iter().chain([pool.rent()]);
        all.collect::<Vec<_>>().into_iter().for_each(run);
        assert_idle(&pool, 6);
    });
}

/// A cache that is full gives a magazine to the depot, where another thread looks for some.
#[test]
fn a_full_cache_against_rent() {
    bounded_model(3, || {
        let pool = Pool::<Value>::new();
        let [one, two, three] = [pool.rent(), pool.rent(), pool.rent()];
        let theirs = pool.clone();
        let other = thread::spawn(move || {
            let two = [theirs.rent(), theirs.rent()];
            assert_ne!(
                two[0].0.key_while_held().untyped().index(),
                two[1].0.key_while_held().untyped().index()
            );
            two.into_iter().for_each(run);
        });
        run(one);
        run(two);
        run(three);
        other.join().unwrap();
        assert_idle(&pool, 5);
    });
}

/// What a thread leaves behind goes to the depot.
#[test]
fn the_end_of_a_thread_against_rent() {
    bounded_model(3, || {
        let pool = Pool::<Value>::new();
        let one = pool.rent();
        let two = pool.rent();
        let theirs = pool.clone();
        let other = thread::spawn(move || {
            run(one);
            drop(theirs);
        });
        let three = pool.rent();
        let four = pool.rent();
        let indices = [&two, &three, &four].map(|ends| ends.0.key_while_held().untyped().index());
        assert!(indices[0] != indices[1] && indices[1] != indices[2] && indices[0] != indices[2]);
        [two, three, four].into_iter().for_each(run);
        other.join().unwrap();
        assert_idle(&pool, 4);
    });
}

#[test]
fn a_thread_that_ends_leaves_its_slots_to_the_next() {
    bounded_model(2, || {
        let pool = Pool::<Value>::new();
        let ends = pool.rent();
        let first = thread::spawn(move || run(ends));
        let theirs = pool.clone();
        let second = thread::spawn(move || run(theirs.rent()));
        run(pool.rent());
        first.join().unwrap();
        second.join().unwrap();
        assert_idle(&pool, 3);
    });
}
