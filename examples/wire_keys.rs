//! A driver whose requests go out over a socket with the [`Key`]s of a [`Pool`] as their ids, and a
//! peer that cannot be trusted with them: it answers late, twice, out of order, what was cancelled
//! long ago, and with ids that it made up or cut short.
//!
//! ```text
//! cargo run --example wire_keys [--seed N]
//! ```
//!
//! What a driver has to do is marked; all else here is the peer, and the bookkeeping for the check
//! at the end.
//!
//! 1. Rent, and exchange the completer for its key. Here the pool is bounded: that is how many
//!    requests are out at a time.
//! 2. Send it. Nothing has to be noted before: the answer may be here before `write` returns.
//! 3. Look only at the shape of what comes in. Whether an id is anybody's, the pool knows.
//! 4. When the connection is lost, close the pool, so that nobody hangs: all that was left to keys ends, and from
//!    then on no operation begins.
//!
//! A caller that does not want to wait any longer drops its completion; its key is dead then.
//!
//! It goes in rounds, so that the peer can tell what each of its replies has to become. In each, the
//! client sends requests until the pool is full, cancels some, and asks for a flush. The peer, which
//! has held all replies back until then, sends some of them, answers the flush last, and keeps the
//! others for later rounds. In the last round it hangs up instead.

use std::{
    collections::HashMap,
    env,
    fmt::Write as _,
    io::{self, BufReader, Read, Write},
    mem,
    net::{Shutdown, TcpListener, TcpStream},
    process::ExitCode,
    sync::{Mutex, MutexGuard, PoisonError},
    thread,
};

use futures::executor::block_on;
use value_future::{Completion, Key, Pool, operation::CompleteErrorKind};

const USAGE: &str = "\
usage: wire_keys [--seed N]

Sends requests with the keys of a pool as their ids to a peer that misuses them,
by the random numbers of this seed (1).
";
const ROUNDS: u32 = 200;
const SLOTS: u32 = 64;

// A request is its kind, the key and the question; a reply is its length, the id and the answer.
const ASK: u8 = 0;
const CANCEL: u8 = 1;
const FLUSH: u8 = 2;

// ---- The driver ----

type Answer = io::Result<u64>;

struct Driver {
    pool: Pool<Answer>,
    stream: TcpStream,
    /// Where requests go; `None` when the connection is lost.
    writer: Mutex<Option<TcpStream>>,
}

impl Driver {
    fn new(stream: TcpStream) -> io::Result<Self> {
        let pool = Pool::<Answer>::builder().initial_slots(SLOTS).max_slots(SLOTS).build();
        let writer = Mutex::new(Some(stream.try_clone()?));
        Ok(Driver { pool, stream, writer })
    }

    /// Begins an operation, `None` if no more of them may be out.
    fn begin(&self) -> Option<(Key, Completion<Answer>)> {
        let (completer, completion) = self.pool.try_rent().ok()?;
        Some((completer.into_key().untyped(), completion)) // (1)
    }

    fn writer(&self) -> MutexGuard<'_, Option<TcpStream>> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// If that fails, the operation is over, and its caller is told so.
    fn send(&self, kind: u8, key: Key, question: u64) {
        let mut frame = vec![kind];
        frame.extend(key.to_u64().to_le_bytes());
        frame.extend(question.to_le_bytes());
        // The lock keeps frames apart, and is not held when somebody is woken.
        let sent = self.writer().as_mut().is_some_and(|writer| writer.write_all(&frame).is_ok()); // (2)
        if !sent {
            let _ = self.pool.abandon_key(key);
        }
    }

    /// The thread that reads: gives each reply to its request, until there are no more.
    fn receive(&self) -> Tally {
        let mut tally = Tally::new();
        let mut stream = BufReader::new(&self.stream);
        while let Ok(reply) = read_reply(&mut stream) {
            let fate = match reply {
                None => Fate::Truncated, // (3)
                Some((id, answer)) => match self.pool.complete_key(Key::from_u64(id), Ok(answer)) {
                    Ok(()) => Fate::Delivered,
                    Err(error) => Fate::Refused(error.kind()),
                },
            };
            count(&mut tally, fate);
        }
        *self.writer() = None;
        let lost = self.pool.close(); // (4)
        tally.insert(Fate::Lost, lost.into());
        tally
    }
}

