//! The steps in which a driver uses keys.

use value_future::Key;

use super::{
    driver::Driver,
    kind::Kind,
    script::{KeyPick, Pick},
};

impl<K: Kind> Driver<K> {
    /// Records an issued key, and checks that the key belongs to one operation only.
    pub(super) fn issued(&mut self, key: Key, operation: usize) {
        assert_eq!(Key::from_u64(key.to_u64()), key);
        let before = self.operations_of_keys.insert(key.to_u64(), operation);
        assert_eq!(before.unwrap_or(operation), operation, "{key} belongs to two operations");
        if before.is_none() {
            self.keys.push(key);
        }
    }

    fn issued_key(&self, pick: Pick) -> Option<Key> {
        self.keys.get(pick.checked_rem(self.keys.len())?).copied()
    }

    pub(super) fn key(&self, pick: &KeyPick) -> Option<Key> {
        Some(match *pick {
            KeyPick::Issued(pick) => self.issued_key(pick)?,
            KeyPick::Near(pick, index, generation) => {
                let key = self.issued_key(pick)?;
                let index = key.index().wrapping_add(index);
                let generation = key.generation().wrapping_add(generation);
                Key::from_u64(u64::from(generation) << 32 | u64::from(index))
            }
            KeyPick::Current(pick) => {
                self.oracle.current_key(pick.checked_rem(self.oracle.slots())?)
            }
            // The key of another pool may equal a key of this pool.
            KeyPick::Foreign => K::into_key(K::rent(&self.foreign).0),
            KeyPick::Random(number) => Key::from_u64(number),
        })
    }

    pub(super) fn complete_key(&mut self, key: Key) -> Option<()> {
        let pool = self.pools.first()?.clone();
        let value = self.new_value();
        let expected = Some(value.id);
        let refused = K::complete_key(&pool, key, Some(value)).err();
        let kind = refused.as_ref().map(|refused| (refused.key(), refused.kind()));
        assert_eq!(kind, self.oracle.end_by_key(key, expected).err().map(|kind| (key, kind)));
        self.compare_drops();
        if let Some(refused) = refused {
            self.returned(&refused.into_value(), expected);
        }
        Some(())
    }

    pub(super) fn abandon_key(&mut self, key: Key) -> Option<()> {
        let refused = K::abandon_key(self.pools.last()?, key).err();
        let kind = refused.map(|refused| (refused.key(), refused.kind()));
        assert_eq!(kind, self.oracle.end_by_key(key, None).err().map(|kind| (key, kind)));
        Some(())
    }
}
