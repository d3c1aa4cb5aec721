use super::subnet;

#[test]
fn a_subnet_is_its_first_address_and_its_length() {
    for (text, address, length) in [
        ("10.1.2.3", "10.1.2.3", 32),
        ("10.1.2.3/32", "10.1.2.3", 32),
        ("10.1.2.3/23", "10.1.2.0", 23),
        ("10.1.3.3/23", "10.1.2.0", 23),
        ("10.1.2.3/0", "0.0.0.0", 0),
        ("fd00::3", "fd00::3", 128),
        ("fd00:1:2::3/32", "fd00:1::", 32),
        ("fd00::3/0", "::", 0),
    ] {
        assert_eq!(subnet(text), Some((address.parse().unwrap(), length)), "{text}");
    }
    for text in ["10.0.0.0/33", "::/129", "10.0.0.0/", "10.0.0/8", "web", ""] {
        assert_eq!(subnet(text), None, "{text}");
    }
}
