//! [`Client`], which calls its peer over TCP or in process.

use std::{
    io,
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::{net::TcpListener, runtime::Runtime, time::timeout};

use crate::{
    common::{Faults, Frame, Load, Outbox, Peer, answer, connection},
    pending_calls::PendingCalls,
};

const TIMEOUT: Duration = Duration::from_millis(5);

enum Transport {
    Tcp(Outbox),
    /// A peer, and the size of a batch: if the peer has this number of requests, it answers all of them.
    InProcess(Mutex<Peer>, u64),
}

/// A client that makes concurrent calls to one peer.
pub(crate) struct Client<P> {
    pending: P,
    transport: Transport,
    /// `false` if the peer has no faults. Such a peer answers every call.
    has_timeout: bool,
    pub(crate) load: Load,
}

impl<P: PendingCalls> Client<P> {
    /// Creates a client, and its peer. `callers` is the number of concurrent callers.
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
            // With faults, the peer answers each request at once. A caller that waits for its timeout sends no request. So a larger batch
            // would not fill, and the other callers would get no replies.
            let batch = if faults.any() { 1 } else { callers };
            return Ok(new(Transport::InProcess(Mutex::new(peer), batch)));
        }
        let listener = runtime.block_on(TcpListener::bind(("127.0.0.1", 0)))?;
        let address = listener.local_addr()?;
        runtime.spawn(connection::serve(listener, peer));
        let client = new(Transport::Tcp(Outbox::default()));
        let shared = Arc::clone(&client);
        runtime.spawn(async move {
            while let Transport::Tcp(requests) = &shared.transport {
                let on_reply = |reply| shared.complete(reply);
                let lost = connection::connect(address, requests, on_reply).await;
                lost.expect_err("a connection ends with an error");
                shared.pending.fail_all();
            }
        });
        Ok(client)
    }

    pub(crate) fn is_over_tcp(&self) -> bool {
        matches!(self.transport, Transport::Tcp(_))
    }

    /// Calls the peer. Returns its answer, or the reason why there is no answer.
    pub(crate) async fn call(&self, question: u64) -> Result<u64, &'static str> {
        let (id, reply) = self.pending.begin();
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
            // A timeout drops `reply`, which cancels the call.
            timeout(TIMEOUT, reply).await.map_err(|_| "timed out")?
        } else {
            reply.await
        };
        answer.ok_or("connection lost")
    }

    /// Runs one round of calls, and returns the number of calls.
    pub(crate) fn run_round(&self, runtime: &Runtime, callers: u64, calls: u64) -> u64 {
        self.load.run(runtime, callers, calls, async |question| {
            let received = self.call(question).await?;
            if received == answer(question) { Ok(()) } else { Err("misdelivered") }
        })
    }

    /// Completes the call to which a reply belongs. If the reply is refused, counts the reason.
    fn complete(&self, [id, answer]: Frame) {
        if let Err(reason) = self.pending.complete(id, answer) {
            self.load.counts.add(reason);
        }
    }
}
