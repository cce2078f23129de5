//! Tests of the documented sizes and niches, on 64-bit and 32-bit targets.

use std::{rc::Rc, sync::Arc, task::Poll};

use value_future::{
    Completer, Completion, Key, LocalCompleter, LocalCompletion, LocalPool, LocalValueFuture, Pool,
    ValueFuture,
    future::{BoxedFuture, Checked, SourceRef},
};

/// Without the feature `ratio`, measuring adds nothing to a future.
#[cfg(not(feature = "ratio"))]
#[test]
fn without_the_feature_ratio_measure_adds_no_bytes() {
    let ratio = value_future::Ratio::new();
    let future = async {
        let kept = 5_u64;
        std::future::ready(()).await;
        kept
    };
    assert_eq!(size_of_val(&ratio), 0);
    assert_eq!(size_of_val(&ratio.measure(ValueFuture::ready(1_u64))), 16);
    let plain = size_of_val(&future);
    let measured = ratio.measure(future);
    assert_eq!(size_of_val(&measured), plain);
    assert_eq!(futures::executor::block_on(measured), 5);
    assert_eq!(ratio.stats().calls(), 0);
    assert_eq!(ratio.stats().to_string(), "no call was counted: the feature `ratio` is off");
}

/// The size of the head of a future: one word on 64-bit targets, and one word and two tokens on 32-bit targets.
const HEAD: usize = 8;

fn size<T>() -> usize {
    assert_eq!(size_of::<ValueFuture<'_, T>>(), size_of::<LocalValueFuture<'_, T>>());
    assert_eq!(align_of::<ValueFuture<'_, T>>(), align_of::<T>().max(align_of::<usize>()));
    size_of::<ValueFuture<'_, T>>()
}

#[test]
#[cfg_attr(feature = "trace", ignore = "the feature adds a word")]
fn a_future_has_the_size_of_its_head_and_its_result() {
    assert_eq!(size::<()>(), HEAD);
    assert_eq!(size::<usize>(), HEAD + size_of::<usize>());
    assert_eq!(size::<Arc<u64>>(), HEAD + size_of::<usize>());
    assert_eq!(size::<Box<str>>(), HEAD + 2 * size_of::<usize>());
    assert_eq!(size::<std::io::Result<usize>>(), HEAD + size_of::<std::io::Result<usize>>());
    assert_eq!(size::<Vec<u8>>(), HEAD + 3 * size_of::<usize>());
    assert_eq!(size::<[u64; 8]>(), HEAD + 64);
}

#[cfg(target_pointer_width = "64")]
#[test]
#[cfg_attr(feature = "trace", ignore = "the feature adds a word")]
fn a_future_with_a_small_result_takes_two_words() {
    assert_eq!([size::<bool>(), size::<u8>(), size::<u32>()], [16; 3]);
    assert_eq!([size::<u64>(), size::<f64>(), size::<&str>() - 8], [16; 3]);
    assert_eq!([size::<Box<u8>>(), size::<Arc<u8>>(), size::<Rc<u8>>()], [16; 3]);
}

#[test]
fn option_poll_and_result_of_a_future_add_no_bytes() {
    fn same_with_option<T>() {
        let size = size_of::<ValueFuture<'_, T>>();
        assert_eq!(size_of::<Option<ValueFuture<'_, T>>>(), size);
        assert_eq!(size_of::<Option<LocalValueFuture<'_, T>>>(), size);
        assert_eq!(size_of::<Poll<ValueFuture<'_, T>>>(), size);
        assert_eq!(size_of::<Result<ValueFuture<'_, T>, ()>>(), size);
    }
    same_with_option::<()>();
    same_with_option::<bool>();
    same_with_option::<u64>();
    same_with_option::<Vec<u8>>();
    same_with_option::<[u64; 8]>();
}

#[test]
fn the_contents_of_an_arm_are_no_larger_than_the_future() {
    assert_eq!(size_of::<BoxedFuture<'_, u64>>(), size::<u64>());
    assert_eq!(size_of::<SourceRef<'_, u64>>(), size::<u64>());
    assert_eq!(size_of::<Checked<'_, u64>>(), size::<u64>() + align_of::<u64>());
}

/// The sizes do not depend on the type of the values.
#[test]
#[cfg_attr(feature = "trace", ignore = "the feature adds a word")]
fn pool_completer_and_completion_are_one_pointer() {
    fn check<T>() {
        let pointer = size_of::<usize>();
        assert_eq!([size_of::<Pool<T>>(), size_of::<LocalPool<T>>()], [pointer; 2]);
        assert_eq!([size_of::<Completer<T>>(), size_of::<LocalCompleter<T>>()], [pointer; 2]);
        assert_eq!([size_of::<Completion<T>>(), size_of::<LocalCompletion<T>>()], [pointer; 2]);
        assert_eq!([size_of::<Option<Pool<T>>>(), size_of::<Option<LocalPool<T>>>()], [pointer; 2]);
        assert_eq!(size_of::<Option<Completer<T>>>(), pointer);
        assert_eq!(size_of::<Option<LocalCompleter<T>>>(), pointer);
    }
    check::<()>();
    check::<Option<u64>>();
    check::<[u64; 100]>();
    assert_eq!((size_of::<Key>(), align_of::<Key>()), (8, 4));
}

#[test]
#[cfg_attr(feature = "trace", ignore = "the feature adds a word")]
fn an_optional_completer_or_completion_is_one_word() {
    let word = size_of::<usize>();
    assert_eq!([size_of::<Completion<u64>>(), size_of::<Option<Completion<u64>>>()], [word; 2]);
    assert_eq!(size_of::<Option<LocalCompletion<[u64; 9]>>>(), word);
    assert_eq!([size_of::<Option<Completer<u64>>>(), size_of::<Option<Pool<u64>>>()], [word; 2]);
}
