//! [`Ratio`]: counts how many calls of a method are ready at the first poll.
//!
//! The [guide](crate::guide::measuring) shows how to use a `Ratio` in a service.

mod counter;
mod measured;
mod outcome;
mod stats;

use core::{fmt, future::IntoFuture};

use self::{counter::Counter, outcome::Outcome};

pub use self::{
    measured::Measured,
    stats::{Advice, RatioStats},
};

/// Counts how many calls of a method are ready at the first poll.
///
/// Measure a method before you change its return type. If most of its calls are ready, a `ValueFuture` saves their allocations.
/// [`RatioStats::advice`] says whether the change is worth it.
///
/// Without the feature `ratio`, a `Ratio` counts nothing and has no size, and [`measure`](Self::measure) adds neither
/// size nor code to a future. So the calls of `measure` can stay in the program. To measure, build the program with the feature
/// `value-future/ratio`, and run it for a day.
///
/// # Where to measure
///
/// Measure at the call site: `GET.measure(store.get(key)).await`. A measurement in the body of the method counts only calls that create the
/// measured future. If the method returns inline results, its ready calls are not counted.
///
/// Each measured future counts as one call. If a loop measures `&mut future` in each iteration, each iteration counts as a call.
///
/// # Sizes and allocation
///
/// With the feature, a `Ratio` consists of four atomic counters. Each call costs one atomic addition, or two if a pending call is dropped.
/// A [`Measured`] takes two words in addition to its future. Nothing is allocated.
///
/// # Examples
///
/// ```
/// use value_future::Ratio;
///
/// static GET: Ratio = Ratio::new();
///
/// # struct Store;
/// # impl Store { async fn get(&self, key: u64) -> u64 { key } }
/// # futures::executor::block_on(async {
/// # let store = Store;
/// let value = GET.measure(store.get(7)).await; // any future
/// # assert_eq!(value, 7);
/// # });
/// println!("{}", GET.stats()); // 1 call: 100.0 % ready, 0.0 % pending; …
/// # let stats = GET.stats();
/// # assert_eq!(stats.calls(), u64::from(Ratio::IS_ENABLED));
/// ```
pub struct Ratio {
    ready: Counter,
    pending: Counter,
    cancelled: Counter,
    unpolled: Counter,
}

impl Ratio {
    /// `true` if a `Ratio` counts calls: the feature `ratio` is enabled, and the target has pointer-sized atomics.
    pub const IS_ENABLED: bool = Counter::IS_ENABLED;

    /// Creates a `Ratio` whose counts are 0.
    #[must_use]
    pub const fn new() -> Self {
        Ratio {
            ready: Counter::new(),
            pending: Counter::new(),
            cancelled: Counter::new(),
            unpolled: Counter::new(),
        }
    }

    /// Returns a future with the same output. The returned future counts whether its first poll is ready.
    #[inline(always)]
    pub fn measure<F: IntoFuture>(&self, future: F) -> Measured<'_, F::IntoFuture> {
        Measured::new(future.into_future(), Outcome::new(self))
    }

    /// Returns the counts so far. The four counts are read one after the other. If other threads count calls at the same time, the counts
    /// may be inconsistent.
    #[must_use]
    pub fn stats(&self) -> RatioStats {
        RatioStats {
            ready: self.ready.get(),
            pending: self.pending.get(),
            cancelled: self.cancelled.get(),
            unpolled: self.unpolled.get(),
        }
    }
}

impl Default for Ratio {
    fn default() -> Self {
        Ratio::new()
    }
}

impl fmt::Debug for Ratio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Ratio").field(&self.stats()).finish()
    }
}
