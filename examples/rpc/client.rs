//! A client, over TCP or in process.

use std::{
    io,
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::{net::TcpListener, runtime::Runtime, time::timeout};

use crate::{
    common::{Counts, Faults, Frame, Peer},
    pending::Pending,
    wire::{self, Outbox},
};

pub(crate) const TIMEOUT: Duration = Duration::from_millis(5);

enum Transport {
    Tcp(Outbox),
    /// The peer replies as soon as it has this number of requests.
    InProcess(Mutex<Peer>, usize),
}

pub(crate) struct Client<P> {
    pending: P,
    transport: Transport,
    /// A peer without faults answers every call.
    has_timeout: bool,
    pub(crate) counts: Counts,
}

impl<P: Pending> Client<P> {
    fn new(transport: Transport, faults: Faults) -> Arc<Self> {
        let (pending, counts) = (P::default(), Counts::default());
        Arc::new(Client { pending, transport, has_timeout: faults.any(), counts })
    }

    /// Creates a client that calls its peer directly.
    pub(crate) fn in_process(callers: usize, faults: Faults) -> Arc<Self> {
        // With faults, a whole batch would wait for the timeouts of some.
        let batch = if faults.any() { 1 } else { callers };
        Client::new(Transport::InProcess(Mutex::new(Peer::new(faults, TIMEOUT)), batch), faults)
    }

    /// Creates a client that keeps a connection to its peer.
    pub(crate) fn over_tcp(runtime: &Runtime, faults: Faults) -> io::Result<Arc<Self>> {
        let listener = runtime.block_on(TcpListener::bind(("127.0.0.1", 0)))?;
        let address = listener.local_addr()?;
        runtime.spawn(wire::serve(listener, Peer::new(faults, TIMEOUT)));
        let client = Client::<P>::new(Transport::Tcp(Outbox::default()), faults);
        let connected = Arc::clone(&client);
        runtime.spawn(async move {
            while let Transport::Tcp(requests) = &connected.transport {
                let lost =
                    wire::connect(address, requests, |reply| connected.complete(reply)).await;
                lost.expect_err("the connection ends with an error");
                connected.pending.end_all();
            }
        });
        Ok(client)
    }

    /// Returns the answer, or the reason why there is none.
    pub(crate) async fn call(&self, question: u64) -> Result<u64, &'static str> {
        let (id, wait) = self.pending.begin();
        match &self.transport {
            Transport::Tcp(requests) => requests.push([id, question]),
            Transport::InProcess(peer, batch) => {
                let mut peer = peer.lock().unwrap();
                if peer.ask([id, question]) == *batch {
                    peer.replies().iter().for_each(|reply| self.complete(*reply));
                }
            }
        }
        let answer = if self.has_timeout {
            // It drops `wait`, which cancels the call.
            timeout(TIMEOUT, wait).await.map_err(|_| "timed out")?
        } else {
            wait.await
        };
        answer.ok_or("connection lost")
    }

    fn complete(&self, [id, answer]: Frame) {
        if let Err(reason) = self.pending.complete(id, answer) {
            self.counts.add(reason);
        }
    }
}