/// The next reply, `None` if it is not as long as a reply is.
fn read_reply(stream: &mut impl Read) -> io::Result<Option<(u64, u64)>> {
    let mut length = [0];
    stream.read_exact(&mut length)?;
    let mut bytes = vec![0; length[0].into()];
    stream.read_exact(&mut bytes)?;
    let bytes = <[u8; 16]>::try_from(bytes).ok();
    Ok(bytes.map(|bytes| (word(&bytes[..8]), word(&bytes[8..]))))
}

fn word(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte))
}

// ---- What became of replies ----

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum Fate {
    Delivered,
    Refused(CompleteErrorKind),
    /// Too short for an id; the pool was not asked.
    Truncated,
    /// There was none, and will be none.
    Lost,
}

const FATES: [Fate; 7] = [
    Fate::Delivered,
    Fate::Refused(CompleteErrorKind::AlreadyCompleted),
    Fate::Refused(CompleteErrorKind::Closed),
    Fate::Refused(CompleteErrorKind::Stale),
    Fate::Refused(CompleteErrorKind::Unknown),
    Fate::Truncated,
    Fate::Lost,
];

type Tally = HashMap<Fate, u64>;

fn count(tally: &mut Tally, fate: Fate) {
    *tally.entry(fate).or_default() += 1;
}

// ---- The peer ----

#[derive(Default)]
struct Peer {
    random: Random,
    requests: Vec<Request>,
    /// Which of them are still to be answered; twice, if they will be answered twice.
    held: Vec<usize>,
    /// What the driver has to make of the replies.
    tally: Tally,
}

struct Request {
    id: u64,
    question: u64,
    /// Since which round it is over, and why.
    over: Option<(u32, CompleteErrorKind)>,
}

impl Peer {
    /// Owns the stream: to return is to hang up.
    fn serve(mut self, mut stream: TcpStream) -> io::Result<Tally> {
        for round in 0..=ROUNDS {
            let flush = self.listen(&mut stream, round)?;
            let mut replies = self.replies(round);
            if round < ROUNDS {
                replies.extend(encode(flush, 0));
            }
            stream.write_all(&replies)?;
        }
        let lost = self.requests.iter().filter(|request| request.over.is_none()).count();
        // The last flush, too, and all others were answered.
        self.tally.insert(Fate::Lost, lost as u64 + 1);
        *self.tally.entry(Fate::Delivered).or_default() += u64::from(ROUNDS);
        Ok(self.tally)
    }

    /// Takes in what the client sends up to the flush, the id of which it returns.
    fn listen(&mut self, stream: &mut TcpStream, round: u32) -> io::Result<u64> {
        loop {
            let mut frame = [0; 17];
            stream.read_exact(&mut frame)?;
            let (id, question) = (word(&frame[1..9]), word(&frame[9..]));
            match frame[0] {
                ASK => {
                    let copies = if self.random.one_in(4) { 2 } else { 1 };
                    self.held.extend([self.requests.len()].repeat(copies));
                    self.requests.push(Request { id, question, over: None });
                }
                CANCEL => {
                    // The peer takes note of it, and will answer all the same.
                    if let Some(request) = self.requests.iter_mut().rfind(|r| r.id == id) {
                        request.over = Some((round, CompleteErrorKind::Closed));
                    }
                }
                _ => return Ok(id),
            }
        }
    }

