//! Sends and receives frames over TCP: [`connect`] for the client, and [`serve`] for the peer.

use std::{io, mem, net::SocketAddr, sync::Mutex};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, BufReader, BufWriter},
    net::{TcpListener, TcpStream, tcp::OwnedReadHalf, tcp::OwnedWriteHalf},
    sync::Notify,
};

use super::{Frame, Peer};

/// The question to which the peer responds by closing the connection.
pub(crate) const HANG_UP: u64 = u64::MAX;

/// The requests that the client has not yet sent.
#[derive(Default)]
pub(crate) struct Outbox {
    frames: Mutex<Vec<Frame>>,
    not_empty: Notify,
}

impl Outbox {
    pub(crate) fn push(&self, frame: Frame) {
        let mut frames = self.frames.lock().unwrap();
        frames.push(frame);
        if frames.len() == 1 {
            self.not_empty.notify_one();
        }
    }
}

/// Splits a stream into a buffered reader and a buffered writer.
fn split(stream: TcpStream) -> io::Result<(BufReader<OwnedReadHalf>, BufWriter<OwnedWriteHalf>)> {
    stream.set_nodelay(true)?;
    let (reader, writer) = stream.into_split();
    Ok((BufReader::new(reader), BufWriter::new(writer)))
}

async fn read(reader: &mut BufReader<OwnedReadHalf>) -> io::Result<Frame> {
    Ok([reader.read_u64_le().await?, reader.read_u64_le().await?])
}

async fn write(writer: &mut BufWriter<OwnedWriteHalf>, frames: &[Frame]) -> io::Result<()> {
    for number in frames.as_flattened() {
        writer.write_u64_le(*number).await?;
    }
    writer.flush().await
}

/// Accepts connections, one at a time, and answers their requests.
pub(crate) async fn serve(listener: TcpListener, mut peer: Peer) -> io::Result<()> {
    loop {
        let (mut reader, mut writer) = split(listener.accept().await?.0)?;
        while let Ok(request) = read(&mut reader).await
            && request[1] != HANG_UP
        {
            peer.ask(request);
            if reader.buffer().is_empty() {
                write(&mut writer, peer.replies()).await?;
            }
        }
    }
}

/// Sends requests, and passes each reply to `on_reply`, until the connection is lost.
pub(crate) async fn connect(
    peer: SocketAddr,
    requests: &Outbox,
    on_reply: impl Fn(Frame),
) -> io::Result<()> {
    let (mut reader, mut writer) = split(TcpStream::connect(peer).await?)?;
    let sending = async {
        let mut frames = Vec::new();
        loop {
            requests.not_empty.notified().await;
            mem::swap(&mut frames, &mut requests.frames.lock().unwrap());
            write(&mut writer, &frames).await?;
            frames.clear();
        }
    };
    let receiving = async {
        loop {
            on_reply(read(&mut reader).await?);
        }
    };
    tokio::select! { error = sending => error, error = receiving => error }
}
