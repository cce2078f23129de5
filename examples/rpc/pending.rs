//! The calls that wait for a reply: in a pool whose keys are the ids, or in a map from ids to one-shot channels.

use std::{
    collections::HashMap,
    mem,
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

use tokio::sync::oneshot;
use value_future::{Key, Pool};

/// The pending calls of a client.
pub(crate) trait Pending: Default + Send + Sync + 'static {
    /// Begins a call. Returns its id on the wire, and the future of its answer: `None` if the connection is lost. Dropping
    /// the future cancels the call.
    fn begin(&self) -> (u64, impl Future<Output = Option<u64>>);

    /// Completes a call. Returns the reason if there is no such call.
    fn complete(&self, id: u64, answer: u64) -> Result<(), &'static str>;

    /// Ends all calls, because the connection is lost.
    fn end_all(&self);
}

impl Pending for Pool<Option<u64>> {
    fn begin(&self) -> (u64, impl Future<Output = Option<u64>>) {
        let (completer, completion) = self.rent();
        (completer.into_key().to_u64(), completion)
    }

    fn complete(&self, id: u64, answer: u64) -> Result<(), &'static str> {
        let refused = self.complete_key(Key::from_u64(id), Some(answer));
        refused.map_err(|error| error.kind().name())
    }

    fn end_all(&self) {
        self.abandon_keys();
    }
}

type Senders = Mutex<HashMap<u64, oneshot::Sender<u64>>>;

#[derive(Default)]
pub(crate) struct Channels {
    senders: Senders,
    next: AtomicU64,
}

/// Removes a cancelled call from the map.
struct Remove<'c>(u64, &'c Senders);

impl Drop for Remove<'_> {
    fn drop(&mut self) {
        self.1.lock().unwrap().remove(&self.0);
    }
}

impl Pending for Channels {
    fn begin(&self) -> (u64, impl Future<Output = Option<u64>>) {
        let id = self.next.fetch_add(1, Relaxed);
        let (sender, receiver) = oneshot::channel();
        self.senders.lock().unwrap().insert(id, sender);
        let remove = Remove(id, &self.senders);
        let answer = async move {
            let answer = receiver.await.ok();
            // The reply, or the loss of the connection, has removed the call.
            mem::forget(remove);
            answer
        };
        (id, answer)
    }

    fn complete(&self, id: u64, answer: u64) -> Result<(), &'static str> {
        let sender = self.senders.lock().unwrap().remove(&id);
        sender.ok_or("late, twice or forged")?.send(answer).map_err(|_| "late")
    }

    fn end_all(&self) {
        self.senders.lock().unwrap().clear();
    }
}
