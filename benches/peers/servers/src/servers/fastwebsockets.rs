//! fastwebsockets, as in its own echo server, but on the bare socket instead of hyper's upgraded one.

use fastwebsockets::{FragmentCollector, OpCode, Role, WebSocket, WebSocketError};
use servers::{accept, serve};
use tokio::net::TcpStream;

fn main() {
    serve(|socket| async move {
        let _ended = echo(socket).await;
    });
}

async fn echo(mut socket: TcpStream) -> Result<(), WebSocketError> {
    accept(&mut socket).await?;
    let mut ws = FragmentCollector::new(WebSocket::after_handshake(socket, Role::Server));
    loop {
        let frame = ws.read_frame().await?;
        match frame.opcode {
            OpCode::Close => return Ok(()),
            OpCode::Text | OpCode::Binary => ws.write_frame(frame).await?,
            _ => {}
        }
    }
}
