//! permessage-deflate: what a connection keeps of it, and what all connections share.

use std::array;

use websocket_proto::{
    Assembler, Data, Deflate, DeflateOptions, DeflatePolicy, DeflateSide, DeflateTerms, Heap, Inflate,
    Message, QueueOutput, Rule, SendError, Server, Session,
};

/// What is agreed to, and done with it.
#[derive(Clone, Copy)]
pub(crate) struct Compression {
    pub(crate) policy: DeflatePolicy,
    /// Every message goes back compressed, not only those that came so.
    pub(crate) all: bool,
}

impl Default for Compression {
    /// Clients may keep their window between messages, which costs this server up to 32 KiB for each that does. The server
    /// itself keeps none, so that one compressor serves all connections.
    fn default() -> Self {
        let own = DeflateSide { takeover: false, window_bits: 15 };
        Self { policy: DeflatePolicy { own, peer: DeflateSide::FULL }, all: false }
    }
}

/// What a connection that agreed on compression keeps: nothing while no message is under way, but for the windows.
pub(crate) struct Codec {
    inflate: Inflate<Heap>,
    whole: Assembler<Vec<u8>>,
    side: DeflateSide,
    /// Where this side keeps its window: 390 KiB from the first message on.
    own: Option<Deflate>,
}

impl Codec {
    pub(crate) fn new(terms: DeflateTerms, message_limit: u64) -> Self {
        Self {
            inflate: Inflate::new(terms.client, message_limit),
            whole: Assembler::new(Vec::new()),
            side: terms.server,
            own: terms.server.takeover.then(|| compressor(terms.server)),
        }
    }

    /// Takes a piece; when its message is complete, sends it back.
    pub(crate) fn echo(
        &mut self,
        data: Data<'_>,
        session: &mut Session<Server, Box<[u8]>>,
        compressors: &mut Compressors,
        out: &mut QueueOutput,
    ) -> Result<(), SendError> {
        match self.whole.inflate(data, &mut self.inflate) {
            Ok(None) => Ok(()),
            Ok(Some(message)) => {
                let deflate = self.own.as_mut().unwrap_or_else(|| compressors.shared(self.side));
                send(deflate, &message, session, out)
            }
            Err(rule) => fail(session, rule, out),
        }
    }

    /// Gives back what an idle connection can do without.
    pub(crate) fn release(&mut self) {
        self.inflate.release();
        self.whole.release();
    }
}

fn fail(
    session: &mut Session<Server, Box<[u8]>>,
    rule: Rule,
    out: &mut QueueOutput,
) -> Result<(), SendError> {
    session.fail(rule, out).map(|_failed| ())
}

/// A compressor for each window that may be agreed on, 8 to 15 bits: it allocates nothing before it is used.
pub(crate) struct Compressors([Deflate; 8]);

impl Compressors {
    pub(crate) fn new() -> Self {
        Self(array::from_fn(|above| {
            compressor(DeflateSide { takeover: false, window_bits: 8 + above as u8 })
        }))
    }

    fn shared(&mut self, side: DeflateSide) -> &mut Deflate {
        &mut self.0[usize::from(side.window_bits - 8)]
    }
}

/// What came compressed goes back compressed, however short it is.
fn compressor(side: DeflateSide) -> Deflate {
    Deflate::new(side, DeflateOptions { threshold: 0, ..DeflateOptions::default() })
}

fn send(
    deflate: &mut Deflate,
    message: &Message<'_>,
    session: &mut Session<Server, Box<[u8]>>,
    out: &mut QueueOutput,
) -> Result<(), SendError> {
    let mut sending = deflate.begin(message.kind(), message.payload())?;
    // There is room for the echo of whatever was read, unless it was compressed far better than here.
    match deflate.write(&mut sending, session, out)? {
        false => Ok(()),
        true => Err(SendError::NoRoom { needed: message.payload().len() }),
    }
}
