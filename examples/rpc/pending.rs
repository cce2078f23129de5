//! The calls that wait for a reply: in a pool whose keys are the ids, and in the map of channels that everyone writes.

use std::{
    collections::HashMap,
    future::Future,
    pin::Pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    task::{Context, Poll},
};

use tokio::sync::oneshot;
use value_future::{Completion, Key, Pool, operation::CompleteErrorKind};

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Error {
    ConnectionLost,
    TimedOut,
}

pub(crate) type Answer = Result<u64, Error>;

/// The calls of one connection.
pub(crate) trait Pending: Send + Sync + 'static {
    /// The name in the table.
    const NAME: &'static str;
    type Wait: Future<Output = Answer> + Send;

    fn new() -> Self;
    /// Begins a call. Returns its id on the wire, and the future of its answer. Dropping that cancels the call.
    fn begin(&self) -> (u64, Self::Wait);
    /// Gives a call its answer. Returns why the reply was refused.
    fn reply(&self, id: u64, answer: u64) -> Result<(), &'static str>;
    /// Ends all calls: the connection is lost.
    fn close(&self);
}

pub(crate) struct Keys(Pool<Answer>);

impl Pending for Keys {
    const NAME: &'static str = "keys of a pool";
    type Wait = Completion<Answer>;

    fn new() -> Self {
        Keys(Pool::builder().build_with_abandoned(|| Err(Error::ConnectionLost)))
    }

    fn begin(&self) -> (u64, Completion<Answer>) {
        let (completer, completion) = self.0.rent();
        (completer.into_key().to_u64(), completion)
    }

    fn reply(&self, id: u64, answer: u64) -> Result<(), &'static str> {
        let refused = self.0.complete_key(Key::from_u64(id), Ok(answer));
        refused.map_err(|error| match error.kind() {
            CompleteErrorKind::Closed => "timed out",
            CompleteErrorKind::Unknown => "forged",
            _ => "late or twice",
        })
    }

    fn close(&self) {
        self.0.close();
    }
}

type Senders = Mutex<HashMap<u64, oneshot::Sender<u64>>>;

#[derive(Default)]
pub(crate) struct Channels {
    senders: Arc<Senders>,
    next: AtomicU64,
}

/// A call in the map. It leaves the map when it is dropped.
pub(crate) struct Call {
    id: u64,
    senders: Arc<Senders>,
    receiver: oneshot::Receiver<u64>,
    is_answered: bool,
}

impl Future for Call {
    type Output = Answer;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Answer> {
        let polled = Pin::new(&mut self.receiver).poll(cx);
        // Then it is not in the map any more.
        self.is_answered = polled.is_ready();
        polled.map_err(|_| Error::ConnectionLost)
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        if !self.is_answered {
            self.senders.lock().expect("no panic under the lock").remove(&self.id);
        }
    }
}

impl Pending for Channels {
    const NAME: &'static str = "map of channels";
    type Wait = Call;

    fn new() -> Self {
        Channels::default()
    }

    fn begin(&self) -> (u64, Call) {
        let id = self.next.fetch_add(1, Relaxed);
        let (sender, receiver) = oneshot::channel();
        self.senders.lock().expect("no panic under the lock").insert(id, sender);
        (id, Call { id, senders: Arc::clone(&self.senders), receiver, is_answered: false })
    }

    fn reply(&self, id: u64, answer: u64) -> Result<(), &'static str> {
        let sender = self.senders.lock().expect("no panic under the lock").remove(&id);
        let sender = sender.ok_or("unknown")?;
        sender.send(answer).map_err(|_| "timed out")
    }

    fn close(&self) {
        self.senders.lock().expect("no panic under the lock").clear();
    }
}
