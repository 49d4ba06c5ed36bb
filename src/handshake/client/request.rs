//! The request that a client sends (RFC 6455 §4.1).

use core::{fmt, ops::Range};

use base64ct::{Base64, Encoding};

use crate::{
    bytes::{Output, copy, copy_at},
    error::HandshakeError,
    frame::header::Rsv,
    http::{
        accept,
        compose::{self, Decimal},
        list::is_token,
        uri::Uri,
    },
    negotiate::{
        deflate::{self, DeflatePolicy},
        extension::Extensions,
    },
};

/// A request to be sent.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    uri: Uri<'a>,
    nonce: [u8; 16],
    protocols: &'a [&'a str],
    pub(super) require_protocol: bool,
    extensions: &'a [(&'a str, Rsv)],
    pub(super) deflate: Option<DeflatePolicy>,
    headers: &'a [(&'a str, &'a str)],
}

impl<'a> Request<'a> {
    /// A request for `uri`. The nonce is 16 bytes, "selected randomly for each connection" (RFC 6455 §4.1, W111).
    ///
    /// User info in the URI, if [`UriOptions`](crate::UriOptions) allowed it, becomes an Authorization field.
    pub const fn new(uri: Uri<'a>, nonce: [u8; 16]) -> Self {
        Self {
            uri,
            nonce,
            protocols: &[],
            require_protocol: false,
            extensions: &[],
            deflate: None,
            headers: &[],
        }
    }

