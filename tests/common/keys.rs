//! A mask source whose keys are known, counted, and can run dry.

use std::{cell::Cell, rc::Rc};

use websocket_proto::{MaskKey, MaskSource};

/// Gives key number 0, 1, 2 ..., all different. Clones share the count, so that a test can look at it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Keys {
    drawn: Rc<Cell<u32>>,
    dry: Rc<Cell<bool>>,
}

impl Keys {
    /// How many keys were drawn.
    pub(crate) fn drawn(&self) -> u32 {
        self.drawn.get()
    }

    /// From now on there are none, or there are some again.
    pub(crate) fn set_dry(&self, dry: bool) {
        self.dry.set(dry);
    }
}

impl MaskSource for Keys {
    fn next_key(&mut self) -> Option<MaskKey> {
        if self.dry.get() {
            return None;
        }
        let number = self.drawn.get();
        self.drawn.set(number + 1);
        Some(key(number))
    }
}

/// Key number `number`: an odd factor makes different numbers different keys.
pub(crate) fn key(number: u32) -> MaskKey {
    number.wrapping_add(1).wrapping_mul(0x9e37_79b9).to_be_bytes()
}
