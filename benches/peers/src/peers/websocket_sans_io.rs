//! websocket-sans-io, which knows frames alone: messages are put together, and pongs are made, by the caller.

use std::{hint::black_box, ops::Range};

use websocket_sans_io::{
    FrameInfo, Opcode, PayloadLength, WebsocketFrameDecoder, WebsocketFrameEncoder,
    WebsocketFrameEvent as Event, apply_mask,
};

use crate::{
    peer::{Decode, Decoder, Do, Doer, Peer, Unmasker},
    wire::{Sink, Wire},
};

pub struct WebsocketSansIo;

fn info(opcode: Opcode, len: usize, mask: Option<[u8; 4]>) -> FrameInfo {
    FrameInfo { opcode, payload_length: len as PayloadLength, mask, fin: true, reserved: 0 }
}

impl Peer for WebsocketSansIo {
    fn name(&self) -> &'static str {
        "websocket-sans-io"
    }

    fn checks(&self) -> &'static str {
        "nothing: every sequence of bytes is taken, and judging it is left to the caller"
    }

    fn server_decode(&self, wire: &'static Wire) -> Option<Box<dyn Decoder>> {
        let (decoder, buf) = (WebsocketFrameDecoder::new(), vec![0; wire.read]);
        Some(Box::new(Decoding {
            wire,
            decoder,
            buf,
            whole: Vec::new(),
            control: Vec::new(),
            out: Vec::new(),
        }))
    }

    fn client_decode(&self, wire: &'static Wire) -> Option<Box<dyn Decoder>> {
        self.server_decode(wire)
    }

    fn server_encode(&self, payload: &'static [u8]) -> Option<Box<dyn Doer>> {
        Some(Box::new(Encode { payload, key: || None, out: Vec::new() }))
    }

    fn client_encode(&self, payload: &'static [u8]) -> Option<Box<dyn Doer>> {
        let mut random = fastrand::Rng::new();
        let key = move || Some(random.u32(..).to_le_bytes());
        Some(Box::new(Encode { payload, key, out: Vec::new() }))
    }

    fn server_encode_by_reference(&self, payload: &'static [u8]) -> Option<Box<dyn Doer>> {
        Some(Box::new(EncodeByReference { payload, out: Vec::new() }))
    }

    fn unmask(&self) -> Option<Box<dyn Unmasker>> {
        Some(Box::new(|payload: &mut [u8], key| apply_mask(key, payload, 0)))
    }
}

struct Decoding {
    wire: &'static Wire,
    decoder: WebsocketFrameDecoder,
    buf: Vec<u8>,
    /// A message that came in pieces.
    whole: Vec<u8>,
    control: Vec<u8>,
    out: Vec<u8>,
}

impl Decode for Decoding {
    fn pass(&mut self, sink: &mut Sink) {
        self.out.clear();
        for read in self.wire.reads() {
            self.buf[..read.len()].copy_from_slice(read);
            // What of the buffer was one frame's payload: not copied if it is a message.
            let (mut at, mut chunk) = (0, Range::default());
            loop {
                let result = self.decoder.add_data(&mut self.buf[at..read.len()]).unwrap();
                let end = at + result.consumed_bytes;
                match result.event {
                    Some(Event::PayloadChunk { original_opcode }) if original_opcode.is_control() => {
                        self.control.extend_from_slice(&self.buf[at..end]);
                    }
                    Some(Event::PayloadChunk { .. }) => {
                        self.whole.extend_from_slice(&self.buf[chunk]);
                        chunk = at..end;
                    }
                    Some(Event::End { original_opcode: Opcode::Ping, .. }) => {
                        let info = info(Opcode::Pong, self.control.len(), None);
                        self.out.extend_from_slice(&WebsocketFrameEncoder::new().start_frame(&info));
                        self.out.append(&mut self.control);
                    }
                    Some(Event::End { frame_info, original_opcode }) if frame_info.fin => {
                        let text = original_opcode == Opcode::Text;
                        if self.whole.is_empty() {
                            sink.message(text, &self.buf[chunk]);
                        } else {
                            self.whole.extend_from_slice(&self.buf[chunk]);
                            sink.message(text, &self.whole);
                            self.whole.clear();
                        }
                        chunk = 0..0;
                    }
                    Some(_) => {}
                    None if result.consumed_bytes == 0 => break,
                    None => {}
                }
                at = end;
            }
            self.whole.extend_from_slice(&self.buf[chunk]);
        }
    }

    fn replies(&self) -> Vec<u8> {
        self.out.clone()
    }
}

struct Encode<K> {
    payload: &'static [u8],
    key: K,
    out: Vec<u8>,
}

impl<K: FnMut() -> Option<[u8; 4]>> Do for Encode<K> {
    fn once(&mut self) {
        self.out.clear();
        let payload = black_box(self.payload);
        let mut encoder = WebsocketFrameEncoder::new();
        self.out.extend_from_slice(&encoder.start_frame(&info(Opcode::Binary, payload.len(), (self.key)())));
        let at = self.out.len();
        self.out.extend_from_slice(payload);
        if encoder.transform_needed() {
            encoder.transform_frame_payload(&mut self.out[at..]);
        }
        black_box(&self.out);
    }

    fn output(&mut self) -> Vec<u8> {
        self.once();
        self.out.clone()
    }
}

struct EncodeByReference {
    payload: &'static [u8],
    out: Vec<u8>,
}

impl Do for EncodeByReference {
    fn once(&mut self) {
        self.out.clear();
        let payload = black_box(self.payload);
        let info = info(Opcode::Binary, payload.len(), None);
        self.out.extend_from_slice(&WebsocketFrameEncoder::new().start_frame(&info));
        black_box((&self.out, payload));
    }

    fn output(&mut self) -> Vec<u8> {
        self.once();
        [&self.out, self.payload].concat()
    }
}
