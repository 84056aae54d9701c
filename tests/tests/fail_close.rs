//! A filter that cannot run lets nothing through: the very filters that the mesh runs, with a module in their
//! place that traps at the first request, and with one that is no module at all.

use std::path::Path;

use anyhow::Result;
use serde_json::Value;
use tests::envoy::{self, Envoy};
use tests::local::Local;

/// Says yes to its configuration, and traps at a request, as a panic does.
const TRAPPING: &str = r#"(module
    (memory (export "memory") 1)
    (func (export "proxy_abi_version_0_2_1"))
    (func (export "proxy_on_memory_allocate") (param i32) (result i32) i32.const 1024)
    (func (export "proxy_on_context_create") (param i32 i32))
    (func (export "proxy_on_vm_start") (param i32 i32) (result i32) i32.const 1)
    (func (export "proxy_on_configure") (param i32 i32) (result i32) i32.const 1)
    (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32) unreachable))"#;

fn with_module(mut filter: Value, module: &Path) -> Value {
    filter["typed_config"]["config"]["vm_config"]["code"]["local"]["filename"] =
        module.to_string_lossy().into();
    filter
}

#[tokio::test]
async fn a_filter_that_traps_answers_instead_of_the_service() -> Result<()> {
    let (Some(binary), Some(local)) = (envoy::binary(), Local::from_env()?) else { return Ok(()) };
    let folder = tempfile::tempdir()?;
    let module = folder.path().join("trapping.wasm");
    std::fs::write(&module, wat::parse_str(TRAPPING)?)?;
    let client = reqwest::Client::builder().no_proxy().build()?;
    let filters = local.wasm_filters()?;
    assert_eq!(filters.len(), 2, "jwt and amount: {filters:#?}");
    for filter in filters {
        let name = filter["name"].clone();
        let envoy = Envoy::start(binary.clone(), vec![with_module(filter, &module)]).await?;
        for attempt in ["the one that traps", "one after it"] {
            let answer = client.post(format!("http://{}/order/create", envoy.address)).send().await?;
            assert_eq!(answer.status(), 503, "{name}, {attempt}");
        }
        // What the tests of hostile traffic look for and must not find.
        assert_eq!(envoy.vm_failures()?, 1, "{name}");
    }
    let open = Envoy::start(binary, vec![]).await?;
    let answer = client.post(format!("http://{}/order/create", open.address)).send().await?;
    assert_eq!(answer.status(), 200, "without a filter the request arrives");
    Ok(())
}

#[tokio::test]
async fn a_module_that_does_not_load_makes_no_open_listener() -> Result<()> {
    let (Some(binary), Some(local)) = (envoy::binary(), Local::from_env()?) else { return Ok(()) };
    let folder = tempfile::tempdir()?;
    let module = folder.path().join("garbage.wasm");
    std::fs::write(&module, "no module")?;
    for filter in local.wasm_filters()? {
        let name = filter["name"].clone();
        let started = Envoy::start(binary.clone(), vec![with_module(filter, &module)]).await;
        assert!(started.is_err(), "{name}: Envoy opened a listener without its filter");
    }
    Ok(())
}
