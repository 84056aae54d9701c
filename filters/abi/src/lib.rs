//! The proxy-wasm ABI 0.2.1, as thin as it can be: what a filter calls of its host, and what the host calls of it.
//!
//! The one crate of this workspace with unsafe code. It stands in for the usual SDK because entries into the VM and
//! calls out of it are what a Wasm filter costs: a filter exports only the callbacks that it has, keeps no context
//! for a request, and reads all headers in one call without copying them again (`docs/performance.md`).
//!
//! Names and numbers are those of the specification: <https://github.com/proxy-wasm/spec>, v0.2.1.

mod ffi;
mod log;
pub mod plugin;

pub mod clock;
pub mod foreign;
pub mod headers;
pub mod http;
pub mod metric;
pub mod shared;

pub use crate::ffi::{Refused, buffer, memory_allocate};
pub use crate::log::init as init_log;
pub use crate::plugin::{Action, Plugin, Plugins};

/// How much memory this VM has, in bytes; it never gets less.
pub fn memory_bytes() -> usize {
    const PAGE_BYTES: usize = 1 << 16;
    #[cfg(target_arch = "wasm32")]
    let pages = core::arch::wasm32::memory_size::<0>();
    #[cfg(not(target_arch = "wasm32"))]
    let pages = 0_usize;
    pages.saturating_mul(PAGE_BYTES)
}

/// A buffer of the host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub enum Buffer {
    /// What has come of the request's body.
    RequestBody = 0,
    /// The body of an answer to a call of [`http::call`].
    CallResponseBody = 4,
    /// The plugin's configuration.
    PluginConfiguration = 7,
}
