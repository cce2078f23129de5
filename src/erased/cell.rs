//! Cells. A *cell* consists of a [`Header`] and a future. A [head](Head) that points to the header can poll and drop the future.
//!
//! | cell | memory |
//! |---|---|
//! | [`Small`], [`Large`] | An allocation. [`OwnedCell::boxed`] creates the cell. |
//! | [`Stored`] | A block: a slot of a pool of futures, or a box if the pool is full. [`VacantCell`] creates the cell. |
//! | [`BorrowedCell`] | An object that the head borrows. [`BorrowedCell::new`] creates the cell. |
//!
//! The header points to a table of the functions that depend on the type of the future, such as those that poll and drop the future. So the
//! code that polls or drops a head does not depend on this type. A method that creates a cell has little code in addition to the code of
//! the future.
//!
//! The fields of the types and of the tables are private to this file. The private functions of the file rely on the invariants of these
//! types.

#[cfg(feature = "alloc")]
use alloc::boxed::Box;
#[cfg(feature = "alloc")]
use core::mem::{ManuallyDrop, MaybeUninit};
use core::{
    marker::PhantomData,
    mem::{self, offset_of},
    pin::Pin,
    ptr::{self, NonNull},
    task::{Context, Poll},
};

use pin_project_lite::pin_project;

use super::{
    ErasedFuture,
    head::{Head, Header},
};
#[cfg(any(miri, not(debug_assertions)))]
use crate::pieces;
use crate::{
    affinity::Admits,
    error::{ArmOrigin, Terminated},
};

/// A future with a header.
///
/// # Safety
///
/// A cell becomes *live* when it contains a header from [`header`] and a future. It stays live until its future is dropped. A head points
/// only to a live cell. While the cell is live, the future is [`OFFSET`](FutureCell::OFFSET) bytes behind the header, and does not move.
unsafe trait FutureCell {
    type Future: ErasedFuture;

    /// The [arm](crate::future::Arm) that messages name after the future has completed. For a future of a pool, this is `Pooled`, even if
    /// the future was in a box because the pool was full. (A distinction of these two cases would add 64 bytes of code to each method.)
    const ORIGIN: ArmOrigin = <Self::Future as ErasedFuture>::ORIGIN;

    /// `true` if the head only borrows the cell. Then the owner of the cell drops the future, and the head does not.
    const IS_BORROWED: bool = false;

    /// The distance in bytes from the header to the future.
    const OFFSET: isize;

    /// Returns the arm that messages name while the cell is live: in the output of `Debug`, and after a panic.
    const ORIGIN_OF: fn(Address) -> ArmOrigin = |_| Self::ORIGIN;

    /// Releases the memory of the cell.
    const RELEASE: Release;
}

/// The address of the header of a cell.
#[derive(Clone, Copy)]
struct Address(NonNull<()>);

/// The memory of a cell whose future was dropped. The pointer is the address of the cell's header. If the cell is a `Stored`, this is also
/// the address of its `S`, which begins with the header. An `Emptied<()>` does not say which type the cell has. The owner of an `Emptied`
/// must release the memory.
#[must_use = "memory that is not released is lost"]
#[repr(transparent)]
pub(crate) struct Emptied<S>(NonNull<S>);

#[cfg(feature = "alloc")]
impl<S> Emptied<S> {
    /// Returns the pointer that [`VacantCell::new`] was given.
    #[inline(always)]
    pub(crate) fn into_pointer(self) -> NonNull<S> {
        self.0
    }
}

/// A function that releases a cell. It does not unwind, so its callers need no code for unwinding.
type Release = extern "C" fn(Emptied<()>);

