//! Signatures by Envoy's own cryptography where it offers it, by the module's for all else.

use std::cell::Cell;

use abi::foreign;
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
    uses_host: Cell<bool>,
    gauge: Metric,
}

impl Signatures {
    pub(crate) fn new(configured: config::Signatures, gauge: Metric) -> Self {
        let wants_host = configured == config::Signatures::Host;
        // An empty question is refused for what it is, unless nobody is there to refuse it.
        let offered = foreign::call(FUNCTION, &[]) != Err(abi::Refused::NOT_FOUND);
        if wants_host && !offered {
            warn!("this Envoy has no {FUNCTION}: signatures are checked in the module, which is slower");
        } else if !wants_host {
            info!("signatures are checked in the module, as configured");
        }
        gauge.set(u64::from(wants_host && offered));
        Self { uses_host: Cell::new(wants_host && offered), gauge }
    }
}

impl SignatureCheck for Signatures {
    fn is_signed_by(&self, signed: &Signed<'_>, algorithm: Algorithm, key: &Key) -> bool {
        if self.uses_host.get()
            && let Some(argument) = host_argument(signed, algorithm, key)
        {
            match foreign::call(FUNCTION, &argument) {
                Ok(answer) => {
                    if let Some(answer) = host_answer(&answer) {
                        return answer;
                    }
                    warn!("the host's {FUNCTION} answers in an unknown form");
                }
                Err(refused) => warn!("the host's {FUNCTION} refuses: {refused:?}"),
            }
            // Once is enough to know; the module can judge the same signature.
            self.uses_host.set(false);
            self.gauge.set(0);
        }
        InModule.is_signed_by(signed, algorithm, key)
    }
}
