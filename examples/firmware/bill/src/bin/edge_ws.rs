//! What `header` does, by edge-ws: frame headers and masks alone.

#![no_std]
#![no_main]

use bill::board::{self, Place};
use cortex_m_rt::entry;
use edge_ws::FrameHeader;

static READ: Place<[u8; 256]> = Place::new();

#[entry]
fn main() -> ! {
    board::start();
    // SAFETY: called once.
    let buf = unsafe { READ.put([0; 256]) };
    let mut filled = 0;
    loop {
        filled += board::read(buf.get_mut(filled..).unwrap_or_default()).len();
        let Ok((header, size)) = FrameHeader::deserialize(buf.get(..filled).unwrap_or_default()) else {
            continue;
        };
        let Some(payload) = buf.get_mut(size..filled) else { continue };
        if (payload.len() as u64) < header.payload_len {
            continue;
        }
        filled = 0;
        header.mask(payload, 0);
        board::take(payload);
        let header = FrameHeader { mask_key: Some(u32::from_be_bytes(board::random())), ..header };
        let mut bytes = [0; FrameHeader::MAX_LEN];
        if let Ok(size) = header.serialize(&mut bytes) {
            header.mask(payload, 0);
            board::write(bytes.get(..size).unwrap_or_default());
            board::write(payload);
        }
    }
}
