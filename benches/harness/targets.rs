//! The rows of a table, and the targets that they have to meet.

/// The cost of an operation of one contender: the minimum and the median time in nanoseconds, the number of allocations, and their bytes.
pub(crate) struct Row {
    pub(crate) name: &'static str,
    pub(crate) min: f64,
    pub(crate) median: f64,
    pub(crate) allocations: f64,
    pub(crate) bytes: f64,
}

/// The results of the checks. Each target is a bound on a ratio of two minima, or a number of allocations.
#[derive(Default)]
pub(crate) struct Targets {
    pub(crate) lines: Vec<String>,
    pub(crate) missed: usize,
}

impl Targets {
    fn check(&mut self, holds: bool, text: &str) {
        self.missed += usize::from(!holds);
        self.lines.push(format!("  {} {text}", if holds { "met   " } else { "MISSED" }));
    }

    /// Requires that `slow` takes at least `bound` times as long as `fast`.
    pub(crate) fn faster(&mut self, what: &str, fast: &Row, slow: &Row, bound: f64) {
        let ratio = slow.min / fast.min;
        let text = format!("{what}: {} / {} = {ratio:.2}, at least {bound}", slow.name, fast.name);
        self.check(ratio >= bound, &text);
    }

    /// Requires that `ours` takes at most `bound` times as long as `other`.
    pub(crate) fn at_most(&mut self, what: &str, ours: &Row, other: &Row, bound: f64) {
        let ratio = ours.min / other.min;
        let text = format!("{what}: {} / {} = {ratio:.2}, at most {bound}", ours.name, other.name);
        self.check(ratio <= bound, &text);
    }

    /// Requires that an operation allocates exactly this many times.
    pub(crate) fn allocates(&mut self, what: &str, row: &Row, count: f64) {
        let Row { name, allocations, .. } = row;
        let text = format!("{what}: {name} allocates {allocations} times, expected {count}");
        #[expect(clippy::float_cmp, reason = "a target is an exact number")]
        self.check(*allocations == count, &text);
    }
}
