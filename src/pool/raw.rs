//! Completers and completions as pointers, for code in other languages.

#[cfg(all(feature = "std", target_has_atomic = "64"))]
use super::{Completer, Completion};
use super::{LocalCompleter, LocalCompletion};
use crate::{
    operation::Consumer,
    origin::Origin,
    slot::{CompleterRole, ConsumerWord},
};

/// Implements the conversions of a completer and of a completion into pointers and back. The arguments of the macro are the example for the
/// completer, the names of the two types, and the rule about the thread that calls `from_raw`.
macro_rules! pointers {
    ($(#[$example:meta])* $Completer:ident, $Completion:ident, $thread:literal) => {
        impl<T> $Completer<T> {
            /// Converts the completer into a pointer, for the user data of a callback in another language. Nothing is allocated.
            ///
            /// If [`from_raw`](Self::from_raw) never gets the pointer, the consumer waits forever.
            ///
            /// # Examples
            ///
            $(#[$example])*
            #[must_use = "the consumer waits forever"]
            pub fn into_raw(self) -> *mut () {
                self.0.into_pointer().as_ptr().cast()
            }

            /// Creates the completer again from its pointer.
            ///
            /// # Safety
            ///
            /// The pointer is from [`into_raw`](Self::into_raw) of a completer of the same type, and is passed to `from_raw` only once.
            #[doc = $thread]
            pub unsafe fn from_raw(pointer: *mut ()) -> Self {
                // SAFETY: the caller guarantees that the pointer is from `into_raw`, and is used once. `into_raw` has consumed the role
                // without ending it, so the slot is still rented.
                $Completer(unsafe { CompleterRole::from_raw(pointer) })
            }
        }

        impl<T> $Completion<T> {
            /// Converts the completion into a pointer, for the user data of a library in another language. Nothing is allocated.
            ///
            /// If [`from_raw`](Self::from_raw) never gets the pointer, the slot leaks.
            #[must_use = "the slot leaks"]
            pub fn into_raw(self) -> *mut () {
                self.0.into_raw()
            }

            /// Creates the completion again from its pointer.
            ///
            /// # Safety
            ///
            /// The pointer is from [`into_raw`](Self::into_raw) of a completion of the same type, and is passed to `from_raw` only once.
            #[doc = $thread]
            #[cfg_attr(feature = "trace", track_caller)]
            pub unsafe fn from_raw(pointer: *mut ()) -> Self {
                // SAFETY: the caller guarantees that the pointer is from `into_raw`, and is used once. `into_raw` has consumed the
                // completion, so no other copy of this `ConsumerWord` is used.
                let word = unsafe { ConsumerWord::from_raw(pointer) };
                $Completion(Consumer::from_word(word), Origin::caller())
            }
        }
    };
}

#[cfg(all(feature = "std", target_has_atomic = "64"))]
pointers! {
    /// ```
    /// use value_future::{Completer, Pool};
    ///
    /// /// The callback that a library in C calls.
    /// extern "C" fn done(user_data: *mut (), result: u32) {
    ///     // SAFETY: `user_data` is from `into_raw`, and the library calls `done` once.
    ///     let completer = unsafe { Completer::<Option<u32>>::from_raw(user_data) };
    ///     let _ = completer.complete(Some(result));
    /// }
    ///
    /// let pool = Pool::<Option<u32>>::new();
    /// let (completer, completion) = pool.rent();
    /// done(completer.into_raw(), 5);
    /// assert_eq!(futures::executor::block_on(completion), Some(5));
    /// ```
    Completer, Completion, "If `from_raw` is called on another thread than `into_raw`, `T` is `Send`."
}

pointers! {
    /// ```
    /// use value_future::{LocalCompleter, LocalPool};
    ///
    /// /// The callback that a library in C calls.
    /// extern "C" fn done(user_data: *mut (), result: u32) {
    ///     // SAFETY: `user_data` is from `into_raw`, and the library calls `done` once.
    ///     let completer = unsafe { LocalCompleter::<Option<u32>>::from_raw(user_data) };
    ///     let _ = completer.complete(Some(result));
    /// }
    ///
    /// let pool = LocalPool::<Option<u32>>::new();
    /// let (completer, completion) = pool.rent();
    /// done(completer.into_raw(), 5);
    /// assert_eq!(futures::executor::block_on(completion), Some(5));
    /// ```
    LocalCompleter, LocalCompletion, "The calling thread is the thread of the pool."
}