    /// Offers subprotocols, the favourite first.
    #[must_use]
    pub const fn protocols(mut self, protocols: &'a [&'a str]) -> Self {
        self.protocols = protocols;
        self
    }

    /// Fails the handshake if the server chooses none of the subprotocols offered, as browsers do. The RFC leaves
    /// that open.
    #[must_use]
    pub const fn require_protocol(mut self) -> Self {
        self.require_protocol = true;
        self
    }

    /// Offers extensions, the favourite first, each with the reserved bits that it defines: these are legal once the
    /// server has answered it. [`Response::extensions`](super::Response::extensions) says what it answered.
    #[must_use]
    pub const fn extensions(mut self, extensions: &'a [(&'a str, Rsv)]) -> Self {
        self.extensions = extensions;
        self
    }

    /// Offers permessage-deflate, before other extensions. [`Agreed::deflate`](crate::Agreed::deflate) says what came
    /// of it.
    #[must_use]
    pub const fn deflate(mut self, policy: &DeflatePolicy) -> Self {
        self.deflate = Some(*policy);
        self
    }

    /// Adds fields, such as Origin, Cookie or Authorization.
    #[must_use]
    pub const fn headers(mut self, headers: &'a [(&'a str, &'a str)]) -> Self {
        self.headers = headers;
        self
    }

    pub(super) fn key(&self) -> [u8; 24] {
        accept::key(self.nonce)
    }

    /// Keeps the offers at the front of `memory`, and says how many bytes the subprotocols and the extensions take:
    /// the one as a list, of the others the bits before and a line feed behind each.
    pub(super) fn keep(&self, memory: &mut [u8]) -> Result<[usize; 2], HandshakeError> {
        self.check()?;
        let mut at = 0_usize;
        let mut put = |piece: &[u8]| {
            copy_at(memory, at, piece);
            at = at.saturating_add(piece.len());
            at
        };
        let mut protocols = 0;
        self.put_protocols(&mut |piece| protocols = put(piece));
        for (offer, reserved) in self.extensions {
            for piece in [&[reserved.bits()], offer.as_bytes(), b"\n"] {
                put(piece);
            }
        }
        if memory.len() < at {
            return Err(HandshakeError::NoMemory { needed: at });
        }
        Ok([protocols, at.saturating_sub(protocols)])
    }

    /// Puts the request out, whole or not at all.
    pub(super) fn write(
        &self,
        key: &[u8; 24],
        out: &mut (impl Output + ?Sized),
    ) -> Result<(), HandshakeError> {
        let mut fields = *FIELDS;
        if let Some(place) = fields.get_mut(KEY) {
            copy(place, key);
        }
        let end = if self.protocols.is_empty() { VERSION_END } else { FIELDS.len() };
        let fields = fields.get(..end).unwrap_or(&fields);
        let (host, port) = self.uri.host_field();
        compose::write(out, |put| {
            put(b"GET ");
            for piece in self.uri.target() {
                put(piece.as_bytes());
            }
            put(b" HTTP/1.1\r\nHost: ");
            put(host);
            if let Some(port) = port {
                put(b":");
                put(Decimal::new(usize::from(port)).as_bytes());
            }
            put(fields);
            self.put_protocols(put);
            self.put_extensions(put);
            self.put_credentials(put);
            compose::fields(self.headers, put);
            put(b"\r\n\r\n");
        })
    }

    fn check(&self) -> Result<(), HandshakeError> {
        // "The elements that comprise this value MUST be non-empty strings [...] and MUST all be unique" (§4.1).
        for (at, protocol) in self.protocols.iter().enumerate() {
            if !is_token(protocol.as_bytes())
                || self.protocols.iter().take(at).any(|earlier| earlier == protocol)
            {
                return Err(HandshakeError::Protocol);
            }
        }
        for (offer, _) in self.extensions {
            match Extensions::parse(offer.as_bytes()) {
                // What was asked for must be known when the answer comes.
                Ok(extensions) if self.deflate.is_some() && deflate::is_among(extensions.clone()) => {
                    return Err(HandshakeError::Extension);
                }
                Ok(extensions) if extensions.clone().count() != 0 => {}
                _ => return Err(HandshakeError::Extension),
            }
        }
        let own: &[&str] = match self.uri.user_info() {
            None => &["Host", "Upgrade", "Connection"],
            Some(_) => &["Host", "Upgrade", "Connection", "Authorization"],
        };
        compose::check_fields(self.headers, own)
    }

    fn put_extensions(&self, put: &mut dyn FnMut(&[u8])) {
        if self.deflate.is_none() && self.extensions.is_empty() {
            return;
        }
        put(b"\r\nSec-WebSocket-Extensions: ");
        if let Some(deflate) = &self.deflate {
            deflate.offer().put(put);
            put(if self.extensions.is_empty() { b"" } else { b", " });
        }
        put_list(self.extensions.iter().map(|(offer, _)| *offer), put);
    }

    fn put_protocols(&self, put: &mut dyn FnMut(&[u8])) {
        put_list(self.protocols.iter().copied(), put);
    }

    /// Basic credentials (RFC 7617 §2), three bytes and four characters at a time.
    fn put_credentials(&self, put: &mut dyn FnMut(&[u8])) {
        let Some(mut credentials) = self.uri.credentials() else { return };
        put(b"\r\nAuthorization: Basic ");
        loop {
            let mut group = heapless::Vec::<u8, 3, u8>::new();
            for byte in credentials.by_ref().take(3) {
                if group.push(byte).is_err() {
                    break;
                }
            }
            let mut place = [0; 4];
            match Base64::encode(&group, &mut place) {
                Ok(text) if !group.is_empty() => put(text.as_bytes()),
                _ => break,
            }
        }
    }
}

/// What stands behind the host of a request with subprotocols, and where in it the key belongs; another ends behind the
/// version.
const FIELDS: &[u8; 139] = b"\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: \
    ........................\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: ";
const KEY: Range<usize> = 62..86;
const VERSION_END: usize = 113;

fn put_list<'a>(elements: impl Iterator<Item = &'a str>, put: &mut dyn FnMut(&[u8])) {
    for (at, element) in elements.enumerate() {
        if at != 0 {
            put(b", ");
        }
        put(element.as_bytes());
    }
}

impl fmt::Debug for Request<'_> {
    /// Without what may be secret: the nonce and the values of fields.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("uri", &self.uri)
            .field("protocols", &self.protocols)
            .field("extensions", &self.extensions)
            .field("deflate", &self.deflate)
            .finish_non_exhaustive()
    }
}
