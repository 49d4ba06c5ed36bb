//! What the measured programs have in common: a board that bytes come from, and the two roles at work on it.

#![no_std]

pub mod board;
mod call;
pub mod peer;
mod serve;

pub use self::{
    call::{Keys, call},
    serve::serve,
};
