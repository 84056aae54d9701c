//! The jwt filter: Envoy's callbacks around `jwt-core`'s judgement.

#![expect(
    missing_docs,
    reason = "the SDK's macro writes the one public function, and it takes no documentation"
)]

mod fetch;
mod filter;
mod root;
mod state;

use proxy_wasm::types::LogLevel;

proxy_wasm::main! {{
    proxy_wasm::set_log_level(LogLevel::Info);
    proxy_wasm::set_root_context(|_| Box::new(root::Root::default()));
}}
