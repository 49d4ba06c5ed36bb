//! The tests that mutants are tried against, as one program: one link for a mutant instead of thirty. Those with an
//! allocator of their own cannot be part of it. Not run by `cargo test` (see Cargo.toml).

#[path = "../assembler.rs"]
mod assembler;
#[path = "../bounded.rs"]
mod bounded;
#[path = "../corpus.rs"]
mod corpus;
#[path = "../deflate.rs"]
mod deflate;
#[path = "../deflate_negotiation.rs"]
mod deflate_negotiation;
#[path = "../deflate_properties.rs"]
mod deflate_properties;
#[path = "../deflate_send.rs"]
mod deflate_send;
#[path = "../explore.rs"]
mod explore;
#[path = "../extension.rs"]
mod extension;
#[path = "../facts.rs"]
mod facts;
#[path = "../handshake_client.rs"]
mod handshake_client;
#[path = "../handshake_client_refusal.rs"]
mod handshake_client_refusal;
#[path = "../handshake_client_request.rs"]
mod handshake_client_request;
#[path = "../handshake_server.rs"]
mod handshake_server;
#[path = "../handshake_server_answer.rs"]
mod handshake_server_answer;
#[path = "../header_exhaustive.rs"]
mod header_exhaustive;
#[path = "../keepalive.rs"]
mod keepalive;
#[path = "../limits.rs"]
mod limits;
#[path = "../oracle.rs"]
mod oracle;
#[path = "../origin.rs"]
mod origin;
#[path = "../output.rs"]
mod output;
#[path = "../pair.rs"]
mod pair;
#[path = "../reconnect.rs"]
mod reconnect;
#[path = "../regressions.rs"]
mod regressions;
#[path = "../rules.rs"]
mod rules;
#[path = "../save.rs"]
mod save;
#[path = "../sending.rs"]
mod sending;
#[path = "../session.rs"]
mod session;
#[path = "../session_pair.rs"]
mod session_pair;
#[path = "../straight.rs"]
mod straight;
#[path = "../texts.rs"]
mod texts;
#[path = "../uri.rs"]
mod uri;
