//! What only a cluster can show. Each test leaves the cluster as it found it; they run one after the other, since
//! they change what all share (`k8s/test` runs them by `--test-threads=1`).

mod database;
mod fail_close;
mod identity;
mod outlier;
mod rollout;
mod upgrade;
