//! tokio-tungstenite. The second argument is the size of its read buffer, which it fills with zeros before every read:
//! the default, 128 KiB, is what it advises for much data, 4096 for many connections.

use std::env;

use futures_util::{SinkExt, StreamExt};
use servers::serve;
use tokio::net::TcpStream;
use tokio_tungstenite::{
    accept_async_with_config,
    tungstenite::{Error, protocol::WebSocketConfig},
};

fn main() {
    let mut config = WebSocketConfig::default();
    if let Some(size) = env::args().nth(2) {
        config = config.read_buffer_size(size.parse().unwrap());
    }
    serve(move |socket| async move {
        let _ended = echo(socket, config).await;
    });
}

async fn echo(socket: TcpStream, config: WebSocketConfig) -> Result<(), Error> {
    let mut ws = accept_async_with_config(socket, Some(config)).await?;
    while let Some(message) = ws.next().await {
        let message = message?;
        if message.is_text() || message.is_binary() {
            ws.send(message).await?;
        }
    }
    Ok(())
}
