use super::{DEEPEST, FAILED, LARGEST, LONGEST_NAME, MOST, Odd, SKIPPED, read};
use naru_domain::crossing::report::Junit;
use proptest::prelude::*;
use std::fmt::Write as _;

fn of(text: &str) -> Junit {
    read(text.as_bytes()).unwrap_or_else(|odd| panic!("{odd:?}: {text}"))
}

/// Tests, failures, errors, skips, and what is not shown of them.
fn counts(text: &str) -> [u32; 5] {
    let it = of(text);
    [it.tests, it.failures, it.errors, it.skips, it.unshown]
}

#[test]
fn test_cases_are_counted_whatever_the_file_says_of_itself() {
    let table: [(&str, [u32; 5]); 13] = [
        ("<testsuite/>", [0, 0, 0, 0, 0]),
        ("<testsuites><testsuite/></testsuites>", [0, 0, 0, 0, 0]),
        // Surefire: one suite, no suites around it.
        (
            "<testsuite tests='3' failures='1' errors='1' skipped='1'><testcase name='a'><failure/></testcase>\
             <testcase name='b'><error/></testcase><testcase name='c'><skipped/></testcase></testsuite>",
            [3, 1, 1, 1, 0],
        ),
        // pytest: no counts on the suites around.
        (
            "<testsuites><testsuite errors='0' failures='0'><testcase name='a'/><testcase name='b'/></testsuite></testsuites>",
            [2, 0, 0, 0, 0],
        ),
        // No counts at all, suites in suites.
        (
            "<testsuites><testsuite><testsuite><testcase name='a'><failure/></testcase></testsuite><testcase name='b'/></testsuite></testsuites>",
            [2, 1, 0, 0, 0],
        ),
        // The suites around count those inside as well, or do not.
        (
            "<testsuites failures='1'><testsuite failures='1'><testcase><failure/></testcase></testsuite></testsuites>",
            [1, 1, 0, 0, 0],
        ),
        (
            "<testsuites failures='0'><testsuite failures='0'><testcase><failure/></testcase></testsuite></testsuites>",
            [1, 1, 0, 0, 0],
        ),
        // More is claimed than shown: a suite that did not come up, a file that was cut by a reporter.
        (
            "<testsuite tests='9' failures='2' errors='1'><testcase/></testsuite>",
            [1, 2, 1, 0, 3],
        ),
        (
            "<testsuites errors='3'><testsuite errors='1'/><testsuite errors='1'><testcase><error/></testcase></testsuite></testsuites>",
            [1, 0, 3, 0, 2],
        ),
        // What is claimed cannot be read, or be so many.
        (
            "<testsuite failures='-1' errors='many'><testcase/></testsuite>",
            [1, 0, 0, 0, 0],
        ),
        (
            "<testsuite failures='4294967295' errors='99999999999'/>",
            [0, 1_000_000, 0, 0, 1_000_000],
        ),
        // GoogleTest did not run the one; the other failed, whatever else is said of it.
        (
            "<testsuite><testcase status='notrun' result='suppressed'/><testcase status='run' result='completed'/>\
             <testcase><skipped/><failure/></testcase></testsuite>",
            [3, 1, 0, 1, 0],
        ),
        // Passed when it was tried again (Surefire); what output and properties hold is no result.
        (
            "<testsuite><properties><failure/></properties><failure/><testcase><flakyFailure/><system-out>&lt;failure/></system-out></testcase>\
             <testcase><properties><failure/></properties></testcase></testsuite>",
            [2, 0, 0, 0, 0],
        ),
    ];
    for (text, wanted) in table {
        assert_eq!(counts(text), wanted, "{text}");
    }
}

#[test]
fn names_are_those_of_class_or_suite_and_case_on_one_line() {
    let named = |text: &str| {
        of(text)
            .failed
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
    };
    let suite = |case: &str| named(&format!("<testsuite name='shop'>{case}</testsuite>"));
    assert_eq!(
        suite("<testcase classname='a.B' name='c'><failure/></testcase>"),
        ["a.B.c"]
    );
    assert_eq!(
        suite("<testcase name='주문 &amp; 결제&#10;x'><failure/></testcase>"),
        ["shop.주문 & 결제 x"]
    );
    assert_eq!(
        named("<testsuite><testcase name='c'><error/></testcase></testsuite>"),
        ["c"]
    );
    assert_eq!(
        named("<x:testsuite xmlns:x='y'><x:testcase name='c'><x:error/></x:testcase></x:testsuite>"),
        ["c"]
    );
    let long = suite(&format!(
        "<testcase classname='a' name='{}'><failure/></testcase>",
        "가".repeat(300)
    ));
    assert_eq!(
        (long[0].chars().count(), long[0].ends_with('…')),
        (LONGEST_NAME, true)
    );
    // Latin-1, as its declaration says.
    let bytes = b"<?xml version='1.0' encoding='ISO-8859-1'?><testsuite><testcase name='caf\xe9'><failure/></testcase></testsuite>";
    assert_eq!(&*read(bytes).unwrap().failed[0], "caf\u{fffd}");
}

