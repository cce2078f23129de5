use core::{error::Error, fmt};

use crate::error::debug_as_text;

/// Creates the result of an operation that ends without a value, for example because its completer was dropped.
///
/// If a producer sends no value, its consumer must not wait forever, and the task of the consumer must not panic. So the output type of a
/// pool or of a reusable source defines the result for this case. This result is created when the consumer takes it, for example in a poll.
///
/// The trait is implemented for `Option<T>`, and for `Result<T, E>` where `E: From<Dropped>`. If `E` is a type of another crate and does
/// not implement `From<Dropped>`, use `Option<Result<T, E>>`. Or define the result where the pool or source is created, by
/// [`build_with_abandoned`](crate::pool::LocalPoolBuilder::build_with_abandoned) or
/// [`with_abandoned`](crate::LocalReusableSource::with_abandoned).
///
/// # Examples
///
/// With your own error type:
///
/// ```
/// use value_future::{Dropped, Pool};
///
/// #[derive(Debug, PartialEq)]
/// enum Error {
///     WorkerGone,
/// }
///
/// impl From<Dropped> for Error {
///     fn from(_: Dropped) -> Self {
///         Error::WorkerGone
///     }
/// }
///
/// let pool = Pool::<Result<u64, Error>>::new();
/// let (completer, completion) = pool.rent();
/// drop(completer);
/// assert_eq!(futures::executor::block_on(completion), Err(Error::WorkerGone));
/// ```
///
/// With an output that is neither an `Option` nor a `Result`:
///
/// ```
/// use value_future::{Pool, operation::Abandoned};
///
/// #[derive(Debug, PartialEq)]
/// enum Reply {
///     Rows(u64),
///     ConnectionLost,
/// }
///
/// impl Abandoned for Reply {
///     fn abandoned() -> Self {
///         Reply::ConnectionLost
///     }
/// }
///
/// let pool = Pool::<Reply>::new();
/// let (completer, completion) = pool.rent();
/// drop(completer);
/// assert_eq!(futures::executor::block_on(completion), Reply::ConnectionLost);
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the output of a pool or a reusable source: it does not define the result of an operation whose completer was dropped",
    label = "`Abandoned` is not implemented for `{Self}`",
    note = "use `Option<{Self}>`, or a `Result` with the error `value_future::Dropped`",
    note = "for your own error `E`, implement `From<value_future::Dropped>`: then `Result<_, E>` can be the output",
    note = "for your own output, implement `value_future::operation::Abandoned`",
    note = "or name a function: `Pool::builder().build_with_abandoned(..)`, `ReusableSource::with_abandoned(..)`"
)]
pub trait Abandoned {
    /// Creates the result of an operation that ended without a value.
    fn abandoned() -> Self;
}

/// The result is `None`.
impl<T> Abandoned for Option<T> {
    fn abandoned() -> Self {
        None
    }
}

/// The result is `Err(Dropped.into())`. If `E` is `std::io::Error`, the kind of the error is `BrokenPipe`.
#[diagnostic::do_not_recommend]
impl<T, E: From<Dropped>> Abandoned for Result<T, E> {
    fn abandoned() -> Self {
        Err(Dropped.into())
    }
}

/// The error of an operation that was ended without a value.
///
/// The completer of the operation was dropped, its key was abandoned, or its pool was closed. Dropping the last handle of a pool closes the
/// pool.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Dropped;

debug_as_text!(Dropped);

impl fmt::Display for Dropped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "the operation was ended without a value: its completer was dropped, its key was abandoned, or its \
             pool was closed",
        )
    }
}

impl Error for Dropped {}

#[cfg(feature = "std")]
impl From<Dropped> for std::io::Error {
    fn from(dropped: Dropped) -> Self {
        std::io::Error::new(std::io::ErrorKind::BrokenPipe, dropped)
    }
}
