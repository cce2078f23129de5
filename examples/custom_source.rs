//! A custom [`ValueSource`] in safe code: a sensor that takes one measurement at a time. A measurement does not allocate. The state of the
//! sensor, and the implementation of `ValueSource`, are 28 lines without comments.
//!
//! ```text
//! cargo run --example custom_source
//! ```
//!
//! A caller begins a measurement, and gets a [`ValueFuture`] that borrows the sensor and stores the token of the measurement. The
//! interrupt handler (here: a thread) delivers the result. The numbers in the code refer to these rules:
//!
//! 1. `poll` checks the token before it reads or changes the measurement. So the future of an older measurement cannot take the result.
//! 2. The source stores the waker of the most recent poll. The source clones, wakes and drops wakers without holding its lock, because a
//!    waker runs code of the executor. This code may poll the future at once.
//! 3. Taking the result ends the measurement. The token of the measurement becomes stale.
//! 4. `cancel` ends the current measurement only if the token belongs to this measurement.
//! 5. Each measurement has a new token. If a new measurement replaces an older measurement, the consumer of the older measurement is woken.
//!    The next poll of this consumer finds that its token is stale.

use std::{
    mem,
    sync::{Mutex, MutexGuard},
    task::{Context, Poll, Waker},
    thread,
    time::Duration,
};

use futures::executor::block_on;
use value_future::{Source, ValueFuture, ValueSource, error::StaleToken, source::Token};

#[derive(Default)]
struct Measurement {
    token: Token,
    result: Option<f32>,
    waker: Option<Waker>,
}

#[derive(Default)]
struct Sensor(Mutex<Measurement>);

impl ValueSource for Sensor {
    type Output = f32;
    fn poll(&self, token: Token, cx: &mut Context<'_>) -> Poll<Result<f32, StaleToken>> {
        // This variable is declared before the lock guard, so it is dropped after the guard (2).
        let mut waker = Some(cx.waker().clone());
        let mut measurement = self.lock();
        token.check(measurement.token)?; // (1)
        let Some(degrees) = measurement.result.take() else {
            mem::swap(&mut measurement.waker, &mut waker); // (2)
            return Poll::Pending;
        };
        measurement.token = token.next(); // (3)
        Poll::Ready(Ok(degrees))
    }
    fn cancel(&self, token: Token) {
        let measurement = self.lock();
        if token == measurement.token {
            Self::begin(measurement); // (4)
        }
    }
}

/// The producer's methods, which begin and complete measurements.
impl Sensor {
    fn lock(&self) -> MutexGuard<'_, Measurement> {
        self.0.lock().expect("no panic under the lock")
    }

    /// Begins a measurement. Returns the token of this measurement, and the waker of the measurement that it replaces.
    fn begin(mut measurement: MutexGuard<'_, Measurement>) -> (Token, Option<Waker>) {
        let token = measurement.token.next();
        let new = Measurement { token, ..Measurement::default() };
        let replaced = mem::replace(&mut *measurement, new);
        (token, replaced.waker)
    }

    /// Completes the current measurement. The interrupt handler calls this method.
    fn deliver(&self, degrees: f32) {
        let mut measurement = self.lock();
        measurement.result = Some(degrees);
        let waker = measurement.waker.take();
        drop(measurement);
        if let Some(waker) = waker {
            waker.wake(); // (2)
        }
    }
}

/// The object-safe trait that an application uses.
trait Thermometer: Sync {
    fn measure(&self) -> ValueFuture<'_, f32>;
}

impl Thermometer for Source<Sensor> {
    fn measure(&self) -> ValueFuture<'_, f32> {
        let (token, replaced) = Sensor::begin(self.lock());
        if let Some(waker) = replaced {
            waker.wake(); // (5)
        }
        ValueFuture::from_source(self, token)
    }
}

fn main() {
    let sensor = Source::new(Sensor::default());
    let thermometer: &dyn Thermometer = &sensor;

    // The main thread waits, and another thread delivers the result later.
    for degrees in [20.5, 21.0, 21.5] {
        thread::scope(|scope| {
            let measurement = thermometer.measure();
            scope.spawn(|| {
                thread::sleep(Duration::from_millis(20));
                sensor.deliver(degrees);
            });
            println!("{:.1} degrees", block_on(measurement));
        });
    }

    // The second measurement replaces the first. So the first future has a stale token.
    let first = thermometer.measure();
    let second = thermometer.measure();
    sensor.deliver(22.0);
    match block_on(first.checked()) {
        Ok(degrees) => unreachable!("{degrees} degrees are the result of the second measurement"),
        Err(error) => println!("refused: {error}"),
    }
    println!("{:.1} degrees", block_on(second));
}
