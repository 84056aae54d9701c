//! Answers in the service's place, calls of our own, and requests that wait.

use std::time::Duration;

use crate::ffi::{
    NOTHING, Refused, check, proxy_continue_stream, proxy_http_call, proxy_send_local_response,
    proxy_set_effective_context, proxy_set_property,
};
use crate::headers::serialise;

/// No gRPC status: it is not a gRPC answer.
const NO_GRPC_STATUS: i32 = -1;

/// Answers the current request. Once only, and the callback must return [`crate::Action::Pause`] after it. `details`
/// is what an access log shows as `%RESPONSE_CODE_DETAILS%`.
pub fn respond(status: u16, headers: &[(&str, &str)], body: &[u8], details: &str) -> Result<(), Refused> {
    let headers = serialise(headers);
    // SAFETY: the host reads all of it before it returns.
    check(unsafe {
        proxy_send_local_response(
            u32::from(status),
            details.as_ptr(),
            details.len(),
            body.as_ptr(),
            body.len(),
            headers.as_ptr(),
            headers.len(),
            NO_GRPC_STATUS,
        )
    })
}

/// Sends a request without a body to a cluster; its answer comes to the plugin's `on_http_call_response` with this
/// number. A call dies with the context that made it, so long-lived ones are made from a root context.
pub fn call(cluster: &str, headers: &[(&str, &str)], timeout: Duration) -> Result<u32, Refused> {
    let headers = serialise(headers);
    let trailers = serialise(&[]);
    let mut call = 0;
    // SAFETY: the host reads all of it, and writes to the place, before it returns.
    check(unsafe {
        proxy_http_call(
            cluster.as_ptr(),
            cluster.len(),
            headers.as_ptr(),
            headers.len(),
            NOTHING.0,
            NOTHING.1,
            trailers.as_ptr(),
            trailers.len(),
            u32::try_from(timeout.as_millis()).unwrap_or(u32::MAX),
            &raw mut call,
        )
    })?;
    Ok(call)
}

/// Keeps a text with the current request. Envoy's access logs show it as `%FILTER_STATE(wasm.NAME:PLAIN)%`.
pub fn set_state(name: &str, value: &[u8]) -> Result<(), Refused> {
    // SAFETY: the host reads both before it returns.
    check(unsafe { proxy_set_property(name.as_ptr(), name.len(), value.as_ptr(), value.len()) })
}

/// Makes this request the current one, for the calls that follow. Refused if it is gone.
pub fn select(context: u32) -> Result<(), Refused> {
    check(proxy_set_effective_context(context))
}

/// Lets the current request, which was paused, go on.
pub fn resume() -> Result<(), Refused> {
    check(proxy_continue_stream(0))
}
