//! `Outcome`: counts whether a measured future is ready at its first poll, and whether it is dropped before it is ready. Without the
//! feature `ratio`, or without pointer-sized atomics, an `Outcome` has no size and counts nothing.

#[cfg(all(feature = "ratio", target_has_atomic = "ptr"))]
mod counted {
    use crate::ratio::Ratio;

    pub(crate) struct Outcome<'r> {
        ratio: &'r Ratio,
        step: Step,
    }

    #[derive(Clone, Copy)]
    enum Step {
        Unpolled,
        Pending,
        Ready,
    }

    impl<'r> Outcome<'r> {
        #[inline]
        pub(crate) fn new(ratio: &'r Ratio) -> Self {
            Outcome { ratio, step: Step::Unpolled }
        }

        #[inline]
        pub(crate) fn polled(&mut self, is_ready: bool) {
            match (self.step, is_ready) {
                (Step::Unpolled, true) => self.ratio.ready.add_one(),
                (Step::Unpolled, false) => self.ratio.pending.add_one(),
                (Step::Pending, _) => {}
                // A fused future may be polled again after `Ready`. This changes no count.
                (Step::Ready, _) => return,
            }
            self.step = if is_ready { Step::Ready } else { Step::Pending };
        }
    }

    impl Drop for Outcome<'_> {
        #[inline]
        fn drop(&mut self) {
            match self.step {
                Step::Unpolled => self.ratio.unpolled.add_one(),
                Step::Pending => self.ratio.cancelled.add_one(),
                Step::Ready => {}
            }
        }
    }
}

#[cfg(not(all(feature = "ratio", target_has_atomic = "ptr")))]
mod not_counted {
    use core::marker::PhantomData;

    use crate::ratio::Ratio;

    pub(crate) struct Outcome<'r>(PhantomData<&'r Ratio>);

    impl<'r> Outcome<'r> {
        #[inline(always)]
        pub(crate) fn new(_ratio: &'r Ratio) -> Self {
            Outcome(PhantomData)
        }

        #[inline(always)]
        #[expect(clippy::unused_self, reason = "with the feature, the function uses `self`")]
        pub(crate) fn polled(&mut self, _is_ready: bool) {}
    }

    // `Outcome` has a `drop` with and without the feature, so the same programs compile.
    impl Drop for Outcome<'_> {
        #[inline(always)]
        fn drop(&mut self) {}
    }
}

#[cfg(all(feature = "ratio", target_has_atomic = "ptr"))]
pub(super) use self::counted::Outcome;
#[cfg(not(all(feature = "ratio", target_has_atomic = "ptr")))]
pub(super) use self::not_counted::Outcome;
