//! Tests of the documentation of reusable sources, and of completions that become futures.

use std::task::Poll;

use value_future::{Pool, ReusableSource, ValueFuture, operation::CompleteErrorKind};

use crate::{common::poll, counting::Balance, words::documented};

#[test]
fn a_source_is_free_after_its_future_is_dropped_and_the_key_of_the_future_is_refused() {
    let source = ReusableSource::<Option<u8>>::new();
    let read = source.begin().unwrap();
    let key = source.key().unwrap();
    assert!(source.begin().is_err() && source.is_busy());
    drop(read);
    assert!(!source.is_busy() && source.key().is_none());
    let mut next = source.begin().unwrap();
    let late = source.complete_key(key, Some(1)).unwrap_err();
    assert_eq!((late.kind(), late.into_value()), (CompleteErrorKind::Stale, Some(1)));
    assert_eq!(poll(&mut next), Poll::Pending);
    source.complete_key(source.key().unwrap(), Some(2)).unwrap();
    assert_eq!(poll(&mut next), Poll::Ready(Some(2)));
    documented!(
        "src/reusable/reusable_source.rs",
        "The source is free again when the future has returned the result, or is dropped."
    );
}

#[test]
fn two_sources_and_two_pools_give_equal_keys() {
    let (read, write) = (ReusableSource::<Option<u64>>::new(), ReusableSource::new());
    let (_read, mut future) = (read.begin().unwrap(), write.begin().unwrap());
    assert_eq!(read.key(), write.key());
    write.complete_key(read.key().unwrap(), Some(7_u64)).unwrap();
    assert_eq!(poll(&mut future), Poll::Ready(Some(7)));
    let pools = [(); 2].map(|()| Pool::<Option<u64>>::new());
    let [one, two] = pools.each_ref().map(|pool| pool.rent().0.into_key());
    assert_eq!(one, two);
    documented!("src/guide/guarantees.md", "Two sources, and two pools, create equal keys.");
    documented!("src/reusable/reusable_source.rs", "the key of one source fits another");
}

#[test]
fn a_completion_becomes_a_future_without_an_allocation() {
    static BALANCE: Balance = Balance::new();
    let pool = Pool::<Option<u64>>::new();
    let (completer, completion) = pool.rent();
    let mut future = None;
    assert_eq!(BALANCE.made_by(|| future = Some(ValueFuture::from(completion))), 0);
    completer.complete(Some(1)).unwrap();
    assert!(future.as_ref().unwrap().is_ready());
    assert_eq!(poll(future.as_mut().unwrap()), Poll::Ready(Some(1)));
}
