//! sockudo-ws: its stream with its defaults (no compression, timers on, as in `examples/echo`).

use futures_util::{SinkExt, StreamExt};
use servers::{accept, serve};
use sockudo_ws::{Config, Message, Result, WebSocketStream};
use tokio::net::TcpStream;

fn main() {
    serve(|socket| async move {
        let _ended = echo(socket).await;
    });
}

async fn echo(mut socket: TcpStream) -> Result<()> {
    accept(&mut socket).await?;
    let mut ws = WebSocketStream::server(socket, Config::default());
    while let Some(message) = ws.next().await {
        match message? {
            message @ (Message::Text(_) | Message::Binary(_)) => ws.send(message).await?,
            Message::Close(_) => break,
            _ => {}
        }
    }
    Ok(())
}
