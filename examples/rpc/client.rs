//! A client that calls its peer over TCP or in process.

use std::{
    io,
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::{net::TcpListener, runtime::Runtime, time::timeout};

use crate::{
    common::{Faults, Frame, Load, Outbox, Peer, wire},
    pending::Pending,
};

const TIMEOUT: Duration = Duration::from_millis(5);

enum Transport {
    Tcp(Outbox),
    /// The peer replies as soon as it has this number of requests.
    InProcess(Mutex<Peer>, u64),
}

pub(crate) struct Client<P> {
    pending: P,
    transport: Transport,
    /// `false` if the peer has no faults: it then answers every call.
    has_timeout: bool,
    pub(crate) load: Load,
}

impl<P: Pending> Client<P> {
    /// Creates a client that calls its peer directly, or over a connection.
    pub(crate) fn new(
        runtime: &Runtime,
        over_tcp: bool,
        callers: u64,
        faults: Faults,
    ) -> io::Result<Arc<Self>> {
        let peer = Peer::new(faults, TIMEOUT);
        let new = |transport| {
            let (pending, load) = (P::default(), Load::new());
            Arc::new(Client { pending, transport, has_timeout: faults.any(), load })
        };
        if !over_tcp {
            // With faults, callers that wait for a timeout would hold up a batch.
            let batch = if faults.any() { 1 } else { callers };
            return Ok(new(Transport::InProcess(Mutex::new(peer), batch)));
        }
        let listener = runtime.block_on(TcpListener::bind(("127.0.0.1", 0)))?;
        let address = listener.local_addr()?;
        runtime.spawn(wire::serve(listener, peer));
        let client = new(Transport::Tcp(Outbox::default()));
        let connected = Arc::clone(&client);
        runtime.spawn(async move {
            while let Transport::Tcp(requests) = &connected.transport {
                let reply = |reply| connected.complete(reply);
                wire::connect(address, requests, reply).await.expect_err("the connection is lost");
                connected.pending.end_all();
            }
        });
        Ok(client)
    }

    pub(crate) fn is_over_tcp(&self) -> bool {
        matches!(self.transport, Transport::Tcp(_))
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
            // A timeout drops `wait`, which cancels the call.
            timeout(TIMEOUT, wait).await.map_err(|_| "timed out")?
        } else {
            wait.await
        };
        answer.ok_or("connection lost")
    }

    fn complete(&self, [id, answer]: Frame) {
        if let Err(reason) = self.pending.complete(id, answer) {
            self.load.counts.add(reason);
        }
    }
}
