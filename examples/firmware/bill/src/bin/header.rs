//! Frame headers and masks alone: a header is read, its payload unmasked, and both sent back with a mask.

#![no_std]
#![no_main]

use bill::board::{self, Place};
use cortex_m_rt::entry;
use websocket_proto::{FrameHeader, mask};

static READ: Place<[u8; 256]> = Place::new();

#[entry]
fn main() -> ! {
    board::start();
    // SAFETY: called once.
    let buf = unsafe { READ.put([0; 256]) };
    let mut filled = 0;
    loop {
        filled += board::read(buf.get_mut(filled..).unwrap_or_default()).len();
        let Ok(Some((header, size))) = FrameHeader::decode(buf.get(..filled).unwrap_or_default()) else {
            continue;
        };
        let Some(payload) = buf.get_mut(size..filled) else { continue };
        if (payload.len() as u64) < header.len {
            continue;
        }
        filled = 0;
        if let Some(key) = header.mask {
            mask(key, payload);
        }
        board::take(payload);
        let key = board::random();
        if let Some(header) = (FrameHeader { mask: Some(key), ..header }).encode() {
            mask(key, payload);
            board::write(&header);
            board::write(payload);
        }
    }
}
