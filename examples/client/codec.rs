//! Whole messages in and out, compressed where that was agreed on.

use websocket_proto::{
    Assembler, Data, Deflate, DeflateOptions, DeflatePolicy, DeflateSide, DeflateTerms, Heap, Inflate, Kind,
    Message, Outgoing, QueueOutput, Rule, SendError,
};

use crate::link::Machine;

/// What this client offers. Some servers want to be offered what they ask for: it keeps no window between the messages
/// that it sends, and takes any from the server.
pub(crate) const OFFER: DeflatePolicy =
    DeflatePolicy { own: DeflateSide { takeover: false, window_bits: 15 }, peer: DeflateSide::FULL };

/// The longest message, inflated.
const MESSAGE_LIMIT: u64 = 64 << 20;

pub(crate) struct Codec {
    whole: Assembler<Vec<u8>>,
    inflate: Inflate<Heap>,
    deflate: Option<Deflate>,
}

impl Codec {
    pub(crate) fn new() -> Self {
        Self {
            whole: Assembler::new(Vec::new()),
            inflate: Inflate::new(DeflateSide::FULL, MESSAGE_LIMIT),
            deflate: None,
        }
    }

    /// The connection is open: takes over what was agreed on.
    pub(crate) fn open(&mut self, session: &Machine) {
        if let Some(DeflateTerms { server, client }) = session.agreed().and_then(|agreed| agreed.deflate()) {
            self.inflate = Inflate::new(server, MESSAGE_LIMIT);
            // However short a message is: these clients are there to show what is agreed on.
            let options = DeflateOptions { threshold: 0, ..DeflateOptions::default() };
            self.deflate = Some(Deflate::new(client, options));
        }
    }

    /// Takes a piece, and gives the message that it completes.
    ///
    /// # Errors
    /// The rule that the message broke, for `Session::fail`.
    pub(crate) fn receive<'m>(&'m mut self, data: Data<'m>) -> Result<Option<Message<'m>>, Rule> {
        self.whole.inflate(data, &mut self.inflate)
    }

    /// Sends a message, compressed if that was agreed on and is worth it.
    pub(crate) fn send(
        &mut self,
        kind: Kind,
        payload: &[u8],
        session: &mut Machine,
        out: &mut QueueOutput,
    ) -> Result<(), SendError> {
        send(self.deflate.as_mut(), kind, payload, session, out)
    }

    /// Takes a piece, and sends the message that it completes back.
    pub(crate) fn echo(
        &mut self,
        data: Data<'_>,
        session: &mut Machine,
        out: &mut QueueOutput,
    ) -> Result<(), SendError> {
        match self.whole.inflate(data, &mut self.inflate) {
            Ok(None) => Ok(()),
            Ok(Some(message)) => send(self.deflate.as_mut(), message.kind(), message.payload(), session, out),
            Err(rule) => session.fail(rule, out).map(|_failed| ()),
        }
    }
}

fn send(
    deflate: Option<&mut Deflate>,
    kind: Kind,
    payload: &[u8],
    session: &mut Machine,
    out: &mut QueueOutput,
) -> Result<(), SendError> {
    let Some(deflate) = deflate else { return session.send(Outgoing::whole(kind, payload), out) };
    let mut sending = deflate.begin(kind, payload)?;
    // The output of these clients has no bound.
    while deflate.write(&mut sending, session, out)? {}
    Ok(())
}
