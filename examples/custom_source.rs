//! A source of one's own, in safe code: a sensor that takes one measurement at a time and allocates
//! nothing for it. Its state and its `ValueSource`, the two operations that a future needs, are 28
//! lines, comments aside.
//!
//! A caller starts a measurement, and gets a [`ValueFuture`] that refers to the sensor and holds
//! the token of that measurement. The interrupt handler (here: a thread) delivers the result. What
//! makes it right is marked:
//!
//! 1. The token is looked at before anything is done, so that a future of an older measurement
//!    cannot take this one's result.
//! 2. The waker of the last poll is kept. Wakers are cloned, called and dropped with the lock
//!    released: they are somebody else's code, and may poll the future at once.
//! 3. A result ends the measurement: from then on its token is stale.
//! 4. A consumer that goes away ends its own measurement, and no other.
//! 5. Each measurement gets a token of its own, and whoever waits for an older one is woken to
//!    learn that it is over.
//!
//! Run it with `cargo run --example custom_source`.

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
    live: Token,
    result: Option<f32>,
    waker: Option<Waker>,
}

#[derive(Default)]
struct Sensor(Mutex<Measurement>);

impl ValueSource for Sensor {
    type Output = f32;
    fn poll(&self, token: Token, cx: &mut Context<'_>) -> Poll<Result<f32, StaleToken>> {
        // Declared before the lock is taken, so dropped after it is released (2).
        let mut waker = Some(cx.waker().clone());
        let mut measurement = self.lock();
        token.check(measurement.live)?; // (1)
        let Some(degrees) = measurement.result.take() else {
            mem::swap(&mut measurement.waker, &mut waker); // (2)
            return Poll::Pending;
        };
        measurement.live = token.next(); // (3)
        Poll::Ready(Ok(degrees))
    }
    fn cancel(&self, token: Token) {
        let measurement = self.lock();
        if token == measurement.live {
            Self::begin(measurement); // (4)
        }
    }
}

/// The other side: what starts measurements and ends them.
impl Sensor {
    fn lock(&self) -> MutexGuard<'_, Measurement> {
        self.0.lock().expect("nothing panics while it is held")
    }

    /// Begins a measurement: its token, and the waker of the one that it takes the place of.
    fn begin(mut measurement: MutexGuard<'_, Measurement>) -> (Token, Option<Waker>) {
        let live = measurement.live.next();
        let ended = mem::replace(&mut *measurement, Measurement { live, ..Measurement::default() });
        (live, ended.waker)
    }

    /// The interrupt: the live measurement is done.
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

/// What an application sees: an object-safe trait.
trait Thermometer: Sync {
    fn measure(&self) -> ValueFuture<'_, f32>;
}

impl Thermometer for Source<Sensor> {
    fn measure(&self) -> ValueFuture<'_, f32> {
        let (token, older) = Sensor::begin(self.lock());
        if let Some(waker) = older {
            waker.wake(); // (5)
        }
        ValueFuture::from_source(self, token)
    }
}

fn main() {
    let sensor = Source::new(Sensor::default());
    let thermometer: &dyn Thermometer = &sensor;

    // Somebody who waits, and an interrupt that comes later.
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

    // A measurement that another one took the place of: it is refused, and says why.
    let older = thermometer.measure();
    let newer = thermometer.measure();
    sensor.deliver(22.0);
    match block_on(older.checked()) {
        Ok(degrees) => unreachable!("{degrees} degrees belong to the newer one"),
        Err(error) => println!("refused: {error}"),
    }
    println!("{:.1} degrees", block_on(newer));
}
