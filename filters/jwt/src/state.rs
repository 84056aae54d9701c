//! What a VM's root context and its request contexts share.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::UNIX_EPOCH;

use jwt_core::config::Config;
use jwt_core::jwks::KeySet;
use jwt_core::memory::Remembering;
use jwt_core::verify::JwtSimple;
use proxy_wasm::hostcalls;

use crate::fetch::Document;

/// One configuration's life. Borrows of the cells never span a host call that may come back.
pub(crate) struct State {
    pub(crate) config: Config,
    /// A place for each provider.
    pub(crate) keys: RefCell<Vec<Option<KeySet>>>,
    /// Where the keys come from, in the same order.
    pub(crate) documents: Vec<Rc<Document>>,
    pub(crate) signatures: Remembering<JwtSimple>,
    /// A token named a key that we do not have: perhaps the issuer has a new one.
    pub(crate) wants_keys: Cell<bool>,
}

impl State {
    pub(crate) fn new(config: Config) -> Self {
        let providers = config.providers();
        let keys = RefCell::new(providers.iter().map(|_| None).collect());
        let documents = providers.iter().map(|provider| Rc::new(Document::new(provider.jwks()))).collect();
        Self {
            config,
            keys,
            documents,
            signatures: Remembering::new(JwtSimple),
            wants_keys: Cell::new(false),
        }
    }

    /// Takes over what another worker's VM has published; says whether there was anything new.
    pub(crate) fn adopt(&self) -> bool {
        let mut adopted = false;
        for (provider, document) in self.documents.iter().enumerate() {
            if let Some(set) = document.poll() {
                self.install(provider, set);
                adopted = true;
            }
        }
        adopted
    }

    fn install(&self, provider: usize, set: KeySet) {
        if let Some(place) = self.keys.borrow_mut().get_mut(provider) {
            *place = Some(set);
        }
        self.signatures.forget();
        self.wants_keys.set(false);
    }

    pub(crate) fn is_loaded(&self) -> bool {
        self.keys.borrow().iter().all(Option::is_some)
    }
}

/// Milliseconds since 1970 by the host's clock.
pub(crate) fn now_ms() -> Option<u64> {
    let since = hostcalls::get_current_time().ok()?.duration_since(UNIX_EPOCH).ok()?;
    u64::try_from(since.as_millis()).ok()
}
