//! [`Popularity`], a random sequence of files in which a few files are frequent.

use fastrand::Rng;

/// The exponent of the Zipf distribution of the files.
const SKEW: f64 = 1.5;

/// A sequence of file numbers. The sequence is the same in every run.
pub(crate) struct Popularity {
    /// For each file, the sum of its weight and of the weights of all files before it.
    sums: Vec<f64>,
    random: Rng,
}

impl Popularity {
    pub(crate) fn new(files: usize) -> Self {
        let mut sum = 0.0;
        let sums = (1..=files).map(|n| {
            sum += (n as f64).powf(-SKEW);
            sum
        });
        Popularity { sums: sums.collect(), random: Rng::with_seed(1) }
    }

    /// Returns the first file whose entry in `sums` exceeds a share (0 to 1) of the total weight.
    pub(crate) fn file_at(&self, share: f64) -> usize {
        let total = self.sums.last().expect("there is a file");
        self.sums.partition_point(|sum| *sum <= share * total)
    }

    pub(crate) fn next_file(&mut self) -> usize {
        let share = self.random.f64();
        self.file_at(share)
    }
}
