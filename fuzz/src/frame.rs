//! Headers, the bodies of control frames and prepared messages, outside any connection: any bytes, read a second time.

use arbitrary::Unstructured;
use websocket_proto::{
    Agreed, Client, CloseCode, CloseFrame, Config, Connection, Control, FrameHeader, Kind, Opcode, Outgoing,
    Prepared, ProtocolError, Role, Rsv, Rule, SendError, Server,
};

use crate::{
    common::{run, verify::frames_in},
    support::{byte, short},
    words,
};

pub fn frame(data: &[u8]) {
    header(data);
    let mut u = Unstructured::new(data);
    fields(&mut u);
    let (code, memory) = (short(&mut u) as u16, usize::from(byte(&mut u)));
    let rest = u.take_rest();
    close(code.into(), &String::from_utf8_lossy(rest));
    control(rest);
    prepared(rest, memory);
}

/// RFC 6455 §5.2, read from left to right.
fn read(bytes: &[u8]) -> Result<Option<(FrameHeader, usize)>, Rule> {
    let Some(&first) = bytes.first() else { return Ok(None) };
    let Some(opcode) = [0_u8, 1, 2, 8, 9, 10].into_iter().position(|opcode| opcode == first & 0x0f) else {
        return Err(Rule::ReservedOpcode);
    };
    let (control, fin) = (first & 8 != 0, first & 0x80 != 0);
    if control && !fin {
        return Err(Rule::FragmentedControl);
    }
    let Some(&second) = bytes.get(1) else { return Ok(None) };
    let short = second & 0x7f;
    if control && short > 125 {
        return Err(Rule::ControlTooLong);
    }
    let width = match short {
        126 => 2,
        127 => 8,
        _ => 0,
    };
    let Some(extended) = bytes.get(2..2 + width) else { return Ok(None) };
    let long = extended.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte));
    let len = if width == 0 { u64::from(short) } else { long };
    match width {
        8 if len >= 1 << 63 => return Err(Rule::LengthTopBit),
        8 if len <= 0xffff => return Err(Rule::NonMinimalLength64),
        2 if len <= 125 => return Err(Rule::NonMinimalLength16),
        _ => {}
    }
    let key = bytes.get(2 + width..6 + width);
    let mask = match (second & 0x80 != 0, key) {
        (false, _) => None,
        (true, None) => return Ok(None),
        (true, Some(key)) => Some([key[0], key[1], key[2], key[3]]),
    };
    let opcode =
        [Opcode::Continuation, Opcode::Text, Opcode::Binary, Opcode::Close, Opcode::Ping, Opcode::Pong]
            [opcode];
    let header = FrameHeader { fin, rsv: run::agreed(first & 0x70).reserved(), opcode, mask, len };
    Ok(Some((header, 2 + width + mask.map_or(0, |key| key.len()))))
}

fn header(bytes: &[u8]) {
    let expected = read(bytes);
    assert_eq!(FrameHeader::decode(bytes), expected);
    match expected {
        Ok(None) => assert!(bytes.len() < FrameHeader::MAX),
        Err(rule) => {
            assert_eq!(rule.close_code(), Some(CloseCode::PROTOCOL_ERROR));
            words::protocol_error(ProtocolError { rule, offset: 0 });
        }
        Ok(Some((header, size))) => {
            // What was read had its shortest form.
            assert_eq!(header.encode().as_deref(), Some(&bytes[..size]));
            for cut in 0..size {
                assert_eq!(FrameHeader::decode(&bytes[..cut]), Ok(None));
            }
        }
    }
}

/// A header of any fields: what can be written is read again, if such a frame may exist.
fn fields(u: &mut Unstructured<'_>) {
    let first = byte(u);
    let Some(opcode) = Opcode::from_bits(first) else { return };
    let flags = byte(u);
    let mask = (flags & 1 != 0).then(|| u.arbitrary().unwrap_or_default());
    let len = u.arbitrary::<u64>().unwrap_or_default().rotate_right(u32::from(flags >> 2));
    let rsv = run::agreed(first & 0x70).reserved();
    let header = FrameHeader { fin: first & 0x80 != 0, rsv, opcode, mask, len };
    assert_eq!(format!("{rsv:?}"), format!("Rsv({:03b})", first >> 4 & 7));
    let Some(bytes) = header.encode() else {
        assert!(len >= 1 << 63);
        return;
    };
    let expected = match opcode.is_control() {
        true if !header.fin => Err(Rule::FragmentedControl),
        true if len > 125 => Err(Rule::ControlTooLong),
        _ => Ok(Some((header, bytes.len()))),
    };
    assert_eq!(FrameHeader::decode(&bytes), expected);
    match (opcode, header) {
        (Opcode::Text | Opcode::Binary, FrameHeader { fin: true, rsv: Rsv::NONE, len: ..=0x2_0000, .. }) => {
            whole(header, &bytes);
        }
        _ => {}
    }
}

