//! [`Kernel`], which reads a file by `io_uring`, or by pipes and `epoll`. Apart from the counting allocator, all unsafe code of the program
//! is in this file.

use std::{cell::RefCell, collections::HashMap, fs::File, io, mem, os::fd};

use io_uring::{IoUring, opcode, types::Fd};
use rustix::event::epoll::{self, CreateFlags, EventData, EventFlags};
use rustix::{buffer::spare_capacity, io as rio, pipe};

/// The result of a read: its buffer with the bytes that the kernel has read.
pub(crate) type Outcome = io::Result<Vec<u8>>;

enum Queue {
    Ring(Box<IoUring>),
    /// `epoll` does not support files, so each read copies a part of the file to a pipe.
    Epoll(fd::OwnedFd, Vec<epoll::Event>),
}

/// A file, the kernel interface that reads it, and the buffers of the reads in flight.
pub(crate) struct Kernel {
    queue: Queue,
    file: File,
    /// For the key of each read in flight: its buffer and, with `epoll`, its pipe. With `io_uring`, the kernel may write to the buffer.
    in_flight: HashMap<u64, (Vec<u8>, Option<fd::OwnedFd>)>,
    pub(crate) cancelled: u64,
    pub(crate) refused: u64,
}

/// Returns the outcome of a read. With `epoll`, reads the bytes from the pipe. Otherwise, `result` is the number of bytes or the error that
/// the ring has reported.
fn outcome(mut buffer: Vec<u8>, pipe: Option<fd::OwnedFd>, result: i32) -> Outcome {
    let length = match pipe {
        Some(pipe) => rio::read(pipe, &mut buffer)?,
        None => usize::try_from(result).map_err(|_| io::Error::from_raw_os_error(-result))?,
    };
    buffer.truncate(length);
    Ok(buffer)
}

impl Kernel {
    pub(crate) fn new(file: &File, is_epoll: bool) -> io::Result<RefCell<Self>> {
        let queue = if is_epoll {
            Queue::Epoll(epoll::create(CreateFlags::CLOEXEC)?, Vec::with_capacity(32))
        } else {
            Queue::Ring(Box::new(IoUring::new(256)?))
        };
        let (file, in_flight) = (file.try_clone()?, HashMap::new());
        Ok(RefCell::new(Kernel { queue, file, in_flight, cancelled: 0, refused: 0 }))
    }

    /// Starts a read that fills the buffer.
    pub(crate) fn start(&mut self, key: u64, at: u64, mut buffer: Vec<u8>) -> io::Result<()> {
        // Cancellations have the `user_data` 0. No key is 0: a pool never creates the key 0 (see `Key::to_u64`), and `ChannelReader` adds 1
        // to its indices.
        assert!(key != 0 && !self.in_flight.contains_key(&key), "the key is in use");
        self.in_flight.reserve(1); // The insertion below then needs no allocation, and cannot panic.
        let pipe = match &mut self.queue {
            Queue::Ring(ring) => {
                let file = Fd(fd::AsRawFd::as_raw_fd(&self.file));
                let length = buffer.len().try_into().map_err(io::Error::other)?;
                let read = opcode::Read::new(file, buffer.as_mut_ptr(), length).offset(at).build();
                let read = read.user_data(key);
                // SAFETY: until the kernel has completed the read, `in_flight` owns the buffer, and nothing else uses the buffer. Dropping
                // the future does not free the buffer, and `Kernel::drop` waits for the read, or leaks the buffer. The field `file` is
                // dropped after the ring, so the file is open while the ring exists.
                while unsafe { ring.submission().push(&read) }.is_err() {
                    ring.submit()?;
                }
                None
            }
            Queue::Epoll(epoll, _) => {
                let ((reader, writer), none) = (pipe::pipe()?, pipe::SpliceFlags::empty());
                pipe::splice(&self.file, Some(&mut { at }), writer, None, buffer.len(), none)?;
                epoll::add(epoll, &reader, EventData::new_u64(key), EventFlags::IN)?;
                Some(reader)
            }
        };
        self.in_flight.insert(key, (buffer, pipe));
        Ok(())
    }

    /// Asks `io_uring` to cancel a read, if the read is in flight. (`epoll` cannot cancel reads.)
    pub(crate) fn cancel(&mut self, key: u64) {
        let is_in_flight = self.in_flight.contains_key(&key);
        self.cancelled += u64::from(is_in_flight);
        if let (Queue::Ring(ring), true) = (&mut self.queue, is_in_flight) {
            let cancel = opcode::AsyncCancel::new(key).build().user_data(0);
            // SAFETY: a cancellation has no pointers, so nothing has to stay allocated for it.
            while unsafe { ring.submission().push(&cancel) }.is_err() && ring.submit().is_ok() {}
        }
    }

    /// Waits until the kernel has completed at least one read or cancellation. `deliver` gets the key and the outcome of each completed
    /// read. `deliver` returns `false` if it refuses the outcome.
    pub(crate) fn wait(&mut self, deliver: impl Fn(u64, Outcome) -> bool) -> io::Result<()> {
        let mut complete = |key, result| {
            // The completion of a cancellation has no buffer.
            if let Some((buffer, pipe)) = self.in_flight.remove(&key) {
                self.refused += u64::from(!deliver(key, outcome(buffer, pipe, result)));
            }
        };
        match &mut self.queue {
            Queue::Ring(ring) => {
                let errno = |e: io::Error| rio::Errno::from_io_error(&e).unwrap_or(rio::Errno::IO);
                rio::retry_on_intr(|| ring.submit_and_wait(1).map_err(errno))?;
                ring.completion().for_each(|entry| complete(entry.user_data(), entry.result()));
            }
            Queue::Epoll(epoll, events) => {
                rio::retry_on_intr(|| epoll::wait(&epoll, spare_capacity(events), None))?;
                events.drain(..).for_each(|event| complete(event.data.u64(), 0));
            }
        }
        Ok(())
    }
}

/// Waits until the kernel has completed all reads. If waiting fails, the buffers of the remaining reads leak.
impl Drop for Kernel {
    fn drop(&mut self) {
        while !self.in_flight.is_empty() && self.wait(|_, _| false).is_ok() {}
        self.in_flight.drain().for_each(mem::forget);
    }
}
