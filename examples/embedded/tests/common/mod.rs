//! What the tests of both twins share.
#![allow(dead_code, reason = "no test uses all of it")]

pub mod executor;
pub mod tcp;
pub mod world;
