//! What the programs share.
//!
//! Here what the servers on tokio do: one thread, one listener, a task for each connection, and the opening handshake
//! for crates that leave it to others.

pub mod client;
pub mod process;

use std::{env, io};

use base64ct::{Base64, Encoding};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    runtime::Builder,
    task,
};

/// Listens at the address that is the first argument, says so, and serves for ever.
pub fn serve<F>(connection: impl Fn(TcpStream) -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    let address = env::args().nth(1).unwrap_or_else(|| "127.0.0.1:0".into());
    rlimit::increase_nofile_limit(u64::MAX).unwrap();
    Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
        let listener = TcpListener::bind(address).await.unwrap();
        println!("listening on {}", listener.local_addr().unwrap());
        loop {
            let (socket, _) = listener.accept().await.unwrap();
            socket.set_nodelay(true).unwrap();
            // As the echo servers of fastwebsockets and tokio-websockets do it.
            tokio::spawn(task::unconstrained(connection(socket)));
        }
    })
}

/// Reads a request and accepts it. The clients here send nothing behind it before the answer.
pub async fn accept(socket: &mut TcpStream) -> io::Result<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        if socket.read_buf(&mut head).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    let head = String::from_utf8_lossy(&head);
    let key = head.lines().find_map(|line| line.strip_prefix("Sec-WebSocket-Key: "));
    let key = key.ok_or(io::ErrorKind::InvalidData)?;
    let mut hash = sha1_smol::Sha1::from(key);
    hash.update(b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11");
    let accept = Base64::encode_string(&hash.digest().bytes());
    let answer = format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
        Sec-WebSocket-Accept: {accept}\r\n\r\n"
    );
    socket.write_all(answer.as_bytes()).await
}
