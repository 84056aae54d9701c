//! Requests that wait for keys or revocations: bounded in number and in time, so that a new key costs its first callers
//! a moment and not a refusal.

use std::cell::RefCell;

use jwt_core::verdict::Reason;

/// A request that waits.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Parked {
    pub(crate) context: u32,
    /// The index of the provider that it waits for.
    pub(crate) provider: usize,
    /// Why it would be refused now.
    pub(crate) reason: Reason,
    /// When it is refused if nothing comes.
    pub(crate) deadline_ms: u64,
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

    /// Whether there was room.
    pub(crate) fn add(&self, request: Parked) -> bool {
        let mut requests = self.requests.borrow_mut();
        let has_room = requests.len() < self.limit;
        if has_room {
            requests.push(request);
        }
        has_room
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

    pub(crate) fn waits_for(&self, provider: usize) -> bool {
        self.requests.borrow().iter().any(|request| request.provider == provider)
    }

    /// Takes out those that this says may go on.
    pub(crate) fn take(&self, may_go: impl Fn(&Parked) -> bool) -> Vec<Parked> {
        let mut requests = self.requests.borrow_mut();
        let (go, wait): (Vec<_>, Vec<_>) = requests.drain(..).partition(may_go);
        *requests = wait;
        go
    }
}
