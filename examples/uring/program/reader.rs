//! [`Reader`]s of a file: [`KeyReader`] with the keys of a pool, and [`ChannelReader`] with a slab of one-shot channels.

use std::{cell::RefCell, io, mem};

use futures::future::LocalBoxFuture;
use slab::Slab;
use tokio::sync::oneshot::{Sender, channel};
use value_future::{Key, LocalPool, LocalValueFuture};

use super::kernel::{Kernel, Outcome};

/// A reader of a file. `F` is the type of its futures.
pub(crate) trait Reader<'r, F> {
    /// Fills a buffer with the bytes at an offset. Dropping the future cancels the read.
    fn read(&'r self, at: u64, buffer: Vec<u8>) -> F;
    fn wait(&self) -> io::Result<()>;
}

struct CancelOnDrop<'k>(&'k RefCell<Kernel>, u64);

impl Drop for CancelOnDrop<'_> {
    fn drop(&mut self) {
        self.0.borrow_mut().cancel(self.1);
    }
}

/// A reader that identifies a read by the key of its operation.
pub(crate) struct KeyReader(pub(crate) RefCell<Kernel>, pub(crate) LocalPool<Outcome>);

impl<'r> Reader<'r, LocalValueFuture<'r, Outcome>> for KeyReader {
    fn read(&'r self, at: u64, buffer: Vec<u8>) -> LocalValueFuture<'r, Outcome> {
        LocalValueFuture::pooled(async move {
            let KeyReader(kernel, pool) = self;
            let (completer, completion) = pool.rent();
            let key = completer.into_key().to_u64();
            kernel.borrow_mut().start(key, at, buffer)?;
            let _guard = CancelOnDrop(kernel, key);
            completion.await
        })
    }

    fn wait(&self) -> io::Result<()> {
        let complete = |key, outcome| self.1.complete_key(Key::from_u64(key), outcome).is_ok();
        self.0.borrow_mut().wait(complete)
    }
}

/// A reader that identifies a read by the index of its channel in a slab, as `tokio-uring` does.
pub(crate) struct ChannelReader(pub(crate) RefCell<Kernel>, pub(crate) RefCell<Senders>);
type Senders = Slab<Sender<Outcome>>;

impl<'r> Reader<'r, LocalBoxFuture<'r, Outcome>> for ChannelReader {
    fn read(&'r self, at: u64, buffer: Vec<u8>) -> LocalBoxFuture<'r, Outcome> {
        Box::pin(async move {
            let ChannelReader(kernel, senders) = self;
            let (sender, receiver) = channel();
            let index = senders.borrow_mut().insert(sender);
            let key = 1 + index as u64;
            let started = kernel.borrow_mut().start(key, at, buffer);
            started.inspect_err(|_| drop(senders.borrow_mut().remove(index)))?;
            let guard = CancelOnDrop(kernel, key);
            let outcome = receiver.await;
            mem::forget(guard); // Another read may use this index of the slab now.
            outcome.map_err(io::Error::other)?
        })
    }

    fn wait(&self) -> io::Result<()> {
        let remove = |key| self.1.borrow_mut().remove(usize::try_from(key - 1).unwrap());
        self.0.borrow_mut().wait(|key, outcome| remove(key).send(outcome).is_ok())
    }
}
