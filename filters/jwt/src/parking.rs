//! Requests that wait for keys or revocations: bounded in number and in time, so that a new key costs its first callers
//! a moment and not a refusal.

use std::cell::RefCell;

use jwt_core::verdict::Reason;

/// A request that waits.
#[derive(Debug)]
pub(crate) struct Parked {
    pub(crate) context: u32,
    /// The index of the provider that it waits for.
    pub(crate) provider: usize,
    /// Why it would be refused now.
    pub(crate) reason: Reason,
    /// When it came.
    pub(crate) since_ms: u64,
    /// When it is refused if nothing comes.
    pub(crate) deadline_ms: u64,
    /// The target that it came with, if it waits under another one.
    pub(crate) target: Option<Vec<u8>>,
}

#[derive(Debug)]
pub(crate) struct Parking {
    requests: RefCell<Vec<Parked>>,
    limit: usize,
}

impl Parking {
    pub(crate) fn new(limit: usize) -> Self {
        Self { requests: RefCell::default(), limit }
    }

    pub(crate) fn has_room(&self) -> bool {
        self.len() < self.limit
    }

    pub(crate) fn add(&self, request: Parked) {
        self.requests.borrow_mut().push(request);
    }

    pub(crate) fn remove(&self, context: u32) {
        let mut requests = self.requests.borrow_mut();
        // Nearly always there is none.
        if !requests.is_empty() {
            requests.retain(|request| request.context != context);
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.requests.borrow().len()
    }

    /// Whether any request waits for a key that this provider's set lacks.
    pub(crate) fn wants_key(&self, provider: usize) -> bool {
        let wants = |request: &Parked| request.provider == provider && request.reason == Reason::UnknownKey;
        self.requests.borrow().iter().any(wants)
    }

    /// Takes out those that this says may go on.
    pub(crate) fn take(&self, may_go: impl FnMut(&Parked) -> bool) -> Vec<Parked> {
        let mut requests = self.requests.borrow_mut();
        let (go, wait): (Vec<_>, Vec<_>) = requests.drain(..).partition(may_go);
        *requests = wait;
        go
    }
}
