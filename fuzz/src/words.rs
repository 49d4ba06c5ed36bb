//! What errors say of themselves: a sentence on one line, with the rule that was broken and where it stands.

use std::{error::Error, io};

use websocket_proto::{Cause, Closure, HandshakeError, ProtocolError, RestoreError, SendError};

/// A sentence that begins with `start`, and is more than a type's name.
fn sentence(error: &dyn Error, start: &str) -> String {
    let text = error.to_string();
    assert!(text.starts_with(start) && text.len() > start.len() + 10, "{text:?}");
    assert!(text.contains(' ') && !text.contains(char::is_control), "{text:?}");
    assert_ne!(text, format!("{error:?}"));
    text
}

/// The error is still there behind a driver's `?`.
fn carried<E: Error + PartialEq + Copy + Into<io::Error> + Send + Sync + 'static>(
    error: E,
    kind: io::ErrorKind,
) {
    let carried: io::Error = error.into();
    assert_eq!((carried.kind(), carried.to_string()), (kind, error.to_string()));
    assert_eq!(carried.get_ref().and_then(|inner| inner.downcast_ref()), Some(&error));
}

pub(crate) fn protocol_error(error: ProtocolError) {
    let rule = error.rule;
    let text = sentence(&error, &format!("{} {}: ", rule.id(), rule.name()));
    assert!(rule.id().starts_with('W') && rule.rfc().starts_with("RFC "));
    assert_eq!(text, format!("{}, at byte {}", sentence(&rule, rule.id()), error.offset));
    assert!(text.contains(&format!(" ({}), at byte ", rule.rfc())));
    // A rule belongs to the handshake or to what comes behind it.
    assert!(rule.status().is_none() || rule.close_code().is_none(), "{rule}");
    assert!(rule.status().is_none_or(|status| (400..500).contains(&status)));
    carried(error, io::ErrorKind::InvalidData);
}

pub(crate) fn send_error(error: SendError) {
    let text = sentence(&error, "");
    if let SendError::NoRoom { needed: number } = error {
        assert!(text.contains(&number.to_string()));
    }
    carried(
        error,
        match error {
            SendError::Closed => io::ErrorKind::NotConnected,
            _ => io::ErrorKind::InvalidInput,
        },
    );
}

pub(crate) fn handshake_error(error: HandshakeError) {
    let text = sentence(&error, "");
    if let HandshakeError::NoRoom { needed } | HandshakeError::NoMemory { needed } = error {
        assert!(text.contains(&needed.to_string()));
    }
    carried(error, io::ErrorKind::InvalidInput);
}

pub(crate) fn restore_error(error: RestoreError) {
    sentence(&error, "");
}

/// An error of a grammar, with the rule's row and the byte.
pub(crate) fn placed_error(error: &dyn Error, id: &str, rfc: &str, at: usize) {
    let text = sentence(error, &format!("{id}: "));
    let end = format!(" ({rfc}), at byte {at}");
    assert!(rfc.starts_with("RFC ") && text.ends_with(&end), "{text:?}");
}

pub(crate) fn closure(closure: Closure) {
    assert_eq!(closure.code().get(), closure.received.map_or(1006, |code| code.get()));
    assert!(!closure.clean || (closure.sent.is_some() && closure.received.is_some()));
    assert_eq!(closure.first.is_some(), closure.sent.is_some());
    let Some(cause) = closure.cause else { return };
    let text = cause.to_string();
    match cause {
        Cause::Violation(error) => {
            protocol_error(error);
            assert_eq!(text, error.to_string());
        }
        _ => assert!(text.starts_with('W') && text.contains(": the "), "{text:?}"),
    }
}
