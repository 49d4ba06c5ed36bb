//! Answering a browser's request over a transport that is new each time, for peers that take one.

use std::{cell::Cell, convert::Infallible, error::Error, future::Future, hint::black_box, rc::Rc};

use hyper::{
    Request, Response,
    body::{Body, Incoming},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;

use crate::{
    peer::Do,
    transport::{Transport, Written, now},
};

/// `accept` reads the request, writes the 101, and makes the connection.
pub struct Accept<A> {
    pub request: &'static [u8],
    pub accept: A,
}

impl<A: Fn(Transport)> Accept<A> {
    fn with(&self, keep: bool) -> Written {
        let (transport, written) = Transport::request(black_box(self.request));
        if keep {
            written.keep();
        }
        (self.accept)(transport);
        written
    }
}

impl<A: Fn(Transport)> Do for Accept<A> {
    fn once(&mut self) {
        self.with(false);
    }

    fn output(&mut self) -> Vec<u8> {
        self.with(true).bytes()
    }
}

/// Lets hyper, a whole HTTP server, read the request and write what `upgrade` answers, and gives what becomes of it.
pub fn by_hyper<B, F>(
    transport: Transport,
    upgrade: impl Fn(&mut Request<Incoming>) -> (Response<B>, F),
) -> F::Output
where
    B: Body + 'static,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
    F: Future,
{
    let upgraded = Rc::new(Cell::new(None));
    let service = service_fn(|mut request: Request<Incoming>| {
        let (response, socket) = upgrade(&mut request);
        upgraded.set(Some(socket));
        async { Ok::<_, Infallible>(response) }
    });
    let connection = http1::Builder::new().serve_connection(TokioIo::new(transport), service);
    now(connection.with_upgrades()).unwrap();
    now(upgraded.take().unwrap())
}
