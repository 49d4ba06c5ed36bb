//! Sending: whole messages into an output that is there already and is emptied each time.

use std::hint::black_box;

use websocket_proto::{Agreed, Config, Connection, Outgoing, Role, Server};

use crate::{
    payload::{CLIENT, binary},
    work::{Work, size, times},
};

/// Of payload.
const LENGTHS: [usize; 4] = [20, 125, 1 << 10, 64 << 10];

pub(crate) fn works() -> Vec<Work> {
    let mut works = over("encode, server", || sent(Server));
    works.push(over_one("encode, server", 64 << 10, " by reference", by_reference()));
    works.extend(over("encode, client", || sent(CLIENT)));
    works
}

/// What a sender costs at each of the lengths.
pub(crate) fn over<F: FnMut(&[u8], &mut Vec<u8>) + 'static>(
    group: &'static str,
    sender: impl Fn() -> F,
) -> Vec<Work> {
    LENGTHS.into_iter().map(|len| over_one(group, len, "", sender())).collect()
}

fn over_one(
    group: &'static str,
    len: usize,
    name: &str,
    mut send: impl FnMut(&[u8], &mut Vec<u8>) + 'static,
) -> Work {
    let (payload, mut out, times) = (binary(len), Vec::new(), times(len));
    let round = move || {
        for _ in 0..times {
            out.clear();
            send(black_box(&payload), &mut out);
            black_box(&out);
        }
    };
    let name = format!("{}{name}", size(len));
    Work { group, name, messages: times, bytes: len * times, round: Box::new(round) }
}

fn sent<R: Role + 'static>(role: R) -> impl FnMut(&[u8], &mut Vec<u8>) {
    let mut conn = Connection::new(role, &Config::default(), Agreed::default());
    move |payload, out| conn.send(Outgoing::binary(payload), out).expect("it may be sent")
}

/// The caller writes the payload itself.
fn by_reference() -> impl FnMut(&[u8], &mut Vec<u8>) {
    let mut conn = Connection::new(Server, &Config::default(), Agreed::default());
    move |payload, out| {
        conn.send_header(Outgoing::binary(&[]), payload.len() as u64, out).expect("it may be sent");
        conn.pay_by_reference(payload).expect("it is owed");
    }
}
