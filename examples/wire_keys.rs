//! A driver whose request ids on a socket are the [`Key`]s of a [`Pool`]. Its peer misuses the ids. The peer answers late, twice and out of
//! order, answers cancelled requests, and sends forged ids and truncated replies. No answer reaches another request.
//!
//! ```text
//! cargo run --example wire_keys [-- --seed N]
//! ```
//!
//! The numbers in the code refer to the duties of a driver:
//!
//! 1. Rent an operation, and convert its completer to a key. Here the bound of the pool limits the number of pending requests.
//! 2. Send the key. The operation exists already, so an answer may arrive before `write` returns.
//! 3. Check only the format of a reply. The pool checks the id.
//! 4. If the connection is lost, close the pool. This ends all pending operations, so no caller hangs. Afterwards, no operation begins.
//!
//! To cancel a request, a caller drops its completion. The pool then refuses the key.
//!
//! The program runs in rounds, so that the peer can predict the outcome of each reply. In each round, the client sends requests
//! until the pool is full, cancels some of them, and sends a *flush*: a request that ends the round. The peer then answers some requests,
//! and finally the flush. It answers the other requests in later rounds. In the last round, the peer does not answer the flush, and closes
//! the connection.

#[path = "common/mod.rs"]
mod common;

use std::{
    collections::HashMap,
    fmt::Write as _,
    io::{self, BufReader, Read, Write},
    mem,
    net::{Shutdown, TcpListener, TcpStream},
    process::ExitCode,
    sync::{Mutex, MutexGuard, PoisonError},
    thread,
};

use clap::Parser;
use common::answer;
use fastrand::Rng;
use futures::executor::block_on;
use value_future::{Completion, Key, Pool, operation::CompleteErrorKind};

#[derive(Parser)]
#[command(
    about = "Sends requests to a peer that misuses their ids. The ids are the keys of a pool"
)]
struct Options {
    /// Seed of the random numbers.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

const ROUNDS: u32 = 200;
const SLOTS: u32 = 64;

// A request consists of its kind, the key and a question. A reply consists of its length, an id and an answer.
const ASK: u8 = 0;
const CANCEL: u8 = 1;
const FLUSH: u8 = 2;

// ---- The driver ----

type Answer = io::Result<u64>;

struct Driver {
    pool: Pool<Answer>,
    stream: TcpStream,
    /// The writer of requests. It is `None` after the connection was lost.
    writer: Mutex<Option<TcpStream>>,
}

impl Driver {
    fn new(stream: TcpStream) -> io::Result<Self> {
        let pool = Pool::<Answer>::builder().initial_slots(SLOTS).max_slots(SLOTS).build();
        let writer = Mutex::new(Some(stream.try_clone()?));
        Ok(Driver { pool, stream, writer })
    }

    /// Begins an operation. Returns `None` if the pool is full or closed.
    fn begin(&self) -> Option<(Key, Completion<Answer>)> {
        let (completer, completion) = self.pool.try_rent().ok()?;
        Some((completer.into_key().untyped(), completion)) // (1)
    }

    fn writer(&self) -> MutexGuard<'_, Option<TcpStream>> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends a request. If sending fails, the operation ends with an error.
    fn send(&self, kind: u8, key: Key, question: u64) {
        let mut frame = vec![kind];
        frame.extend(key.to_u64().to_le_bytes());
        frame.extend(question.to_le_bytes());
        // The lock prevents two threads from mixing the bytes of their frames. The lock is released before `abandon_key` wakes a task.
        let is_sent = self.writer().as_mut().is_some_and(|writer| writer.write_all(&frame).is_ok()); // (2)
        if !is_sent {
            let _ = self.pool.abandon_key(key);
        }
    }

