//! What the three programs are made of.
//!
//! - [`echo`] and [`sensor`] are the two applications, [`driver`] is what both know of a WebSocket on a TCP connection:
//!   read these three first.
//! - [`net`] is smoltcp, [`lan9118`] the Ethernet controller below it.
//! - [`uart`] is what `tiny` has instead.
//! - [`clock`], [`entropy`] and [`console`] are a board's: time, randomness, and somebody to tell. [`stack`] and
//!   [`slot`] are about memory, [`decimal`] prints numbers.
#![no_std]

pub mod clock;
pub mod console;
pub mod decimal;
#[cfg(feature = "net")]
pub mod driver;
#[cfg(feature = "net")]
pub mod echo;
#[cfg(feature = "net")]
pub mod entropy;
#[cfg(feature = "net")]
pub mod lan9118;
#[cfg(feature = "net")]
pub mod net;
#[cfg(feature = "net")]
pub mod sensor;
#[cfg(feature = "net")]
pub mod slot;
pub mod stack;
#[cfg(feature = "uart")]
pub mod uart;
