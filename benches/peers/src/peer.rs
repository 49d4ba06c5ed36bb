//! What a peer can be asked to do. Whoever implements a work does it once; the loops around it are made here, by the
//! compiler for each peer, so that no call through a pointer is timed with every message.

use crate::wire::{Seen, Sink, Wire};

/// A library, and which works it can do: a work that it cannot do is `None`.
pub trait Peer {
    /// The crate's name in `Cargo.lock`.
    fn name(&self) -> &'static str;

    /// What it demands of what it reads: shown beside the figures, since what is not checked costs nothing.
    fn checks(&self) -> &'static str;

    /// Does less than the work, and says what the least is: what it decodes is not looked at.
    fn is_floor(&self) -> bool {
        false
    }

    /// Its version, as it was built.
    fn version(&self) -> &'static str {
        let lock = include_str!("../Cargo.lock");
        let found = lock.split("[[package]]").find_map(|package| {
            let rest =
                package.trim_start().strip_prefix(&format!("name = \"{}\"\nversion = \"", self.name()))?;
            rest.split('"').next()
        });
        found.unwrap_or("")
    }

    /// Whole messages out of what clients sent, and the pongs that are due.
    fn server_decode(&self, _wire: &'static Wire) -> Option<Box<dyn Decoder>> {
        None
    }

    /// Whole messages out of what a server sent.
    fn client_decode(&self, _wire: &'static Wire) -> Option<Box<dyn Decoder>> {
        None
    }

    /// A binary message as a frame, whole in one piece of memory that is used again.
    fn server_encode(&self, _payload: &'static [u8]) -> Option<Box<dyn Doer>> {
        None
    }

    /// The same, masked with a fresh key.
    fn client_encode(&self, _payload: &'static [u8]) -> Option<Box<dyn Doer>> {
        None
    }

    /// A server's frame of which the header is written and the payload handed to the transport where it lies.
    fn server_encode_by_reference(&self, _payload: &'static [u8]) -> Option<Box<dyn Doer>> {
        None
    }

    /// Unmasking in place.
    fn unmask(&self) -> Option<Box<dyn Unmasker>> {
        None
    }

    /// A request to the 101 that answers it, on a new connection each time.
    fn handshake(&self, _request: &'static [u8]) -> Option<Box<dyn Doer>> {
        None
    }
}

/// Decodes a wire from its beginning to its end, as often as it is asked to.
pub trait Decode {
    fn pass(&mut self, sink: &mut Sink);

    /// The bytes that the last pass obliged to send.
    fn replies(&self) -> Vec<u8>;
}

pub trait Decoder {
    fn run(&mut self, passes: usize);
    /// One pass that is looked at.
    fn check(&mut self) -> (Seen, Vec<u8>);
}

impl<D: Decode> Decoder for D {
    fn run(&mut self, passes: usize) {
        let mut sink = Sink::default();
        for _ in 0..passes {
            self.pass(&mut sink);
        }
    }

    fn check(&mut self) -> (Seen, Vec<u8>) {
        let mut sink = Sink::checking();
        self.pass(&mut sink);
        (sink.seen(), self.replies())
    }
}

/// Something that is done again and again: a message encoded, a handshake answered.
pub trait Do {
    fn once(&mut self);

    /// Does it and tells what was written. Asked at most once, and first.
    fn output(&mut self) -> Vec<u8>;
}

pub trait Doer {
    fn run(&mut self, times: usize);
    fn output(&mut self) -> Vec<u8>;
}

impl<D: Do> Doer for D {
    fn run(&mut self, times: usize) {
        for _ in 0..times {
            self.once();
        }
    }

    fn output(&mut self) -> Vec<u8> {
        Do::output(self)
    }
}

pub trait Unmasker {
    fn run(&self, times: usize, payload: &mut [u8], key: [u8; 4]);
}

impl<F: Fn(&mut [u8], [u8; 4])> Unmasker for F {
    fn run(&self, times: usize, payload: &mut [u8], key: [u8; 4]) {
        for _ in 0..times {
            self(std::hint::black_box(&mut *payload), std::hint::black_box(key));
        }
    }
}
