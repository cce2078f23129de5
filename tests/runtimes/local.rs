//! Scenarios for the `Local…` types, with values that are not `Send`.

use std::rc::Rc;

use futures::{
    future::{join, join3},
    poll,
};
use smol::future::yield_now;
use value_future::{
    LocalFuturePool, LocalPool, LocalReusableSource, LocalValueFuture, operation::CompleteErrorKind,
};

use crate::runtime::Local;

pub(crate) fn local_ready<R: Local>() {
    assert_eq!(R::run_local(|| async { *LocalValueFuture::ready(Rc::new(5)).await }), 5);
}

pub(crate) fn local_pooled_future_that_yields<R: Local>() {
    R::run_local(|| async {
        let (number, pool) = (Rc::new(5), LocalFuturePool::new());
        let add = |more| {
            let number = Rc::clone(&number);
            async move {
                yield_now().await;
                *number + more
            }
        };
        let sums = join(pool.pooled(add(1)), LocalValueFuture::pooled(add(2))).await;
        assert_eq!((sums, pool.stats().live, Rc::strong_count(&number)), ((6, 7), 0, 1));
    });
}

pub(crate) fn local_completed<R: Local>() {
    R::run_local(|| async {
        let pool = LocalPool::<Option<Rc<u32>>>::new();
        for number in 0..20 {
            let (completer, completion) = pool.rent();
            let complete = async {
                yield_now().await;
                completer.complete(Some(Rc::new(number))).unwrap();
            };
            let answer = join(LocalValueFuture::from(completion), complete).await.0;
            assert_eq!(answer.as_deref(), Some(&number));
        }
        assert_eq!(pool.stats().live, 0);
    });
}

pub(crate) fn local_cancelled<R: Local>() {
    R::run_local(|| async {
        let (mut completer, completion) = LocalPool::<Option<Rc<u32>>>::new().rent();
        let mut answer = LocalValueFuture::from(completion);
        assert!(poll!(&mut answer).is_pending());
        let drop_answer = async {
            yield_now().await;
            drop(answer);
        };
        join(completer.closed(), drop_answer).await;
        assert!(completer.complete(None).is_err());
    });
}

pub(crate) fn local_producer_dropped<R: Local>() {
    R::run_local(|| async {
        let (completer, completion) = LocalPool::<Option<Rc<u32>>>::new().rent();
        let drop_completer = async {
            yield_now().await;
            drop(completer);
        };
        assert_eq!(join(completion, drop_completer).await.0, None);
    });
}

pub(crate) fn local_shared_by_three<R: Local>() {
    R::run_local(|| async {
        let (completer, completion) = LocalPool::<Option<Rc<u32>>>::new().rent();
        let shared = LocalValueFuture::from(completion).share();
        let complete = async {
            yield_now().await;
            completer.complete(Some(Rc::new(5))).unwrap();
        };
        let handles = join3(shared.clone(), shared.clone(), shared);
        let (one, two, three) = join(handles, complete).await.0;
        assert!(one.is_some() && one == two && two == three);
    });
}

pub(crate) fn local_completed_by_key<R: Local>() {
    R::run_local(|| async {
        let pool = LocalPool::<Option<Rc<u32>>>::new();
        let (completer, completion) = pool.rent();
        let key = completer.into_key();
        let reply = async {
            yield_now().await;
            pool.complete_key(key, Some(Rc::new(5))).unwrap();
        };
        assert_eq!(join(completion, reply).await.0.as_deref(), Some(&5));
        let refused = pool.complete_key(key, None).unwrap_err();
        assert_eq!(refused.kind(), CompleteErrorKind::AlreadyCompleted);
    });
}

pub(crate) fn local_reusable_source<R: Local>() {
    R::run_local(|| async {
        let source = LocalReusableSource::<Option<Rc<u32>>>::new();
        for number in 0..20 {
            let (completer, answer) = source.begin_with_completer().unwrap();
            let complete = async {
                yield_now().await;
                completer.complete(Some(Rc::new(number))).unwrap();
            };
            assert_eq!(join(answer, complete).await.0.as_deref(), Some(&number));
        }
    });
}

pub(crate) fn local_rent_when_vacant<R: Local>() {
    R::run_local(|| async {
        let pool = LocalPool::<Option<Rc<u32>>>::builder().max_slots(1).build();
        let handles = pool.rent();
        let release = async {
            yield_now().await;
            drop(handles);
        };
        assert!(join(pool.rent_when_vacant(), release).await.0.is_ok());
    });
}
