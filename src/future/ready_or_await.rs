/// Takes the inline result of a [`ValueFuture`](crate::ValueFuture) or
/// [`LocalValueFuture`](crate::LocalValueFuture), and awaits it only if there is none.
///
/// `ready_or_await!(future)` has the value of `future.await`. Write `.await`, unless the result is larger than 120
/// bytes: then `.await` copies the future by calls of `memcpy`, and this does not
/// (`cargo bench --bench ratios -- --only ready`).
///
/// # Panics
///
/// As `.await` does: if the future has been taken before, or its source reports a stale token.
///
/// # Examples
///
/// ```
/// use value_future::{ValueFuture, ready_or_await};
///
/// trait Reader {
///     // One lifetime for all that the future may borrow.
///     fn read<'a>(&'a mut self, buf: &'a mut [u8]) -> ValueFuture<'a, std::io::Result<usize>>;
/// }
///
/// async fn read_to_end(reader: &mut dyn Reader) -> std::io::Result<usize> {
///     let mut total = 0;
///     loop {
///         match ready_or_await!(reader.read(&mut [0; 64]))? {
///             0 => return Ok(total),
///             n => total += n,
///         }
///     }
/// }
/// # struct Once(bool);
/// # impl Reader for Once {
/// #     fn read<'a>(&'a mut self, _: &'a mut [u8]) -> ValueFuture<'a, std::io::Result<usize>> {
/// #         ValueFuture::ready(Ok(if std::mem::replace(&mut self.0, true) { 0 } else { 7 }))
/// #     }
/// # }
/// # assert_eq!(futures::executor::block_on(read_to_end(&mut Once(false))).unwrap(), 7);
/// ```
#[macro_export]
macro_rules! ready_or_await {
    ($future:expr $(,)?) => {
        match $crate::__private::TryTake::try_take($future) {
            taken => 'ready: {
                let pending = match { taken } {
                    $crate::__private::Ok(value) => break 'ready value,
                    $crate::__private::Err(pending) => pending,
                };
                pending.await
            }
        }
    };
}

/// What [`ready_or_await!`] takes. Public for the macro only.
#[diagnostic::on_unimplemented(
    message = "`ready_or_await!` takes a `ValueFuture` or a `LocalValueFuture`, not `{Self}`",
    label = "not a value future",
    note = "another future, and a value future by reference, is awaited with `.await`"
)]
pub trait TryTake<T>: Sized + super::sealed::Sealed {
    #[doc(hidden)]
    fn try_take(self) -> Result<T, Self>;
}
