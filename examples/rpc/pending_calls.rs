//! [`PendingCalls`]: the calls that have no reply yet, in a [`Pool`] or in a map of one-shot channels.

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
pub(crate) trait PendingCalls: Default + Send + Sync + 'static {
    /// Begins a call. Returns its id, and the future of its answer. The output of the future is `None` if the connection is lost. Dropping
    /// the future cancels the call.
    fn begin(&self) -> (u64, impl Future<Output = Option<u64>>);

    /// Completes a call. If no pending call has this id, returns the reason of the refusal as an error.
    fn complete(&self, id: u64, answer: u64) -> Result<(), &'static str>;

    /// Fails all calls, because the connection is lost.
    fn fail_all(&self);
}

/// The id of a call is the key of its operation.
impl PendingCalls for Pool<Option<u64>> {
    fn begin(&self) -> (u64, impl Future<Output = Option<u64>>) {
        let (completer, completion) = self.rent();
        (completer.into_key().to_u64(), completion)
    }

    fn complete(&self, id: u64, answer: u64) -> Result<(), &'static str> {
        let completed = self.complete_key(Key::from_u64(id), Some(answer));
        completed.map_err(|error| error.kind().name())
    }

    fn fail_all(&self) {
        self.abandon_keys();
    }
}

type Senders = Mutex<HashMap<u64, oneshot::Sender<u64>>>;

/// A map from the ids of calls to one-shot channels.
#[derive(Default)]
pub(crate) struct ChannelMap {
    senders: Senders,
    next_id: AtomicU64,
}

/// A guard whose drop removes a cancelled call from the map.
struct RemoveOnDrop<'c>(u64, &'c Senders);

impl Drop for RemoveOnDrop<'_> {
    fn drop(&mut self) {
        self.1.lock().unwrap().remove(&self.0);
    }
}

impl PendingCalls for ChannelMap {
    fn begin(&self) -> (u64, impl Future<Output = Option<u64>>) {
        let id = self.next_id.fetch_add(1, Relaxed);
        let (sender, receiver) = oneshot::channel();
        self.senders.lock().unwrap().insert(id, sender);
        let remove = RemoveOnDrop(id, &self.senders);
        let answer = async move {
            let answer = receiver.await.ok();
            // `complete` or `fail_all` has already removed the call from the map, so the guard need not remove it.
            mem::forget(remove);
            answer
        };
        (id, answer)
    }

    fn complete(&self, id: u64, answer: u64) -> Result<(), &'static str> {
        let sender = self.senders.lock().unwrap().remove(&id);
        sender.ok_or("late, repeated or forged")?.send(answer).map_err(|_| "late")
    }

    fn fail_all(&self) {
        self.senders.lock().unwrap().clear();
    }
}
