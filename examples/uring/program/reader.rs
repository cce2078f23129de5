//! A file reader with keys of a pool, and one with a slab of one-shot channels, like that of `tokio-uring`.

use std::{cell::RefCell, io, mem};

use futures::future::LocalBoxFuture;
use slab::Slab;
use tokio::sync::oneshot::{Sender, channel};
use value_future::{Key, LocalPool, LocalValueFuture};

use super::kernel::{Kernel, Outcome};

/// A reader of a file, whose futures have the type `F`.
pub(crate) trait Reader<'r, F> {
    fn read(&'r self, at: u64, buffer: Vec<u8>) -> F;
    fn wait(&self) -> io::Result<()>;
}

/// A read in flight. Dropping it cancels the read.
struct Reading<'k>(&'k RefCell<Kernel>, u64);

impl Drop for Reading<'_> {
    fn drop(&mut self) {
        self.0.borrow_mut().cancel(self.1);
    }
}

pub(crate) struct Keys(pub(crate) RefCell<Kernel>, pub(crate) LocalPool<Outcome>);

impl<'r> Reader<'r, LocalValueFuture<'r, Outcome>> for Keys {
    fn read(&'r self, at: u64, buffer: Vec<u8>) -> LocalValueFuture<'r, Outcome> {
        LocalValueFuture::pooled(async move {
            let Keys(kernel, pool) = self;
            let (completer, completion) = pool.rent();
            let key = completer.into_key().to_u64();
            kernel.borrow_mut().start(key, at, buffer)?;
            let _reading = Reading(kernel, key);
            completion.await
        })
    }

    fn wait(&self) -> io::Result<()> {
        self.0.borrow_mut().wait(|key, end| self.1.complete_key(Key::from_u64(key), end).is_ok())
    }
}

pub(crate) struct Channels(pub(crate) RefCell<Kernel>, pub(crate) RefCell<Slab<Sender<Outcome>>>);

impl<'r> Reader<'r, LocalBoxFuture<'r, Outcome>> for Channels {
    fn read(&'r self, at: u64, buffer: Vec<u8>) -> LocalBoxFuture<'r, Outcome> {
        Box::pin(async move {
            let Channels(kernel, senders) = self;
            let (sender, receiver) = channel();
            let number = senders.borrow_mut().insert(sender);
            let key = 1 + number as u64;
            let started = kernel.borrow_mut().start(key, at, buffer);
            started.inspect_err(|_| drop(senders.borrow_mut().remove(number)))?;
            let reading = Reading(kernel, key);
            let outcome = receiver.await;
            mem::forget(reading); // The slab may have given the number to another read.
            outcome.map_err(io::Error::other)?
        })
    }

    fn wait(&self) -> io::Result<()> {
        let remove = |key| self.1.borrow_mut().remove(usize::try_from(key - 1).unwrap());
        self.0.borrow_mut().wait(|key, outcome| remove(key).send(outcome).is_ok())
    }
}
