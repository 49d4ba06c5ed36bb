//! Bytes back, by tokio: the floor of the servers on tokio.

use servers::serve;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const READ_BUFFER: usize = 128 << 10;

fn main() {
    serve(|mut socket| async move {
        let mut buf = vec![0; READ_BUFFER];
        while let Ok(n @ 1..) = socket.read(&mut buf).await {
            if socket.write_all(&buf[..n]).await.is_err() {
                break;
            }
        }
    });
}
