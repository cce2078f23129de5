//! The simulated peer of the program `rpc`, which answers requests with faults: it drops, delays, duplicates, forges and reorders replies.
//! Other programs use only its helper functions.

use std::{
    iter,
    time::{Duration, Instant},
};

/// A request (an id and a question), or a reply (an id and an answer).
pub(crate) type Frame = [u64; 2];

/// The rates of faults of a peer, in percent of its replies.
#[derive(Clone, Copy, Debug, Default, clap::Args)]
pub(crate) struct Faults {
    /// The peer drops 1 % of the replies, delays 1 %, sends 1 % twice, and adds a forged reply to 1 %.
    #[arg(long)]
    pub(crate) hostile: bool,
    /// Percentage of replies that the peer drops.
    #[arg(long, default_value_t = 0.0, value_name = "PERCENT", value_parser = percent)]
    pub(crate) drop: f64,
    /// Percentage of replies that the peer sends after the timeout.
    #[arg(long, default_value_t = 0.0, value_name = "PERCENT", value_parser = percent)]
    pub(crate) late: f64,
    /// Percentage of replies that the peer sends twice.
    #[arg(long, default_value_t = 0.0, value_name = "PERCENT", value_parser = percent)]
    pub(crate) twice: f64,
    /// Percentage of replies to which the peer adds a reply with a forged id.
    #[arg(long, default_value_t = 0.0, value_name = "PERCENT", value_parser = percent)]
    pub(crate) forge: f64,
}

impl Faults {
    /// Creates the rates of a peer that has each kind of fault at the rate `percent`.
    pub(crate) fn all(percent: f64) -> Self {
        Faults { hostile: false, drop: percent, late: percent, twice: percent, forge: percent }
    }

    /// Returns `true` if the peer has faults of any kind. Such a peer also shuffles its replies.
    pub(crate) fn any(self) -> bool {
        self.hostile || self.drop + self.late + self.twice + self.forge > 0.0
    }
}

/// Parses a number from 0 to 100.
pub(crate) fn percent(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(percent) if (0.0..=100.0).contains(&percent) => Ok(percent),
        _ => Err("expected a number from 0 to 100".into()),
    }
}

/// Parses the percentage of attempts that are repeated. With 100, the repetitions would never end, so the limit is 90.
pub(crate) fn percent_of_repeats(text: &str) -> Result<f64, String> {
    percent(text)
        .ok()
        .filter(|percent| *percent <= 90.0)
        .ok_or("expected a number from 0 to 90".into())
}

/// Returns `true` with the given probability, in percent.
pub(crate) fn chance(percent: f64) -> bool {
    percent > 0.0 && fastrand::f64() * 100.0 < percent
}

/// Returns the correct answer to a question.
pub(crate) fn answer(question: u64) -> u64 {
    question.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x5bd1_e995
}

/// A peer that answers requests, with faults.
pub(crate) struct Peer {
    faults: Faults,
    timeout: Duration,
    requests: Vec<Frame>,
    replies: Vec<Frame>,
    /// The late replies, each with the time at which the peer sends it.
    late: Vec<(Instant, Frame)>,
}

impl Peer {
    /// Creates a peer. `timeout` is the timeout of the client. The peer delays late replies by twice this time.
    pub(crate) fn new(mut faults: Faults, timeout: Duration) -> Self {
        if faults.hostile {
            faults = Faults::all(1.0);
        }
        let (requests, replies, late) = (Vec::new(), Vec::new(), Vec::new());
        Peer { faults, timeout, requests, replies, late }
    }

    /// Adds a request. Returns the number of requests that the peer has not yet answered.
    pub(crate) fn ask(&mut self, request: Frame) -> u64 {
        self.requests.push(request);
        self.requests.len() as u64
    }

    /// Answers all requests. Returns the replies that are due.
    pub(crate) fn replies(&mut self) -> &[Frame] {
        self.replies.clear();
        let replies = self.requests.drain(..).map(|[id, question]| [id, answer(question)]);
        if !self.faults.any() {
            self.replies.extend(replies);
            return &self.replies;
        }
        for [id, answer] in replies {
            if chance(self.faults.forge) {
                self.replies.push([id ^ fastrand::u64(1..1 << 40), !answer]);
            }
            if chance(self.faults.late) {
                self.late.push((Instant::now() + 2 * self.timeout, [id, answer]));
            } else if !chance(self.faults.drop) {
                let copies = if chance(self.faults.twice) { 2 } else { 1 };
                self.replies.extend(iter::repeat_n([id, answer], copies));
            }
        }
        let now = Instant::now();
        self.late.retain(|&(due, reply)| {
            self.replies.extend((due <= now).then_some(reply));
            due > now
        });
        fastrand::shuffle(&mut self.replies);
        &self.replies
    }
}
