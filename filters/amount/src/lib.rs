//! The amount filter: Envoy's callbacks around `amount-core`'s judgement.

#![expect(
    missing_docs,
    reason = "the SDK's macro writes the one public function, and it takes no documentation"
)]

mod filter;
mod root;

use proxy_wasm::types::LogLevel;

proxy_wasm::main! {{
    proxy_wasm::set_log_level(LogLevel::Info);
    proxy_wasm::set_root_context(|_| Box::new(root::Root::default()));
}}
