//! Reads a certificate.

use naru_domain::{Name, Timestamp, inquiry::Certificate};
use x509_cert::{
    der::{Decode, Error},
    ext::pkix::{SubjectAltName, name::GeneralName},
    time::Time,
};

/// What is looked at of it.
pub(super) fn read(der: &[u8]) -> Result<Certificate, Error> {
    let certificate = x509_cert::Certificate::from_der(der)?;
    let certificate = certificate.tbs_certificate();
    let names = certificate.get_extension::<SubjectAltName>()?;
    let names = names.into_iter().flat_map(|(_, it)| it.0);
    let names = names.filter_map(|it| match it {
        GeneralName::DnsName(name) => Some(Name::from(name.as_str())),
        _ => None,
    });
    let serial = certificate.serial_number().as_bytes().iter();
    let validity = certificate.validity();
    Ok(Certificate {
        subject: certificate.subject().to_string().into(),
        issuer: certificate.issuer().to_string().into(),
        serial: serial.map(|it| format!("{it:02x}")).collect::<String>().into(),
        names: names.collect(),
        from: moment(validity.not_before),
        until: moment(validity.not_after),
    })
}

/// A certificate cannot say a moment that a timestamp cannot.
fn moment(time: Time) -> Timestamp {
    let seconds = i64::try_from(time.to_unix_duration().as_secs()).unwrap_or(i64::MAX);
    Timestamp::from_second(seconds).unwrap_or(Timestamp::MAX)
}
