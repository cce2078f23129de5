//! The driver runs a script on a pool and on the oracle. After each step, the driver compares the pool with the oracle: results, drops of
//! values, and wakes of wakers.

use std::{collections::BTreeMap, task::Context};

use value_future::{Key, pool::Stats};

use super::{
    kind::Kind,
    observer::{Observer, Reply, Side},
    oracle::Oracle,
    script::{Op, Pick, Setup},
};

pub(super) enum Consumer<K: Kind> {
    Completion(K::Completion),
    Future(K::Future),
}

pub(crate) struct Driver<K: Kind> {
    pub(super) max: Option<u32>,
    pub(super) pools: Vec<K::Pool>,
    pub(super) foreign: K::Pool,
    pub(super) completers: BTreeMap<usize, K::Completer>,
    pub(super) consumers: BTreeMap<usize, Consumer<K>>,
    pub(super) keys: Vec<Key>,
    /// The operation of each key.
    pub(super) operations_of_keys: BTreeMap<u64, usize>,
    pub(super) before: Stats,
    pub(super) oracle: Oracle,
    pub(super) observer: Observer,
}

fn nth<V>(map: &BTreeMap<usize, V>, pick: Pick) -> Option<usize> {
    map.keys().nth(pick.checked_rem(map.len())?).copied()
}

pub(super) fn id(reply: &Reply) -> Option<usize> {
    reply.as_ref().map(|value| value.id)
}

impl<K: Kind> Driver<K> {
    pub(crate) fn new(setup: &Setup) -> Self {
        let pool = K::build(setup);
        Driver {
            max: setup.max,
            before: K::stats(&pool),
            pools: vec![pool],
            foreign: K::build(&Setup { max: None, ..setup.clone() }),
            completers: BTreeMap::new(),
            consumers: BTreeMap::new(),
            keys: Vec::new(),
            operations_of_keys: BTreeMap::new(),
            oracle: Oracle::new(setup),
            observer: Observer::default(),
        }
    }

    /// Runs a script, and then drops all handles.
    pub(crate) fn run(setup: &Setup, script: &[Op]) {
        let mut driver = Self::new(setup);
        for op in script {
            driver.step(op);
        }
        if setup.pool_dropped_first {
            driver.drop_pools();
        }
        while !driver.completers.is_empty() {
            driver.step(&Op::DropCompleter(0));
        }
        while !driver.consumers.is_empty() {
            driver.step(&Op::DropConsumer(0));
        }
        driver.drop_pools();
        assert!(
            driver.observer.drops().iter().all(|drops| *drops == 1),
            "a value was not dropped exactly once"
        );
        assert_eq!(K::stats(&driver.foreign).refused_keys, 0);
    }

    fn drop_pools(&mut self) {
        while !self.pools.is_empty() {
            self.step(&Op::DropPool(0));
        }
    }

    pub(crate) fn step(&mut self, op: &Op) {
        // A step without a target does nothing.
        let _no_target = self.try_step(op);
        self.compare();
    }

    fn try_step(&mut self, op: &Op) -> Option<()> {
        match *op {
            Op::Rent => self.rent()?,
            Op::TryRent => self.try_rent()?,
            Op::Poll(pick, waker_id) => self.poll(nth(&self.consumers, pick)?, waker_id),
            Op::TryTake(pick) => self.try_take(nth(&self.consumers, pick)?),
            Op::IntoFuture(pick) => self.convert(nth(&self.consumers, pick)?),
            Op::DropConsumer(pick) => {
                let operation = nth(&self.consumers, pick)?;
                self.consumers.remove(&operation);
                if self.oracle.operations[operation].consumer {
                    self.oracle.drop_consumer(operation);
                }
            }
            Op::Complete(pick) => self.complete(nth(&self.completers, pick)?),
            Op::PollClosed(pick, waker_id) => {
                let operation = nth(&self.completers, pick)?;
                let waker = self.observer.waker(operation, Side::Completer, waker_id);
                let completer = self.completers.get_mut(&operation)?;
                let polled = K::poll_closed(completer, &mut Context::from_waker(&waker));
                assert_eq!(polled.is_ready(), self.oracle.poll_closed(operation, waker_id));
            }
            Op::IssueKey(pick) => {
                let operation = nth(&self.completers, pick)?;
                let key = K::key(&self.completers[&operation]);
                assert_eq!(key, self.oracle.issue_key(operation));
                self.issued(key, operation);
            }
            Op::IntoKey(pick) => {
                let operation = nth(&self.completers, pick)?;
                let key = K::into_key(self.completers.remove(&operation)?);
                assert_eq!(key, self.oracle.detach(operation));
                self.issued(key, operation);
            }
            Op::DropCompleter(pick) => {
                let operation = nth(&self.completers, pick)?;
                self.completers.remove(&operation);
                self.oracle.complete(operation, None);
            }
            Op::CompleteKey(ref pick) => self.complete_key(self.key(pick)?)?,
            Op::AbandonKey(ref pick) => self.abandon_key(self.key(pick)?)?,
            Op::AbandonKeys => {
                let abandoned = K::abandon_keys(self.pools.first()?);
                assert_eq!(abandoned, self.oracle.abandon_keys());
            }
            Op::Reserve(additional) => self.reserve(additional)?,
            Op::ClonePool(pick) => {
                let pool = self.pools[pick.checked_rem(self.pools.len())?].clone();
                self.pools.push(pool);
            }
            Op::DropPool(pick) => {
                self.pools.swap_remove(pick.checked_rem(self.pools.len())?);
                if self.pools.is_empty() {
                    self.oracle.drop_last_handle();
                }
            }
        }
        Some(())
    }
}
