//! `ValueStream` and `ReaderStream` turn a method that returns the next item into a stream. `ValueNext` adds such a method to a stream.

mod common;

use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    pin::{Pin, pin},
    rc::Rc,
    task::{Context, Poll, Waker},
};

use common::{DropCounter, Yield, count, counter, panic_text, poll, poll_with};
use futures::{
    FutureExt, Stream, StreamExt,
    executor::block_on,
    stream::{self, FusedStream},
};
use futures_test::task::new_count_waker;
use value_future::{
    LocalReusableSource, LocalValueFuture, ValueFuture,
    stream::{LocalReaderStream, ReaderStream, ValueNext, ValueStream},
};

/// A queue of items. A call of `next` on an empty queue waits for the next item.
#[derive(Default)]
struct Queue {
    items: RefCell<VecDeque<Option<u32>>>,
    next: LocalReusableSource<Option<u32>>,
    calls: Cell<u32>,
}

impl Queue {
    fn push(&self, item: Option<u32>) {
        match self.next.key() {
            Some(key) => self.next.complete_key(key, item).unwrap(),
            None => self.items.borrow_mut().push_back(item),
        }
    }

    fn next(&self) -> LocalValueFuture<'_, Option<u32>> {
        self.calls.set(self.calls.get() + 1);
        match self.items.borrow_mut().pop_front() {
            Some(item) => LocalValueFuture::ready(item),
            None => self.next.begin().unwrap(),
        }
    }
}

fn poll_next<S: Stream + Unpin>(stream: &mut S) -> Poll<Option<S::Item>> {
    stream.poll_next_unpin(&mut Context::from_waker(Waker::noop()))
}

#[test]
fn a_value_stream_yields_the_items_of_its_method() {
    let queue = Queue::default();
    let mut stream = ValueStream::new(|| queue.next());
    queue.push(Some(1));
    assert_eq!(poll_next(&mut stream), Poll::Ready(Some(1)));
    let (waker, woken) = new_count_waker();
    for _ in 0..2 {
        assert!(stream.poll_next_unpin(&mut Context::from_waker(&waker)).is_pending());
    }
    assert_eq!((queue.calls.get(), woken.get()), (2, 0), "the method is called once for each item");
    queue.push(Some(2));
    queue.push(None);
    assert_eq!((poll_next(&mut stream), woken.get()), (Poll::Ready(Some(2)), 1));
    assert!(!stream.is_terminated());
    for _ in 0..2 {
        assert_eq!(poll_next(&mut stream), Poll::Ready(None));
        assert!(stream.is_terminated());
    }
    assert_eq!(queue.calls.get(), 3, "the method is not called after the end");
}

#[test]
fn a_pending_item_stays_in_the_stream() {
    let queue = Queue::default();
    let mut stream = ValueStream::new(|| queue.next());
    assert!(stream.next().now_or_never().is_none());
    queue.push(Some(1));
    assert_eq!(block_on(stream.next()), Some(1));
    // The drop of the stream cancels the operation.
    assert!(stream.next().now_or_never().is_none());
    drop(stream);
    assert!(!queue.next.is_busy());
}

#[test]
fn a_panic_ends_a_stream() {
    for (pends, panics_in_method) in [(false, true), (false, false), (true, false)] {
        let mut stream = ValueStream::new(|| {
            assert!(!panics_in_method, "in the method");
            ValueFuture::boxed(async move {
                if pends {
                    Yield::default().await;
                }
                assert!(panics_in_method, "in the future");
                Some(1)
            })
        });
        if pends {
            assert!(poll_next(&mut stream).is_pending());
            assert!(!stream.is_terminated());
        }
        assert!(panic_text(|| poll_next(&mut stream)).starts_with("in the"));
        assert!(stream.is_terminated());
        assert_eq!(poll_next(&mut stream), Poll::Ready(None));
    }
}

#[test]
fn next_returns_the_items_of_a_stream() {
    let mut reader = ValueNext::new(stream::iter(0..3));
    for number in 0..3 {
        assert_eq!(poll(&mut reader.next()), Poll::Ready(Some(number)));
    }
    assert_eq!(block_on(reader.next()), None);
    assert_eq!(reader.get_ref().size_hint(), (0, Some(0)));
    assert!(format!("{reader:?}").starts_with("ValueNext(Iter"), "{reader:?}");
    assert_eq!(block_on(reader.into_inner().count()), 0);
}

/// Returns a stream that is pending once before each item.
fn slow() -> impl Stream<Item = u32> + Send {
    stream::iter(0..3).then(|number| async move {
        Yield::default().await;
        number
    })
}

