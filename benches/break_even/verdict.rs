//! Computes how many results must be ready for a contender of this crate (*ours*) to pay.

use super::data::{Cost, Costs, SHARES};

/// A call that is at least this many times as fast is *noticeably faster*: by 5 % or more.
pub(crate) const NOTICEABLE: f64 = 1.05;
/// A call that is at least this many times as fast clearly pays.
pub(crate) const CLEAR: f64 = 1.3;

/// The rule of thumb for `ValueTask` of .NET: two percentages of ready results. Below the first percentage, do not bother. Above the second
/// percentage, `ValueTask` clearly pays.
pub(crate) const RULE: [u32; 2] = [30, 80];

/// The times of a call with a contender of this crate (`ours`) and with a rival, in the order of [`SHARES`].
#[derive(Clone, Debug)]
pub(crate) struct Comparison {
    pub(crate) ours: [f64; SHARES.len()],
    pub(crate) rival: [f64; SHARES.len()],
}

impl Comparison {
    /// Compares two contenders. `time` selects the minimum or the median.
    pub(crate) fn new(costs: &Costs, [ours, rival]: [usize; 2], time: fn(&Cost) -> f64) -> Self {
        let of = |contender: usize| costs.map(|at_share| time(&at_share[contender]));
        Comparison { ours: of(ours), rival: of(rival) }
    }

    /// Returns how many times as fast ours is at one of [`SHARES`].
    pub(crate) fn speedup(&self, share: u32) -> f64 {
        let at = SHARES.iter().position(|it| *it == share).expect("the share is measured");
        self.rival[at] / self.ours[at]
    }

    /// Returns the lowest percentage of ready results such that, at this and at each higher percentage, ours is at least `factor` times as
    /// fast. A pending call also does `work` nanoseconds of other work. Returns `None` if ours is not that fast even at 100 %.
    ///
    /// Between two measured shares, the times are interpolated.
    pub(crate) fn pays_from(&self, factor: f64, work: f64) -> Option<f64> {
        let mut above: Option<(f64, f64)> = None;
        for (at, share) in SHARES.into_iter().enumerate().rev() {
            let share = f64::from(share);
            let work = work * (1.0 - share / 100.0);
            // The time of the rival, minus `factor` times the time of ours. Between two measured shares, this difference is linear.
            let margin = (self.rival[at] + work) - factor * (self.ours[at] + work);
            if margin < 0.0 {
                return above.map(|(high, spare)| high - (high - share) * spare / (spare - margin));
            }
            above = Some((share, margin));
        }
        Some(0.0)
    }
}

/// The percentages of ready results from which or below which a statement holds in each of several comparisons.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Answer {
    /// Below this percentage, ours is not noticeably faster in any comparison. `None` if ours is not noticeably faster in any comparison,
    /// even at 100 %.
    pub(crate) unnoticeable_below: Option<f64>,
    /// From this percentage on, ours is noticeably faster in each comparison. `None` if a comparison has no such percentage.
    pub(crate) noticeable_from: Option<f64>,
    /// From this percentage on, ours clearly pays in each comparison. `None` if a comparison has no such percentage.
    pub(crate) clear_from: Option<f64>,
    /// The number of comparisons in which the rule of thumb holds. In these comparisons, the percentage from which ours clearly pays is
    /// above the first percentage of [`RULE`], and at most the second.
    pub(crate) rule: usize,
    /// The number of comparisons in which ours clearly pays already at the first percentage of [`RULE`].
    pub(crate) sooner: usize,
    /// The number of all comparisons.
    pub(crate) of: usize,
}

impl Answer {
    pub(crate) fn new(comparisons: &[Comparison], work: f64) -> Self {
        let from = |factor| comparisons.iter().map(move |it| it.pays_from(factor, work));
        let latest = |factor| {
            let all = from(factor).collect::<Option<Vec<_>>>()?;
            all.into_iter().max_by(f64::total_cmp)
        };
        let [low, high] = RULE.map(f64::from);
        let clear = || from(CLEAR).flatten();
        Answer {
            unnoticeable_below: from(NOTICEABLE).flatten().min_by(f64::total_cmp),
            noticeable_from: latest(NOTICEABLE),
            clear_from: latest(CLEAR),
            rule: clear().filter(|from| *from > low && *from <= high).count(),
            sooner: clear().filter(|from| *from <= low).count(),
            of: comparisons.len(),
        }
    }
}

/// Returns the least and the greatest speedup of all comparisons at a share.
pub(crate) fn speedups(comparisons: &[Comparison], share: u32) -> [f64; 2] {
    let speedups = comparisons.iter().map(|it| it.speedup(share));
    speedups.fold([f64::MAX, 0.0], |[least, most], it| [least.min(it), most.max(it)])
}
