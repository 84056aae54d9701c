//! Modules as Envoy loads them: this project's, and the least that a module can be.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use serde_json::Value;

/// A module on disk.
#[derive(Debug, Clone)]
pub struct Module {
    path: PathBuf,
    /// Its size.
    pub bytes: u64,
}

impl Module {
    /// One that is there.
    pub fn open(path: PathBuf) -> Result<Self> {
        let bytes = fs::metadata(&path).with_context(|| format!("{} is missing", path.display()))?.len();
        Ok(Self { path, bytes })
    }

    /// One that says yes to everything and does nothing else.
    pub fn noop(folder: &Path) -> Result<Self> {
        Self::write(folder, "noop", "", "", "")
    }

    /// The same, but it asks the host for all request headers, as every filter that reads them must.
    pub fn reading(folder: &Path) -> Result<Self> {
        const IMPORT: &str = r#"(import "env" "proxy_get_header_map_pairs"
            (func $pairs (param i32 i32 i32) (result i32)))"#;
        // Map 0 is the request's; address and size of the copy go to 0 and 4.
        Self::write(
            folder,
            "reading",
            IMPORT,
            "(drop (call $pairs (i32.const 0) (i32.const 0) (i32.const 4)))",
            "",
        )
    }

    /// One that lets headers through, waits for the whole body, and lets that through unread.
    pub fn buffering(folder: &Path) -> Result<Self> {
        Self::write(folder, "buffering", "", "", &on_body(""))
    }

    /// The same, but it asks the host for the body, as every filter that judges one must.
    pub fn body_reading(folder: &Path) -> Result<Self> {
        const IMPORT: &str = r#"(import "env" "proxy_get_buffer_bytes"
            (func $bytes (param i32 i32 i32 i32 i32) (result i32)))"#;
        // Buffer 0 is the request's body; local 1 is how much of it there is.
        let read =
            "(drop (call $bytes (i32.const 0) (i32.const 0) (local.get 1) (i32.const 0) (i32.const 4)))";
        Self::write(folder, "body-reading", IMPORT, "", &on_body(read))
    }

    /// One that asks the host for all request headers, and then answers with this status and so many bytes.
    pub fn refusing(folder: &Path, status: u16, bytes: usize) -> Result<Self> {
        const IMPORTS: &str = r#"(import "env" "proxy_get_header_map_pairs"
            (func $pairs (param i32 i32 i32) (result i32)))
            (import "env" "proxy_send_local_response"
            (func $respond (param i32 i32 i32 i32 i32 i32 i32 i32) (result i32)))"#;
        // No details and no headers of its own; the body is whatever lies at 65536.
        let on_headers = format!(
            "(drop (call $pairs (i32.const 0) (i32.const 0) (i32.const 4)))
            (drop (call $respond (i32.const {status}) (i32.const 0) (i32.const 0) (i32.const 65536)
                (i32.const {bytes}) (i32.const 0) (i32.const 0) (i32.const -1)))
            (return (i32.const 1))"
        );
        Self::write(folder, &format!("refusing-{status}-{bytes}"), IMPORTS, &on_headers, "")
    }

    fn write(folder: &Path, name: &str, imports: &str, on_headers: &str, more: &str) -> Result<Self> {
        let text = format!(
            r#"(module
            {imports}
            (memory (export "memory") 2)
            (func (export "proxy_abi_version_0_2_1"))
            (func (export "proxy_on_memory_allocate") (param i32) (result i32) i32.const 1024)
            (func (export "proxy_on_context_create") (param i32 i32))
            (func (export "proxy_on_vm_start") (param i32 i32) (result i32) i32.const 1)
            (func (export "proxy_on_configure") (param i32 i32) (result i32) i32.const 1)
            (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
                {on_headers}
                i32.const 0)
            {more})"#
        );
        let path = folder.join(format!("{name}.wasm"));
        fs::write(&path, wat::parse_str(&text)?)?;
        Self::open(path)
    }

    /// The HTTP filter that runs it.
    pub fn filter(&self, configuration: &str) -> Value {
        tests::envoy::wasm_filter("bench", &self.path, configuration)
    }
}

/// The callback for a body: pause and buffer until its end, then do this and go on.
fn on_body(at_end: &str) -> String {
    format!(
        r#"(func (export "proxy_on_request_body") (param i32 i32 i32) (result i32)
            (if (i32.eqz (local.get 2)) (then (return (i32.const 1))))
            {at_end}
            i32.const 0)"#
    )
}
