//! Requests and replies, 16 bytes each: an id and a number. The peer answers them, in this process or over TCP.

use std::{
    io, mem,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream, tcp::OwnedReadHalf},
    sync::Notify,
};

use crate::common::{Faults, happens};

/// An id and a question, or an id and an answer.
pub(crate) type Frame = [u64; 2];

/// What the peer answers.
pub(crate) fn answer(question: u64) -> u64 {
    question.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x5bd1_e995
}

/// Frames for the other side.
#[derive(Default)]
pub(crate) struct Outbox {
    frames: Mutex<Vec<Frame>>,
    arrived: Notify,
}

impl Outbox {
    pub(crate) fn send(&self, frame: Frame) {
        self.frames.lock().expect("no panic under the lock").push(frame);
        self.arrived.notify_one();
    }

    /// Waits for frames, and takes all that are there.
    async fn take(&self, frames: &mut Vec<Frame>) {
        frames.clear();
        self.arrived.notified().await;
        mem::swap(frames, &mut self.frames.lock().expect("no panic under the lock"));
    }
}

/// A peer that answers, with faults.
pub(crate) struct Peer {
    faults: Faults,
    /// Answers that are sent after the timeout of the caller.
    held: Vec<(Instant, Frame)>,
    patience: Duration,
}

impl Peer {
    pub(crate) fn new(faults: Faults, patience: Duration) -> Self {
        Peer { faults, held: Vec::new(), patience }
    }

    fn answer(&mut self, requests: &[Frame], replies: &mut Vec<Frame>) {
        replies.clear();
        let faults = self.faults;
        for &[id, question] in requests {
            let reply = [id, answer(question)];
            if happens(faults.forge) {
                replies.push([id ^ fastrand::u64(1..1 << 40), !reply[1]]);
            }
            if happens(faults.drop) {
                continue;
            }
            if happens(faults.late) {
                self.held.push((Instant::now() + 2 * self.patience, reply));
                continue;
            }
            replies.push(reply);
            if happens(faults.twice) {
                replies.push(reply);
            }
        }
        let now = Instant::now();
        replies.extend(self.held.extract_if(.., |(due, _)| *due <= now).map(|(_, reply)| reply));
        if self.faults.is_hostile() {
            fastrand::shuffle(replies);
        }
    }

    /// Answers the requests of an outbox by a function.
    pub(crate) async fn serve_here(mut self, requests: Arc<Outbox>, reply: impl Fn(Frame)) {
        let (mut taken, mut replies) = (Vec::new(), Vec::new());
        loop {
            requests.take(&mut taken).await;
            self.answer(&taken, &mut replies);
            replies.iter().copied().for_each(&reply);
        }
    }

    /// Answers the requests of one connection.
    pub(crate) async fn serve(mut self, listener: TcpListener) -> io::Result<()> {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let (mut reader, mut writer) = stream.into_split();
        let (mut requests, mut replies) = (Vec::new(), Vec::new());
        let (mut buffer, mut sent) = (Vec::new(), Vec::new());
        while read(&mut reader, &mut buffer, &mut requests).await? {
            self.answer(&requests, &mut replies);
            writer.write_all(bytes(&replies, &mut sent)).await?;
        }
        Ok(())
    }
}

/// Sends the frames of an outbox, and gives those that come back to a function, until the peer hangs up.
pub(crate) async fn connect(
    stream: TcpStream,
    outbox: Arc<Outbox>,
    reply: impl Fn(Frame),
) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let (mut reader, mut writer) = stream.into_split();
    let sending = async {
        let (mut frames, mut sent) = (Vec::new(), Vec::new());
        loop {
            outbox.take(&mut frames).await;
            writer.write_all(bytes(&frames, &mut sent)).await?;
        }
    };
    let receiving = async {
        let (mut buffer, mut frames) = (Vec::new(), Vec::new());
        while read(&mut reader, &mut buffer, &mut frames).await? {
            frames.iter().copied().for_each(&reply);
        }
        Ok(())
    };
    tokio::select! { sent = sending => sent, received = receiving => received }
}

/// Returns the bytes of frames, in a buffer that is used again.
fn bytes<'b>(frames: &[Frame], buffer: &'b mut Vec<u8>) -> &'b [u8] {
    buffer.clear();
    buffer.extend(frames.iter().flatten().flat_map(|number| number.to_le_bytes()));
    buffer
}

/// Reads what is there, at least a frame. Returns `false` at the end.
async fn read(
    reader: &mut OwnedReadHalf,
    buffer: &mut Vec<u8>,
    frames: &mut Vec<Frame>,
) -> io::Result<bool> {
    frames.clear();
    while frames.is_empty() {
        buffer.reserve(64 << 10);
        if reader.read_buf(buffer).await? == 0 {
            return Ok(false);
        }
        let whole = buffer.len() / 16 * 16;
        let number = |bytes: &[u8]| u64::from_le_bytes(bytes.try_into().expect("8 bytes"));
        frames.extend(
            buffer[..whole].chunks(16).map(|frame| [number(&frame[..8]), number(&frame[8..])]),
        );
        buffer.drain(..whole);
    }
    Ok(true)
}
