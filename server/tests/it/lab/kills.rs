//! The kill suite on a real API server, under the rights that `k8s/` gives.

use naru_domain::{
    Name, SourceName, Why,
    judge::guardrail::{Counts, CountsQuestion},
    traffic::{Dated, Split, SplitQuestion, Traffic},
};
use naru_engine::contract::{self, Moment, Subject, Trial};
use naru_kube::{KubeCluster, Settings, Source};
use naru_ports::{Cluster, Metrics};
use naru_view::canary::{RouteRef, RuleList};
use rand::{Rng, SeedableRng, rngs::SmallRng};
use std::sync::Arc;
use tokio::sync::{Mutex, MutexGuard};

/// The lab has one route: one trial at a time.
static ROUTE: Mutex<()> = Mutex::const_new(());

/// The lab's cluster. What Prometheus says does not matter here.
struct Lab(Arc<KubeCluster>);

impl Lab {
    async fn take() -> (Self, MutexGuard<'static, ()>) {
        let turn = ROUTE.lock().await;
        let path = ["NARU_LAB_NARU_KUBECONFIG", "NARU_LAB_KUBECONFIG"]
            .into_iter()
            .find_map(std::env::var_os);
        let path = path.expect("NARU_LAB_NARU_KUBECONFIG names a kubeconfig: ./dev lab env prints it");
        let settings = Settings {
            source: Source::Kubeconfig(path.into()),
            ..Settings::default()
        };
        (
            Self(Arc::new(
                KubeCluster::connect(&settings)
                    .await
                    .expect("the lab's API server"),
            )),
            turn,
        )
    }
}

struct Silent;

#[async_trait::async_trait]
impl Metrics for Silent {
    async fn traffic(&self, _window_s: u32) -> Result<Dated<Traffic>, Why> {
        Err(Why::NotYet {
            source: SourceName::Prometheus,
        })
    }

    async fn splits(&self, questions: &[SplitQuestion]) -> Vec<Result<Dated<Split>, Why>> {
        questions
            .iter()
            .map(|_| {
                Err(Why::NotYet {
                    source: SourceName::Prometheus,
                })
            })
            .collect()
    }

    async fn counts(&self, _question: &CountsQuestion) -> Result<Counts, Why> {
        Err(Why::NotYet {
            source: SourceName::Prometheus,
        })
    }
}

impl Subject for Lab {
    fn cluster(&self) -> Arc<dyn Cluster> {
        self.0.clone()
    }

    fn metrics(&self) -> Arc<dyn Metrics> {
        Arc::new(Silent)
    }

    fn route(&self) -> RouteRef {
        RouteRef {
            namespace: "user-service".into(),
            name: "user-service".into(),
            list: RuleList::Http,
            rule: 0,
        }
    }

    fn lease_namespace(&self) -> Name {
        "naru".into()
    }
}

#[tokio::test]
#[ignore = "needs the lab"]
async fn a_kill_at_every_call_leaves_before_or_after() {
    let (lab, _turn) = Lab::take().await;
    assert_eq!(contract::a_kill_at_every_call(&lab).await, 12);
}

#[tokio::test]
#[ignore = "needs the lab"]
async fn a_sleeper_that_wakes_up_late_changes_nothing() {
    let (lab, _turn) = Lab::take().await;
    assert_eq!(contract::a_sleeper_changes_nothing(&lab).await, 4);
}

#[tokio::test]
#[ignore = "needs the lab"]
async fn fifty_random_kills() {
    let (lab, _turn) = Lab::take().await;
    let mut random = SmallRng::seed_from_u64(20_261_124);
    for _ in 0..50 {
        let call = random.random_range(0..6);
        let moment = if random.random() {
            Moment::before(call)
        } else {
            Moment::after(call)
        };
        assert!(Trial::new(&lab).killed_at(moment).await.is_some(), "{moment:?}");
    }
}
