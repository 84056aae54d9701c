//! The one-machine mesh behind `cargo mesh`: it builds FinPay's parts, translates the manifests in `k8s/base` to
//! Envoy files, and keeps every service with its own sidecar running, without Kubernetes, root or containers.

pub mod child;
pub mod cli;
pub mod client;
pub mod commands;
pub mod compile;
pub mod console;
pub mod control;
pub mod envoy;
pub mod images;
pub mod load;
pub mod manifest;
pub mod pki;
pub mod place;
pub mod plan;
pub mod postgres;
pub mod processes;
pub mod proxies;
pub mod render;
pub mod secrets;
pub mod supervisor;
pub mod toolchain;
pub mod topology;
pub mod translate;
