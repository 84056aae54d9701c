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
        Self::write(folder, "noop", "", "")
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
        )
    }

    fn write(folder: &Path, name: &str, imports: &str, per_request: &str) -> Result<Self> {
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
                {per_request}
                i32.const 0))"#
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
