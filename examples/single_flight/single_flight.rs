//! [`SingleFlight`], a cache in which all callers of a missing key await one load. A hit is an inline result.

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};
use std::{collections::HashMap, io};

use value_future::{ValueFuture, shared::WeakShared};

use crate::store::{Store, Value};

/// The result of a lookup. All callers of a load share its error. The error is in an `Arc`, because `io::Error` is not `Clone`.
pub(crate) type Answer = Result<Value, Arc<io::Error>>;

pub(crate) trait Cache: Send + Sync {
    fn get(&self, key: usize) -> ValueFuture<'_, Answer>;
}

pub(crate) enum Entry {
    /// A value, and the time at which it expires.
    Loaded(Value, Instant),
    /// A load, which its callers own. If all of them are cancelled, the load is dropped, and this entry is dead.
    Loading(WeakShared<'static, Answer>),
}

pub(crate) type Entries = HashMap<usize, Entry>;

/// If the map is full, removes expired values and dead loads. Then makes the capacity at least twice the number of the remaining entries.
fn reserve_entry(entries: &mut Entries, now: Instant) {
    if entries.len() == entries.capacity() {
        entries.retain(|_, entry| match entry {
            Entry::Loaded(_, expires) => now < *expires,
            Entry::Loading(load) => load.is_alive(),
        });
        entries.reserve(entries.len());
    }
}

pub(crate) struct SingleFlight<S> {
    store: Arc<S>,
    time_to_live: Duration,
    now: fn() -> Instant,
    shards: [Mutex<Entries>; 16],
}

impl<S: Store> SingleFlight<S> {
    pub(crate) fn new(store: Arc<S>, time_to_live: Duration, now: fn() -> Instant) -> Self {
        SingleFlight { store, time_to_live, now, shards: Default::default() }
    }

    pub(crate) fn entries(&self, key: usize) -> MutexGuard<'_, Entries> {
        self.shards[key % 16].lock().expect("no panic under the lock")
    }

    /// Loads a value, and replaces the entry of the load by the value. An error removes the entry.
    async fn load(self: Arc<Self>, key: usize) -> Answer {
        let answer = self.store.load(key).await.map_err(Arc::new);
        let expires = (self.now)() + self.time_to_live;
        let mut entries = self.entries(key);
        match answer.clone() {
            Ok(value) => entries.insert(key, Entry::Loaded(value, expires)),
            Err(_) => entries.remove(&key),
        };
        answer
    }
}

/// The implementation is for `Arc<SingleFlight<S>>`, because each load owns a clone of this `Arc`.
impl<S: Store> Cache for Arc<SingleFlight<S>> {
    fn get(&self, key: usize) -> ValueFuture<'_, Answer> {
        let now = (self.now)();
        let mut entries = self.entries(key);
        let running = match entries.get(&key) {
            Some(Entry::Loaded(value, expires)) if now < *expires => {
                return ValueFuture::ready(Ok(Arc::clone(value)));
            }
            Some(Entry::Loading(load)) => load.upgrade(),
            _ => None,
        };
        let load = running.unwrap_or_else(|| {
            reserve_entry(&mut entries, now);
            let load = ValueFuture::pooled(Arc::clone(self).load(key)).share();
            let weak = load.downgrade().expect("an unpolled load has no result");
            entries.insert(key, Entry::Loading(weak));
            load
        });
        drop(entries);
        load.into()
    }
}
