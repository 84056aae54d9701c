//! A Kubernetes cluster with Istio, through kubectl and `KUBECONFIG`. `k8s/test` says which.

use std::env;
use std::fmt::Debug;
use std::process::Stdio;

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

use crate::wait::until_within;

/// The variable that names FinPay's namespace on the cluster under test.
pub const NAMESPACE: &str = "FINPAY_CLUSTER";

/// FinPay's namespace on a cluster.
#[derive(Debug, Clone)]
pub struct Cluster {
    /// The namespace.
    pub namespace: String,
}

impl Cluster {
    /// The cluster that `FINPAY_CLUSTER` (the namespace) says is under test, or `None` (with a word).
    pub fn from_env() -> Option<Self> {
        let Ok(namespace) = env::var(NAMESPACE) else {
            eprintln!(
                "skipped: only a cluster can show this (FINPAY_CLUSTER is not set; `k8s/test` sets it)"
            );
            return None;
        };
        Some(Self { namespace })
    }

    /// Runs kubectl in the namespace; its standard output.
    pub async fn kubectl(&self, arguments: &[&str]) -> Result<String> {
        self.kubectl_with(arguments, "").await
    }

    /// Runs kubectl with this standard input.
    pub async fn kubectl_with(&self, arguments: &[&str], input: &str) -> Result<String> {
        let mut command = Command::new("kubectl");
        command.args(["-n", &self.namespace]).args(arguments).kill_on_drop(true);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().context("kubectl cannot be run")?;
        child.stdin.take().context("a pipe")?.write_all(input.as_bytes()).await?;
        let output = child.wait_with_output().await?;
        let problem = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "kubectl {arguments:?}: {problem}");
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// An object as JSON.
    pub async fn get(&self, kind: &str, name: &str) -> Result<Value> {
        Ok(serde_json::from_str(&self.kubectl(&["get", kind, name, "-o", "json"]).await?)?)
    }

    /// Makes or replaces objects.
    pub async fn apply(&self, objects: &Value) -> Result<()> {
        self.kubectl_with(&["apply", "-f", "-"], &objects.to_string()).await.map(|_| ())
    }

    /// Changes a field of an object by a JSON merge patch.
    pub async fn patch(&self, kind: &str, name: &str, patch: &Value) -> Result<()> {
        self.kubectl(&["patch", kind, name, "--type=merge", "-p", &patch.to_string()]).await.map(|_| ())
    }

    /// The names of a service's pods that run and do not end.
    pub async fn pods(&self, app: &str) -> Result<Vec<String>> {
        let list = self.kubectl(&["get", "pods", "-l", &format!("app={app}"), "-o", "json"]).await?;
        let list: Value = serde_json::from_str(&list)?;
        let pods = list["items"].as_array().context("items")?.iter();
        let staying = pods.filter(|pod| pod["metadata"]["deletionTimestamp"].is_null());
        Ok(staying.filter_map(|pod| Some(pod["metadata"]["name"].as_str()?.to_owned())).collect())
    }

    /// Waits until a deployment's new pods have taken over.
    pub async fn rolled_out(&self, deployment: &str) -> Result<()> {
        let name = format!("deployment/{deployment}");
        self.kubectl(&["rollout", "status", &name, "--timeout=180s"]).await.map(|_| ())
    }

    /// A page of the admin interface of a pod's sidecar, as JSON.
    pub async fn sidecar(&self, pod: &str, path: &str) -> Result<Value> {
        let command = ["exec", pod, "-c", "istio-proxy", "--", "pilot-agent", "request", "GET", path];
        Ok(serde_json::from_str(&self.kubectl(&command).await?)?)
    }
}

/// Waits until the answer stays the expected one: after a change, pooled connections may still get the old one.
pub async fn settles<T: PartialEq + Debug>(
    what: &str,
    expected: T,
    mut ask: impl AsyncFnMut() -> Result<T>,
) -> Result<()> {
    const TIMES: usize = 20;
    let mut alike = 0;
    let mut last = None;
    let settled = until_within(std::time::Duration::from_mins(2), what, async || {
        let answer = ask().await?;
        alike = if answer == expected { alike + 1 } else { 0 };
        last = Some(answer);
        Ok((alike == TIMES).then_some(()))
    })
    .await;
    settled.with_context(|| format!("{last:?} instead of {expected:?}"))
}
