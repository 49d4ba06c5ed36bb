//! What the tests of the crate and the targets here share: the naive decoder, the pair of machines, the keys, and what must
//! hold.
#![allow(dead_code, reason = "the tests use the rest")]

#[path = "../../tests/common/keys.rs"]
pub(crate) mod keys;
#[path = "../../tests/common/oracle.rs"]
pub(crate) mod oracle;
#[path = "../../tests/common/pair.rs"]
pub(crate) mod pair;
#[path = "../../tests/common/run.rs"]
pub(crate) mod run;
#[path = "../../tests/common/verify.rs"]
pub(crate) mod verify;
