/// The output of a method that a stream calls for each item: `Option<T>`, or `Result<Option<T>, E>` if the
/// method can fail.
///
/// A stream of `Option<T>` ends with `None`. A stream of `Result<Option<T>, E>` has items of `Result<T, E>`,
/// and ends with `Ok(None)` or after an error, like [`try_unfold`] of `futures`.
///
/// The trait is sealed: no other type implements it.
///
/// [`try_unfold`]: https://docs.rs/futures/latest/futures/stream/fn.try_unfold.html
#[diagnostic::on_unimplemented(
    message = "the method of a stream cannot return `{Self}`",
    label = "expected `Option<T>` or `Result<Option<T>, E>`",
    note = "the method returns `None` at the end of the stream"
)]
pub trait StreamOutput: sealed::Sealed {
    /// The item of the stream.
    type Item;

    #[doc(hidden)]
    fn into_step(self) -> Step<Self::Item>;
}

/// The next step of a stream, after its method has returned an output.
#[doc(hidden)]
#[allow(missing_debug_implementations, reason = "the enum is not documented")]
pub enum Step<Item> {
    Item(Item),
    Last(Item),
    End,
}

mod sealed {
    pub trait Sealed {}
    impl<T> Sealed for Option<T> {}
    impl<T, E> Sealed for Result<Option<T>, E> {}
}

impl<T> StreamOutput for Option<T> {
    type Item = T;

    #[inline(always)]
    fn into_step(self) -> Step<T> {
        self.map_or(Step::End, Step::Item)
    }
}

impl<T, E> StreamOutput for Result<Option<T>, E> {
    type Item = Result<T, E>;

    #[inline(always)]
    fn into_step(self) -> Step<Result<T, E>> {
        match self {
            Ok(Some(item)) => Step::Item(Ok(item)),
            Ok(None) => Step::End,
            Err(error) => Step::Last(Err(error)),
        }
    }
}

impl<Item> Step<Item> {
    /// Returns the item, if there is one. The caller has set `ended` to `true`. If more items may follow, sets `ended` to `false` again.
    #[inline(always)]
    pub(super) fn give(self, ended: &mut bool) -> Option<Item> {
        match self {
            Step::Item(item) => {
                *ended = false;
                Some(item)
            }
            Step::Last(item) => Some(item),
            Step::End => None,
        }
    }
}
