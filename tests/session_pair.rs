//! Two sessions connected to each other: whatever they say, however the bytes between them are cut, all of it arrives
//! and both ends close cleanly.
#![cfg(feature = "alloc")]

use proptest::prelude::*;
use websocket_proto::{
    Assembler, Client, CloseCode, Config, Event, Input, Kind, Opens, OriginPolicy, Outgoing, SendError,
    Server, Session, Transport, Uri, client,
};

type Memory = [u8; 512];
type Keys = fn() -> [u8; 4];

fn accept(session: &mut Session<Server, Memory>, out: &mut Vec<u8>) {
    session.request().unwrap().accept(OriginPolicy::Any).write(out).unwrap();
}

/// One of two ends that are connected to each other.
struct End<R: Opens<Memory>> {
    session: Session<R, Memory>,
    out: Vec<u8>,
    whole: Assembler<Vec<u8>>,
    messages: Vec<(Kind, Vec<u8>)>,
    pongs: usize,
    opened: bool,
}

impl<R: Opens<Memory>> End<R> {
    const fn new(session: Session<R, Memory>, out: Vec<u8>) -> Self {
        Self {
            session,
            out,
            whole: Assembler::new(Vec::new()),
            messages: Vec::new(),
            pongs: 0,
            opened: false,
        }
    }

    fn take(&mut self, mut bytes: Vec<u8>, requested: impl Fn(&mut Session<R, Memory>, &mut Vec<u8>)) {
        let mut input = Input::new(&mut bytes);
        while let Some(event) = self.session.receive(&mut input, &mut self.out) {
            match event {
                Event::Requested => requested(&mut self.session, &mut self.out),
                Event::Opened => {}
                Event::Data(data) => {
                    if let Some(message) = self.whole.push(data).unwrap() {
                        self.messages.push((message.kind(), message.payload().to_vec()));
                    }
                }
                Event::Pong(_) => self.pongs += 1,
                Event::Ping(_) | Event::Close(_) => {}
                other => panic!("{other:?}"),
            }
        }
        assert!(input.is_empty());
        self.opened = self.session.connection().is_some();
    }

    /// Sends a message in fragments; what was accepted must arrive.
    fn say(&mut self, kind: Kind, fragments: &[Vec<u8>]) -> Option<(Kind, Vec<u8>)> {
        let last = fragments.len() - 1;
        for (at, fragment) in fragments.iter().enumerate() {
            let frame = match at {
                0 if last == 0 => Outgoing::whole(kind, fragment),
                0 => Outgoing::first(kind, fragment),
                _ if at == last => Outgoing::last(fragment),
                _ => Outgoing::next(fragment),
            };
            match self.session.send(frame, &mut self.out) {
                Ok(()) => {}
                Err(error) => {
                    assert_eq!(
                        (error, at),
                        (if self.opened { SendError::Closed } else { SendError::NotOpen }, 0)
                    );
                    return None;
                }
            }
        }
        Some((kind, fragments.concat()))
    }
}

#[derive(Clone, Debug)]
enum Act {
    ToServer(usize),
    ToClient(usize),
    ClientSays(bool, Vec<Vec<u8>>),
    ServerSays(bool, Vec<Vec<u8>>),
    ClientPings,
    ServerCloses,
    ClientCloses,
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let fragments = || {
        // Letters, so that any of them is text.
        let fragment = proptest::collection::vec(b'a'..=b'z', 0..300);
        (any::<bool>(), proptest::collection::vec(fragment, 1..4))
    };
    let act = prop_oneof![
        8 => (0_usize..200).prop_map(Act::ToServer),
        8 => (0_usize..200).prop_map(Act::ToClient),
        3 => fragments().prop_map(|(text, fragments)| Act::ClientSays(text, fragments)),
        3 => fragments().prop_map(|(text, fragments)| Act::ServerSays(text, fragments)),
        1 => Just(Act::ClientPings),
        1 => Just(Act::ServerCloses),
        1 => Just(Act::ClientCloses),
    ];
    proptest::collection::vec(act, 0..60)
}

proptest! {
    // Whatever two ends say to each other, however the bytes between them are cut: all of it arrives, in order, and
    // both ends close cleanly (W67, W71, W79).
    #[test]
    fn two_ends(acts in acts()) {
        let uri = Uri::parse("ws://h/").unwrap();
        let request = client::Request::new(uri, *b"the sample nonce");
        let (keys, mut out): (Keys, _) = (|| [0x37, 0xfa, 0x21, 0x3d], Vec::new());
        let session = Session::client(Client(keys), [0; 512], Config::default(), &request, &mut out).unwrap();
        let mut client = End::new(session, out);
        let mut server = End::new(Session::server([0; 512], Config::default()), Vec::new());
        let (mut to_server, mut to_client, mut pings) = (Vec::new(), Vec::new(), 0);
        let kind = |text| if text { Kind::Text } else { Kind::Binary };
        let forward = |client: &mut End<Client<Keys>>, server: &mut End<Server>, act: &Act| match *act {
            Act::ToServer(n) => {
                let n = n.min(client.out.len());
                server.take(client.out.drain(..n).collect(), accept);
            }
            Act::ToClient(n) => {
                let n = n.min(server.out.len());
                client.take(server.out.drain(..n).collect(), |_, _| panic!());
            }
            _ => {}
        };
        for act in &acts {
            match act {
                Act::ClientSays(text, fragments) => to_server.extend(client.say(kind(*text), fragments)),
                Act::ServerSays(text, fragments) => to_client.extend(server.say(kind(*text), fragments)),
                Act::ClientPings => {
                    pings += usize::from(client.session.send(Outgoing::ping(b"?"), &mut client.out).is_ok());
                }
                Act::ServerCloses => {
                    let result = server.session.close(CloseCode::GOING_AWAY, "server", &mut server.out);
                    prop_assert_eq!(result.is_ok(), server.opened);
                }
                Act::ClientCloses => {
                    let result = client.session.close(CloseCode::NORMAL, "client", &mut client.out);
                    prop_assert_eq!(result.is_ok(), client.opened);
                }
                act => forward(&mut client, &mut server, act),
            }
        }
        while !(client.out.is_empty() && server.out.is_empty() && client.opened) {
            forward(&mut client, &mut server, &Act::ToServer(7));
            forward(&mut client, &mut server, &Act::ToClient(5));
        }
        client.session.close(CloseCode::NORMAL, "", &mut client.out).unwrap();
        while !(client.out.is_empty() && server.out.is_empty()) {
            forward(&mut client, &mut server, &Act::ToServer(3));
            forward(&mut client, &mut server, &Act::ToClient(9));
        }
        prop_assert_eq!(&server.messages, &to_server);
        prop_assert_eq!(&client.messages, &to_client);
        // W30: after our own Close a ping is still answered, after theirs it is not.
        prop_assert!(client.pongs <= pings);

        // W69, W70: the server closes first.
        prop_assert_eq!(server.session.transport(), Transport::Shut);
        prop_assert_eq!(client.session.transport(), Transport::AwaitEnd);
        let (of_client, of_server) = (client.session.receive_eof(), server.session.receive_eof());
        prop_assert!(of_client.clean && of_server.clean);
        prop_assert_eq!((of_client.sent, of_client.received), (of_server.received, of_server.sent));
        prop_assert_eq!(client.session.transport(), Transport::Drop);
        prop_assert_eq!(server.session.transport(), Transport::Drop);
    }
}
