//! The modules are no larger than was promised: every Envoy loads and compiles them.

use anyhow::Result;
use tests::envoy;

/// In bytes: 500 and 400 KiB.
const PROMISED: [(&str, u64); 2] = [("jwt", 512_000), ("amount", 409_600)];

#[test]
fn the_modules_are_as_small_as_was_promised() -> Result<()> {
    for (name, promised) in PROMISED {
        let Some(module) = envoy::module(name) else { return Ok(()) };
        let bytes = std::fs::metadata(&module)?.len();
        eprintln!("{name}.wasm: {bytes} of {promised} bytes");
        assert!(bytes <= promised, "{name}.wasm has {bytes} bytes, {promised} were promised");
    }
    Ok(())
}
