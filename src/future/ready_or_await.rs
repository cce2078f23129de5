/// Takes the result of a [`ValueFuture`](crate::ValueFuture) or a
/// [`LocalValueFuture`](crate::LocalValueFuture), and awaits the future only if it has no result yet.
///
/// `ready_or_await!(future)` has the same value as `future.await`. Use this macro only if the result has more
/// than 120 bytes. For such a result, `.await` copies the future by calls of `memcpy`. This macro does not copy
/// a ready future. (The command `cargo bench --bench ratios -- --only ready` measures the difference.) A program
/// that is compiled for AVX also copies some smaller futures slowly: see `docs/benchmarks.md`.
///
/// # Panics
///
/// Panics in the same four cases as `.await`: an earlier poll has returned the result, an earlier poll panicked, the source reports a stale
/// token, or the future was created from [`Arm::Taken`](crate::future::Arm).
///
/// # Examples
///
/// ```
/// use value_future::{ValueFuture, ready_or_await};
///
/// type Page = [u8; 256];
///
/// trait Pages {
///     fn page(&self, number: usize) -> ValueFuture<'_, Option<Page>>;
/// }
///
/// async fn first_bytes(pages: &dyn Pages) -> Vec<u8> {
///     let mut bytes = Vec::new();
///     while let Some(page) = ready_or_await!(pages.page(bytes.len())) {
///         bytes.push(page[0]);
///     }
///     bytes
/// }
/// # struct Few(Vec<Page>);
/// # impl Pages for Few {
/// #     fn page(&self, number: usize) -> ValueFuture<'_, Option<Page>> {
/// #         ValueFuture::ready(self.0.get(number).copied())
/// #     }
/// # }
/// # let bytes = futures::executor::block_on(first_bytes(&Few(vec![[1; 256], [2; 256]])));
/// # assert_eq!(bytes, [1, 2]);
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

/// Implemented for the futures that [`ready_or_await!`] takes. The trait is public only because the macro calls its method.
#[diagnostic::on_unimplemented(
    message = "`ready_or_await!` takes a `ValueFuture` or a `LocalValueFuture`, not `{Self}`",
    label = "not a value future",
    note = "write `.await` for another future, and for a reference to a value future"
)]
pub trait TryTake<T>: Sized + super::sealed::Sealed {
    #[doc(hidden)]
    fn try_take(self) -> Result<T, Self>;
}
