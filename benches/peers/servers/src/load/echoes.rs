//! What comes back: messages are counted, in as many frames as the server likes, and their lengths checked.

use crate::traffic::Traffic;

#[derive(Default)]
pub(crate) struct Echoes {
    /// A header that came in pieces.
    head: Vec<u8>,
    /// Of the frame.
    left: usize,
    last: bool,
    /// Of the message.
    came: usize,
}

impl Echoes {
    /// Takes what was read, hands payloads on, and returns how many messages it ends.
    pub(crate) fn take(
        &mut self,
        mut bytes: &[u8],
        traffic: &Traffic,
        mut payload: impl FnMut(&[u8]),
    ) -> usize {
        let mut count = 0;
        while !bytes.is_empty() {
            if self.left == 0 {
                if traffic.raw {
                    (self.left, self.last) = (traffic.payload.len(), true);
                } else {
                    bytes = self.take_head(bytes);
                }
            }
            let (piece, rest) = bytes.split_at(bytes.len().min(self.left));
            payload(piece);
            self.left -= piece.len();
            self.came += piece.len();
            bytes = rest;
            if self.left == 0 && self.last && self.head.is_empty() {
                assert_eq!(self.came, traffic.payload.len(), "an echo of another length");
                self.came = 0;
                self.last = false;
                count += 1;
            }
        }
        count
    }

    /// Reads a header, or keeps what there is of it. Returns what follows.
    fn take_head<'b>(&mut self, bytes: &'b [u8]) -> &'b [u8] {
        let kept = self.head.len();
        let head = if kept == 0 {
            bytes
        } else {
            self.head.extend_from_slice(&bytes[..bytes.len().min(10 - kept)]);
            &self.head
        };
        let Some((len, size)) = read(head) else {
            if kept == 0 {
                self.head.extend_from_slice(bytes);
            }
            return &[];
        };
        let first = self.came == 0;
        assert_eq!(head[0] & 0x7f, if first { 0x02 } else { 0x00 }, "a frame of no binary message");
        (self.left, self.last) = (len, head[0] & 0x80 != 0);
        self.head.clear();
        &bytes[size - kept..]
    }
}

/// The payload's length and the header's, if the header is there.
fn read(head: &[u8]) -> Option<(usize, usize)> {
    match *head.get(1)? {
        len @ 0..=125 => Some((usize::from(len), 2)),
        126 => Some((usize::from(u16::from_be_bytes(head.get(2..4)?.try_into().ok()?)), 4)),
        127 => Some((u64::from_be_bytes(head.get(2..10)?.try_into().ok()?) as usize, 10)),
        _ => panic!("a server's frame is not masked"),
    }
}