/// The table of a cell whose future has the output `T`.
///
/// Invariant: a function that takes an [`Address`] is only called with the address of a live cell. `release` is only called with the
/// [`Emptied`] of a cell. In each of these calls, the type of the cell is the one for which the table was created.
#[repr(C)]
pub(super) struct CellTable<T> {
    table: Table,
    /// Polls the future. If this returns `Ready`, or if the poll has broken a [rule](crate::error::Rule), the head is terminated, and the
    /// cell was released unless it is borrowed. If this returns `Pending` and the poll has broken no rule, the head is unchanged. If the
    /// poll of the future unwinds, the head is unchanged. If the destructor of the future unwinds, the head is terminated, and the cell was
    /// released.
    poll: fn(Address, &mut Context<'_>, &mut Head) -> Poll<T>,
}

/// The part of a [`CellTable`] that does not depend on the output. The invariant of a `CellTable` also holds for these functions.
struct Table {
    release: Release,
    /// Drops the future. This is `None` if the future has no destructor, or if the head only borrows the cell.
    drop_future: Option<fn(Address)>,
    origin_of: fn(Address) -> ArmOrigin,
    type_name: fn() -> &'static str,
}

/// Returns the header for a cell of the type `C`.
const fn header<C: FutureCell>() -> Header {
    Header::new(
        const {
            let drop_future: fn(Address) = drop_future::<C>;
            let has_drop = mem::needs_drop::<C::Future>() && !C::IS_BORROWED;
            &CellTable {
                table: Table {
                    release: C::RELEASE,
                    drop_future: if has_drop { Some(drop_future) } else { None },
                    origin_of: C::ORIGIN_OF,
                    type_name: <C::Future as ErasedFuture>::type_name,
                },
                poll: poll_future::<C>,
            }
        },
    )
}

/// The future in a live cell.
///
/// Invariant: the future was not dropped, and only the owner of this value uses the future.
struct Resident<C: FutureCell>(Address, PhantomData<C>);

impl<C: FutureCell> Resident<C> {
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn pinned(&mut self) -> Pin<&mut C::Future> {
        // SAFETY: by the invariant, the future exists, and only the owner of this value uses the future.
        let future = unsafe { &mut *future_of::<C>(self.0) };
        // SAFETY: the future stays in its cell until it is dropped there.
        unsafe { Pin::new_unchecked(future) }
    }
}

/// Returns the address of the future in a cell.
#[cfg_attr(not(debug_assertions), inline(always))]
fn future_of<C: FutureCell>(cell: Address) -> *mut C::Future {
    // `wrapping_byte_offset` is a safe function, because it only computes an address.
    cell.0.as_ptr().wrapping_byte_offset(C::OFFSET).cast()
}

/// The function for [`Table::drop_future`].
fn drop_future<C: FutureCell>(cell: Address) {
    // SAFETY: by the invariant of the table or of `Resident`, the cell is live, so the future was not dropped.
    unsafe { ptr::drop_in_place(future_of::<C>(cell)) };
}

/// The function for [`CellTable::poll`].
///
/// This function, and each function that it calls, is compiled once for each type of future. To save compile time, it calls few functions.
/// In a chain of combinators, each level has a frame of this function on the stack. Without optimization, each local variable makes the
/// frame larger. So [`after`] does the work after the poll: the frame of `after` is not on the stack while the next level is polled.
/// `after` takes the result as an argument and returns it, so that the result is not copied into a local variable meanwhile.
fn poll_future<C: FutureCell>(
    cell: Address,
    cx: &mut Context<'_>,
    head: &mut Head,
) -> Poll<<C::Future as ErasedFuture>::Output> {
    let mut future = Resident::<C>(cell, PhantomData);
    let mut broken = None;
    // Without optimization, this block is left out, because its local variables would make the frame larger. Under Miri, this block is
    // always compiled, so that Miri can check it.
    #[cfg(any(miri, not(debug_assertions)))]
    if const { pieces::is_stored_by_fields::<<C::Future as ErasedFuture>::Output>() } {
        let mut polled = future.pinned().poll(cx, &mut broken);
        let is_ready = if polled.is_ready() { Poll::Ready(()) } else { Poll::Pending };
        let _ = after(is_ready, broken, future, head);
        return pieces::take_fields(&mut polled);
    }
    after(future.pinned().poll(cx, &mut broken), broken, future, head)
}

#[expect(clippy::needless_pass_by_value, reason = "the future is not used again")]
/// Does the work after a poll. If the future has completed, or the poll has broken a rule, terminates the head, drops the future and
/// releases the cell. (If the cell is borrowed, only terminates the head.) Returns `polled` unchanged. So the result can stay in registers
/// during the call. (An async block that has completed has nothing to drop. The compiler knows this, and removes the call of
/// `drop_future`.)
#[cfg_attr(not(debug_assertions), inline(always))]
fn after<C: FutureCell, T>(
    polled: Poll<T>,
    broken: Option<Terminated>,
    future: Resident<C>,
    head: &mut Head,
) -> Poll<T> {
    if polled.is_ready() {
        *head = const { Head::terminated(Terminated::Completed(Some(C::ORIGIN))) };
    } else if const { C::Future::MAY_BREAK } && broken.is_some() {
        *head = Head::terminated(broken.expect("a rule was broken"));
    } else {
        return polled;
    }
    if const { C::IS_BORROWED } {
        return polled;
    }
    // The guard releases the cell, even if the destructor of the future panics.
    let _memory = ReleaseOnDrop(future.0, C::RELEASE);
    drop_future::<C>(future.0);
    polled
}

/// A guard that releases a cell when the guard is dropped.
///
/// Invariant: when the guard is dropped, the future was dropped, or its destructor has panicked.
struct ReleaseOnDrop(Address, Release);

impl Drop for ReleaseOnDrop {
    // Without optimization, this function is not inlined. Otherwise, its local variables would be on the stack while a chain of futures is
    // dropped.
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn drop(&mut self) {
        (self.1)(Emptied(self.0.0));
    }
}

impl Address {
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn header(self) -> Header {
        // SAFETY: an `Address` is the address of a header.
        unsafe { self.0.cast().read() }
    }
}

/// A live cell. After [`release`](LiveCell::release), the head of the cell is not used again.
pub(super) struct LiveCell(Address);

impl LiveCell {
    /// # Safety
    ///
    /// The head points to a live cell, which the caller owns or has borrowed.
    #[inline(always)]
    pub(super) unsafe fn new(head: Head) -> Self {
        LiveCell(Address(head.cell_pointer()))
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn table(&self) -> &Table {
        // SAFETY: the table of a cell is a `CellTable`, which begins with a `Table`.
        unsafe { self.0.header().table().cast().as_ref() }
    }

    /// Returns the arm and the type name of the future, for messages.
    pub(super) fn about(&self) -> (ArmOrigin, &'static str) {
        let table = self.table();
        ((table.origin_of)(self.0), (table.type_name)())
    }

    /// Drops the future, and releases the cell. The cell is released even if the destructor of the future panics. (If the cell is borrowed,
    /// this does nothing.)
    #[inline(always)]
    pub(super) fn release(self) {
        let table = self.table();
        let _memory = ReleaseOnDrop(self.0, table.release);
        if let Some(drop_future) = table.drop_future {
            drop_future(self.0);
        }
    }
}

/// A guard that exists while a cell is polled. If the poll unwinds, the guard terminates the head, and [releases](LiveCell::release) the
/// cell. So after a panic, the head never polls or drops the future again. If the head owns the cell, the future is not leaked. A borrowed
/// cell keeps its future.
///
/// Invariant: the head owns or borrows a live cell. The output of its future is `T`, or a subtype of `T`.
pub(super) struct PollGuard<'h, T>(&'h mut Head, PhantomData<fn() -> T>);

impl<'h, T> PollGuard<'h, T> {
    /// # Safety
    ///
    /// The head owns or borrows a live cell. The output of its future is `T`, or a subtype of `T`.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(super) unsafe fn new(head: &'h mut Head) -> Self {
        PollGuard(head, PhantomData)
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn table(&self) -> &CellTable<T> {
        // SAFETY: by the invariant, the table of the cell is a `CellTable<T>`.
        unsafe { self.cell().header().table().cast().as_ref() }
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn cell(&self) -> Address {
        Address(self.0.cell_pointer())
    }

    #[inline(always)]
    pub(super) fn poll(self, cx: &mut Context<'_>) -> Poll<T> {
        let polled = (self.table().poll)(self.cell(), cx, self.0);
        mem::forget(self);
        polled
    }
}

impl<T> Drop for PollGuard<'_, T> {
    #[inline(always)]
    fn drop(&mut self) {
        panicked(self.0);
    }
}

#[cold]
#[inline(never)]
fn panicked(head: &mut Head) {
    // If the head is not boxed any more, the destructor of the future has panicked, and the cell was already released.
    if head.is_cell() {
        let cell = LiveCell(Address(head.cell_pointer()));
        *head = Head::terminated(Terminated::Panicked(cell.about().0));
        cell.release();
    }
}

/// A cell in an allocation. Either `Before` or `After` is the [`Header`], and the other type is `()`.
#[cfg(feature = "alloc")]
#[repr(C)]
struct Thin<Before, F, After> {
    before: Before,
    future: F,
    after: After,
}

/// A cell for a small future. The header comes first, so that the address of the allocation is also that of the header. (The computation of
/// another address would take 0.2 ns.)
#[cfg(feature = "alloc")]
type Small<F> = Thin<Header, F, ()>;

/// A cell for a large future. The future comes first, at the address of the allocation. (An async block may begin by filling an array with
/// zeros. For an array of 1,000 bytes, this takes 4 ns longer if the array begins one word later.)
#[cfg(feature = "alloc")]
type Large<F> = Thin<(), F, Header>;

/// The size in bytes of the smallest future that is in a [`Large`].
#[cfg(feature = "alloc")]
const LARGE: usize = 256;

#[cfg(feature = "alloc")]
macro_rules! thin {
    ($Thin:ident, $header:ident) => {
        // SAFETY: `boxed` fills the cell, and an allocation does not move.
        unsafe impl<F: ErasedFuture> FutureCell for $Thin<F> {
            type Future = F;

            #[expect(clippy::cast_possible_wrap, reason = "an offset is less than `isize::MAX`")]
            const OFFSET: isize =
                offset_of!($Thin<F>, future) as isize - offset_of!($Thin<F>, $header) as isize;

            const RELEASE: Release = {
                extern "C" fn free<F>(cell: Emptied<()>) {
                    let start = cell.0.as_ptr().wrapping_byte_sub(offset_of!($Thin<F>, $header));
                    // SAFETY: `boxed` has allocated this memory as a box of this type, and the future was dropped.
                    drop(unsafe { Box::from_raw(start.cast::<MaybeUninit<$Thin<F>>>()) });
                }

                free::<F>
            };
        }
    };
}

#[cfg(feature = "alloc")]
thin!(Small, before);
#[cfg(feature = "alloc")]
thin!(Large, after);

/// The head of a cell that the owner of this value owns, or has borrowed for `'a`. If this value is dropped, the cell is leaked.
///
/// Invariant: the head points to a live cell, or it is terminated. The output of the future in the cell is `T`, or a subtype of `T`. The
/// cell lives for `'a`,
/// and `A` admits its future and its memory.
#[must_use = "a cell that no head owns is leaked"]
pub(crate) struct OwnedCell<'a, T, A> {
    head: Head,
    cell: PhantomData<&'a ()>,
    output: PhantomData<fn() -> (T, A)>,
}

