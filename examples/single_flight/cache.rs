//! The cache: a hit is an inline result, and all callers of a missing key await one load.

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};
use std::{collections::HashMap, io};

use value_future::{ValueFuture, shared::WeakShared};

use crate::store::{Store, Value};

/// All callers of a load get the same error. It is in an `Arc`, because `io::Error` is not `Clone`.
pub(crate) type Answer = Result<Value, Arc<io::Error>>;

pub(crate) trait Cache: Send + Sync {
    fn get(&self, key: usize) -> ValueFuture<'_, Answer>;
}

pub(crate) enum Entry {
    /// The value, until it expires.
    Loaded(Value, Instant),
    /// The callers own the load. If all of them are cancelled, the load is dropped, and this entry is dead.
    Loading(WeakShared<'static, Answer>),
}

pub(crate) type Entries = HashMap<usize, Entry>;

/// If the map is full, removes expired values and dead loads, and makes room for as many new entries as remain.
fn make_room(entries: &mut Entries, now: Instant) {
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

    /// Loads a value, and replaces the entry of this load. An error is not cached.
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

/// Implemented for an `Arc`, because a load owns a handle of the cache.
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
            make_room(&mut entries, now);
            let load = ValueFuture::pooled(Arc::clone(self).load(key)).share();
            let weak = load.downgrade().expect("an unpolled load has no result");
            entries.insert(key, Entry::Loading(weak));
            load
        });
        drop(entries);
        load.into()
    }
}
