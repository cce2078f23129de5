//! The counts of a `Ratio`, and the advice that follows from them.

use core::{fmt, time::Duration};

/// The counts of a [`Ratio`](crate::Ratio): plain numbers, for any metrics system.
///
/// `Display` writes one line for a log, with the [advice](Self::advice).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub struct RatioStats {
    /// The number of calls whose first poll was ready.
    pub ready: u64,
    /// The number of calls whose first poll was pending.
    pub pending: u64,
    /// The number of pending calls that were dropped before they were ready.
    pub cancelled: u64,
    /// The number of calls that were dropped before their first poll returned.
    pub unpolled: u64,
}

impl RatioStats {
    /// Returns the number of calls whose futures were polled or dropped.
    #[must_use]
    pub fn calls(&self) -> u64 {
        self.ready + self.pending + self.unpolled
    }

    /// Returns the share of calls that were ready at the first poll, from 0 to 1.
    #[must_use]
    pub fn ready_share(&self) -> f64 {
        share(self.ready, self.calls())
    }

    /// Returns the share of calls that were pending at the first poll, from 0 to 1.
    #[must_use]
    pub fn pending_share(&self) -> f64 {
        share(self.pending, self.calls())
    }

    /// Returns the number of allocations that [`ValueFuture::ready`](crate::ValueFuture::ready) saves, if the
    /// pending calls are boxed.
    ///
    /// A method that returns a boxed future allocates for each call. With
    /// [`pooled`](crate::ValueFuture::pooled) instead of boxes, no call of a warm pool allocates: that saves
    /// [`calls`](Self::calls).
    #[must_use]
    pub fn allocations_saved(&self) -> u64 {
        self.ready
    }

    /// Returns the mean time of a pending call above which nobody will notice the saved time, or `None` if no call
    /// was pending.
    ///
    /// In the benchmark `break_even`, a ready call saves about 6 ns. If pending calls take longer than the returned
    /// time, these savings are less than 5 % of the mean call, and only the saved allocations matter. For the
    /// throughput of a thread, compare the returned time with the processor time of a pending call. For the
    /// latency, compare it with the time until a pending call is ready.
    ///
    /// # Examples
    ///
    /// ```
    /// # use value_future::ratio::RatioStats;
    /// let mut stats = RatioStats::default();
    /// (stats.ready, stats.pending) = (9_900, 100);
    /// assert_eq!(stats.noticeable_pending_time().unwrap().as_nanos(), 11_880); // about 12 µs
    /// ```
    #[must_use]
    pub fn noticeable_pending_time(&self) -> Option<Duration> {
        let saved = u128::from(SAVED) * u128::from(self.ready) * 20;
        let nanos = saved.checked_div(self.pending.into())?;
        Some(Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX)))
    }

    /// Returns what the benchmarks advise for this method.
    #[must_use]
    pub fn advice(&self) -> Advice {
        Advice::of(*self)
    }
}

#[expect(clippy::cast_precision_loss, reason = "a share needs less than 53 bits")]
fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

impl fmt::Display for RatioStats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let calls = self.calls();
        write!(
            f,
            "{calls} {}: {:.1} % ready, {:.1} % pending, {:.1} % not polled; {}",
            if calls == 1 { "call" } else { "calls" },
            100.0 * self.ready_share(),
            100.0 * self.pending_share(),
            100.0 * share(self.unpolled, calls),
            self.advice(),
        )?;
        match self.noticeable_pending_time() {
            Some(time) if self.advice() != Advice::TooFewCalls => {
                write!(f, "; if a pending call takes more than {time:.0?}, nobody will notice")
            }
            _ => Ok(()),
        }
    }
}

/// From this share of ready calls on, the difference to a boxed future is at least 5 % for each type of result.
const NOTICED: f64 = 0.4;
/// From this share on, the call is at least 1.3 times as fast.
const PAYS: f64 = 0.75;
/// The nanoseconds that a ready call saves.
const SAVED: u64 = 6;

/// The advice for a method with this share of ready calls. [`RatioStats::advice`] returns it.
///
/// `Display` writes it as a sentence. The advice is for results of at most 120 bytes, and for the time of the call itself: see
/// [`noticeable_pending_time`](RatioStats::noticeable_pending_time). The shares come from the benchmark `break_even`, whose tables are
/// in `docs/break_even.md`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Advice {
    /// There were fewer than 1,000 calls.
    TooFewCalls,
    /// Less than 40 % of the calls were ready: nobody will notice the saved time.
    KeepBoxes,
    /// From 40 % on, a benchmark shows the difference.
    Measurable,
    /// From 75 % on, a call is at least 1.3 times as fast.
    ReturnReady,
}

impl Advice {
    fn of(stats: RatioStats) -> Self {
        match stats.ready_share() {
            _ if stats.calls() < 1_000 => Advice::TooFewCalls,
            share if share < NOTICED => Advice::KeepBoxes,
            share if share < PAYS => Advice::Measurable,
            _ => Advice::ReturnReady,
        }
    }
}

impl fmt::Display for Advice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Advice::TooFewCalls => "measure longer: there are fewer than 1,000 calls",
            Advice::KeepBoxes => {
                "keep the boxes: nobody will notice the difference in time; use `pooled` if the \
                 method must not allocate"
            }
            Advice::Measurable => {
                "a benchmark will show the difference if ready results are inline"
            }
            Advice::ReturnReady => {
                "return ready results inline, by `#[ready]` or `ValueFuture::ready`: a call is at \
                 least 1.3 times as fast"
            }
        })
    }
}