impl<'a, T, A> OwnedCell<'a, T, A> {
    #[inline(always)]
    fn new(head: Head) -> Self {
        OwnedCell { head, cell: PhantomData, output: PhantomData }
    }

    #[inline(always)]
    pub(super) fn into_head(self) -> Head {
        self.head
    }

    /// Moves the future into an allocation.
    #[cfg(feature = "alloc")]
    #[inline]
    pub(super) fn boxed<F>(future: F) -> Self
    where
        F: ErasedFuture<Output = T> + 'a,
        A: Admits<F>,
    {
        // With `ManuallyDrop`, the compiler moves only the initialized part of the future, as in `VacantCell::fill`.
        let future = ManuallyDrop::new(future);
        let header = if const { size_of::<F>() < LARGE } {
            let mut place = Box::new_uninit();
            let future = ManuallyDrop::into_inner(future);
            place.write(Small { before: header::<Small<F>>(), future, after: () });
            header_at(Box::into_raw(place).cast(), offset_of!(Small<F>, before))
        } else {
            let mut place = Box::new_uninit();
            let future = ManuallyDrop::into_inner(future);
            place.write(Large { before: (), future, after: header::<Large<F>>() });
            header_at(Box::into_raw(place).cast(), offset_of!(Large<F>, after))
        };
        // The cell was just filled. Its future lives for `'a`, and `A` admits this future. An allocation can be freed on any thread.
        OwnedCell::new(Head::cell(header))
    }

