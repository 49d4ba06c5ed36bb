//! Every output against one model: an ordered queue that takes a head with its body or nothing of them.

use arbitrary::Unstructured;
use websocket_proto::{Body, Output, QueueOutput, SliceOutput};

use crate::support::{byte, piece};

/// An output, and what it holds.
trait Queue: Output {
    fn pending(&self) -> Vec<u8>;
    /// The first `n` bytes were written out. False, and nothing is done, where that cannot be said.
    fn advance(&mut self, n: usize) -> bool;
}

impl<B: AsRef<[u8]> + AsMut<[u8]>> Queue for SliceOutput<B> {
    fn pending(&self) -> Vec<u8> {
        assert_eq!(self.is_empty(), self.pending().is_empty());
        self.pending().to_vec()
    }

    fn advance(&mut self, n: usize) -> bool {
        self.advance(n);
        true
    }
}

impl Queue for QueueOutput {
    fn pending(&self) -> Vec<u8> {
        assert_eq!(self.is_empty(), self.pending().is_empty());
        self.pending().to_vec()
    }

    fn advance(&mut self, n: usize) -> bool {
        self.advance(n);
        if n.is_multiple_of(2) {
            self.release();
        }
        true
    }
}

impl<const N: usize> Queue for heapless::Vec<u8, N> {
    fn pending(&self) -> Vec<u8> {
        self.to_vec()
    }

    fn advance(&mut self, n: usize) -> bool {
        let all = n >= self.len();
        if all {
            self.clear();
        }
        all
    }
}

impl Queue for Vec<u8> {
    fn pending(&self) -> Vec<u8> {
        self.clone()
    }

    fn advance(&mut self, n: usize) -> bool {
        self.drain(..n.min(self.len()));
        true
    }
}

pub fn outputs(data: &[u8]) {
    const LIMIT: usize = 150;
    let outputs: [(Box<dyn Queue>, usize); 6] = [
        (Box::new(SliceOutput::new([0xaa; LIMIT])), LIMIT),
        (Box::new(SliceOutput::new(vec![0xaa; LIMIT])), LIMIT),
        (Box::new(SliceOutput::new(vec![0xaa; LIMIT].into_boxed_slice())), LIMIT),
        (Box::new(QueueOutput::with_limit(LIMIT)), LIMIT),
        (Box::new(heapless::Vec::<u8, LIMIT>::new()), LIMIT),
        (Box::new(Vec::new()), isize::MAX as usize),
    ];
    for (mut output, limit) in outputs {
        use_up(&mut *output, limit, Unstructured::new(data));
    }
    let mut slice = SliceOutput::new([0xaa; 8]);
    assert!(slice.put(data.get(..4).unwrap_or_default(), Body::plain(&[])));
    let len = slice.pending().len();
    assert_eq!(&slice.into_memory()[..len], data.get(..4).unwrap_or_default());
}

fn use_up(output: &mut dyn Queue, limit: usize, mut u: Unstructured<'_>) {
    let mut model = Vec::new();
    while !u.is_empty() {
        let choice = byte(&mut u);
        let n = usize::from(byte(&mut u));
        if choice & 1 != 0 {
            if output.advance(n) {
                model.drain(..n.min(model.len()));
            }
        } else {
            let key = [choice, choice ^ 0x5a, byte(&mut u), !choice];
            let head = piece(&mut u, usize::from(choice >> 4));
            let payload = piece(&mut u, n);
            let body = if choice & 2 != 0 { Body::masked(payload, key) } else { Body::plain(payload) };
            let text: Vec<u8> = match choice & 2 != 0 {
                true => payload.iter().enumerate().map(|(at, byte)| byte ^ key[at % 4]).collect(),
                false => payload.to_vec(),
            };
            check_body(body, &text);
            let fits = model.len() + head.len() + payload.len() <= limit;
            let put = match choice & 4 != 0 {
                true => put_by_reference(&mut *output, head, body),
                false => output.put(head, body),
            };
            assert_eq!(put, fits);
            if fits {
                model.extend([head, &text].concat());
            }
        }
        assert_eq!(output.pending(), model);
        assert_eq!(output.room(), limit - model.len());
    }
}

/// An output is one behind a reference, too.
fn put_by_reference(mut output: impl Output, head: &[u8], body: Body<'_>) -> bool {
    let room = output.room();
    let put = output.put(head, body);
    assert_eq!(output.room(), room - if put { head.len() + body.len() } else { 0 });
    put
}

/// What an output of a caller's is given, it can write in both ways that there are.
fn check_body(body: Body<'_>, text: &[u8]) {
    assert_eq!((body.len(), body.is_empty()), (text.len(), text.is_empty()));
    let mut place = vec![0xaa; text.len() + 1];
    assert_eq!(body.copy_to(&mut place).map(|rest| rest.len()), Some(1));
    assert_eq!((&place[..text.len()], place[text.len()]), (text, 0xaa));
    if let Some(short) = text.len().checked_sub(1) {
        let mut place = vec![0xaa; short];
        assert!(body.copy_to(&mut place).is_none() && place.iter().all(|&byte| byte == 0xaa));
    }
    let mut bytes = b"before".to_vec();
    body.append_to(&mut bytes);
    assert_eq!(bytes, [b"before", text].concat());
}
