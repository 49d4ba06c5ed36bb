//! The UART of the nRF51, polled. Registers as in Nordic's reference manual.
//!
//! The emulated line waits for its reader. A real one needs RTS and CTS, which a micro:bit's USB interface has not: the
//! UART keeps six bytes while an answer is written.

/// The UART, started.
pub struct Uart {
    address: usize,
}

impl Uart {
    /// Starts it: 1 Mbaud, 8N1, on the pins of a micro:bit's USB interface.
    ///
    /// # Safety
    /// `address` is that of the UART's registers, and nothing else uses them.
    pub unsafe fn new(address: usize) -> Self {
        let uart = Self { address };
        uart.write(PSELTXD, 24);
        uart.write(PSELRXD, 25);
        uart.write(BAUDRATE, BAUDRATE_1M);
        uart.write(ENABLE, ENABLE_ENABLED);
        uart.write(TASKS_STARTRX, 1);
        uart.write(TASKS_STARTTX, 1);
        uart
    }

    /// Waits for a byte, and takes it and those that follow it closely, as many as `buf` holds. There are at least
    /// two lengths of a byte between the last of them and the next.
    pub fn read<'b>(&self, buf: &'b mut [u8]) -> &'b mut [u8] {
        let mut n = 0;
        let mut patience = usize::MAX;
        for place in &mut *buf {
            let Some(byte) = self.take(patience) else { break };
            *place = byte;
            n += 1;
            patience = CLOSE;
        }
        buf.get_mut(..n).unwrap_or_default()
    }

    /// Writes all of it.
    pub fn write_all(&self, bytes: &[u8]) {
        for byte in bytes {
            self.write(EVENTS_TXDRDY, 0);
            self.write(TXD, u32::from(*byte));
            while self.read_register(EVENTS_TXDRDY) == 0 {}
        }
    }

    fn take(&self, patience: usize) -> Option<u8> {
        let mut waited = 0;
        while self.read_register(EVENTS_RXDRDY) == 0 {
            waited += usize::from(patience != usize::MAX);
            if waited > patience {
                return None;
            }
        }
        self.write(EVENTS_RXDRDY, 0);
        Some(self.read_register(RXD) as u8)
    }

    fn read_register(&self, offset: usize) -> u32 {
        // SAFETY: by the contract of `new` this is a register, and so it is aligned.
        unsafe { ((self.address + offset) as *const u32).read_volatile() }
    }

    fn write(&self, offset: usize, value: u32) {
        // SAFETY: as in `read_register`.
        unsafe { ((self.address + offset) as *mut u32).write_volatile(value) }
    }
}

/// Looks at the register that take two lengths of a byte at 1 Mbaud and 16 MHz, or longer.
const CLOSE: usize = 64;

const TASKS_STARTRX: usize = 0x000;
const TASKS_STARTTX: usize = 0x008;
const EVENTS_RXDRDY: usize = 0x108;
const EVENTS_TXDRDY: usize = 0x11c;
const ENABLE: usize = 0x500;
const PSELTXD: usize = 0x50c;
const PSELRXD: usize = 0x514;
const RXD: usize = 0x518;
const TXD: usize = 0x51c;
const BAUDRATE: usize = 0x524;

const BAUDRATE_1M: u32 = 0x1000_0000;
const ENABLE_ENABLED: u32 = 4;
