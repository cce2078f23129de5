//! Loom models of slots that one thread rents and another thread releases. Under loom, a magazine has one slot. A thread cache, a stripe
//! and a page have two slots each.

use loom::{sync::mpsc::channel, thread};
use value_future::Pool;

use crate::common::{Value, assert_idle, bounded, bounded_model, model, run};

#[test]
fn release_on_another_thread_against_rent() {
    model(|| {
        let pool = Pool::<Value>::new();
        let handles = pool.rent();
        let other = thread::spawn(move || run(handles));
        let handles = pool.rent();
        run(handles);
        other.join().unwrap();
        assert_idle(&pool, 2);
        assert!(pool.stats().high_water <= 2);
    });
}

/// Both threads rent and release, so both have a cache. No slot is rented twice at the same time.
#[test]
fn rent_and_release_on_two_threads() {
    bounded_model(3, || {
        let pool = Pool::<Value>::new();
        let clone = pool.clone();
        let other = thread::spawn(move || {
            run(clone.rent());
            run(clone.rent());
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

/// The other thread returns the only slot to its stripe, before or after `try_rent`. At the end, this thread rents the slot.
#[test]
fn the_only_slot_is_found_in_the_stripe_of_another_thread() {
    model(|| {
        let pool = bounded(1);
        let handles = pool.rent();
        let other = thread::spawn(move || run(handles));
        let early = pool.try_rent();
        let was_early = early.is_ok();
        early.into_iter().for_each(run);
        other.join().unwrap();
        run(pool.try_rent().unwrap());
        assert_idle(&pool, 2 + u64::from(was_early));
        assert_eq!(pool.stats().high_water, 1);
    });
}

/// Two threads try to rent while the only slot is released. In the end, the slot is vacant.
#[test]
fn try_rent_on_two_threads_against_release() {
    bounded_model(3, || {
        let pool = bounded(1);
        let handles = pool.rent();
        assert!(pool.try_rent().is_err());
        let returning = thread::spawn(move || run(handles));
        let clone = pool.clone();
        let trying = thread::spawn(move || clone.try_rent().into_iter().for_each(run));
        pool.try_rent().into_iter().for_each(run);
        returning.join().unwrap();
        trying.join().unwrap();
        run(pool.try_rent().unwrap());
    });
}

/// Two threads share two slots, and each thread uses one slot at a time. So each thread always finds a vacant slot.
#[test]
fn two_threads_never_find_a_pool_of_two_slots_full() {
    bounded_model(3, || {
        let pool = bounded(2);
        let clone = pool.clone();
        let other = thread::spawn(move || {
            run(clone.try_rent().unwrap());
            run(clone.try_rent().unwrap());
        });
        run(pool.try_rent().unwrap());
        run(pool.try_rent().unwrap());
        other.join().unwrap();
        assert_idle(&pool, 4);
    });
}

/// During each call of `try_rent`, at least one slot is vacant. At first, the vacant slot is in the stripe of the second thread. Before the
/// second thread rents again, the first thread returns the other slot to its own stripe. Meanwhile, a third thread calls `try_rent`. It
/// must find one of the two slots, although the vacant slot may change from one stripe to the other during the search.
#[test]
fn a_vacant_slot_is_found_while_other_threads_rent_and_release() {
    bounded_model(3, || {
        let pool = bounded(2);
        let first = pool.rent();
        let clone = pool.clone();
        let (released, wait) = channel();
        let second = thread::spawn(move || {
            run(clone.rent());
            let third = clone.clone();
            let third = thread::spawn(move || third.try_rent().map(run).is_ok());
            wait.recv().unwrap();
            let own = clone.try_rent().map(run).is_ok();
            (own, third.join().unwrap())
        });
        run(first);
        released.send(()).unwrap();
        assert_eq!(second.join().unwrap(), (true, true));
    });
}

/// A thread that rents nothing finds the stripe full, and moves slots to the depot while another thread rents.
#[test]
fn release_to_a_full_stripe_against_rent() {
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

/// A thread whose cache is full moves a magazine to the depot while another thread searches the depot.
#[test]
fn release_to_a_full_cache_against_rent() {
    bounded_model(3, || {
        let pool = Pool::<Value>::new();
        let [one, two, three] = [pool.rent(), pool.rent(), pool.rent()];
        let clone = pool.clone();
        let other = thread::spawn(move || {
            let two = [clone.rent(), clone.rent()];
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

/// A thread that rents nothing releases a slot to the stripe, and ends. No slot is rented twice at the same time.
#[test]
fn release_and_end_of_a_thread_against_rent() {
    bounded_model(3, || {
        let pool = Pool::<Value>::new();
        let one = pool.rent();
        let two = pool.rent();
        let clone = pool.clone();
        let other = thread::spawn(move || {
            run(one);
            drop(clone);
        });
        let three = pool.rent();
        let four = pool.rent();
        let indices =
            [&two, &three, &four].map(|handles| handles.0.key_while_held().untyped().index());
        assert!(indices[0] != indices[1] && indices[1] != indices[2] && indices[0] != indices[2]);
        [two, three, four].into_iter().for_each(run);
        other.join().unwrap();
        assert_idle(&pool, 4);
    });
}

#[test]
fn rent_on_two_threads_against_release_on_a_third_thread() {
    bounded_model(2, || {
        let pool = Pool::<Value>::new();
        let handles = pool.rent();
        let first = thread::spawn(move || run(handles));
        let clone = pool.clone();
        let second = thread::spawn(move || run(clone.rent()));
        run(pool.rent());
        first.join().unwrap();
        second.join().unwrap();
        assert_idle(&pool, 3);
    });
}