    /// Returns the head of a borrowed cell.
    #[inline]
    pub(super) fn borrowed<F>(cell: Pin<&'a mut BorrowedCell<F>>) -> Self
    where
        F: ErasedFuture<Output = T>,
        A: Admits<&'a mut BorrowedCell<F>>,
    {
        // SAFETY: the cell is not moved out of the reference.
        let cell = NonNull::from(unsafe { cell.get_unchecked_mut() });
        // The cell is borrowed for `'a`, and `A` admits the reference.
        OwnedCell::new(Head::cell(cell.cast()))
    }
}

/// Returns the address of the header at this offset of an allocation.
#[cfg(feature = "alloc")]
#[inline(always)]
fn header_at(start: *mut (), offset: usize) -> NonNull<Header> {
    NonNull::new(start.wrapping_byte_add(offset).cast()).expect("a box has an address")
}

#[cfg(feature = "alloc")]
/// A type with which the memory of a [`VacantCell`] begins. It says how this memory is released.
pub(crate) trait CellStorage: Sized {
    /// A type that is `Send` if the memory can be released on any thread.
    type Affinity;

    /// Releases the memory of a cell.
    const RELEASE: extern "C" fn(Emptied<Self>);

    /// Returns the arm that messages name while the cell is live: `Boxed` if this memory is a box, and `Pooled` if it is a slot.
    fn arm_origin(&self) -> ArmOrigin;
}

#[cfg(feature = "alloc")]
/// A cell that begins with a [`CellStorage`], whose first bytes are the header of the cell.
#[repr(C)]
struct Stored<S, F> {
    storage: S,
    future: ManuallyDrop<F>,
}

#[cfg(feature = "alloc")]
// SAFETY: `VacantCell` fills the cell. The memory of the cell does not move.
unsafe impl<S: CellStorage, F: ErasedFuture> FutureCell for Stored<S, F> {
    type Future = F;

