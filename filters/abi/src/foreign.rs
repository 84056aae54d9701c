//! Functions of this host beyond the specification, by name.

use crate::ffi::{Refused, proxy_call_foreign_function, received};

/// Calls one. A host without it refuses with the status of what is not found.
pub fn call(name: &str, argument: &[u8]) -> Result<Vec<u8>, Refused> {
    let answer = received(|data, len| {
        // SAFETY: the host reads name and argument and writes to both places before it returns.
        unsafe {
            proxy_call_foreign_function(
                name.as_ptr(),
                name.len(),
                argument.as_ptr(),
                argument.len(),
                data,
                len,
            )
        }
    })?;
    Ok(answer.unwrap_or_default())
}
