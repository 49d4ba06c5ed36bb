//! Frames in whatever pieces, and frames out, by websocket-sans-io: headers and masks, without a check but that of the
//! bits' places.

#![no_std]
#![no_main]

use bill::board::{self, Place};
use cortex_m_rt::entry;
use websocket_sans_io::{WebsocketFrameDecoder, WebsocketFrameEncoder, WebsocketFrameEvent};

static READ: Place<[u8; 256]> = Place::new();
static DECODER: Place<WebsocketFrameDecoder> = Place::new();
static ENCODER: Place<WebsocketFrameEncoder> = Place::new();

#[entry]
fn main() -> ! {
    board::start();
    // SAFETY: called once.
    let (buf, decoder, encoder) = unsafe {
        (
            READ.put([0; 256]),
            DECODER.put(WebsocketFrameDecoder::new()),
            ENCODER.put(WebsocketFrameEncoder::new()),
        )
    };
    loop {
        let mut read = board::read(buf);
        loop {
            let Ok(taken) = decoder.add_data(read);
            let (piece, rest) = read.split_at_mut_checked(taken.consumed_bytes).unwrap_or_default();
            read = rest;
            match taken.event {
                Some(WebsocketFrameEvent::Start { mut frame_info, .. }) => {
                    frame_info.mask = Some(board::random());
                    board::write(&encoder.start_frame(&frame_info));
                }
                Some(WebsocketFrameEvent::PayloadChunk { .. }) => {
                    encoder.transform_frame_payload(piece);
                    board::write(piece);
                }
                Some(WebsocketFrameEvent::End { .. }) => {}
                None if taken.consumed_bytes == 0 => break,
                None => {}
            }
        }
    }
}