    const ORIGIN: ArmOrigin = match F::ORIGIN {
        ArmOrigin::Boxed => ArmOrigin::Pooled,
        other => other,
    };

    #[expect(clippy::cast_possible_wrap, reason = "an offset is less than `isize::MAX`")]
    const OFFSET: isize = offset_of!(Stored<S, F>, future) as isize;

    const ORIGIN_OF: fn(Address) -> ArmOrigin = match F::ORIGIN {
        // SAFETY: a `VacantCell` begins with an `S`.
        ArmOrigin::Boxed => |cell| unsafe { cell.0.cast::<S>().as_ref() }.arm_origin(),
        _ => |_| F::ORIGIN,
    };

    // SAFETY: the parameters of the two functions, `Emptied<S>` and `Emptied<()>`, are transparent pointers, which have the same ABI. The
    // cell begins with an `S`.
    const RELEASE: Release =
        unsafe { mem::transmute::<extern "C" fn(Emptied<S>), Release>(S::RELEASE) };
}

#[cfg(feature = "alloc")]
/// Memory for a cell. It does not contain a header or a future yet. The memory begins with an `S`.
#[must_use = "memory that is not filled is lost"]
pub(crate) struct VacantCell<S, F>(NonNull<S>, PhantomData<F>);

#[cfg(feature = "alloc")]
// SAFETY: by the contract of `new`, the memory can be released on any thread. The future that will be in the memory is `Send`.
unsafe impl<S: CellStorage<Affinity: Send>, F: Send> Send for VacantCell<S, F> {}

#[cfg(feature = "alloc")]
impl<S: CellStorage, F: ErasedFuture> VacantCell<S, F> {
    /// The size of the memory in bytes.
    pub(crate) const SIZE: usize = size_of::<Stored<S, F>>();

    /// # Safety
    ///
    /// The caller owns the memory. It has at least [`SIZE`](VacantCell::SIZE) bytes, and is aligned for an `S` and an `F`. It begins with
    /// an `S`, whose first bytes are reserved for a [`Header`]. The memory stays allocated until [`CellStorage::RELEASE`] is called,
    /// and `RELEASE` may release it. If [`CellStorage::Affinity`] is `Send`, `RELEASE` may be called on any thread.
    #[inline(always)]
    pub(crate) unsafe fn new(memory: NonNull<S>) -> Self {
        VacantCell(memory, PhantomData)
    }

