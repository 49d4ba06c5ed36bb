//! The board as embedded-websocket sees it.

use embedded_websocket::framer::Stream;
use rand_core::{CryptoRng, Error, RngCore};

use crate::board;

/// The stream.
pub struct Uart;

impl Stream<()> for Uart {
    fn read(&mut self, buf: &mut [u8]) -> Result<usize, ()> {
        Ok(board::read(buf).len())
    }

    fn write_all(&mut self, buf: &[u8]) -> Result<(), ()> {
        board::write(buf);
        Ok(())
    }
}

/// The source of keys.
pub struct Entropy;

impl RngCore for Entropy {
    fn next_u32(&mut self) -> u32 {
        u32::from_le_bytes(board::random())
    }

    fn next_u64(&mut self) -> u64 {
        u64::from_le_bytes(board::random())
    }

    fn fill_bytes(&mut self, place: &mut [u8]) {
        for byte in place {
            [*byte] = board::random();
        }
    }

    fn try_fill_bytes(&mut self, place: &mut [u8]) -> Result<(), Error> {
        self.fill_bytes(place);
        Ok(())
    }
}

impl CryptoRng for Entropy {}