    /// Completes the operation of each reply, until the connection is lost. Returns the outcomes of the replies.
    fn receive(&self) -> Counters {
        let mut counters = Counters::new();
        let mut stream = BufReader::new(&self.stream);
        while let Ok(reply) = read_reply(&mut stream) {
            let outcome = match reply {
                None => Outcome::Truncated, // (3)
                Some((id, answer)) => match self.pool.complete_key(Key::from_u64(id), Ok(answer)) {
                    Ok(()) => Outcome::Delivered,
                    Err(error) => Outcome::Refused(error.kind()),
                },
            };
            count(&mut counters, outcome);
        }
        *self.writer() = None;
        self.pool.close(); // (4)
        counters
    }
}

/// Reads the next reply. Returns `None` if the length of the reply is wrong.
fn read_reply(stream: &mut impl Read) -> io::Result<Option<(u64, u64)>> {
    let mut length = [0];
    stream.read_exact(&mut length)?;
    let mut bytes = vec![0; length[0].into()];
    stream.read_exact(&mut bytes)?;
    let bytes = <[u8; 16]>::try_from(bytes).ok();
    Ok(bytes.map(|bytes| (read_u64(&bytes[..8]), read_u64(&bytes[8..]))))
}

fn read_u64(bytes: &[u8]) -> u64 {
    u64::from_le_bytes(bytes.try_into().expect("8 bytes"))
}

// ---- The outcomes of replies ----

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum Outcome {
    Delivered,
    Refused(CompleteErrorKind),
    /// The reply did not have 16 bytes, so the driver did not pass it to the pool.
    Truncated,
    /// The connection was lost before the reply.
    Lost,
}

impl Outcome {
    fn label(self) -> String {
        match self {
            Outcome::Refused(error) => format!("refused: {}", error.name()),
            Outcome::Delivered => "delivered".into(),
            Outcome::Truncated => "truncated".into(),
            Outcome::Lost => "lost".into(),
        }
    }
}

const OUTCOMES: [Outcome; 7] = [
    Outcome::Delivered,
    Outcome::Refused(CompleteErrorKind::AlreadyCompleted),
    Outcome::Refused(CompleteErrorKind::Closed),
    Outcome::Refused(CompleteErrorKind::Stale),
    Outcome::Refused(CompleteErrorKind::Unknown),
    Outcome::Truncated,
    Outcome::Lost,
];

type Counters = HashMap<Outcome, u64>;

fn count(counters: &mut Counters, outcome: Outcome) {
    *counters.entry(outcome).or_default() += 1;
}

// ---- The peer ----

struct Peer {
    random: Rng,
    requests: Vec<Request>,
    /// The indices of the requests to answer. An index occurs twice if the peer will answer the request twice.
    unanswered: Vec<usize>,
    /// The outcomes that the peer expects for its replies.
    expected: Counters,
}

struct Request {
    id: u64,
    question: u64,
    /// The round in which the operation ended, and the error that a further reply gets in the same round.
    end: Option<(u32, CompleteErrorKind)>,
}

impl Peer {
    fn new(random: Rng) -> Self {
        Peer { random, requests: Vec::new(), unanswered: Vec::new(), expected: Counters::new() }
    }

    /// Serves all rounds, and then closes the connection. Returns the expected outcomes.
    fn serve(mut self, mut stream: TcpStream) -> io::Result<Counters> {
        for round in 0..=ROUNDS {
            let flush = self.receive(&mut stream, round)?;
            let mut replies = self.replies(round);
            if round < ROUNDS {
                replies.extend(encode(flush, 0));
            }
            stream.write_all(&replies)?;
        }
        let lost = self.requests.iter().filter(|request| request.end.is_none()).count();
        // The peer has answered all flushes except the last one.
        self.expected.insert(Outcome::Lost, lost as u64 + 1);
        *self.expected.entry(Outcome::Delivered).or_default() += u64::from(ROUNDS);
        Ok(self.expected)
    }

