//! A message compressed once for many connections.

use super::wire::{ALL, FULL, agreed, frames, prose, received, send, server, side};
use websocket_proto::{
    Agreed, Config, Connection, Deflate, DeflateSide, DeflateTerms, Kind, Outgoing, Prepared, SendError,
    Server, SliceOutput,
};

fn without() -> Connection<Server> {
    Connection::new(Server, &Config::default(), Agreed::default())
}

#[test]
fn who_gets_which() {
    let mut deflate = Deflate::new(side(15, false), ALL);
    for payload in [prose(0), prose(5), prose(5000), prose(100_000)] {
        let message = deflate.prepare(Kind::Text, &payload).unwrap();
        let plain = Prepared::text(std::str::from_utf8(&payload).unwrap());
        assert_eq!(message.as_bytes(), plain.as_bytes());
        // Only who inflates each message by itself, and in the whole window, whatever the other direction does.
        for bits in 8..=15 {
            for takeover in [true, false] {
                let side = side(bits, takeover);
                let mut conn = server(side);
                let bytes = conn.send_prepared(&message, &mut Vec::new()).unwrap();
                if bits == 15 && !takeover {
                    let [(0xc1, inside)] = &frames(bytes)[..] else { panic!() };
                    assert!(payload.len() < 100 || inside.len() < payload.len() / 2);
                } else {
                    assert_eq!(bytes, plain.as_bytes(), "{side:?}");
                }
                assert!(received(side, bytes) == Ok(vec![payload.clone()]));
            }
        }
        assert_eq!(without().send_prepared(&message, &mut Vec::new()).unwrap(), plain.as_bytes());
        // RSV1 by an agreement of the caller's own: nobody knows on what terms.
        let own = Agreed::with_reserved(websocket_proto::Rsv::RSV1);
        let mut conn = Connection::new(Server, &Config::default(), own);
        assert_eq!(conn.send_prepared(&message, &mut Vec::new()).unwrap(), plain.as_bytes());
        // Without a compressed form everybody gets the plain one.
        assert_eq!(server(side(15, false)).send_prepared(&plain, &mut Vec::new()).unwrap(), plain.as_bytes());
    }
}

/// Between messages of the same compressor's, with takeover and without.
#[test]
fn between_messages() {
    for takeover in [true, false] {
        let own: DeflateSide = side(15, takeover);
        let (mut conn, mut deflate) = (server(own), Deflate::new(own, ALL));
        let (mut sent, mut expected) = (Vec::new(), Vec::new());
        for round in 0..4 {
            let payload = prose(700 + round);
            sent.extend(send(&mut deflate, &mut conn, Kind::Text, &payload, 300).unwrap());
            let message = deflate.prepare(Kind::Binary, &payload).unwrap();
            sent.extend_from_slice(conn.send_prepared(&message, &mut Vec::new()).unwrap());
            expected.extend([payload.clone(), payload]);
        }
        assert!(received(own, &sent) == Ok(expected));
    }
}

/// Of a compressor with a smaller window: its messages are for every window above.
#[test]
fn by_a_small_compressor() {
    let mut deflate = Deflate::new(side(9, true), ALL);
    let message = deflate.prepare(Kind::Binary, &prose(5000)).unwrap();
    let bytes = server(side(15, false)).send_prepared(&message, &mut Vec::new()).unwrap().to_vec();
    assert_eq!(bytes[0], 0xc2);
    assert!(received(side(9, false), &bytes) == Ok(vec![prose(5000)]));
}

#[test]
fn what_refuses_it() {
    let mut deflate = Deflate::new(FULL, ALL);
    let message = deflate.prepare(Kind::Text, b"Hello, Hello").unwrap();
    let mut out = SliceOutput::new([0; 200]);
    let mut conn = server(side(15, false));
    conn.send(Outgoing::first(Kind::Text, b"a"), &mut out).unwrap();
    assert_eq!(conn.send_prepared(&message, &mut out).err(), Some(SendError::Fragment));
    conn.send(Outgoing::last(b"a"), &mut out).unwrap();
    assert!(conn.send_prepared(&message, &mut out).is_ok());
    conn.close_without_code(&mut out);
    assert_eq!(conn.send_prepared(&message, &mut out).err(), Some(SendError::Closed));
    // The other direction's terms do not matter.
    let terms = DeflateTerms { server: side(15, false), client: side(8, true) };
    let mut conn = Connection::new(Server, &Config::default(), Agreed::default().with_deflate(terms));
    assert_eq!(conn.send_prepared(&message, &mut out).unwrap()[0], 0xc1);
    assert_ne!(agreed(FULL), Agreed::default());
}