#[test]
fn next_pinned_works_on_a_stream_that_is_not_unpin() {
    let mut reader = pin!(ValueNext::new(slow()));
    for number in 0..3 {
        let (waker, woken) = new_count_waker();
        let mut next = reader.as_mut().next_pinned();
        assert!(poll_with(&mut next, &waker).is_pending());
        assert_eq!((woken.get(), block_on(next)), (1, Some(number)));
    }
    let local: LocalValueFuture<'_, _> = reader.as_mut().next_local_pinned();
    assert_eq!(block_on(local), None);
}

#[test]
fn a_dropped_future_takes_no_item() {
    let mut reader = ValueNext::new(Box::pin(slow()));
    assert!(poll(&mut reader.next()).is_pending());
    assert_eq!(block_on(reader.next()), Some(0));
    drop(reader.next());
    assert_eq!(block_on(reader.next()), Some(1));
}

#[test]
fn next_local_works_on_a_stream_that_is_not_send() {
    let shared = Rc::new(5);
    let mut reader = ValueNext::new(stream::iter([Rc::clone(&shared)]));
    assert_eq!(block_on(reader.next_local()), Some(Rc::clone(&shared)));
    assert_eq!(Rc::strong_count(&shared), 1);
}

#[test]
#[cfg_attr(feature = "trace", ignore = "the feature adds a line to the message")]
fn a_panic_terminates_the_future_but_not_the_stream() {
    let dropped = counter();
    let guard = DropCounter(&dropped);
    let mut polls = 0;
    let mut reader = ValueNext::new(stream::poll_fn(move |_| {
        let _ = &guard;
        polls += 1;
        assert_ne!(polls, 1, "the stream panics");
        Poll::Ready(Some(polls))
    }));
    let mut next = reader.next();
    assert!(panic_text(|| poll(&mut next)).contains("the stream panics"));
    let text = "value future of `core::option::Option<i32>` polled after a panic: its future or source (boxed arm) \
                panicked in an earlier poll, and there will be no result";
    assert_eq!(panic_text(|| poll(&mut next)), text);
    drop(next);
    assert_eq!((count(&dropped), block_on(reader.next())), (0, Some(2)));
    drop(reader);
    assert_eq!(count(&dropped), 1);
}

#[test]
fn the_future_of_next_converts_to_an_arm_and_debug_names_the_stream() {
    let mut reader = ValueNext::new(stream::iter(0..3));
    let next = ValueFuture::from(reader.next().into_arm());
    assert!(format!("{next:?}").contains("Iter<"), "{next:?}");
    assert_eq!(block_on(next), Some(0));
    assert_eq!(block_on(reader.next().map(|item| item.map(|n| n + 10))), Some(11));
}

#[test]
fn a_value_next_is_a_stream_and_can_contain_a_value_stream() {
    let reader = RefCell::new(ValueNext::new(Box::pin(slow())));
    // A `ValueNext` is also a stream.
    assert_eq!(block_on(reader.into_inner().collect::<Vec<_>>()), [0, 1, 2]);
    let queue = Queue::default();
    (0..3).for_each(|number| queue.push(Some(number)));
    queue.push(None);
    let mut reader = ValueNext::new(ValueStream::new(|| queue.next()));
    for number in 0..3 {
        assert_eq!(block_on(reader.next_local()), Some(number));
    }
    assert_eq!(block_on(Pin::new(&mut reader).next_local_pinned()), None);
}

/// A reader whose methods take `&mut self`. The futures of these methods borrow the reader, even while they are pending.
struct Reader<'d> {
    items: Vec<u32>,
    dropped: DropCounter<'d>,
}

impl Reader<'_> {
    fn next(&mut self) -> ValueFuture<'_, Option<u32>> {
        if self.items.len() % 2 == 0 {
            return ValueFuture::ready(self.items.pop());
        }
        ValueFuture::boxed(async {
            Yield::default().await;
            self.items.pop()
        })
    }

    fn next_local(&mut self) -> LocalValueFuture<'_, Option<u32>> {
        LocalValueFuture::boxed(async {
            Yield::default().await;
            self.items.pop()
        })
    }

    fn read(&mut self) -> ValueFuture<'_, Result<Option<u32>, String>> {
        ValueFuture::ready(match self.items.pop() {
            Some(13) => Err("unlucky".into()),
            item => Ok(item),
        })
    }
}