    /// Moves the future into the cell. (With `ManuallyDrop`, the compiler moves only the initialized part of the future.)
    #[inline(always)]
    pub(crate) fn fill<'a, A>(self, future: ManuallyDrop<F>) -> OwnedCell<'a, F::Output, A>
    where
        F: 'a,
        A: Admits<Self> + Admits<F>,
    {
        let head = self.head_of(future);
        // The cell was just filled. Its future lives for `'a`, and `A` admits the future and the memory.
        OwnedCell::new(head)
    }

    /// Moves the future into the cell, and polls the future once. If the poll returns `Pending`, returns the head as an error. (If the poll
    /// has broken a rule, this head is terminated.)
    #[inline(always)]
    pub(crate) fn fill_and_poll<'a, A>(
        self,
        future: ManuallyDrop<F>,
        cx: &mut Context<'_>,
    ) -> Result<F::Output, OwnedCell<'a, F::Output, A>>
    where
        F: 'a,
        A: Admits<Self> + Admits<F>,
    {
        let mut head = self.head_of(future);
        let polling = PollGuard::<F::Output>(&mut head, PhantomData);
        let polled = poll_future::<Stored<S, F>>(polling.cell(), cx, polling.0);
        mem::forget(polling);
        match polled {
            Poll::Ready(result) => Ok(result),
            // Either the head points to the cell, which was filled as in `fill`, or the head is terminated.
            Poll::Pending => Err(OwnedCell::new(head)),
        }
    }

    #[inline(always)]
    fn head_of(self, future: ManuallyDrop<F>) -> Head {
        let header = const { header::<Stored<S, F>>() };
        // SAFETY: the first bytes of the memory are reserved for a header.
        unsafe { self.0.cast::<Header>().write(header) };
        let place = self.0.as_ptr().wrapping_byte_add(offset_of!(Stored<S, F>, future));
        // SAFETY: the memory is large enough for the future, and it is aligned for the future.
        unsafe { place.cast::<ManuallyDrop<F>>().write(future) };
        Head::cell(self.0.cast())
    }
}

pin_project! {
    /// A cell that a head borrows from the owner of the cell.
    #[repr(C)]
    pub(crate) struct BorrowedCell<F> {
        header: Header,
        #[pin]
        future: F,
        // This makes the type invariant in `F`. Otherwise, a cell could be converted into a cell of a supertype of `F`. The supertype may
        // be a future with another output, but the table in the header would still be the one for `F`.
        exactly: PhantomData<fn(F) -> F>,
    }
}

// SAFETY: the header is a shared reference to a table of function pointers, and the future is `Send`.
unsafe impl<F: Send> Send for BorrowedCell<F> {}
// SAFETY: the header is a shared reference to a table of function pointers, and the future is `Sync`.
unsafe impl<F: Sync> Sync for BorrowedCell<F> {}

// SAFETY: `new` fills the cell. The cell does not move while a head borrows it.
unsafe impl<F: ErasedFuture> FutureCell for BorrowedCell<F> {
    type Future = F;

    const IS_BORROWED: bool = true;

    #[expect(clippy::cast_possible_wrap, reason = "an offset is less than `isize::MAX`")]
    const OFFSET: isize = offset_of!(BorrowedCell<F>, future) as isize;

    const RELEASE: Release = {
        extern "C" fn keep(_: Emptied<()>) {}

        keep
    };
}

impl<F: ErasedFuture> BorrowedCell<F> {
    /// Creates a cell with this future.
    pub(crate) const fn new(future: F) -> Self {
        BorrowedCell { header: header::<Self>(), future, exactly: PhantomData }
    }
}

impl<F> BorrowedCell<F> {
    /// Returns a pinned reference to the future.
    pub(crate) fn pinned(self: Pin<&mut Self>) -> Pin<&mut F> {
        self.project().future
    }

    /// Returns a reference to the future.
    pub(crate) const fn get_ref(&self) -> &F {
        &self.future
    }

    /// Returns a mutable reference to the future.
    pub(crate) const fn get_mut(&mut self) -> &mut F {
        &mut self.future
    }

    /// Converts the cell into its future.
    pub(crate) fn into_inner(self) -> F {
        self.future
    }
}
