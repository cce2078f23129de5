//! A value future is an [`Arm`] in a smaller form. The conversion to an `Arm` and back preserves the arm and its contents.

mod common;

use std::{future::Future, pin::Pin, sync::Arc, task::Poll};

use common::{DropCounter, ManualSource, Yield, count, counter, poll};
use value_future::{
    LocalValueFuture, Source, ValueFuture,
    future::{Arm, LocalArm},
    source::Token,
};

fn round_trip<T>(future: ValueFuture<'_, T>) -> ValueFuture<'_, T> {
    ValueFuture::from(future.into_arm())
}

#[test]
fn the_ready_arm_keeps_its_value() {
    let dropped = counter();
    let Arm::Ready(value) = round_trip(ValueFuture::ready(DropCounter(&dropped))).into_arm() else {
        panic!("not the ready arm")
    };
    assert_eq!(count(&dropped), 0);
    drop(value);
    assert_eq!(count(&dropped), 1);
    assert!(ValueFuture::from(Arm::Ready(5)).is_ready());
}

#[test]
fn the_boxed_arm_keeps_its_future_and_its_progress() {
    let dropped = counter();
    let mut future = ValueFuture::boxed(async {
        let _guard = DropCounter(&dropped);
        Yield::default().await;
        7
    });
    future = future.try_take().expect_err("there is no inline result");
    assert_eq!(poll(&mut future), Poll::Pending);
    let arm = future.into_arm();
    assert!(format!("{arm:?}").starts_with("Boxed(arm_round_trip::the_boxed_arm"), "{arm:?}");
    assert!(matches!(arm, Arm::Boxed(_)));
    let mut future = ValueFuture::from(arm);
    assert_eq!(poll(&mut future), Poll::Ready(7));
    assert_eq!(count(&dropped), 1);
    assert!(matches!(future.into_arm(), Arm::Taken));
}

#[test]
fn the_source_arm_keeps_every_token() {
    let source = Arc::new(Source::new(ManualSource::<u32>::new()));
    for token in [0, 1, 0x00ff, 0x7fff, 0x8000, 0xffff].map(Token::new) {
        let future = round_trip(ValueFuture::from_source(Arc::clone(&source), token));
        assert_eq!(Arc::strong_count(&source), 2);
        match future.into_arm() {
            Arm::Source { source, token: seen, .. } => {
                assert_eq!((source.token(), seen), (token, token));
            }
            other => panic!("{other:?}"),
        }
        assert_eq!(Arc::strong_count(&source), 1);
    }
    source.complete(7);
    let mut future = round_trip(ValueFuture::from_source(&*source, source.live()));
    assert_eq!(poll(&mut future), Poll::Ready(7));
}

#[test]
fn the_contents_of_an_arm_become_a_future_again() {
    let Arm::Boxed(boxed) = ValueFuture::boxed(async { 7 }).into_arm() else {
        panic!("not the boxed arm")
    };
    assert_eq!(poll(&mut ValueFuture::from(boxed)), Poll::Ready(7));

    let mut source: Source<ManualSource<u32>> = ManualSource::new().into();
    source.complete(7);
    *source = ManualSource::default();
    source.complete(8);
    let future = LocalValueFuture::from_source(&source, source.live());
    let LocalArm::Source { source: reference, .. } = future.into_arm() else {
        panic!("not the source arm")
    };
    assert_eq!(poll(&mut LocalValueFuture::from(reference)), Poll::Ready(8));
    assert_eq!(count(&source.cancelled), 0);
    drop(Source::<ManualSource<u32>>::default().into_inner());
}

#[test]
fn the_taken_arm_stays_taken() {
    let mut future = ValueFuture::ready(());
    assert_eq!(poll(&mut future), Poll::Ready(()));
    assert!(matches!(round_trip(future).into_arm(), Arm::Taken));
}

#[test]
fn a_local_future_has_a_local_arm() {
    let arm: LocalArm<'_, _> = LocalValueFuture::ready(5).into_arm();
    assert!(matches!(LocalValueFuture::from(arm).try_take(), Ok(5)));
    let narrowed = LocalValueFuture::from(ValueFuture::ready(String::from("moved")));
    assert_eq!(narrowed.try_take().unwrap(), "moved");
}

#[test]
fn a_pinned_box_converts_to_a_value_future_and_back() {
    let name = String::from("borrowed");
    let boxed: Pin<Box<dyn Future<Output = usize> + Send + '_>> = Box::pin(async { name.len() });
    let mut future = ValueFuture::from(boxed);
    assert!(!future.is_ready());
    assert_eq!(poll(&mut future), Poll::Ready(8));

    let local: Pin<Box<dyn Future<Output = usize> + '_>> = Box::pin(async { name.len() });
    assert_eq!(poll(&mut LocalValueFuture::from(local)), Poll::Ready(8));

    assert_eq!(poll(&mut ValueFuture::ready(8).into_boxed()), Poll::Ready(8));
    assert_eq!(poll(&mut LocalValueFuture::boxed(async { 8 }).into_boxed()), Poll::Ready(8));
}

/// The futures and results of this test are large, over-aligned or zero-sized.
#[test]
fn results_of_any_size_and_alignment_are_kept() {
    #[derive(Clone, Copy, PartialEq, Eq, Debug)]
    #[repr(align(64))]
    struct Aligned([u8; 64]);

    let aligned = Aligned([3; 64]);
    assert_eq!(poll(&mut round_trip(ValueFuture::ready(aligned))), Poll::Ready(aligned));
    let mut held = ValueFuture::boxed(async move {
        let local = aligned;
        Yield::default().await;
        assert_eq!((&raw const local).addr() % 64, 0);
        local
    });
    assert_eq!(poll(&mut held), Poll::Pending);
    assert_eq!(poll(&mut held), Poll::Ready(aligned));
    assert_eq!(
        poll(&mut round_trip(ValueFuture::boxed(async { [1_u8; 4096] }))),
        Poll::Ready([1; 4096])
    );
    assert_eq!(poll(&mut ValueFuture::boxed(std::future::ready(()))), Poll::Ready(()));
    assert_eq!(poll(&mut round_trip(ValueFuture::ready(i128::MIN))), Poll::Ready(i128::MIN));
}
