//! Signatures by Envoy's own cryptography where it offers it, by the module's for all else.

use std::cell::Cell;

use abi::{foreign, shared};
use host::metric::Metric;
use jwt_core::algorithm::Algorithm;
use jwt_core::config;
use jwt_core::jwks::Key;
use jwt_core::signature::{InModule, SignatureCheck, host_answer, host_argument};
use jwt_core::token::Signed;
use log::{info, warn};

/// Envoy's foreign function.
const FUNCTION: &str = "verify_signature";

pub(crate) struct Signatures {
    uses_host: bool,
    /// One message in the log is enough.
    has_warned: Cell<bool>,
}

impl Signatures {
    pub(crate) fn new(configured: config::Signatures, gauge: &Metric) -> Self {
        let wants_host = configured == config::Signatures::Host;
        // An empty question is refused for what it is, unless nobody is there to refuse it.
        let offered = foreign::call(FUNCTION, &[]) != Err(abi::Refused::NOT_FOUND);
        if wants_host && !offered && is_first() {
            warn!("this Envoy has no {FUNCTION}: signatures are checked in the module, which is slower");
        } else if !wants_host {
            info!("signatures are checked in the module, as configured");
        }
        let uses_host = wants_host && offered;
        gauge.set(u64::from(uses_host));
        Self { uses_host, has_warned: Cell::new(false) }
    }

    /// The host's word, if it has one.
    fn ask(&self, argument: &[u8]) -> Option<bool> {
        let answer = foreign::call(FUNCTION, argument);
        let word = answer.as_deref().ok().and_then(host_answer);
        if word.is_none() && !self.has_warned.replace(true) {
            warn!("the host's {FUNCTION} gives no answer of use, the module checks instead: {answer:?}");
        }
        word
    }
}

/// Whether no VM of this Envoy has said it yet.
fn is_first() -> bool {
    const SAID: &str = "finpay_jwt has said that signatures are checked in the module";
    matches!(shared::get(SAID), Ok(None)) && shared::set(SAID, &[1], None).is_ok()
}

impl SignatureCheck for Signatures {
    fn is_signed_by(&self, signed: &Signed<'_>, algorithm: Algorithm, key: &Key) -> bool {
        let argument = if self.uses_host { host_argument(signed, algorithm, key) } else { None };
        argument
            .and_then(|argument| self.ask(&argument))
            .unwrap_or_else(|| InModule.is_signed_by(signed, algorithm, key))
    }
}
