//! The catalogue of rules that a peer can break: one line a rule, and nothing else knows their texts.
//!
//! A [`Rule`] is what every violation carries. Its [`id`](Rule::id) is the row of `docs/compliance.md` where the
//! rule stands as a sentence with the file that enforces it and the test that shows it.

use core::fmt;

/// What this side says to the peer that broke a rule.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Answer {
    /// A Close frame with this code (RFC 6455 §7.4.1).
    Close(u16),
    /// An HTTP response with this status, while the opening handshake lasts.
    Http(u16),
    /// Nothing: a client that is answered wrongly leaves.
    Leave,
}

use Answer::{Close, Http, Leave};

macro_rules! catalogue {
    ($($(#[$meta:meta])* $name:ident = $id:literal, $rfc:literal, $answer:expr, $text:literal;)*) => {
        /// A rule that the peer broke.
        ///
        /// [`name`](Self::name) is fit for logs and metrics, [`id`](Self::id) leads to `docs/compliance.md`, and the
        /// `Display` form is a sentence that says what is required, by which rule and where that stands.
        ///
        /// ```
        /// use websocket_proto::Rule;
        ///
        /// let rule = Rule::ReservedOpcode;
        /// assert_eq!(rule.name(), "ReservedOpcode");
        /// assert_eq!(rule.rfc(), "RFC 6455 §5.2");
        /// assert_eq!(rule.close_code().map(|code| code.get()), Some(1002));
        /// ```
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[cfg_attr(feature = "defmt", derive(defmt::Format))]
        #[non_exhaustive]
        #[repr(u8)]
        pub enum Rule { $($(#[$meta])* #[doc = concat!($text, " (", $id, ", ", $rfc, ").")] $name,)* }

        impl Rule {
            /// Every rule, in the order of the catalogue.
            pub const ALL: &'static [Rule] = &[$(Rule::$name,)*];

            /// The rule's name as it is written in Rust.
            pub const fn name(self) -> &'static str {
                match self { $(Rule::$name => stringify!($name),)* }
            }

            /// The rule's row in `docs/compliance.md`, such as `W13`.
            pub const fn id(self) -> &'static str {
                match self { $(Rule::$name => $id,)* }
            }

            /// Where the rule stands.
            pub const fn rfc(self) -> &'static str {
                match self { $(Rule::$name => $rfc,)* }
            }

            const fn text(self) -> &'static str {
                match self { $(Rule::$name => $text,)* }
            }

            const fn answer(self) -> Answer {
                match self { $(Rule::$name => $answer,)* }
            }
        }
    };
}

catalogue! {
    // The frame header.
    LengthTopBit = "W1", "RFC 6455 §5.2", Close(1002), "the most significant bit of a 64-bit length is 0";
    NonMinimalLength16 = "W2", "RFC 6455 §5.2", Close(1002), "a length below 126 is not written in 16 bits";
    NonMinimalLength64 = "W3", "RFC 6455 §5.2", Close(1002), "a length below 65536 is not written in 64 bits";
    ReservedBit = "W8", "RFC 6455 §5.2", Close(1002), "RSV2 and RSV3 are 0 unless an extension defines them";
    CompressionNotNegotiated = "W9", "RFC 6455 §5.2", Close(1002), "RSV1 is 0 unless an extension defines it";
    CompressedControl = "W10", "RFC 7692 §6.1", Close(1002), "RSV1 is 0 on a control frame";
    CompressedContinuation = "W11", "RFC 7692 §6.1", Close(1002), "RSV1 is 0 on a continuation frame";
    ReservedOpcode = "W13", "RFC 6455 §5.2", Close(1002), "opcodes 3 to 7 and 11 to 15 are reserved";
    UnmaskedFrame = "W82", "RFC 6455 §5.1", Close(1002), "a client masks every frame";
    MaskedFrame = "W83", "RFC 6455 §5.1", Close(1002), "a server masks no frame";

    // Control frames.
    ControlTooLong = "W21", "RFC 6455 §5.5", Close(1002), "a control frame's payload is at most 125 bytes";
    FragmentedControl = "W22", "RFC 6455 §5.5", Close(1002), "a control frame is not fragmented";
    ControlRate = "W27", "RFC 6455 §10.4", Close(1008), "control frames stay below the rate that this side allows";

    // Messages.
    UnexpectedContinuation = "W34", "RFC 6455 §5.4", Close(1002), "a continuation frame continues an open message";
    InterruptedMessage = "W35", "RFC 6455 §5.4", Close(1002), "a message ends before the next one begins";
    TooManyFragments = "W39", "RFC 6455 §10.4", Close(1008), "a message has no more fragments than this side allows";
    FrameTooLong = "W40", "RFC 6455 §10.4", Close(1009), "a frame is no longer than this side allows";
    MessageTooLong = "W41", "RFC 6455 §10.4", Close(1009), "a message is no longer than this side allows";
    InvalidUtf8 = "W47", "RFC 6455 §8.1", Close(1007), "text is UTF-8";
    TruncatedUtf8 = "W48", "RFC 6455 §8.1", Close(1007), "text does not end inside a character";

    // The closing handshake.
    CloseBodyTooShort = "W57", "RFC 6455 §5.5.1", Close(1002), "a Close body is empty or begins with a two-byte code";
    ReservedCloseCode = "W59", "RFC 6455 §7.4.1", Close(1002), "1004, 1005, 1006 and 1015 are not sent";
    UnassignedCloseCode = "W60", "RFC 6455 §7.4.2", Close(1002), "a close code is 1000 to 1014 or 3000 to 4999";
    InvalidReason = "W54", "RFC 6455 §5.5.1", Close(1007), "a close reason is UTF-8";

    // permessage-deflate.
    CorruptCompression = "W132", "RFC 7692 §7.2.2", Close(1007), "a compressed message is blocks of DEFLATE, whole, within the window agreed on";

    // What an application or a stage finds: see `Connection::fail`.
    Unacceptable = "W169", "RFC 6455 §7.4.1", Close(1003), "a message is of a type that this side accepts";
    InvalidPayload = "W170", "RFC 6455 §7.4.1", Close(1007), "a message's data is consistent with its type";
    Policy = "W171", "RFC 6455 §7.4.1", Close(1008), "a message keeps to this side's policy";
    InternalError = "W145", "RFC 6455 §7.4.1", Close(1011), "this side is able to go on";

    // The opening handshake, as a server reads it.
    RequestLine = "W90", "RFC 9112 §3", Http(400), "a request line is a method, a target and a version, a space between";
    MethodNotAllowed = "W90", "RFC 6455 §4.2.1", Http(405), "the method is GET";
    RequestVersion = "W90", "RFC 6455 §4.2.1", Http(400), "the version is HTTP/1.1 or a later HTTP/1";
    TargetForm = "W158", "RFC 9112 §3.2", Http(400), "the target is a path, or an absolute http or https URI";
    TargetTooLong = "W158", "RFC 9110 §15.5.15", Http(414), "the request line is no longer than this side allows";
    HostMissing = "W157", "RFC 9112 §3.2", Http(400), "a request has a Host field";
    HostRepeated = "W157", "RFC 9112 §3.2", Http(400), "a request has one Host field";
    HostInvalid = "W157", "RFC 9112 §3.2", Http(400), "Host is a host with an optional port";
    VersionUnsupported = "W91", "RFC 6455 §4.4", Http(426), "Sec-WebSocket-Version is 13";
    VersionInvalid = "W92", "RFC 6455 §4.2.1", Http(400), "Sec-WebSocket-Version is one number from 0 to 255 in plain digits";
    VersionMissing = "W93", "RFC 6455 §4.2.1", Http(400), "a request has a Sec-WebSocket-Version field";
    KeyMissing = "W95", "RFC 6455 §4.2.1", Http(400), "a request has a Sec-WebSocket-Key field";
    KeyInvalid = "W95", "RFC 6455 §4.2.1", Http(400), "Sec-WebSocket-Key is 16 bytes in base64";
    KeyRepeated = "W96", "RFC 6455 §11.3.1", Http(400), "a request has one Sec-WebSocket-Key field";
    ConnectionWithoutUpgrade = "W97", "RFC 6455 §4.2.1", Http(400), "Connection lists upgrade";
    UpgradeWithoutWebsocket = "W98", "RFC 6455 §4.2.1", Http(400), "Upgrade lists websocket";
    FieldName = "W159", "RFC 9112 §5.1", Http(400), "a field begins with a token and a colon";
    FieldValue = "W99", "RFC 9110 §5.5", Http(400), "a field value has no control characters";
    LineEnding = "W99", "RFC 9112 §2.2", Http(400), "a line ends with CR LF";
    Folding = "W99", "RFC 9112 §5.2", Http(400), "a field stands on one line";
    HeadTooLong = "W100", "RFC 6585 §5", Http(431), "a head is no longer than this side allows";
    LineTooLong = "W100", "RFC 6585 §5", Http(431), "a field line is no longer than this side allows";
    TooManyLines = "W100", "RFC 6585 §5", Http(431), "a head has no more lines than this side allows";
    BodyAnnounced = "W101", "RFC 9110 §9.3.1", Http(400), "a GET has no body";
    ProtocolOffer = "W103", "RFC 6455 §11.3.4", Http(400), "the subprotocols offered are different tokens, one at least";
    ExtensionOffer = "W104", "RFC 6455 §9.1", Http(400), "Sec-WebSocket-Extensions is a list of extensions";
    OriginRefused = "W108", "RFC 6455 §10.2", Http(403), "the Origin is one that this side accepts";

    // The opening handshake, as a client reads it.
    NotHttp = "W124", "RFC 9112 §4", Leave, "the answer is HTTP";
    ResponseVersion = "W124", "RFC 9112 §2.3", Leave, "the answer is HTTP/1.1 or a later HTTP/1";
    StatusLine = "W124", "RFC 9112 §4", Leave, "a status line is a version, three digits and a reason";
    UpgradeAnswer = "W114", "RFC 6455 §4.1", Leave, "the answer has one Upgrade field, equal to websocket";
    ConnectionAnswer = "W114", "RFC 6455 §4.1", Leave, "the answer's Connection lists upgrade";
    AcceptMissing = "W115", "RFC 6455 §4.1", Leave, "the answer has a Sec-WebSocket-Accept field";
    AcceptMismatch = "W115", "RFC 6455 §4.1", Leave, "Sec-WebSocket-Accept is computed from the key sent";
    AcceptRepeated = "W116", "RFC 6455 §11.3.3", Leave, "the answer has one Sec-WebSocket-Accept field";
    ProtocolRepeated = "W116", "RFC 6455 §11.3.4", Leave, "the answer has one Sec-WebSocket-Protocol field at most";
    ProtocolNotOffered = "W117", "RFC 6455 §4.1", Leave, "the subprotocol chosen is one of those offered";
    ProtocolNotChosen = "W118", "RFC 6455 §4.1", Leave, "a subprotocol is chosen where this side requires one";
    ExtensionAnswer = "W104", "RFC 6455 §9.1", Leave, "the extensions answered are a list of extensions";
    ExtensionNotOffered = "W119", "RFC 6455 §9.1", Leave, "every extension answered was offered, once";
    DeflateAnswer = "W120", "RFC 7692 §7.1", Leave, "permessage-deflate is answered with parameters that the offer allows";
    DeflateIgnored = "W163", "RFC 7692 §7.1", Leave, "what the offer of permessage-deflate asks of the server is in the answer";
    TooManyInterim = "W123", "RFC 9110 §15.2", Leave, "a few interim responses come before the answer";
}

impl Rule {
    /// The HTTP status that a server answers, if the rule belongs to the opening handshake.
    ///
    /// A client that reads a faulty answer has nobody to answer to: its rules have none, and the grammar of heads
    /// is shared by both.
    pub const fn status(self) -> Option<u16> {
        match self.answer() {
            Http(status) => Some(status),
            Close(_) | Leave => None,
        }
    }

    /// The code of the Close frame, as a number; `close.rs` gives it its type.
    pub(crate) const fn close_number(self) -> Option<u16> {
        match self.answer() {
            Close(code) => Some(code),
            Http(_) | Leave => None,
        }
    }

    /// The rule's place in the catalogue, for a saved state.
    pub(crate) const fn number(self) -> u8 {
        self as u8
    }

    /// The rule at a place of the catalogue.
    pub(crate) fn from_number(number: u8) -> Option<Self> {
        Self::ALL.get(usize::from(number)).copied()
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {} ({})", self.id(), self.name(), self.text(), self.rfc())
    }
}

impl core::error::Error for Rule {}
