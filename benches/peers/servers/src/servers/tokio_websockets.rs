//! tokio-websockets, with the settings of its own echo server.

use futures_util::{SinkExt, StreamExt};
use servers::serve;
use tokio::net::TcpStream;
use tokio_websockets::{Config, Error, Limits, ServerBuilder};

fn main() {
    serve(|socket| async move {
        let _ended = echo(socket).await;
    });
}

async fn echo(socket: TcpStream) -> Result<(), Error> {
    let (_request, mut ws) = ServerBuilder::new()
        .config(Config::default().frame_size(usize::MAX))
        .limits(Limits::unlimited())
        .accept(socket)
        .await?;
    while let Some(message) = ws.next().await {
        let message = message?;
        if message.is_text() || message.is_binary() {
            ws.send(message).await?;
        }
    }
    Ok(())
}
