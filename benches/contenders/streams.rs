//! A consumer reads items behind `dyn`, one after the other. The items come from a method that returns a future, or from a boxed stream. Each
//! case has its own port, which produces the items. The items are ready, or each item is completed while the consumer is pending.

use std::{cell::Cell, hint::black_box, pin::Pin};

use futures::{Stream, StreamExt, stream::unfold};
use value_future::{
    LocalReusableSource, LocalValueFuture, ready_or_await,
    stream::{ValueNext, ValueStream},
};

use super::{Case, drive_and};

/// A method that returns the next item.
trait Numbers {
    fn next(&self) -> LocalValueFuture<'_, Option<u64>>;
}

#[derive(Default)]
struct Port<const WAITS: bool> {
    last: Cell<u64>,
    next: LocalReusableSource<Option<u64>>,
}

impl<const WAITS: bool> Numbers for Port<WAITS> {
    #[inline]
    fn next(&self) -> LocalValueFuture<'_, Option<u64>> {
        if black_box(WAITS) {
            return self.next.begin().expect("the consumer has one call at a time");
        }
        LocalValueFuture::ready(Some(self.number()))
    }
}

impl<const WAITS: bool> Port<WAITS> {
    fn number(&self) -> u64 {
        self.last.set(self.last.get() + 1);
        self.last.get()
    }

    /// Completes the item that the consumer waits for.
    fn complete(&self) {
        let key = self.next.key().expect("an operation is pending");
        self.next.complete_key(key, Some(self.number())).expect("the consumer still waits");
    }
}

fn port<const WAITS: bool>() -> &'static Port<WAITS> {
    Box::leak(Box::default())
}

/// Returns a case that reads the items of a stream behind `dyn`.
fn streamed<const WAITS: bool, S: Stream<Item = u64> + 'static>(
    name: &'static str,
    make: impl Fn(&'static Port<WAITS>) -> S + 'static,
) -> Case {
    let port = port::<WAITS>();
    let stream: Pin<Box<dyn Stream<Item = u64>>> = black_box(Box::pin(make(port)));
    let stream = std::cell::RefCell::new(stream);
    Case::new(name, move |operations| {
        let mut stream = stream.borrow_mut();
        let task = async {
            let mut consumed = 0_u64;
            for _ in 0..operations {
                consumed =
                    consumed.wrapping_add(stream.next().await.expect("the stream is infinite"));
            }
            consumed
        };
        drive_and(task, || port.complete())
    })
}

/// A reader whose method returns a future of the next item.
trait Read {
    fn next(&mut self) -> LocalValueFuture<'_, Option<u64>>;
}

impl<const WAITS: bool> Read for &'static Port<WAITS> {
    fn next(&mut self) -> LocalValueFuture<'_, Option<u64>> {
        Numbers::next(*self)
    }
}

struct Streamed<S>(Pin<Box<ValueNext<S>>>);

impl<S: Stream<Item = u64>> Read for Streamed<S> {
    fn next(&mut self) -> LocalValueFuture<'_, Option<u64>> {
        self.0.as_mut().next_local_pinned()
    }
}

/// Returns a case that reads items by a method behind `dyn`.
fn read<const WAITS: bool, R: Read + 'static>(
    name: &'static str,
    make: impl Fn(&'static Port<WAITS>) -> R + 'static,
) -> Case {
    let port = port::<WAITS>();
    let reader: Box<dyn Read> = black_box(Box::new(make(port)));
    let reader = std::cell::RefCell::new(reader);
    Case::new(name, move |operations| {
        let mut reader = reader.borrow_mut();
        let task = async {
            let mut consumed = 0_u64;
            for _ in 0..operations {
                consumed = consumed
                    .wrapping_add(ready_or_await!(reader.next()).expect("the stream is infinite"));
            }
            consumed
        };
        drive_and(task, || port.complete())
    })
}

fn unfolded<const WAITS: bool>(port: &'static Port<WAITS>) -> impl Stream<Item = u64> {
    unfold((), move |()| async move { Numbers::next(port).await.map(|number| (number, ())) })
}

pub(crate) const METHOD: &str = "ours, a method";
pub(crate) const VALUE_STREAM: &str = "ours, ValueStream as a BoxStream";
pub(crate) const VALUE_NEXT: &str = "ours, ValueNext of unfold";
pub(crate) const BOX_STREAM: &str = "BoxStream of unfold";
pub(crate) const ASYNC_STREAM: &str = "BoxStream of async-stream";

pub(crate) fn cases<const WAITS: bool>() -> Vec<Case> {
    vec![
        streamed::<WAITS, _>(BOX_STREAM, unfolded),
        streamed::<WAITS, _>(ASYNC_STREAM, |port| {
            async_stream::stream! {
                while let Some(number) = Numbers::next(port).await {
                    yield number;
                }
            }
        }),
        read::<WAITS, _>(METHOD, |port| port),
        streamed::<WAITS, _>(VALUE_STREAM, |port| ValueStream::new(move || Numbers::next(port))),
        read::<WAITS, _>(VALUE_NEXT, |port| Streamed(Box::pin(ValueNext::new(unfolded(port))))),
    ]
}
