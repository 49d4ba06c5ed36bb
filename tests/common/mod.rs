//! What several test files share. Each file uses a part of it.
#![allow(dead_code, reason = "every test binary compiles all of this and uses a part")]

pub(crate) mod keys;
pub(crate) mod oracle;
pub(crate) mod pair;
pub(crate) mod run;
pub(crate) mod stream;
pub(crate) mod verify;
