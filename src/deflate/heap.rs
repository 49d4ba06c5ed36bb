//! Inflating in allocated memory, from the first compressed message on.

use alloc::{boxed::Box, vec};

use super::{
    engine::{Engine, Inflated, sealed},
    window::{InflateState, Window},
};
use crate::{negotiate::deflate::DeflateSide, rule::Rule};

/// Allocated memory: a window as large as agreed on, and the state of the implementation. Nothing is allocated before
/// the first compressed message.
#[derive(Debug)]
pub struct Heap {
    window_bits: u8,
    engine: Option<Chosen>,
}

#[derive(Debug)]
enum Chosen {
    #[cfg(feature = "zlib")]
    Zlib(super::zlib::Zlib),
    Window(Box<Window<Box<[u8]>>>),
}

impl Heap {
    pub(super) fn new(side: DeflateSide) -> Self {
        Self { window_bits: side.bits(), engine: None }
    }

    pub(super) const fn memory(side: DeflateSide) -> usize {
        match side.bits() {
            #[cfg(feature = "zlib")]
            15 => super::zlib::MEMORY,
            bits => super::window::STATE.saturating_add(1 << bits),
        }
    }

    fn engine(&mut self) -> Option<&mut Chosen> {
        if self.engine.is_none() {
            self.engine = Chosen::new(self.window_bits);
        }
        self.engine.as_mut()
    }

    /// Gives back what a later message can do without: see [`Inflate::release`](super::Inflate::release).
    pub(super) fn release(&mut self) {
        #[cfg(feature = "zlib")]
        if let Some(Chosen::Zlib(zlib)) = &mut self.engine {
            zlib.release();
        }
    }

    /// Gives back everything.
    pub(super) fn clear(&mut self) {
        self.engine = None;
    }
}

impl Chosen {
    fn new(window_bits: u8) -> Option<Self> {
        // zlib-rs does not check distances against a smaller window (W140); the whole one bounds itself.
        #[cfg(feature = "zlib")]
        if window_bits == 15 {
            return Some(Self::Zlib(super::zlib::Zlib::default()));
        }
        let memory = vec![0; 1_usize.checked_shl(u32::from(window_bits))?].into_boxed_slice();
        Window::new(window_bits, InflateState::new(), memory).map(|window| Self::Window(Box::new(window)))
    }
}

macro_rules! each {
    ($chosen:expr, $engine:ident => $call:expr) => {
        match $chosen {
            #[cfg(feature = "zlib")]
            Chosen::Zlib($engine) => $call,
            Chosen::Window($engine) => $call,
        }
    };
}

impl sealed::Sealed for Heap {}

impl Engine for Heap {
    fn inflate(&mut self, input: &[u8], place: &mut [u8]) -> Result<Inflated, Rule> {
        each!(self.engine().ok_or(Rule::InternalError)?, engine => engine.inflate(input, place))
    }

    fn end(&mut self) -> Result<bool, Rule> {
        each!(self.engine().ok_or(Rule::InternalError)?, engine => engine.end())
    }

    fn remember(&mut self, made: &[u8]) {
        if let Some(engine) = &mut self.engine {
            each!(engine, engine => engine.remember(made));
        }
    }

    fn restart(&mut self) {
        self.engine = self.engine.take().map(|engine| match engine {
            // It would have to be made anew with a copy of its window, and a final block is no more than two bytes: a
            // frame of them would cost thousands of times its length (W131). Who sends one may send more.
            #[cfg(feature = "zlib")]
            Chosen::Zlib(zlib) => {
                let (memory, at, full) = zlib.into_history();
                Chosen::Window(Box::new(Window::behind(
                    InflateState::new(),
                    memory.into_boxed_slice(),
                    at,
                    full,
                )))
            }
            Chosen::Window(mut window) => {
                window.restart();
                Chosen::Window(window)
            }
        });
    }

    fn forget(&mut self) {
        if let Some(engine) = &mut self.engine {
            each!(engine, engine => engine.forget());
        }
    }
}
