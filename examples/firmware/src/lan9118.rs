//! The Ethernet controller of the board, as smoltcp wants it: whole frames by polling, no interrupts.
//!
//! Registers as in the datasheet of SMSC's LAN9118.

use smoltcp::{
    phy::{self, Device, DeviceCapabilities, Medium},
    time::Instant,
};

/// A frame without its checksum: a header of 14 bytes and at most 1500 of payload.
const FRAME: usize = 1514;

/// Memory for a frame in each direction.
pub type Frames = [[u8; FRAME]; 2];

/// Such memory, still empty.
pub const FRAMES: Frames = [[0; FRAME]; 2];

/// The controller.
pub struct Lan9118 {
    registers: Registers,
    received: &'static mut [u8; FRAME],
    sent: &'static mut [u8; FRAME],
}

impl Lan9118 {
    /// `None`: there is no such controller at `address`.
    ///
    /// # Safety
    /// `address` is that of the controller's registers, and nothing else uses them.
    pub unsafe fn new(address: usize, [received, sent]: &'static mut Frames) -> Option<Self> {
        let registers = Registers { address };
        if registers.read(BYTE_TEST) != 0x8765_4321 {
            return None;
        }
        // Whole frames are taken before they are sent.
        registers.write(HW_CFG, registers.read(HW_CFG) | HW_CFG_STORE_AND_FORWARD);
        registers.write(TX_CFG, TX_CFG_ON);
        registers.write_mac(MAC_CR, MAC_CR_RECEIVE | MAC_CR_TRANSMIT);
        Some(Self { registers, received, sent })
    }

    /// The address that the controller was given, by its EEPROM or by QEMU.
    pub fn mac(&self) -> [u8; 6] {
        let [a, b, c, d] = self.registers.read_mac(MAC_ADDRL).to_le_bytes();
        let [e, f, ..] = self.registers.read_mac(MAC_ADDRH).to_le_bytes();
        [a, b, c, d, e, f]
    }

    /// Takes the next frame off the controller, if there is one, and gives its length.
    fn fetch(&mut self) -> Option<usize> {
        while self.registers.read(RX_FIFO_INF) >> 16 & 0xff != 0 {
            let status = self.registers.read(RX_STATUS_FIFO);
            let len = (status >> 16 & 0x3fff) as usize;
            // In words, the checksum's too.
            for at in (0..len).step_by(4) {
                let word = self.registers.read(RX_DATA_FIFO).to_le_bytes();
                for (place, byte) in self.received.iter_mut().skip(at).zip(word) {
                    *place = byte;
                }
            }
            if status & RX_STATUS_ERROR == 0 {
                return Some(len.saturating_sub(4));
            }
        }
        None
    }
}

impl Device for Lan9118 {
    type RxToken<'a> = Received<'a>;
    type TxToken<'a> = Sending<'a>;

    fn receive(&mut self, _: Instant) -> Option<(Received<'_>, Sending<'_>)> {
        let len = self.fetch()?;
        let Self { registers, received, sent } = self;
        Some((Received(received.get(..len)?), Sending { registers, sent }))
    }

    fn transmit(&mut self, _: Instant) -> Option<Sending<'_>> {
        let room = self.registers.read(TX_FIFO_INF) as usize & 0xffff;
        let Self { registers, sent, .. } = self;
        // A frame, its two commands, and what fills its last word.
        (room >= FRAME + 12).then_some(Sending { registers, sent })
    }

    fn capabilities(&self) -> DeviceCapabilities {
        let mut capabilities = DeviceCapabilities::default();
        capabilities.medium = Medium::Ethernet;
        capabilities.max_transmission_unit = FRAME;
        capabilities
    }
}

/// A frame that came.
pub struct Received<'d>(&'d [u8]);

impl phy::RxToken for Received<'_> {
    fn consume<T, F: FnOnce(&[u8]) -> T>(self, take: F) -> T {
        take(self.0)
    }
}

/// The place for a frame that goes.
pub struct Sending<'d> {
    registers: &'d Registers,
    sent: &'d mut [u8; FRAME],
}

impl phy::TxToken for Sending<'_> {
    fn consume<T, F: FnOnce(&mut [u8]) -> T>(self, len: usize, fill: F) -> T {
        // smoltcp asks for no more than the capabilities allow.
        let len = len.min(FRAME);
        let (frame, _) = self.sent.split_at_mut(len);
        let filled = fill(frame);
        self.registers.write(TX_DATA_FIFO, TX_FIRST_SEGMENT | TX_LAST_SEGMENT | len as u32);
        self.registers.write(TX_DATA_FIFO, len as u32);
        for bytes in frame.chunks(4) {
            let mut word = [0; 4];
            for (place, byte) in word.iter_mut().zip(bytes) {
                *place = *byte;
            }
            self.registers.write(TX_DATA_FIFO, u32::from_le_bytes(word));
        }
        filled
    }
}

const RX_DATA_FIFO: usize = 0x00;
const TX_DATA_FIFO: usize = 0x20;
const RX_STATUS_FIFO: usize = 0x40;
const BYTE_TEST: usize = 0x64;
const TX_CFG: usize = 0x70;
const HW_CFG: usize = 0x74;
const RX_FIFO_INF: usize = 0x7c;
const TX_FIFO_INF: usize = 0x80;
const MAC_CSR_CMD: usize = 0xa4;
const MAC_CSR_DATA: usize = 0xa8;

const MAC_CR: u32 = 1;
const MAC_ADDRH: u32 = 2;
const MAC_ADDRL: u32 = 3;

const RX_STATUS_ERROR: u32 = 1 << 15;
const TX_FIRST_SEGMENT: u32 = 1 << 13;
const TX_LAST_SEGMENT: u32 = 1 << 12;
const TX_CFG_ON: u32 = 1 << 1;
const HW_CFG_STORE_AND_FORWARD: u32 = 1 << 20;
const MAC_CR_TRANSMIT: u32 = 1 << 3;
const MAC_CR_RECEIVE: u32 = 1 << 2;
const MAC_CSR_BUSY: u32 = 1 << 31;
const MAC_CSR_READ: u32 = 1 << 30;

struct Registers {
    address: usize,
}

impl Registers {
    fn read(&self, offset: usize) -> u32 {
        // SAFETY: by the contract of `Lan9118::new` this is a register, and so it is aligned.
        unsafe { ((self.address + offset) as *const u32).read_volatile() }
    }

    fn write(&self, offset: usize, value: u32) {
        // SAFETY: as in `read`.
        unsafe { ((self.address + offset) as *mut u32).write_volatile(value) }
    }

    fn read_mac(&self, register: u32) -> u32 {
        self.command(MAC_CSR_BUSY | MAC_CSR_READ | register);
        self.read(MAC_CSR_DATA)
    }

    fn write_mac(&self, register: u32, value: u32) {
        self.write(MAC_CSR_DATA, value);
        self.command(MAC_CSR_BUSY | register);
    }

    fn command(&self, command: u32) {
        self.write(MAC_CSR_CMD, command);
        while self.read(MAC_CSR_CMD) & MAC_CSR_BUSY != 0 {}
    }
}