    /// Some of what is held, in any order, with what was never asked for in between.
    fn replies(&mut self, round: u32) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.random.shuffle(&mut self.held);
        for number in mem::take(&mut self.held) {
            let Request { id, question, over } = &mut self.requests[number];
            if self.random.one_in(4) {
                self.held.push(number);
                continue;
            }
            let fate = match *over {
                None => Fate::Delivered,
                Some((since, why)) if since == round => Fate::Refused(why),
                // All that was vacant has been rented since.
                Some(_) => Fate::Refused(CompleteErrorKind::Stale),
            };
            let live = over.get_or_insert((round, CompleteErrorKind::AlreadyCompleted)).0 == round;
            bytes.extend(encode(*id, answer_to(*question)));
            count(&mut self.tally, fate);
            if live && self.random.one_in(2) {
                let (reply, fate) = forge(*id, &mut self.random);
                bytes.extend(reply);
                count(&mut self.tally, fate);
            }
        }
        bytes
    }
}

fn encode(id: u64, answer: u64) -> Vec<u8> {
    let mut reply = vec![16]; // so many bytes follow
    reply.extend(id.to_le_bytes());
    reply.extend(answer.to_le_bytes());
    reply
}

/// A reply that is made from the id of a request that was live in this round, and is nobody's.
fn forge(id: u64, random: &mut Random) -> (Vec<u8>, Fate) {
    let unknown = Fate::Refused(CompleteErrorKind::Unknown);
    let generation = 1 << 32;
    let answer = random.next();
    match random.next() % 5 {
        0 => (encode(id + generation, answer), unknown),
        // Of a slot that is not there.
        1 => (encode(id + u64::from(SLOTS), answer), unknown),
        2 => (encode(id & (generation - 1), answer), unknown),
        // There is no generation 0.
        3 if id < 2 * generation => (encode(id - generation, answer), unknown),
        3 => (encode(id - generation, answer), Fate::Refused(CompleteErrorKind::Stale)),
        _ => (vec![4, 1, 2, 3, 4], Fate::Truncated),
    }
}

/// What the peer has to answer; each question has an answer of its own.
fn answer_to(question: u64) -> u64 {
    question.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(32)
}

// ---- The client ----

struct Caller {
    key: Key,
    question: u64,
    completion: Completion<Answer>,
}

/// What became of the requests.
#[derive(Default)]
struct Report {
    asked: u64,
    answered: u64,
    wrong: u64,
    cancelled: u64,
    lost: u64,
}

impl Report {
    fn note(&mut self, question: u64, answer: &Answer) {
        match answer {
            Ok(answer) if *answer == answer_to(question) => self.answered += 1,
            Ok(_) => self.wrong += 1,
            Err(_) => self.lost += 1,
        }
    }
}

/// Rounds, until the peer hangs up.
fn ask(driver: &Driver, mut random: Random) -> io::Result<Report> {
    let mut report = Report::default();
    let mut callers = Vec::new();
    loop {
        let flush = driver.begin().ok_or_else(|| io::Error::other("there is no slot left"))?;
        while let Some((key, completion)) = driver.begin() {
            report.asked += 1;
            driver.send(ASK, key, report.asked);
            callers.push(Caller { key, question: report.asked, completion });
        }
        callers.retain(|caller| {
            let cancel = random.one_in(8);
            if cancel {
                report.cancelled += 1;
                driver.send(CANCEL, caller.key, caller.question);
            }
            !cancel
        });
        driver.send(FLUSH, flush.0, 0);
        if block_on(flush.1).is_err() {
            break;
        }
        for caller in mem::take(&mut callers) {
            match caller.completion.try_take() {
                Ok(answer) => report.note(caller.question, &answer),
                Err(completion) => callers.push(Caller { completion, ..caller }),
            }
        }
    }
    // Whatever is still out has been abandoned, or will be: nobody hangs.
    for caller in callers {
        report.note(caller.question, &block_on(caller.completion));
    }
    Ok(report)
}