    /// Receives the requests of a round. Returns the id of the flush, which ends the round.
    fn receive(&mut self, stream: &mut TcpStream, round: u32) -> io::Result<u64> {
        loop {
            let mut frame = [0; 17];
            stream.read_exact(&mut frame)?;
            let (id, question) = (read_u64(&frame[1..9]), read_u64(&frame[9..]));
            match frame[0] {
                ASK => {
                    let copies = if self.one_in(4) { 2 } else { 1 };
                    self.unanswered.extend([self.requests.len()].repeat(copies));
                    self.requests.push(Request { id, question, end: None });
                }
                CANCEL => {
                    // The peer records the cancellation, but will answer the request.
                    if let Some(request) = self.requests.iter_mut().rfind(|r| r.id == id) {
                        request.end = Some((round, CompleteErrorKind::Closed));
                    }
                }
                _ => return Ok(id),
            }
        }
    }

    /// Answers some of the requests in random order, and inserts forged replies. Counts the expected outcomes.
    fn replies(&mut self, round: u32) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.random.shuffle(&mut self.unanswered);
        for index in mem::take(&mut self.unanswered) {
            if self.one_in(4) {
                self.unanswered.push(index);
                continue;
            }
            let Request { id, question, end } = &mut self.requests[index];
            let outcome = match *end {
                None => Outcome::Delivered,
                Some((end_round, error)) if end_round == round => Outcome::Refused(error),
                // The operation ended in an earlier round. After that, the client rented all vacant slots, so another operation has used
                // this slot.
                Some(_) => Outcome::Refused(CompleteErrorKind::Stale),
            };
            let (end_round, _) = end.get_or_insert((round, CompleteErrorKind::AlreadyCompleted));
            let (is_current, id) = (*end_round == round, *id);
            bytes.extend(encode(id, answer(*question)));
            count(&mut self.expected, outcome);
            if is_current && self.one_in(2) {
                let (reply, outcome) = forge(id, &mut self.random);
                bytes.extend(reply);
                count(&mut self.expected, outcome);
            }
        }
        bytes
    }

    fn one_in(&mut self, n: u32) -> bool {
        self.random.u32(..n) == 0
    }
}

fn encode(id: u64, answer: u64) -> Vec<u8> {
    let mut reply = vec![16]; // the number of the following bytes
    reply.extend(id.to_le_bytes());
    reply.extend(answer.to_le_bytes());
    reply
}

/// Forges a reply from the id of an operation that ended in this round. Returns the reply and its expected outcome.
fn forge(id: u64, random: &mut Rng) -> (Vec<u8>, Outcome) {
    let unknown = Outcome::Refused(CompleteErrorKind::Unknown);
    let generation = 1 << 32;
    let answer = random.u64(..);
    match random.u32(..5) {
        0 => (encode(id + generation, answer), unknown),
        // The id names the same slot, but in a later epoch (see `src/slab/design.md`), which the slot has not reached.
        1 => (encode(id + u64::from(SLOTS), answer), unknown),
        2 => (encode(id & (generation - 1), answer), unknown),
        // The generation before 1 would be 0, which the slot has never had.
        3 if id < 2 * generation => (encode(id - generation, answer), unknown),
        3 => (encode(id - generation, answer), Outcome::Refused(CompleteErrorKind::Stale)),
        _ => (vec![4, 1, 2, 3, 4], Outcome::Truncated),
    }
}

// ---- The client ----

struct Caller {
    key: Key,
    question: u64,
    completion: Completion<Answer>,
}

/// The results of all requests.
#[derive(Default)]
struct Results {
    requests: u64,
    answered: u64,
    wrong: u64,
    cancelled: u64,
    lost: u64,
}

impl Results {
    fn add(&mut self, question: u64, result: &Answer) {
        match result {
            Ok(received) if *received == answer(question) => self.answered += 1,
            Ok(_) => self.wrong += 1,
            Err(_) => self.lost += 1,
        }
    }
}

