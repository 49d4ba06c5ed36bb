//! HTTP/1.1 as far as the opening handshake needs it: heads, URIs, lists, the accept value.

pub(crate) mod accept;
pub(crate) mod authority;
pub(crate) mod body;
pub(crate) mod class;
pub(crate) mod compose;
pub(crate) mod fields;
pub(crate) mod head;
pub(crate) mod ipv6;
pub(crate) mod list;
pub(crate) mod scan;
pub(crate) mod uri;
pub(crate) mod uri_error;
pub(crate) mod words;
