use super::{DEPTH, Expression, LONGEST, Odd, SELECTORS};
use proptest::prelude::*;

#[test]
fn what_gives_numbers_is_read() {
    for text in [
        "up",
        "up{}",
        r#"{__name__="up", job=~"a|b"}"#,
        r#"sum(rate(http_requests_total{code=~"5..",job!="x",}[5m])) / sum(rate(http_requests_total[5m]))"#,
        "sum by (pod, job) (rate(a[5m]))",
        "sum(rate(a[5m])) without (pod)",
        "histogram_quantile(0.99, sum by (le) (rate(b_bucket[1h30m])))",
        "quantile(0.9, a) * 1e3 + 0x1f - .5",
        "-a ^ -2 ^ 3",
        "a:b:c / on (x) group_left (y) d offset 1d",
        "rate(a[5m] offset 1h)",
        "sum(rate(a[5m])) or vector(0)",
        "a > bool 3",
        "count(up == 0)",
        "sum(a and b)",
        "predict_linear(disk_free[1h], 4 * 3600)",
        "clamp(a, 0, Inf)",
        "\n  sum(\n    a\n  )\n",
        r"up{a='\'}#', b=`\`}",
        "sum",
        "absent(up == 1)",
        "scalar(a)",
    ] {
        let read = Expression::read(text);
        assert_eq!(read.as_ref().map(Expression::text), Ok(text.trim()), "{text}");
    }
}

#[test]
fn each_rule_refuses_what_breaks_it() {
    let at = |at| Odd::Unreadable { at };
    let function = |name: &str| Odd::Function { name: name.into() };
    for (text, odd) in [
        ("", at(1)),
        ("1 + 1", Odd::NoMetric),
        ("vector(1)", Odd::NoMetric),
        (r#"{job="a"}"#, Odd::NoMetric),
        (r#"{__name__=~".+"}"#, Odd::NoMetric),
        (r#"{__name__=""}"#, Odd::NoMetric),
        (r#"sum({__name__!="a"})"#, Odd::NoMetric),
        ("a[5m]", Odd::NotANumber),
        (r#""a""#, Odd::NotANumber),
        ("a[5m] + 1", Odd::NotANumber),
        ("-a[5m]", Odd::NotANumber),
        ("max_over_time(rate(a[5m])[1h:])", Odd::Subquery),
        ("max_over_time(a[1h:1m])", Odd::Subquery),
        ("sum(a)[5m]", Odd::Subquery),
        ("rate(a[25h])", Odd::RangeTooLong),
        ("rate(a[1d1s])", Odd::RangeTooLong),
        ("rate(a[99999999999999999999y])", Odd::RangeTooLong),
        ("a @ 1", Odd::TimeShifted),
        ("a @ end()", Odd::TimeShifted),
        ("rate(a[5m] @ 1)", Odd::TimeShifted),
        ("a offset -5m", Odd::TimeShifted),
        ("a offset 25h", Odd::TimeShifted),
        ("topk(1, a)", function("topk")),
        (
            "label_replace(a, \"b\", \"c\", \"d\", \"e\")",
            function("label_replace"),
        ),
        ("sort(a)", function("sort")),
        ("up == 1", Odd::Filters),
        ("(up > 0) * 2", Odd::Filters),
        ("2 * -(up > 0)", Odd::Filters),
        ("a and b", Odd::Filters),
        ("a unless b", Odd::Filters),
        ("a / (b > 0)", Odd::Filters),
        ("a / (b and c)", Odd::Filters),
        ("sum by (service) (a > 0.99)", Odd::Filters),
        ("sum(a > 0.99) without (pod)", Odd::Filters),
        ("count by (service) (a unless b)", Odd::Filters),
        ("a > 1 or b", Odd::Filters),
        ("abs(a > 1)", Odd::Filters),
        ("min(a > 1)", Odd::Filters),
        ("a b", at(3)),
        ("(a", at(3)),
        ("a)", at(2)),
        ("sum()", at(5)),
        ("rate(a)", at(7)),
        ("rate(a[5m], b[5m])", at(18)),
        ("abs(a[5m])", at(10)),
        ("a{b=c}", at(5)),
        ("a{b>\"c\"}", at(4)),
        ("a{\"b\"}", at(3)),
        ("a[5]", at(3)),
        ("a offset b", at(10)),
        ("sum(a) offset 5m", at(15)),
        ("a # b", at(3)),
        ("a{b=\"c}", at(5)),
        ("가", at(1)),
        ("a + 가", at(5)),
        ("or", at(1)),
        ("a +", at(4)),
    ] {
        assert_eq!(Expression::read(text).unwrap_err(), odd, "{text}");
    }
}

#[test]
fn what_is_large_has_a_bound() {
    let sum = |count| vec!["a"; count].join(" + ");
    assert!(Expression::read(&sum(SELECTORS)).is_ok());
    assert_eq!(Expression::read(&sum(SELECTORS + 1)), Err(Odd::TooManySelectors));
    let deep = |depth: usize| format!("{}a{}", "(".repeat(depth), ")".repeat(depth));
    assert!(Expression::read(&deep(DEPTH - 1)).is_ok());
    for deeper in [
        deep(DEPTH),
        format!("{}a", "-".repeat(DEPTH)),
        "a^".repeat(DEPTH) + "1",
    ] {
        let refused = Expression::read(&deeper).unwrap_err();
        assert!(
            matches!(refused, Odd::TooLarge | Odd::TooManySelectors),
            "{deeper}"
        );
    }
    let long = |length| format!("a{{b=\"{}\"}}", "가".repeat(length - 7));
    assert!(Expression::read(&long(LONGEST)).is_ok());
    assert_eq!(Expression::read(&long(LONGEST + 1)), Err(Odd::TooLarge));
}

#[test]
fn a_matcher_goes_into_each_selector() {
    let text = r#"a{b="{"} / on () c{} + rate(d[5m] offset 1h) + {__name__="e"}"#;
    assert_eq!(
        Expression::read(text).unwrap().with(r#"r="1""#),
        r#"a{r="1",b="{"} / on () c{r="1"} + rate(d{r="1"}[5m] offset 1h) + {r="1",__name__="e"}"#
    );
}

proptest! {
    #[test]
    fn nothing_makes_it_panic(text in ".{0,60}") {
        let _ = Expression::read(&text);
    }

    /// What is sent is read as what was written, with one matcher more in each selector.
    #[test]
    fn what_is_accepted_stays_readable(text in r#"([a-c(){}\[\]<>=+*/,:"@ -]|sum|rate|5m|offset |__name__|by |bool ){1,14}"#) {
        if let Ok(read) = Expression::read(&text) {
            let with = read.with(r#"r="1""#);
            let again = Expression::read(&with);
            prop_assert!(again.is_ok(), "{with}: {again:?}");
            prop_assert_eq!(again.unwrap().selectors.len(), read.selectors.len());
        }
    }
}
