use core::{
    future::Future,
    pin::Pin,
    task::{Context, Poll, Waker},
};
use std::{
    boxed::Box,
    io,
    string::{String, ToString},
    vec::Vec,
};

use super::{words::written_and_read, *};
use crate::future::{LocalValueFuture, ValueFuture};

/// Asserts that a value stays the same if it is stored and loaded in pieces.
fn compare<P: Clone + PartialEq + core::fmt::Debug>(value: &P) {
    assert_eq!(ready::<P, P>(value.clone()), *value);
    assert_eq!(written_and_read(value.clone()), *value);
    for polled in [Poll::Ready(value.clone()), Poll::Pending] {
        if is_word_and_pieces::<P>() {
            let mut taken = polled.clone();
            assert_eq!(take_word_and_pieces(&mut taken), polled);
            assert_eq!(taken, Poll::Pending);
        }
        if is_stored_by_fields::<P>() {
            let mut taken = polled.clone();
            assert_eq!(take_fields(&mut taken), polled);
            assert_eq!(taken, Poll::Pending);
        }
    }
    let future = ValueFuture::<P>::const_ready(value.clone());
    assert_eq!(future.try_take().unwrap(), *value);
    assert_eq!(ValueFuture::ready(value.clone()).try_take().unwrap(), *value);
    let moved = Box::new(LocalValueFuture::ready(value.clone()));
    assert_eq!(moved.try_take().unwrap(), *value);
}

/// Returns `N` bytes. Any 256 bytes in a row differ from each other.
fn bytes<const N: usize>() -> [u8; N] {
    core::array::from_fn(|n| n.to_le_bytes()[0] ^ 0xa5)
}

macro_rules! sizes {
    ($($size:literal)*) => {
        $(compare(&bytes::<$size>());
        compare(&bytes::<$size>().map(u64::from));
        compare(&(bytes::<$size>(), 7_u64));)*
    };
}

#[test]
fn values_of_any_size_stay_the_same() {
    sizes!(0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 23 24 25 31 32 33);
    sizes!(40 47 48 56 63 64 65 72 80 96 112 120 127 128 129 136 200 248 255 256 257 264 300);
}

#[test]
fn values_with_padding_niches_or_pointers_stay_the_same() {
    compare(&(1_u8, 2_u64, 3_u16, 4_u32, true));
    compare(&Some((1_u8, Box::new([7_u64; 3]), 'x')));
    compare(&(None::<Box<u64>>, Some(Box::new(5_u8)), Vec::from([1_u16, 2])));
    compare(&Ok::<_, u8>((String::from("owned"), ())));
    compare(&[Some(String::from("one")), None, Some(String::new())]);
    compare(&Err::<Vec<u8>, _>(core::num::NonZeroU8::MIN));
    let error = ValueFuture::ready(io::Result::<usize>::Err(io::Error::other("kept")));
    assert_eq!(error.try_take().unwrap().unwrap_err().to_string(), "kept");
    let function: fn(u8) -> u64 = u64::from;
    assert_eq!((ValueFuture::ready((function, 1_u8, "text")).try_take().unwrap().0)(9), 9);
}

/// The reply of a driver: an enum whose variants have fields of different types.
#[derive(Clone, PartialEq, Debug)]
enum Reply {
    Rows { names: Vec<u8>, id: u64, count: u64, more: bool },
    Error(u32, Option<Box<u64>>),
    Nothing,
}

#[test]
fn values_with_tags_stay_the_same() {
    macro_rules! arrays {
        ($($length:literal)*) => {
            $(compare(&Ok::<_, ()>(bytes::<$length>().map(u64::from)));
            compare(&Err::<[u64; $length], _>(7_u32));
            compare(&Some(bytes::<$length>().map(u64::from)));
            compare(&None::<[u64; $length]>);
            compare(&Ok::<_, u8>(Some((bytes::<$length>().map(u64::from), Box::new(3_u8)))));)*
        };
    }
    arrays!(1 2 3 4 5 6 7 8 9 12 14 15 16 17 30 31 32 33);
    compare(&Reply::Rows { names: Vec::from([1, 2]), id: 3, count: 4, more: true });
    compare(&Reply::Error(u32::MAX, Some(Box::new(1))));
    compare(&Reply::Error(5, None));
    compare(&Reply::Nothing);
    compare(&Ok::<_, Box<str>>(Reply::Nothing));
    compare(&[Reply::Error(5, None), Reply::Nothing]);
}

