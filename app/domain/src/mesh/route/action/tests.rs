use super::without_port;

#[test]
fn a_port_is_digits_after_the_last_colon_of_what_is_no_bare_ipv6() {
    for (host, name) in [
        ("web:80", "web"),
        ("web", "web"),
        ("web:http", "web:http"),
        ("10.0.0.1:80", "10.0.0.1"),
        ("[fd00::1]:80", "[fd00::1]"),
        ("[fd00::1]", "[fd00::1]"),
        ("fd00::1", "fd00::1"),
    ] {
        assert_eq!(without_port(host), name);
    }
}
