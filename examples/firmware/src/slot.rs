//! Static memory for a value that comes later.

/// Like an `Option`, but always zero while it is empty: `None` is another number in many types, and all of such a
/// static would lie in flash a second time.
pub struct Slot<T>(heapless::Vec<T, 1>);

impl<T> Slot<T> {
    pub const EMPTY: Self = Self(heapless::Vec::new());

    /// Puts a value in the place of the one before.
    pub fn put(&mut self, value: T) -> Option<&mut T> {
        self.clear();
        let _room = self.0.push(value);
        self.get()
    }

    /// The value.
    pub fn get(&mut self) -> Option<&mut T> {
        self.0.first_mut()
    }

    /// Drops the value.
    pub fn clear(&mut self) {
        self.0.clear();
    }
}
