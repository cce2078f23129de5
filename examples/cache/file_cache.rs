//! [`FileCache`], the cache behind all three traits.

use std::{
    collections::VecDeque,
    io, mem,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use crate::cost::{Cost, cost_so_far, minus, plus};

/// The content of a file. Each lookup clones the `Arc`. (To create an `Arc<[u8]>`, the `Vec` that a read returns would have to be copied.)
pub(crate) type Bytes = Arc<Vec<u8>>;

/// A cache of files. The key of a file is its position in `paths`.
pub(crate) struct FileCache {
    paths: Arc<[PathBuf]>,
    capacity: u64,
    memory: Mutex<Memory>,
}

/// The files in memory. The eviction policy is second chance (CLOCK): the first file in the queue is evicted. But if this file was used
/// since it was queued, it is queued again instead.
#[derive(Default)]
pub(crate) struct Memory {
    slots: Vec<Slot>,
    queue: VecDeque<usize>,
    size: u64,
    pub(crate) reads: usize,
    pub(crate) cost_of_reads: Cost,
}

#[derive(Default, Clone)]
struct Slot {
    bytes: Option<Bytes>,
    was_used: bool,
}

impl FileCache {
    pub(crate) fn new(paths: Arc<[PathBuf]>, capacity: u64) -> Self {
        let slots = vec![Slot::default(); paths.len()];
        let memory = Mutex::new(Memory { slots, ..Memory::default() });
        FileCache { paths, capacity, memory }
    }

    pub(crate) fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the content of a file if it is in memory. Marks the file as used.
    pub(crate) fn hit(&self, key: usize) -> Option<Bytes> {
        let slot = &mut self.memory().slots[key];
        slot.was_used = true;
        slot.bytes.clone()
    }

    /// Reads a file from the disk, and inserts it into the cache.
    pub(crate) async fn read(&self, key: usize) -> io::Result<Bytes> {
        let before = cost_so_far();
        let read = tokio::fs::read(&self.paths[key]).await.map(Arc::new);
        let mut memory = self.memory();
        if let Ok(bytes) = &read {
            memory.insert(key, bytes, self.capacity);
        }
        memory.reads += 1;
        memory.cost_of_reads = plus(memory.cost_of_reads, minus(cost_so_far(), before));
        read
    }
}

impl Memory {
    fn insert(&mut self, key: usize, bytes: &Bytes, capacity: u64) {
        let size = bytes.len() as u64;
        // Another lookup may have read the same file in the meantime.
        if size > capacity || self.slots[key].bytes.is_some() {
            return;
        }
        while self.size + size > capacity {
            self.evict_one();
        }
        self.size += size;
        self.queue.push_back(key);
        self.slots[key] = Slot { bytes: Some(Arc::clone(bytes)), was_used: false };
    }

    fn evict_one(&mut self) {
        let key = self.queue.pop_front().expect("each file in memory is queued");
        let slot = &mut self.slots[key];
        if mem::take(&mut slot.was_used) {
            self.queue.push_back(key);
        } else if let Some(bytes) = slot.bytes.take() {
            self.size -= bytes.len() as u64;
        }
    }
}