/// Runs rounds of requests until the peer closes the connection.
fn run_client(driver: &Driver, mut random: Rng) -> io::Result<Results> {
    let mut results = Results::default();
    let mut callers = Vec::new();
    loop {
        let flush = driver.begin().ok_or_else(|| io::Error::other("the pool has no slot"))?;
        while let Some((key, completion)) = driver.begin() {
            results.requests += 1;
            driver.send(ASK, key, results.requests);
            callers.push(Caller { key, question: results.requests, completion });
        }
        callers.retain(|caller| {
            let is_cancelled = random.u32(..8) == 0;
            if is_cancelled {
                results.cancelled += 1;
                driver.send(CANCEL, caller.key, caller.question);
            }
            !is_cancelled
        });
        driver.send(FLUSH, flush.0, 0);
        if block_on(flush.1).is_err() {
            break;
        }
        for caller in mem::take(&mut callers) {
            match caller.completion.try_take() {
                Ok(result) => results.add(caller.question, &result),
                Err(completion) => callers.push(Caller { completion, ..caller }),
            }
        }
    }
    // The driver closes the pool, so these awaits return.
    for caller in callers {
        results.add(caller.question, &block_on(caller.completion));
    }
    Ok(results)
}

/// Runs the client, the driver and the peer. Returns the report, and `true` if all checks have passed.
fn run(seed: u64) -> io::Result<(String, bool)> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let driver = Driver::new(TcpStream::connect(listener.local_addr()?)?)?;
    let (stream, _) = listener.accept()?;
    driver.stream.set_nodelay(true)?;
    stream.set_nodelay(true)?;
    let peer = Peer::new(Rng::with_seed(!seed));
    let (results, mut counted, expected) = thread::scope(|scope| {
        let peer = scope.spawn(|| peer.serve(stream));
        let receiver = scope.spawn(|| driver.receive());
        let results = run_client(&driver, Rng::with_seed(seed));
        // If the client has failed, the peer still waits for requests. The shutdown ends the connection of the peer.
        let _ = driver.stream.shutdown(Shutdown::Both);
        (results, receiver.join().expect("no panic"), peer.join().expect("no panic"))
    });
    let (results, expected, stats) = (results?, expected?, driver.pool.stats());

    let Results { requests, answered, wrong, cancelled, lost } = results;
    // The number that `close` returned is not used here. If a consumer is polled just after the pool was closed, the consumer may end its
    // operation before `close` does. `close` does not count such an operation.
    counted.insert(Outcome::Lost, lost + 1); // plus one for the last flush
    let mut text = format!(
        "seed {seed}: {requests} requests in {SLOTS} slots: {answered} answered, {cancelled} cancelled, \
         {lost} lost\n\nreplies                    expected  counted\n"
    );
    for outcome in OUTCOMES {
        let [expected, counted] =
            [&expected, &counted].map(|counters| counters.get(&outcome).unwrap_or(&0));
        let _ = writeln!(text, "{:<25} {expected:>9} {counted:>8}", outcome.label());
    }
    let checks = [
        (wrong == 0, "a request got the answer to another request"),
        (answered + cancelled + lost == requests, "a request has no result"),
        (counted == expected, "a reply had an unexpected outcome"),
        (stats.live == 0, "an operation is still live"),
        (stats.rented == requests + u64::from(ROUNDS) + 1, "the pool has rented other operations"),
    ];
    text.push('\n');
    for (_, reason) in checks.iter().filter(|(passed, _)| !passed) {
        let _ = writeln!(text, "check failed: {reason}");
    }
    let all_passed = checks.iter().all(|(passed, _)| *passed);
    if all_passed {
        text.push_str(
            "Each answered request got its own answer, and the pool has no live operation.\n",
        );
    }
    Ok((text, all_passed))
}

fn main() -> ExitCode {
    let Options { seed } = Options::parse();
    common::exit_code("wire_keys", || {
        let (text, all_passed) = run(seed)?;
        common::print(&text)?;
        Ok(all_passed)
    })
}
