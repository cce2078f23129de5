#![allow(warnings)]
use std::{
    cell::{Cell, RefCell},
    marker::{PhantomData, PhantomPinned},
    mem,
    pin::{Pin, pin},
    rc::Rc,
    sync::{Arc, Mutex, MutexGuard},
    task::{Context, Poll, Waker},
    thread,
};
use value_future::{error::*, future::*, future_pool::*, operation::*, pool::*, reusable::*, shared::*, source::*, stream::*, *};

fn main() {}

/// Uses a value, so that its borrows last until this call.
fn keep<T>(_: T) {}

/// A value that is `Sync` and not `Send`.
const GUARD: PhantomData<MutexGuard<'static, u8>> = PhantomData;

trait Anything {}
impl<T> Anything for T {}

struct Holder<T> {
    held: Option<T>,
}

async fn read(text: &String) -> usize {
    text.len()
}

fn chained(text: &String) -> ValueFuture<'_, usize> {
    ValueFuture::ready(1).then(move |_| ValueFuture::boxed(read(text)))
}

// These functions return handles, pools and sources whose values borrow `text`.
fn completer_for(text: &String) -> Completer<Option<&String>> {
    Pool::new().rent().0
}
fn completion_for(text: &String) -> Completion<Option<&String>> {
    Pool::new().rent().1
}
fn pool_for(text: &String) -> Pool<Option<&String>> {
    Pool::new()
}
fn local_completer_for(text: &String) -> LocalCompleter<Option<&String>> {
    LocalPool::new().rent().0
}
fn local_completion_for(text: &String) -> LocalCompletion<Option<&String>> {
    LocalPool::new().rent().1
}
fn local_pool_for(text: &String) -> LocalPool<Option<&String>> {
    LocalPool::new()
}
fn source_for(text: &String) -> ReusableSource<Option<&String>> {
    ReusableSource::new()
}
fn local_source_for(text: &String) -> LocalReusableSource<Option<&String>> {
    LocalReusableSource::new()
}

/// A source that borrows a value, and has no destructor.
struct Borrowing<'b>(&'b String);
impl ValueSource for Borrowing<'_> {
    type Output = usize;
    fn poll(&self, _: Token, _: &mut Context<'_>) -> Poll<Result<usize, StaleToken>> {
        Poll::Ready(Ok(self.0.len()))
    }
    fn cancel(&self, _: Token) {}
}

/// A type that owns a `T`, and is both a source and a stream.
struct Of<T>(T);
impl<T> ValueSource for Of<T> {
    type Output = u8;
    fn poll(&self, _: Token, _: &mut Context<'_>) -> Poll<Result<u8, StaleToken>> {
        Poll::Ready(Ok(5))
    }
    fn cancel(&self, _: Token) {}
}
impl<T> futures_core::Stream for Of<T> {
    type Item = u8;
    fn poll_next(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<u8>> {
        Poll::Ready(Some(5))
    }
}

type Numbers = ReusableSource<Option<u64>>;
fn completer_of_a_static() -> ReusableCompleter<'static, Option<u64>> {
    static SOURCE: Numbers = ReusableSource::new();
    SOURCE.begin_with_completer().unwrap().0
}
fn stream_of<'s>(
    source: &'s Numbers,
) -> ValueStream<impl FnMut() -> ValueFuture<'s, Option<u64>>, ValueFuture<'s, Option<u64>>> {
    ValueStream::new(move || source.begin().unwrap())
}
fn refused_by_a_pool<F: Future>(future: F) -> PooledError<F> {
    LocalFuturePool::builder().max_bytes_per_size(1).build().try_pooled(future).map(drop).err().unwrap()
}
fn refused_by_a_source<T>(value: T) -> CompleteError<Option<T>> {
    LocalReusableSource::new().complete_key(Key::from_u64(1), Some(value)).unwrap_err()
}