/// All of it; returns what there is to say, and whether all is as it should be.
fn run(seed: u64) -> io::Result<(String, bool)> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let driver = Driver::new(TcpStream::connect(listener.local_addr()?)?)?;
    let (stream, _) = listener.accept()?;
    driver.stream.set_nodelay(true)?;
    stream.set_nodelay(true)?;
    let peer = Peer { random: Random(!seed), ..Peer::default() };
    let (report, pool_did, peer_did) = thread::scope(|scope| {
        let peer = scope.spawn(|| peer.serve(stream));
        let receiver = scope.spawn(|| driver.receive());
        let report = ask(&driver, Random(seed));
        // The peer has hung up; unless something went wrong, and then it must not wait for ever.
        let _ = driver.stream.shutdown(Shutdown::Both);
        (report, receiver.join().expect("no panic"), peer.join().expect("no panic"))
    });
    let (report, peer_did, stats) = (report?, peer_did?, driver.pool.stats());

    let Report { asked, answered, wrong, cancelled, lost } = report;
    let mut text = format!(
        "seed {seed}: {asked} requests in {SLOTS} slots: {answered} answered, {cancelled} cancelled, \
         {lost} lost\n\nreplies                    provoked  counted\n"
    );
    for fate in FATES {
        let [provoked, counted] =
            [&peer_did, &pool_did].map(|tally| tally.get(&fate).unwrap_or(&0));
        let _ = writeln!(text, "{:<25} {provoked:>9} {counted:>8}", format!("{fate:?}"));
    }
    let checks = [
        (wrong == 0, "an answer reached another request"),
        (answered + cancelled + lost == asked, "a request has no outcome"),
        (pool_did == peer_did, "the replies did not become what they had to"),
        (stats.live == 0, "an operation is still live"),
        (stats.rented == asked + u64::from(ROUNDS) + 1, "the pool counts other operations"),
    ];
    text.push('\n');
    for (_, reason) in checks.iter().filter(|(passed, _)| !passed) {
        let _ = writeln!(text, "check failed: {reason}");
    }
    let ok = checks.iter().all(|(passed, _)| *passed);
    if ok {
        text.push_str("Each request got its own answer, and the pool is empty.\n");
    }
    Ok((text, ok))
}

// ---- Random numbers, arguments, messages ----

/// Knuth's linear congruential generator; the upper half is the good one.
#[derive(Default)]
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005);
        self.0 = self.0.wrapping_add(1_442_695_040_888_963_407);
        self.0 >> 32
    }

    fn one_in(&mut self, n: u64) -> bool {
        self.next() % n == 0
    }

    fn shuffle(&mut self, items: &mut [usize]) {
        for i in (1..items.len()).rev() {
            let other = self.next() % (i as u64 + 1);
            items.swap(i, usize::try_from(other).expect("below a usize"));
        }
    }
}

/// To stderr. That nobody listens there is no reason to stop.
fn say(text: &str) {
    let _ = io::stderr().write_all(text.as_bytes());
}

/// To stdout. A reader that has seen enough is no error.
fn print(text: &str) -> io::Result<()> {
    match io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        result => result,
    }
}

fn answer() -> io::Result<ExitCode> {
    let arguments: Vec<_> = env::args_os().skip(1).map(|a| a.to_string_lossy().into()).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let seed = match arguments[..] {
        [] => Ok(1),
        ["-h" | "--help"] => return print(USAGE).map(|()| ExitCode::SUCCESS),
        ["--seed", seed] => seed.parse().map_err(|_| format!("`{seed}` is no whole number")),
        _ => Err(format!("cannot understand `{}`", arguments.join(" "))),
    };
    match seed.map(run) {
        Ok(result) => {
            let (text, passed) = result?;
            print(&text).map(|()| if passed { ExitCode::SUCCESS } else { ExitCode::FAILURE })
        }
        Err(complaint) => {
            say(&format!("{complaint}\n\n{USAGE}"));
            Ok(ExitCode::from(2))
        }
    }
}

fn main() -> ExitCode {
    answer().unwrap_or_else(|error| {
        say(&format!("wire_keys: {error}\n"));
        ExitCode::FAILURE
    })
}
