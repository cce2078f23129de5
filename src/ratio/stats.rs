//! The counts of a `Ratio`, and the advice that follows from them.

use core::{fmt, time::Duration};

use super::Ratio;

/// The counts of a [`Ratio`]: plain numbers, for any metrics system.
///
/// `Display` writes one line for a log, with the [advice](Self::advice).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub struct RatioStats {
    /// The number of calls whose first poll was ready.
    pub ready: u64,
    /// The number of calls whose first poll was pending.
    pub pending: u64,
    /// The number of pending calls whose futures were dropped before they were ready.
    pub cancelled: u64,
    /// The number of calls whose futures were dropped before their first poll returned. A method that returns inline results has already
    /// done its work in these calls: see [*Cancellation and `select!`*](crate::guide::cancellation).
    pub unpolled: u64,
}

impl RatioStats {
    /// Returns the number of calls whose futures were polled or dropped.
    #[must_use]
    pub fn calls(&self) -> u64 {
        self.polled().saturating_add(self.unpolled)
    }

    fn polled(&self) -> u64 {
        self.ready.saturating_add(self.pending)
    }

    /// Returns the share of the polled calls that were ready at the first poll, from 0 to 1.
    #[must_use]
    pub fn ready_share(&self) -> f64 {
        share(self.ready, self.polled())
    }

    /// Returns the share of the polled calls that were pending at the first poll, from 0 to 1.
    #[must_use]
    pub fn pending_share(&self) -> f64 {
        share(self.pending, self.polled())
    }

    /// Returns the number of allocations that [`ValueFuture::ready`](crate::ValueFuture::ready) saves, if the
    /// pending calls are boxed.
    ///
    /// A method that returns a boxed future allocates for each call. With [`pooled`](crate::ValueFuture::pooled) instead of boxes, no call
    /// allocates once the pool is warm. In that case, the number of saved allocations is [`calls`](Self::calls).
    #[must_use]
    pub fn allocations_saved(&self) -> u64 {
        self.ready
    }

    /// Returns a limit for the mean time of a pending call. Above this limit, the saved time is not noticeable. Returns `None` if no call
    /// was pending.
    ///
    /// In the benchmark `break_even`, a ready call saves about 10 ns. If pending calls take longer than the limit, the saved time is less
    /// than 5 % of the mean time of a call. Then only the saved allocations matter. For the throughput of a thread, compare the limit with
    /// the processor time of a pending call. For the latency, compare the limit with the time until a pending call is ready.
    ///
    /// # Examples
    ///
    /// ```
    /// # use value_future::ratio::RatioStats;
    /// let mut stats = RatioStats::default();
    /// (stats.ready, stats.pending) = (9_900, 100);
    /// assert_eq!(stats.noticeable_pending_time().unwrap().as_nanos(), 19_800); // about 20 µs
    /// ```
    #[must_use]
    pub fn noticeable_pending_time(&self) -> Option<Duration> {
        let saved = u128::from(SAVED) * u128::from(self.ready) * 20;
        let nanos = saved.checked_div(self.pending.into())?;
        Some(Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX)))
    }

    /// Returns the advice for a method with these counts, according to the benchmarks.
    #[must_use]
    pub fn advice(&self) -> Advice {
        Advice::of(*self)
    }
}

#[expect(clippy::cast_precision_loss, reason = "a share needs fewer than 53 bits")]
fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

impl fmt::Display for RatioStats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let calls = self.calls();
        if calls == 0 && !Ratio::IS_ENABLED {
            return f.write_str("no call was counted: the feature `ratio` is off");
        }
        let plural = if calls == 1 { "" } else { "s" };
        let [ready, pending] =
            [self.ready_share(), self.pending_share()].map(|share| 100.0 * share);
        write!(f, "{calls} call{plural}: {ready:.1} % ready, {pending:.1} % pending")?;
        for (count, what) in [(self.cancelled, "cancelled"), (self.unpolled, "not polled")] {
            if count > 0 {
                write!(f, ", {count} {what}")?;
            }
        }
        let advice = self.advice();
        write!(f, "; {advice}")?;
        match self.noticeable_pending_time() {
            Some(time) if matches!(advice, Advice::Measurable | Advice::ReturnReady) => {
                write!(
                    f,
                    "; if a pending call takes more than {time:.0?}, the difference is not noticeable"
                )
            }
            _ => Ok(()),
        }
    }
}

/// Below this share of ready calls, a method that uses `ready` and `boxed` is less than 5 % faster than a method that returns a
/// `BoxFuture`.
const NOTICED: f64 = 0.15;
/// From this share of ready calls on, a method that returns ready results inline is at least 1.3 times as fast as a method that returns a
/// `BoxFuture`.
const PAYS: f64 = 0.75;
/// The time that a ready call saves, in nanoseconds, rounded.
const SAVED: u64 = 10;

/// The advice for a method, by its share of ready calls. [`RatioStats::advice`] returns it.
///
/// `Display` writes the advice as a sentence. The advice is for results of 8 to 24 bytes. It is only about the time of the calls
/// themselves, without the work of pending calls: see [`noticeable_pending_time`](RatioStats::noticeable_pending_time). For results of
/// these sizes, the limit of 15 % is below all shares at which the method with `boxed` is noticeably faster in `docs/break_even.md`. The
/// limit of 75 % is above all shares from which a method is 1.3 times as fast.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Advice {
    /// There were fewer than 1,000 calls.
    TooFewCalls,
    /// Less than 15 % of the calls were ready: if pending calls are boxed, the saved time is not noticeable.
    KeepBoxes,
    /// From 15 to 75 % of the calls were ready: a benchmark may show the difference.
    Measurable,
    /// At least 75 % of the calls were ready: with inline results, a call is at least 1.3 times as fast.
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
                "keep the boxes: the difference in time is not noticeable; use `pooled` if the \
                 method must not allocate"
            }
            Advice::Measurable => "a benchmark may show the difference if ready results are inline",
            Advice::ReturnReady => {
                "return ready results inline, by `#[ready]` or `ValueFuture::ready`: a call is at \
                 least 1.3 times as fast"
            }
        })
    }
}
