//! Who may speak to a service's pod: not plaintext, not another service account.

use anyhow::{Context, Result};
use serde_json::json;
use tests::System;
use tests::cluster::{Cluster, settles};

/// Asks payment-service from the stranger's pod, as `container`; 0 when there was no HTTP answer.
async fn ask(stranger: &Cluster, container: &str, scheme_and_host: &str, token: &str) -> Result<u16> {
    let authorization = format!("authorization: Bearer {token}");
    let url = format!("{scheme_and_host}/payment/p-1");
    let arguments = [
        "exec",
        "stranger",
        "-c",
        container,
        "--",
        "curl",
        "-s",
        "-H",
        &authorization,
        "-m",
        "5",
        "-o",
        "/dev/null",
        "-w",
        "%{http_code}",
        &url,
    ];
    let text = stranger.kubectl(&arguments).await.unwrap_or_else(|_| "000".to_owned());
    Ok(text.trim().parse().unwrap_or(0))
}

#[tokio::test]
async fn strangers_are_refused() -> Result<()> {
    let (Some(system), Some(cluster)) = (System::from_env(), Cluster::from_env()) else { return Ok(()) };
    let user = system.new_user().await?;
    let pods = cluster.pods("payment-service").await?;
    let pod = cluster.get("pod", pods.first().context("a pod")?).await?;
    let address = pod["status"]["podIP"].as_str().context("podIP")?;
    let all = ["initContainers", "containers"]
        .map(|list| pod["spec"][list].as_array().cloned().unwrap_or_default());
    let sidecar =
        all.concat().into_iter().find(|container| container["name"] == "istio-proxy").context("a sidecar")?;

    let stranger = Cluster { namespace: "finpay-stranger".to_owned() };
    let objects = json!({"apiVersion": "v1", "kind": "List", "items": [
        {"apiVersion": "v1", "kind": "Namespace",
         "metadata": {"name": stranger.namespace, "labels": {"istio-injection": "enabled"}}},
        {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "stranger"}, "spec": {
            "terminationGracePeriodSeconds": 1,
            "containers": [{
                "name": "curl", "image": sidecar["image"], "imagePullPolicy": "IfNotPresent",
                "command": ["sleep", "3600"], "securityContext": {"runAsUser": 65532},
            }],
        }},
    ]});
    let outcome = async {
        stranger.apply(&objects).await?;
        stranger.kubectl(&["wait", "--for=condition=Ready", "pod/stranger", "--timeout=120s"]).await?;
        // Through its own sidecar: mutual TLS, with the account `default` of another namespace.
        let host = format!("http://payment-service.{}.svc.cluster.local:3002", cluster.namespace);
        settles("another account", 403, async || ask(&stranger, "curl", &host, &user.token).await).await?;
        // Past its sidecar, whose own traffic is not captured: plaintext to the pod.
        let plain = ask(&stranger, "istio-proxy", &format!("http://{address}:3002"), &user.token).await?;
        assert_eq!(plain, 0, "plaintext was answered");
        anyhow::Ok(())
    }
    .await;
    stranger.kubectl(&["delete", "namespace", &stranger.namespace, "--wait=false"]).await?;
    outcome
}