#[test]
fn a_reader_stream_yields_the_items_of_a_mutable_reader() {
    let drops = counter();
    let reader = || Reader { items: vec![3, 2, 1], dropped: DropCounter(&drops) };
    let owned = ReaderStream::new(reader(), Reader::next);
    assert_eq!(block_on(owned.collect::<Vec<_>>()), [1, 2, 3]);
    let boxed = ReaderStream::new(Box::new(reader()), |reader| reader.next());
    assert_eq!(block_on(boxed.collect::<Vec<_>>()), [1, 2, 3]);
    let local = LocalReaderStream::new(reader(), Reader::next_local);
    assert_eq!(block_on(local.collect::<Vec<_>>()), [1, 2, 3]);
    assert_eq!(count(&drops), 3);

    let mut borrowed = reader();
    {
        let mut stream = pin!(ReaderStream::new(&mut borrowed, |reader| reader.next()));
        assert!(stream.next().now_or_never().is_none());
        assert!(
            format!("{stream:?}").starts_with("ReaderStream { current: Some(ValueFuture(Boxed("),
            "{stream:?}"
        );
        assert_eq!(block_on(stream.next()), Some(1), "the pending item stayed in the stream");
    }
    assert_eq!(ReaderStream::new(borrowed, Reader::next).into_inner().items, [3, 2]);
    assert_eq!(count(&drops), 4);
}

#[test]
fn a_reader_stream_drops_its_future_before_its_reader() {
    /// A value whose destructor reads from the reader.
    struct ReadsOnDrop<'r>(&'r DropCounter<'r>);
    impl Drop for ReadsOnDrop<'_> {
        fn drop(&mut self) {
            assert_eq!(count(self.0.0), 0, "the reader is not dropped");
        }
    }

    let drops = counter();
    let reader = Reader { items: vec![1], dropped: DropCounter(&drops) };
    let mut stream = Box::pin(ReaderStream::new(reader, |reader| {
        ValueFuture::boxed(async {
            let borrowed = reader;
            let _reads = ReadsOnDrop(&borrowed.dropped);
            Yield::default().await;
            borrowed.items.pop()
        })
    }));
    assert!(stream.next().now_or_never().is_none());
    drop(stream);
    assert_eq!(count(&drops), 1);
}

#[test]
fn a_panic_ends_a_reader_stream() {
    for panics_in_method in [true, false] {
        let drops = counter();
        let reader = Reader { items: vec![2, 1], dropped: DropCounter(&drops) };
        let mut stream = pin!(ReaderStream::new(reader, |reader| {
            assert!(!panics_in_method, "in the method");
            ValueFuture::boxed(async move {
                assert!(reader.items.is_empty(), "in the future");
                reader.items.pop()
            })
        }));
        assert!(panic_text(|| block_on(stream.next())).starts_with("in the"));
        assert!(stream.is_terminated());
        assert_eq!(block_on(stream.next()), None);
    }
}

#[test]
fn a_stream_ends_after_an_error() {
    let drops = counter();
    let reader = || Reader { items: vec![2, 13, 1], dropped: DropCounter(&drops) };
    let mut stream = pin!(ReaderStream::new(reader(), Reader::read));
    assert_eq!(block_on(stream.next()), Some(Ok(1)));
    assert!(!stream.is_terminated());
    assert_eq!(block_on(stream.next()), Some(Err("unlucky".into())));
    assert!(stream.is_terminated());
    assert_eq!(block_on(stream.next()), None);

    let items = RefCell::new(vec![Ok(None), Err("lost"), Ok(Some(1))]);
    let next = || ValueFuture::ready(items.borrow_mut().pop().unwrap());
    assert_eq!(block_on(ValueStream::new(next).collect::<Vec<_>>()), [Ok(1), Err("lost")]);
    assert_eq!(items.borrow().len(), 1, "the method is not called after the error");
}

/// Shared references to a pending stream do not alias the unique reference of its future.
#[test]
fn a_pending_reader_stream_can_be_inspected() {
    let mut reader = 0;
    let mut stream = pin!(ReaderStream::new(&mut reader, |reader| {
        ValueFuture::boxed(async move {
            **reader += 1;
            Yield::default().await;
            **reader += 1;
            Some(**reader)
        })
    }));
    assert!(poll(&mut stream.next()).is_pending());
    assert!(!stream.is_terminated());
    assert_eq!(stream.size_hint(), (0, None));
    assert!(format!("{stream:?}").contains("current"));
    assert_eq!(poll(&mut stream.next()), Poll::Ready(Some(2)));
}