#[test]
fn entities_are_not_expanded() {
    let mut bomb =
        String::from("<!DOCTYPE t [<!ENTITY a 'aaaaaaaaaa'><!ENTITY f SYSTEM 'file:///etc/passwd'>");
    for (one, other) in ('a'..'j').zip('b'..='j') {
        let _ = write!(bomb, "<!ENTITY {other} '{}'>", format!("&{one};").repeat(10));
    }
    bomb.push_str("]><testsuite><testcase name='&j;'><failure>&j;&f;</failure></testcase><testcase name='&f;'><failure/></testcase></testsuite>");
    assert_eq!(
        of(&bomb).failed.iter().map(|it| &**it).collect::<Vec<_>>(),
        ["&j;", "&f;"]
    );
}

#[test]
fn only_the_first_are_named() {
    let case = |inner: &str| format!("<testcase name='n'><{inner}/></testcase>").repeat(700);
    let it = of(&format!(
        "<testsuite>{}{}</testsuite>",
        case("failure"),
        case("skipped")
    ));
    assert_eq!(
        (it.failures, it.failed.len(), it.skips, it.skipped.len()),
        (700, FAILED, 700, SKIPPED)
    );
    assert!(it.names_left_out());
}

#[test]
fn the_file_is_named_by_digest_and_size() {
    // printf '<testsuite/>' | sha256sum
    let it = of("<testsuite/>");
    assert_eq!(
        &*it.digest.0,
        "55a2c4dabbdd641e56e0ce28262e1d43b8fff7534ced8580f39ba573eca56f2c"
    );
    assert_eq!(it.bytes, 12);
    assert_eq!(of("\u{feff}<testsuite/>").bytes, 15);
}

#[test]
fn what_is_no_report_is_told_apart() {
    let not_xml = |text: &[u8]| matches!(read(text), Err(Odd::NotXml(_)));
    for nothing in [
        "",
        " \n",
        "{\"tests\": 3}",
        "<!-- testsuite -->",
        "<?xml version='1.0'?>",
    ] {
        assert_eq!(read(nothing.as_bytes()), Err(Odd::Nothing), "{nothing}");
    }
    for other in ["<html><testsuite/></html>", "<testcase/>", "<testsuite/><html/>"] {
        assert!(matches!(read(other.as_bytes()), Err(Odd::Other(_))), "{other}");
    }
    for broken in [
        "<testsuite>",
        "<testsuite><testcase></testsuite>",
        "<testsuite",
        "<testsuite></testsuites>",
        "</testsuite>",
        "<!DOCTYPE",
    ] {
        assert!(not_xml(broken.as_bytes()), "{broken}");
    }
    let utf16: Vec<u8> = "<testsuite/>".encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert!(read(&utf16).is_err());
    let deep = "<testsuite>".repeat(DEEPEST + 1);
    assert_eq!(read(deep.as_bytes()), Err(Odd::TooDeep));
    let many = |count: u32| format!("<testsuite>{}</testsuite>", "<testcase/>".repeat(count as usize));
    assert_eq!(of(&many(MOST)).tests, MOST);
    assert_eq!(read(many(MOST + 1).as_bytes()), Err(Odd::TooMany));
    let mut large = b"<testsuite/>".to_vec();
    large.resize(LARGEST as usize, b' ');
    assert!(read(&large).is_ok());
    large.push(b' ');
    assert_eq!(read(&large), Err(Odd::TooLarge));
}

fn pieces() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "<testsuite>",
        "<testsuites failures='2'>",
        "</testsuite>",
        "</testsuites>",
        "<testcase name='a&b;'>",
        "<testcase",
        "</testcase>",
        "<failure/>",
        "<skipped>",
        "<error",
        ">",
        "/>",
        "<![CDATA[",
        "]]>",
        "<!--",
        "-->",
        "<!DOCTYPE x [",
        "]>",
        "&lt;",
        "&#x0;",
        "'",
        "\"",
        "\u{0}",
        "가",
        " a=1 a=2 ",
    ]);
    prop::collection::vec(piece, 0..40).prop_map(|all| all.concat())
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = read(&bytes);
    }

    #[test]
    fn nor_do_pieces_of_reports_and_what_is_counted_is_within_bounds(text in pieces()) {
        for text in [text.clone(), format!("<testsuite>{text}"), format!("<testsuite>{text}</testsuite>")] {
            if let Ok(it) = read(text.as_bytes()) {
                prop_assert!(it.skips <= it.tests && it.unshown <= it.failures + it.errors);
                prop_assert!(it.failed.len() <= FAILED && it.skipped.len() as u32 <= it.skips);
            }
        }
    }
}
