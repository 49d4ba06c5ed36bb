//! Over TCP, with programs that others drive (the examples `echo` and `wscat`), and with each other: all pairs of
//! twins and roles, a byte at a time and as much as comes.

mod common;

use std::{
    env,
    io::{BufRead, BufReader},
    net::{SocketAddr, TcpListener, TcpStream},
    process::{Child, Command, Stdio},
    thread,
};

use common::{
    executor::block_on,
    tcp::{Host, Tcp},
};
use websocket_embedded::{Inbox, Parts};
use websocket_proto::{
    Client, CloseCode, Closer, Closure, Kind, MaskKey, OriginPolicy, Outgoing, Uri, client::Request,
};

/// Longer than the memory that any side writes from, and than what a read takes.
const LONG: [u8; 5000] = [b'x'; 5000];
const MEMORY: usize = 8192;

fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).unwrap();
    bytes
}

macro_rules! twins {
    ($($twin:ident: [$($async:tt)?] [$($await:tt)*];)*) => { $(
        mod $twin {
            use super::*;
            use websocket_embedded::$twin::Socket;

            /// Messages of all sorts, each back as it went, and a Close.
            pub $($async)? fn talk(tcp: Tcp, uri: &str) -> Closure {
                let (mut read, mut memory, mut out) = ([0; 512], vec![0; MEMORY], [0; 512]);
                let mut inbox = Inbox::new(&mut read, &mut memory);
                let request = Request::new(Uri::parse(uri).unwrap(), random());
                let key: fn() -> MaskKey = random;
                let parts = Parts::new(tcp, Host::new(), &mut out);
                let look = |_: websocket_proto::client::Response<'_>| {};
                let mut socket = Socket::connect(parts, &mut inbox, Client(key), &request, look)$($await)*.unwrap();
                socket.ping(b"are you there?")$($await)*.unwrap();
                for text in ["", "hello", "grüße", &"y".repeat(400)] {
                    socket.send(Outgoing::text(text))$($await)*.unwrap();
                    let message = socket.receive(&mut inbox)$($await)*.unwrap().unwrap();
                    assert_eq!(message.text(), Some(text));
                }
                for kind in [Kind::Text, Kind::Binary] {
                    socket.send_long(kind, &LONG)$($await)*.unwrap();
                    let message = socket.receive(&mut inbox)$($await)*.unwrap().unwrap();
                    assert_eq!((message.kind(), message.payload()), (kind, &LONG[..]));
                }
                socket.close(&mut inbox, CloseCode::NORMAL, "bye")$($await)*.unwrap()
            }

            /// Sends back what comes, in pieces if they are long.
            pub $($async)? fn serve(tcp: Tcp) -> Closure {
                let (mut read, mut memory, mut out) = ([0; 400], [0; 1024], [0; 512]);
                let mut inbox = Inbox::new(&mut read, &mut memory);
                let parts = Parts::new(tcp, Host::new(), &mut out);
                let mut socket = Socket::accept(parts, &mut inbox, |request, out| {
                    assert_eq!(request.path(), "/chat");
                    request.accept(OriginPolicy::SameHost).write(out)
                })$($await)*.unwrap();
                while let Some(piece) = socket.receive_piece(&mut inbox)$($await)*.unwrap() {
                    socket.send(piece.echo())$($await)*.unwrap();
                }
                socket.connection().closure()
            }
        }
    )* };
}

twins! {
    blocking: [] [];
    asynchronous: [async] [.await];
}

#[derive(Clone, Copy, Debug)]
enum Twin {
    Blocking,
    Asynchronous,
}

use Twin::{Asynchronous, Blocking};

fn talk(twin: Twin, address: SocketAddr, chunk: usize) -> Closure {
    let (socket, uri) = (TcpStream::connect(address).unwrap(), format!("ws://{address}/chat"));
    match twin {
        Blocking => blocking::talk(Tcp::new(socket, chunk), &uri),
        Asynchronous => block_on(asynchronous::talk(Tcp::nonblocking(socket, chunk), &uri)),
    }
}

fn serve(twin: Twin, socket: TcpStream, chunk: usize) -> Closure {
    match twin {
        Blocking => blocking::serve(Tcp::new(socket, chunk)),
        Asynchronous => block_on(asynchronous::serve(Tcp::nonblocking(socket, chunk))),
    }
}

fn check(closure: Closure, first: Closer, name: &str) {
    let normal = Some(CloseCode::NORMAL);
    let expected = Closure { sent: normal, received: normal, first: Some(first), clean: true, cause: None };
    assert_eq!(closure, expected, "{name}");
}

#[test]
fn the_twins_talk_to_each_other() {
    for client in [Blocking, Asynchronous] {
        for server in [Blocking, Asynchronous] {
            for chunk in [1, usize::MAX] {
                let name = format!("{client:?} to {server:?}, {chunk} bytes");
                let listener = TcpListener::bind("127.0.0.1:0").unwrap();
                let address = listener.local_addr().unwrap();
                let serving = thread::spawn(move || serve(server, listener.accept().unwrap().0, chunk));
                check(talk(client, address, chunk), Closer::Local, &name);
                check(serving.join().unwrap(), Closer::Peer, &name);
            }
        }
    }
}

/// A program of the repository.
fn example(name: &str, arguments: &[&str]) -> Command {
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/../../Cargo.toml");
    let mut command = Command::new(env::var_os("CARGO").expect("cargo runs the tests"));
    command
        .args(["run", "--quiet", "--manifest-path", manifest, "--features", "zlib", "--example", name, "--"])
        .args(arguments);
    command
}

/// The example `echo`, until it is dropped.
struct Echo {
    server: Child,
    address: SocketAddr,
}

impl Echo {
    fn start() -> Self {
        let arguments = ["--quiet", "127.0.0.1:0"];
        let mut server = example("echo", &arguments).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(server.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("listening on ").and_then(|address| address.parse().ok());
        Self { server, address: address.unwrap_or_else(|| panic!("the server said {line:?}")) }
    }
}

impl Drop for Echo {
    fn drop(&mut self) {
        // On Unix cargo is the server by now.
        let _gone = self.server.kill().and_then(|()| self.server.wait());
    }
}

#[test]
fn both_talk_to_the_example_echo() {
    let echo = Echo::start();
    for twin in [Blocking, Asynchronous] {
        for chunk in [1, usize::MAX] {
            check(talk(twin, echo.address, chunk), Closer::Local, &format!("{twin:?}, {chunk} bytes"));
        }
    }
}

/// Its check has a connection for each of what an echo server should be able to do: long messages, fragments, pings,
/// codes.
#[test]
fn the_example_wscat_finds_both_to_be_echo_servers() {
    for twin in [Blocking, Asynchronous] {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let uri = format!("ws://{}/chat", listener.local_addr().unwrap());
        // As long as the test lasts.
        thread::spawn(move || {
            for socket in listener.incoming() {
                serve(twin, socket.unwrap(), usize::MAX);
            }
        });
        let checked = example("wscat", &["--no-deflate", "--check", &uri]).output().unwrap();
        let said = String::from_utf8_lossy(&checked.stdout);
        assert!(checked.status.success(), "{twin:?}: {said}");
        assert!(said.ends_with("19 passed, 0 failed\n"), "{twin:?}: {said}");
    }
}
