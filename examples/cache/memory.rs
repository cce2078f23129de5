//! The cache, which knows of no trait.

use std::{
    collections::VecDeque,
    io, mem,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use crate::cost::{Cost, minus, plus, spent};

/// One word, which a lookup clones. Cheaper than `Arc<[u8]>` for all: a file that was read is not copied.
pub(crate) type Bytes = Arc<Vec<u8>>;

pub(crate) struct FileCache {
    paths: Arc<[PathBuf]>,
    room: u64,
    memory: Mutex<Memory>,
}

/// The files in memory. Eviction is second chance (CLOCK): a file that was used since it was queued is queued again; any other is
/// evicted.
#[derive(Default)]
pub(crate) struct Memory {
    slots: Vec<Slot>,
    queue: VecDeque<usize>,
    held: u64,
    pub(crate) reads: usize,
    pub(crate) reading: Cost,
}

#[derive(Default, Clone)]
struct Slot {
    bytes: Option<Bytes>,
    asked_for: bool,
}

impl FileCache {
    pub(crate) fn new(paths: Arc<[PathBuf]>, room: u64) -> Self {
        let slots = vec![Slot::default(); paths.len()];
        let memory = Mutex::new(Memory { slots, ..Memory::default() });
        FileCache { paths, room, memory }
    }

    pub(crate) fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn hit(&self, key: usize) -> Option<Bytes> {
        let slot = &mut self.memory().slots[key];
        slot.asked_for = true;
        slot.bytes.clone()
    }

    pub(crate) async fn read(&self, key: usize) -> io::Result<Bytes> {
        let before = spent();
        let read = tokio::fs::read(&self.paths[key]).await.map(Arc::new);
        let mut memory = self.memory();
        if let Ok(bytes) = &read {
            memory.keep(key, bytes, self.room);
        }
        memory.reads += 1;
        memory.reading = plus(memory.reading, minus(spent(), before));
        read
    }
}

impl Memory {
    fn keep(&mut self, key: usize, bytes: &Bytes, room: u64) {
        let size = bytes.len() as u64;
        // Another lookup may have read the same file meanwhile.
        if size > room || self.slots[key].bytes.is_some() {
            return;
        }
        while self.held + size > room {
            self.forget_one();
        }
        self.held += size;
        self.queue.push_back(key);
        self.slots[key] = Slot { bytes: Some(Arc::clone(bytes)), asked_for: false };
    }

    fn forget_one(&mut self) {
        let key = self.queue.pop_front().expect("what is held is queued");
        let slot = &mut self.slots[key];
        if mem::take(&mut slot.asked_for) {
            self.queue.push_back(key);
        } else if let Some(bytes) = slot.bytes.take() {
            self.held -= bytes.len() as u64;
        }
    }
}