#[test]
fn the_predicates_hold_for_the_intended_types() {
    let known = cfg!(any(
        all(target_arch = "x86_64", target_feature = "sse2"),
        all(target_arch = "aarch64", target_feature = "neon", target_endian = "little"),
    ));
    assert_eq!(is_word_and_pieces::<Result<[u64; 8], ()>>(), known);
    assert_eq!(is_tagged::<Result<[u64; 5], ()>>(), known);
    assert!(!is_tagged::<[u64; 8]>() && !is_tagged::<Result<[u64; 3], ()>>());
    assert!(!is_word_and_pieces::<[u64; 8]>() && !is_word_and_pieces::<Vec<u8>>());
    assert_eq!(is_stored_by_fields::<Reply>(), known);
    assert!(!is_stored_by_fields::<[u64; 8]>() && !is_stored_by_fields::<Vec<u8>>());
    // `u64` is left out: on some targets its alignment is 4, so `is_scalar::<u64>()` is `false` there.
    assert!(
        is_scalar::<()>() && is_scalar::<usize>() && is_scalar::<bool>() && is_scalar::<Box<u8>>()
    );
    assert!(!is_scalar::<[u64; 1]>() && !is_scalar::<(u32, u32)>() && !is_scalar::<Vec<u8>>());
}

#[test]
fn values_of_any_alignment_stay_the_same() {
    macro_rules! aligned {
        ($($align:literal)*) => {
            $({
                #[derive(Clone, PartialEq, Debug)]
                #[repr(align($align))]
                struct Aligned(u8, [u64; 3]);
                compare(&Aligned(5, [1, 2, 3]));
                compare(&[Aligned(6, [4; 3]), Aligned(7, [5; 3])]);
                let futures = [ValueFuture::ready(Aligned(8, [9; 3])), ValueFuture::ready(Aligned(1, [2; 3]))];
                assert!((&raw const futures).cast::<Aligned>().is_aligned());
            })*
        };
    }
    aligned!(1 8 16 32 64 128);
}

/// Polls futures that are pending when they are created. So the head of such a future is a pointer, and there is no inline result.
fn poll_pending<P: Clone + PartialEq + Send + Sync + core::fmt::Debug + 'static>(value: &P) {
    let mut cx = Context::from_waker(Waker::noop());
    let boxed = ValueFuture::boxed(async { value.clone() });
    let pooled = ValueFuture::pooled(async { value.clone() });
    let mapped = ValueFuture::boxed(async { value.clone() }).map(|value| value);
    for mut future in [boxed, pooled, mapped] {
        assert!(!future.is_ready());
        assert_eq!(Pin::new(&mut future).poll(&mut cx), Poll::Ready(value.clone()));
    }
    let (completer, completion) = crate::Pool::new().rent();
    let mut future = ValueFuture::from(completion);
    assert_eq!(Pin::new(&mut future).poll(&mut cx), Poll::Pending);
    completer.complete(Some(value.clone())).unwrap();
    assert_eq!(Pin::new(&mut future).poll(&mut cx), Poll::Ready(Some(value.clone())));
}

#[test]
fn a_future_without_an_inline_result_keeps_its_head() {
    macro_rules! sizes {
        ($($size:literal)*) => {
            $(poll_pending(&bytes::<$size>());)*
        };
    }
    sizes!(0 1 7 8 9 16 24 32 40 48 56 64 72 80 88 96 104 120 128 136 248 256 264);
    macro_rules! aligned {
        ($($align:literal)*) => {
            $({
                #[derive(Clone, PartialEq, Debug)]
                #[repr(align($align))]
                struct Aligned(u8);
                poll_pending(&Aligned(5));
                poll_pending(&[Aligned(6), Aligned(7)]);
                poll_pending(&[Aligned(6), Aligned(7), Aligned(8)]);
            })*
        };
    }
    aligned!(1 2 4 8 16 32 64 128 4096);
}
