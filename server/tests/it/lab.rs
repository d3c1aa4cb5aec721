//! What only the lab shows: `./dev lab test` runs these with NARU_LAB_NARU_KUBECONFIG (or NARU_LAB_KUBECONFIG) set.

mod kills;
