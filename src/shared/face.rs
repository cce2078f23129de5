//! The public types, from one text. They differ in their names and in what may be sent.

macro_rules! face {
    (
        $(#[$doc:meta])*
        $Shared:ident, $Weak:ident, $Future:ident, $affinity:ty
    ) => {
        $(#[$doc])*
        #[must_use = "a future that is not awaited does not run, and a result that it already has is lost"]
        pub struct $Shared<'a, T>(Handle<'a, T, $affinity>);

        impl<'a, T> $Shared<'a, T> {
            /// The result, if it is there. It never polls: if nobody awaits any handle, there will be none.
            ///
            /// `None` too if this handle has given it out, or if the future has panicked.
            ///
            /// # Examples
            ///
            /// ```
            #[doc = concat!("use value_future::", stringify!($Future), ";")]
            ///
            #[doc = concat!("let shared = ", stringify!($Future), "::boxed(async { 5 }).share();")]
            /// assert_eq!(shared.peek(), None);
            /// assert_eq!(futures::executor::block_on(shared.clone()), 5);
            /// assert_eq!(shared.peek(), Some(&5));
            /// ```
            pub fn peek(&self) -> Option<&T> {
                self.0.peek()
            }

            /// A handle that does not keep what is shared: a table of what is under way holds these.
            ///
            /// `None` if there is nothing to refer to: the result was here, inline, when the future was
            /// shared, or this handle has given it out.
            pub fn downgrade(&self) -> Option<$Weak<'a, T>> {
                self.0.downgrade().map($Weak)
            }

            /// Whether the two are handles of the same future. Those of an inline result are not.
            #[must_use]
            pub fn ptr_eq(&self, other: &Self) -> bool {
                self.0.is_same(&other.0)
            }
        }

        /// Another handle. It allocates nothing; an inline result is cloned.
        ///
        /// That of a handle that has given out the result has none to give.
        impl<T: Clone> Clone for $Shared<'_, T> {
            fn clone(&self) -> Self {
                $Shared(self.0.share())
            }
        }

        /// # Panics
        ///
        /// With the text of a [`PollError`](crate::PollError): if this handle has given out the result, if
        /// a poll of the future panicked, by this or by another handle, or if its source reported a
        /// stale token.
        impl<T: Clone> Future for $Shared<'_, T> {
            type Output = T;

            #[inline]
            fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
                // SAFETY: the handle is pinned with what it is all of.
                unsafe { self.map_unchecked_mut(|shared| &mut shared.0) }.poll(cx)
            }
        }

        /// Terminated once this handle has given out the result, or has panicked.
        impl<T: Clone> FusedFuture for $Shared<'_, T> {
            fn is_terminated(&self) -> bool {
                self.0.is_spent()
            }
        }

        impl<'a, T> From<$Future<'a, T>> for $Shared<'a, T> {
            fn from(future: $Future<'a, T>) -> Self {
                $Shared(Handle::new(future.0))
            }
        }

        /// Shows the result if it is there, and otherwise why there will be none: this handle has given it out,
        /// or a poll of the future panicked. It never polls.
        impl<T: fmt::Debug> fmt::Debug for $Shared<'_, T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let mut debug = f.debug_tuple(stringify!($Shared));
                match (self.peek(), self.0.failure()) {
                    (Some(value), _) => debug.field(value),
                    (_, None) => debug.field(&format_args!("Pending")),
                    (_, Some(Spent::Completed(_))) => debug.field(&format_args!("Taken")),
                    (_, Some(Spent::Panicked(_))) => debug.field(&format_args!("Panicked")),
                    (_, Some(Spent::Stale(stale))) => debug.field(&format_args!("{stale}")),
                };
                debug.finish()
            }
        }

        #[doc = concat!("A handle of a [`", stringify!($Shared), "`] that does not keep what is shared.")]
        ///
        /// The future is dropped with the last other handle. The memory that it was in goes with the last
        /// of these.
        ///
        /// # Examples
        ///
        /// Who asks for what is being fetched waits for the same answer:
        ///
        /// ```
        #[doc = concat!("use std::collections::HashMap;\nuse value_future::{", stringify!($Future), ", ",
            stringify!($Shared), ", ", stringify!($Weak), "};")]
        ///
        /// #[derive(Default)]
        #[doc = concat!("struct UnderWay(HashMap<u32, ", stringify!($Weak), "<'static, u64>>);")]
        ///
        /// impl UnderWay {
        #[doc = concat!("    fn square(&mut self, n: u32) -> ", stringify!($Shared), "<'static, u64> {")]
        #[doc = concat!("        if let Some(shared) = self.0.get(&n).and_then(", stringify!($Weak),
            "::upgrade) {")]
        ///             return shared;
        ///         }
        #[doc = concat!("        let shared = ", stringify!($Future),
            "::boxed(async move { u64::from(n).pow(2) }).share();")]
        ///         self.0.retain(|_, weak| weak.upgrade().is_some()); // what is done
        ///         self.0.extend(shared.downgrade().map(|weak| (n, weak)));
        ///         shared
        ///     }
        /// }
        ///
        /// let mut under_way = UnderWay::default();
        /// let (one, other) = (under_way.square(12), under_way.square(12));
        /// assert!(one.ptr_eq(&other));
        /// assert_eq!(futures::executor::block_on(async { (one.await, other.await) }), (144, 144));
        /// assert!(under_way.0[&12].upgrade().is_none());
        /// ```
        pub struct $Weak<'a, T>(Weak<'a, T, $affinity>);

        impl<'a, T> $Weak<'a, T> {
            /// A handle that keeps what is shared, if there is one still.
            pub fn upgrade(&self) -> Option<$Shared<'a, T>> {
                Handle::upgrade(&self.0).map($Shared)
            }

            /// Whether the two are handles of the same future.
            #[must_use]
            pub fn ptr_eq(&self, other: &Self) -> bool {
                self.0.is_same(&other.0)
            }
        }

        impl<T> Clone for $Weak<'_, T> {
            fn clone(&self) -> Self {
                $Weak(self.0.clone())
            }
        }

        impl<T> fmt::Debug for $Weak<'_, T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($Weak)).finish_non_exhaustive()
            }
        }
    };
}

pub(super) use face;
