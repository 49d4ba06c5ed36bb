//! What requests are answered with: the application's part of the opening handshake.

use websocket_proto::{DeflatePolicy, HandshakeError, OriginPolicy, Output, server::Request};

/// The page that a browser is shown.
const PAGE: &[u8] = include_bytes!("page.html");

/// The subprotocols spoken here. Both mean the same: what comes is sent back.
const PROTOCOLS: [&str; 2] = ["echo", "chat"];

/// Puts the answer to `request` out. `deflate`: what is agreed to of compression.
pub(crate) fn answer(
    request: Request<'_>,
    deflate: Option<&DeflatePolicy>,
    out: &mut impl Output,
) -> Result<(), HandshakeError> {
    if !request.is_upgrade() {
        return answer_plain(request, out);
    }
    let chosen = request.protocols().find(|offered| PROTOCOLS.contains(offered));
    // Any page of the web may talk to this server. An echo server may allow that: it knows no users and has nothing
    // to give away. Yours must not, as soon as it looks at cookies or listens on a private network: a browser opens
    // WebSockets from any page to any server and sends the user's cookies along. Use `OriginPolicy::SameHost` or a
    // list.
    let mut accept = request.accept(OriginPolicy::Any).protocol(chosen);
    if let Some(policy) = deflate {
        accept = accept.deflate(policy);
    }
    accept.write(out)
}

/// A request that asks for no WebSocket: somebody opened the address in a browser.
fn answer_plain(request: Request<'_>, out: &mut impl Output) -> Result<(), HandshakeError> {
    if request.path() == "/" {
        // The page has its style and its script within, loads nothing, and may connect anywhere.
        const POLICY: &str =
            "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src *";
        let headers = [("Content-Type", "text/html; charset=utf-8"), ("Content-Security-Policy", POLICY)];
        request.respond(200).headers(&headers).body(PAGE).write(out)
    } else {
        let headers = [("Content-Type", "text/plain; charset=utf-8")];
        request
            .respond(404)
            .headers(&headers)
            .body(b"There is a page at / and a WebSocket anywhere.\n")
            .write(out)
    }
}
