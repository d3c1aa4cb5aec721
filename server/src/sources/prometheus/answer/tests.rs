use super::{Names, Sample, read};
use crate::sources::prometheus::label::Label;
use naru_domain::{SourceName, Why};

/// Workload and samples of each row.
type Found = Vec<(String, Vec<Sample>)>;

fn rows(body: &str) -> Result<(Found, Vec<Why>), Why> {
    let mut found = vec![];
    let warnings = read(body.as_bytes(), &mut Names::default(), &mut |row| {
        found.push((
            row.labels.get(Label::TargetWorkload).to_string(),
            row.samples.clone(),
        ));
    })?;
    Ok((found, warnings))
}

#[test]
fn a_vector_with_unknown_fields_labels_and_odd_values() {
    let body = r#"{"isPartial":false,"status":"success","data":{"resultType":"vector","stats":{"x":[1,{}]},"result":[
        {"metric":{"destination_workload":"주문-v1","pod_template_hash":"x"},"value":[1795456068.671,"1.5"]},
        {"value":[1,"NaN"],"metric":{"destination_workload":"unknown"},"more":[]},
        {"metric":{"destination_workload":"a\u002db"},"value":[2,"+Inf"]}]},"infos":["PromQL info"],"warnings":["partial: store 2"]}"#;
    let (found, warnings) = rows(body).unwrap();
    assert_eq!(
        found[0],
        (
            "주문-v1".into(),
            vec![Sample {
                at_ms: 1_795_456_068_671,
                value: 1.5
            }]
        )
    );
    assert!(found[1].0.is_empty() && found[1].1[0].value.is_nan());
    assert_eq!(
        found[2],
        (
            "a-b".into(),
            vec![Sample {
                at_ms: 2000,
                value: f64::INFINITY
            }]
        )
    );
    assert_eq!(
        warnings,
        [Why::Said {
            detail: "partial: store 2".into()
        }]
    );
}

#[test]
fn a_matrix() {
    let body = r#"{"status":"success","data":{"resultType":"matrix","result":[
        {"metric":{"destination_workload":"a"},"values":[[1,"1"],[16,"2"]]},{"metric":{},"values":[[1.5,"3"]]}]}}"#;
    let (found, _) = rows(body).unwrap();
    let sample = |at_ms, value| Sample { at_ms, value };
    assert_eq!(
        found,
        [
            ("a".into(), vec![sample(1000, 1.0), sample(16_000, 2.0)]),
            ("".into(), vec![sample(1500, 3.0)])
        ]
    );
}

#[test]
fn an_error_is_told_with_its_kind() {
    let expected = Why::Failed {
        source: SourceName::Prometheus,
        status: 200,
        detail: "execution: too many samples".into(),
    };
    assert_eq!(
        rows(r#"{"status":"error","errorType":"execution","error":"too many samples","data":null}"#),
        Err(expected)
    );
}

#[test]
fn what_is_not_the_protocol_is_garbled() {
    for body in [
        "",
        "<html><body>Sign in</body></html>",
        "null",
        "[]",
        "{}x",
        r#"{"status":"success"}"#,
        r#"{"status":"success","data":{}}"#,
        r#"{"status":"success","data":{"resultType":"scalar","result":[1,"2"]}}"#,
        r#"{"status":"success","data":{"resultType":"vector","result":{}}}"#,
        r#"{"status":"success","data":{"resultType":"vector","result":[{"metric":{}}]}}"#,
        r#"{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":["1","2"]}]}}"#,
        r#"{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[1,2]}]}}"#,
        r#"{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[1,"zwei"]}]}}"#,
        r#"{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[1,"2",3]}]}}"#,
        r#"{"status":"success","data":{"resultType":"vector","result":[{"metric":{"reporter":7},"value":[1,"2"]}]}}"#,
        r#"{"status":"success","data":{"resultType":"vector","result":[{"metric":{"reporter":"so"#,
        r#"{"status":1,"data":{"result":[]}}"#,
    ] {
        assert!(
            matches!(
                rows(body),
                Err(Why::Garbled { .. } | Why::Failed { status: 200, .. })
            ),
            "{body}"
        );
        if body != "{}" {
            assert!(!matches!(rows(body), Err(Why::Failed { .. })), "{body}");
        }
    }
}
