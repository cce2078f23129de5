use core::{
    cmp::Ordering,
    fmt,
    hash::{Hash, Hasher},
    marker::PhantomData,
};

/// The name of one operation of a pool or of a reusable source: 64 bits that may leave the process and come back.
///
/// A key can be the `user_data` of a kernel interface, a pointer in code of another language, or an id on the wire. A key may come back
/// late or twice. A peer may also send a forged key.
///
/// A key consists of an index and a 32-bit generation. The generation counts the operations of a slot. In an unbounded pool, the index
/// names the slot. In a bounded pool, some bits of the index name the slot, and the other bits are the *epoch*. When a slot has used all
/// generations, its next epoch begins, and the generations begin again. (A source has only one slot, so its whole index is the epoch.)
/// After its last epoch, the slot is *retired*: it serves no further operation. In an unbounded pool, a slot has only one epoch, so it is
/// retired after its last generation. So a pool or source never creates a key twice, and refuses a late key.
///
/// A key is a name, not a handle: it keeps nothing alive, and dropping it does nothing. A key does not name its pool: two pools can create
/// equal keys. A key is not secret: a peer that guesses the key of a pending operation can complete the operation. So use a separate pool
/// for each peer that you do not trust.
///
/// # Width
///
/// 64 bits fit the `user_data` of `io_uring`, and a pointer on 64-bit targets. They do not fit a `void *` on 32-bit targets, a number in
/// JSON, or a protocol with ids of 16 or 32 bits. The guide has [a table of short ids](crate::guide::driver#how-wide-is-the-id), and
/// explains the cost of fewer bits.
///
/// # Examples
///
/// ```
/// use value_future::Key;
///
/// let key = Key::from_u64(0x0000_0002_0000_0007);
/// assert_eq!((key.generation(), key.index()), (2, 7));
/// assert_eq!(Key::from_u64(key.to_u64()), key);
/// assert_eq!(key.to_string(), "7.2");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    index: u32,
    generation: u32,
}

impl Key {
    pub(crate) const fn new(index: u32, generation: u32) -> Self {
        Key { index, generation }
    }

    /// Returns the key as a number. The generation is in the upper half, and the index in the lower half.
    ///
    /// No pool or source creates the key 0. So a driver may use the number 0 for its own entries.
    #[must_use]
    pub const fn to_u64(self) -> u64 {
        (self.generation as u64) << 32 | self.index as u64
    }

    #[expect(clippy::cast_possible_truncation, reason = "the number is split into two halves")]
    /// Creates a key from its number. Every number is valid here: a pool or source refuses a key that it has not created.
    #[must_use]
    pub const fn from_u64(number: u64) -> Self {
        Key { index: number as u32, generation: (number >> 32) as u32 }
    }

    /// Returns the index.
    ///
    /// In a pool that is bounded to 2ⁿ slots, the lower n bits name the slot. The other bits change each time the slot has used all
    /// generations. A source has one slot, so no bits name the slot, and the index counts how often the slot has used all generations.
    #[must_use]
    pub const fn index(self) -> u32 {
        self.index
    }

    /// Returns the generation, which counts the operations of the slot.
    #[must_use]
    pub const fn generation(self) -> u32 {
        self.generation
    }
}

impl From<Key> for u64 {
    fn from(key: Key) -> u64 {
        key.to_u64()
    }
}

impl From<u64> for Key {
    fn from(number: u64) -> Key {
        Key::from_u64(number)
    }
}

/// Shows `index.generation`.
impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.index, self.generation)
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({self})")
    }
}

/// A [`Key`] of an operation whose output is a `T`. Completers and sources return such keys.
///
/// The compiler refuses a typed key for a pool or source with another output. [`to_u64`](TypedKey::to_u64) returns the number for the wire.
/// The receiver converts the number into a [`Key`]. The compiler accepts a `Key` for every output, because the 64 bits do not contain the
/// type.
///
/// # Examples
///
/// ```
/// use value_future::{Key, LocalPool, operation::TypedKey};
///
/// let pool = LocalPool::<Option<u32>>::new();
/// let (completer, completion) = pool.rent();
/// let key: TypedKey<Option<u32>> = completer.into_key();
///
/// let id: u64 = key.to_u64(); // sent, and received again
/// pool.complete_key(Key::from_u64(id), Some(5)).unwrap();
/// assert!(pool.complete_key(key, Some(6)).is_err());
/// # drop(completion);
/// ```
///
/// ```compile_fail,E0277
/// # use value_future::LocalPool;
/// # let pool = LocalPool::<Option<u32>>::new();
/// # let (completer, completion) = pool.rent();
/// let other = LocalPool::<Option<String>>::new();
/// other.complete_key(completer.into_key(), None); // the key of a pool of numbers
/// ```
pub struct TypedKey<T> {
    key: Key,
    output: PhantomData<fn(T) -> T>,
}

impl<T> TypedKey<T> {
    /// Returns the key without its type.
    #[must_use]
    pub const fn untyped(self) -> Key {
        self.key
    }

    /// Returns the key as a number, as [`Key::to_u64`] does.
    #[must_use]
    pub const fn to_u64(self) -> u64 {
        self.key.to_u64()
    }
}

/// Converts a key without a check of the type, because the 64 bits do not contain the type.
impl<T> From<Key> for TypedKey<T> {
    fn from(key: Key) -> Self {
        TypedKey { key, output: PhantomData }
    }
}

impl<T> From<TypedKey<T>> for Key {
    fn from(key: TypedKey<T>) -> Self {
        key.key
    }
}

impl<T> From<TypedKey<T>> for u64 {
    fn from(key: TypedKey<T>) -> Self {
        key.to_u64()
    }
}

impl<T> Clone for TypedKey<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for TypedKey<T> {}

impl<T> PartialEq for TypedKey<T> {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key
    }
}

impl<T> Eq for TypedKey<T> {}

impl<T> PartialEq<Key> for TypedKey<T> {
    fn eq(&self, other: &Key) -> bool {
        self.key == *other
    }
}

impl<T> PartialOrd for TypedKey<T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<T> Ord for TypedKey<T> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.key.cmp(&other.key)
    }
}

impl<T> Hash for TypedKey<T> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.key.hash(state);
    }
}

impl<T> fmt::Display for TypedKey<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.key.fmt(f)
    }
}

impl<T> fmt::Debug for TypedKey<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.key, f)
    }
}
