//! Signature Version 4 of a request, checked as the service checks it
//! (<https://docs.aws.amazon.com/IAM/latest/UserGuide/create-signed-request.html>).

use bytes::Bytes;
use hmac::{Hmac, Mac as _};
use hyper::Request;
use sha2::Sha256;

use super::{Options, Refusal};
use crate::http::{hex, sha256};

/// What the Authorization header says.
struct Signed<'a> {
    key: &'a str,
    date: &'a str,
    region: &'a str,
    service: &'a str,
    headers: Vec<&'a str>,
    signature: &'a str,
}

/// Checks who signed, for which region and service, and what.
pub(super) fn check(options: &Options, request: &Request<Bytes>) -> Result<(), Refusal> {
    let missing = || {
        Refusal::new("MissingAuthenticationTokenException", "Missing Authentication Token".into())
    };
    let text = header(request, "authorization").ok_or_else(missing)?;
    let signed = read(text).ok_or_else(|| {
        incomplete("Authorization header must have Credential, SignedHeaders and Signature")
    })?;
    let time = header(request, "x-amz-date")
        .filter(|time| time.len() == 16 && time.starts_with(signed.date))
        .ok_or_else(|| incomplete("x-amz-date must be given, of the day in the Credential"))?;
    if signed.region != options.region || signed.service != "rekognition" {
        return Err(invalid(&format!(
            "Credential should be scoped to a valid region: {} and service: rekognition.",
            options.region
        )));
    }
    if signed.key != options.access_key {
        return Err(Refusal::new(
            "UnrecognizedClientException",
            "The security token included in the request is invalid.".into(),
        ));
    }
    for needed in ["host", "x-amz-date", "x-amz-target"] {
        if !signed.headers.contains(&needed) {
            return Err(invalid(&format!("'{needed}' must be a signed header")));
        }
    }
    let canonical = canonical(request, &signed.headers);
    let scope = format!("{}/{}/rekognition/aws4_request", signed.date, signed.region);
    let to_sign = format!("AWS4-HMAC-SHA256\n{time}\n{scope}\n{}", sha256(canonical.as_bytes()));
    let mut key = keyed(format!("AWS4{}", options.secret_key).as_bytes(), signed.date);
    for part in [signed.region, signed.service, "aws4_request"] {
        key = keyed(&key, part);
    }
    if hex(&keyed(&key, &to_sign)) == signed.signature {
        return Ok(());
    }
    Err(invalid("The request signature we calculated does not match the signature you provided."))
}

fn read(text: &str) -> Option<Signed<'_>> {
    let parts = text.strip_prefix("AWS4-HMAC-SHA256 ")?;
    let part = |name: &str| {
        parts.split(',').find_map(|part| part.trim().strip_prefix(name)?.strip_prefix('='))
    };
    let scope: Vec<&str> = part("Credential")?.split('/').collect();
    let [key, date, region, service, "aws4_request"] = scope[..] else { return None };
    let signature = part("Signature")?;
    let hexadecimal = signature.len() == 64
        && signature.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
    let headers = part("SignedHeaders")?.split(';').collect();
    (hexadecimal && date.len() == 8).then_some(Signed {
        key,
        date,
        region,
        service,
        headers,
        signature,
    })
}

fn canonical(request: &Request<Bytes>, headers: &[&str]) -> String {
    let mut lines = vec![
        request.method().as_str().to_owned(),
        request.uri().path().to_owned(),
        request.uri().query().unwrap_or_default().to_owned(),
    ];
    for name in headers {
        let values = request.headers().get_all(*name).iter();
        let values: Vec<String> = values
            .filter_map(|value| value.to_str().ok())
            .map(|value| value.split_whitespace().collect::<Vec<_>>().join(" "))
            .collect();
        lines.push(format!("{name}:{}", values.join(",")));
    }
    lines.extend([String::new(), headers.join(";"), sha256(request.body())]);
    lines.join("\n")
}

fn keyed(key: &[u8], text: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

fn header<'a>(request: &'a Request<Bytes>, name: &str) -> Option<&'a str> {
    request.headers().get(name)?.to_str().ok()
}

fn incomplete(why: &str) -> Refusal {
    Refusal::new("IncompleteSignature", why.to_owned())
}

fn invalid(why: &str) -> Refusal {
    Refusal::new("InvalidSignatureException", why.to_owned())
}