/// What a connection sends whole has this header, written as `bytes`, and the payload behind it.
fn whole(header: FrameHeader, bytes: &[u8]) {
    fn sent(role: impl Role, kind: Kind, payload: &[u8]) -> Vec<u8> {
        let mut conn = Connection::new(role, &Config::default(), Agreed::default());
        let mut out = Vec::new();
        conn.send(Outgoing::whole(kind, payload), &mut out).unwrap();
        out
    }
    let kind = if header.opcode == Opcode::Text { Kind::Text } else { Kind::Binary };
    let payload = vec![b'w'; header.len as usize];
    let (out, key) = match header.mask {
        None => (sent(Server, kind, &payload), [0; 4]),
        Some(key) => (sent(Client(move || key), kind, &payload), key),
    };
    assert!(out.starts_with(bytes) && out.len() == bytes.len() + payload.len());
    let masked = out[bytes.len()..].iter().zip(key.iter().cycle());
    assert!(masked.zip(&payload).all(|((byte, key), expected)| byte ^ key == *expected));
}

fn close(code: CloseCode, text: &str) {
    let short = CloseFrame::shorten(text);
    assert!(text.starts_with(short) && short.len() <= CloseFrame::MAX_REASON);
    if let Some(next) = text[short.len()..].chars().next() {
        assert!(short.len() + next.len_utf8() > CloseFrame::MAX_REASON, "it could be longer");
    }
    assert_eq!(CloseFrame::new(code, text).is_some(), text == short);
    let frame = CloseFrame::new(code, short).unwrap();
    assert_eq!((frame.code(), frame.reason()), (code, short));
    assert_eq!(format!("{frame:?}"), format!("CloseFrame {{ code: {}, reason: {short:?} }}", code.get()));
    // What may be begun with may arrive; 1010 is the one that a server may not begin with.
    assert_eq!(code.may_be_sent(false), code.may_be_received());
    assert_eq!(code.may_be_sent(true), code.may_be_received() && code != CloseCode::MANDATORY_EXTENSION);

    let mut conn = Connection::new(Server, &Config::default(), Agreed::default());
    let mut out = Vec::new();
    let closed = conn.close(code, text, &mut out);
    let legal = match (code.may_be_sent(true), text == short) {
        (false, _) => Err(SendError::CloseCode),
        (true, false) => Err(SendError::ReasonTooLong),
        (true, true) => Ok(()),
    };
    assert_eq!(closed, legal);
    match closed {
        Ok(()) => {
            let body = [&code.get().to_be_bytes(), text.as_bytes()].concat();
            assert_eq!(frames_in(&out, false), [(0, 0x88, body)]);
        }
        Err(error) => {
            words::send_error(error);
            assert!(out.is_empty() && conn.closure().sent.is_none());
        }
    }
}

fn control(bytes: &[u8]) {
    let Some(payload) = Control::new(bytes) else {
        assert!(bytes.len() > Control::MAX);
        return;
    };
    assert_eq!((&*payload, payload.as_ref()), (bytes, bytes));
    assert_eq!(format!("{payload:?}"), format!("\"{}\"", bytes.escape_ascii()));
    assert_eq!(payload, payload.clone());
    let prefix = Control::new(&bytes[..bytes.len() / 2]).unwrap();
    assert_eq!(prefix == payload, bytes.is_empty());
}

/// A prepared message is one frame, in whatever memory it fits.
fn prepared(payload: &[u8], memory: usize) {
    let whole = Prepared::binary(payload);
    assert_eq!(frames_in(whole.as_bytes(), false), [(0, 0x82, payload.to_vec())]);
    let fits = whole.as_bytes().len() <= memory;
    let bounded = Prepared::in_memory(Kind::Binary, payload, vec![0; memory]);
    assert_eq!(bounded.as_ref().map(Prepared::as_bytes), fits.then_some(whole.as_bytes()));

    let bounded = Prepared::in_memory(Kind::Text, payload, vec![0; memory]);
    match std::str::from_utf8(payload) {
        Err(_) => assert!(bounded.is_none()),
        Ok(text) => {
            let whole = Prepared::text(text);
            assert_eq!(frames_in(whole.as_bytes(), false), [(0, 0x81, payload.to_vec())]);
            assert_eq!(bounded.as_ref().map(Prepared::as_bytes), fits.then_some(whole.as_bytes()));
        }
    }
}
