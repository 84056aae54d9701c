//! The router in process, on either database: what is paid, what is given back, and what auth has to say first.

mod once;
mod refunds;
mod standing;
mod support;
