//! The packed future is the enum [`Arm`], compressed: what goes in comes out, in every arm.

mod common;

use std::{future::Future, pin::Pin, sync::Arc, task::Poll};

use common::{Loud, Script, Yield, count, drops, poll};
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
    let dropped = drops();
    let Arm::Ready(value) = round_trip(ValueFuture::ready(Loud(&dropped))).into_arm() else {
        panic!("it is ready")
    };
    assert_eq!(count(&dropped), 0);
    drop(value);
    assert_eq!(count(&dropped), 1);
    assert!(ValueFuture::from(Arm::Ready(5)).is_ready());
}

#[test]
fn the_boxed_arm_keeps_its_future_and_where_it_was() {
    let polls = drops();
    let mut future = ValueFuture::boxed(async {
        let _polled = Loud(&polls);
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
    assert_eq!(count(&polls), 1);
    assert!(matches!(future.into_arm(), Arm::Taken));
}

#[test]
fn the_source_arm_keeps_every_token() {
    let source = Arc::new(Source::new(Script::<u32>::new()));
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
fn the_part_of_an_arm_becomes_a_future_again() {
    let Arm::Boxed(boxed) = ValueFuture::boxed(async { 7 }).into_arm() else { panic!("boxed") };
    assert_eq!(poll(&mut ValueFuture::from(boxed)), Poll::Ready(7));

    let mut source: Source<Script<u32>> = Script::new().into();
    source.complete(7);
    *source = Script::default();
    source.complete(8);
    let future = LocalValueFuture::from_source(&source, source.live());
    let LocalArm::Source { source: reference, .. } = future.into_arm() else { panic!("source") };
    assert_eq!(poll(&mut LocalValueFuture::from(reference)), Poll::Ready(8));
    assert_eq!(count(&source.cancelled), 0);
    drop(Source::<Script<u32>>::default().into_inner());
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
fn it_converts_to_and_from_the_box_of_the_ecosystem() {
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

/// Large, over-aligned and zero-sized futures and results.
#[test]
fn size_and_alignment_do_not_matter() {
    #[derive(Clone, Copy, PartialEq, Eq, Debug)]
    #[repr(align(64))]
    struct Aligned([u8; 64]);

    let aligned = Aligned([3; 64]);
    assert_eq!(poll(&mut round_trip(ValueFuture::ready(aligned))), Poll::Ready(aligned));
    let mut held = ValueFuture::boxed(async move {
        let on_the_way = aligned;
        Yield::default().await;
        assert_eq!((&raw const on_the_way).addr() % 64, 0);
        on_the_way
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
