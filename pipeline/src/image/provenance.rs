//! Provenance written into a restored JPEG: what it is, what it was made of, and how.
//!
//! XMP says it in the terms that archives and editors read: IPTC's digital source type, and the
//! derivation and history of XMP Media Management (XMP specification, part 2, 2.5 and 1.2.4).

use std::fmt::Write as _;

use jiff::Timestamp;
use quick_xml::escape::escape;

use crate::fault::Fault;

/// What is written about one restored picture.
pub(crate) struct Provenance<'a> {
    /// What kind of picture it is, an IRI.
    pub(crate) source_type: &'a str,
    /// The id of the original's asset.
    pub(crate) original: &'a str,
    /// The SHA-256 of the original's bytes, in hexadecimal digits.
    pub(crate) digest: &'a str,
    /// The restoration's name.
    pub(crate) name: &'a str,
    /// The program that made it, with its version.
    pub(crate) software: &'a str,
    /// When.
    pub(crate) at: Timestamp,
    /// What was done, in order: what, by whom, with which parameters.
    pub(crate) history: Vec<[String; 3]>,
}

/// The heading of XMP in APP1. Source: XMP specification, part 3, 1.1.3.
const HEADING: &[u8] = b"http://ns.adobe.com/xap/1.0/\0";

impl Provenance<'_> {
    /// Puts it into a JPEG that our own coder made, behind the JFIF segment.
    ///
    /// # Errors
    /// `Broken` when the bytes are no such JPEG, or there is more to say than a segment holds.
    pub(crate) fn written_into(&self, jpeg: &[u8]) -> Result<Vec<u8>, Fault> {
        let payload = [HEADING, self.packet().as_bytes()].concat();
        let length = u16::try_from(payload.len() + 2)
            .map_err(|_| Fault::broken("the provenance is longer than a segment of JPEG"))?;
        let [0xff, 0xd8, 0xff, 0xe0, high, low, ..] = *jpeg else {
            return Err(Fault::broken("the coder made a JPEG that does not begin as JFIF"));
        };
        let behind = 4 + usize::from(u16::from_be_bytes([high, low]));
        let rest = jpeg
            .get(behind..)
            .ok_or_else(|| Fault::broken("the coder made a JPEG that ends in its heading"))?;
        let segment = [&[0xff, 0xe1][..], &length.to_be_bytes(), &payload].concat();
        Ok([&jpeg[..behind], &segment, rest].concat())
    }

    fn packet(&self) -> String {
        let Self { source_type, original, digest, name, software, at, history } = self;
        let (name, software) = (escape(*name), escape(*software));
        let at = at.strftime("%Y-%m-%dT%H:%M:%SZ");
        let mut events = String::new();
        for [what, by, parameters] in history {
            let _ = write!(
                events,
                "<rdf:li rdf:parseType=\"Resource\"><stEvt:action>edited</stEvt:action>\
                 <stEvt:softwareAgent>{software}; {}</stEvt:softwareAgent>\
                 <stEvt:parameters>{}: {}</stEvt:parameters><stEvt:when>{at}</stEvt:when></rdf:li>",
                escape(by),
                escape(what),
                escape(parameters),
            );
        }
        format!(
            "<?xpacket begin=\"\u{feff}\" id=\"W5M0MpCehiHzreSzNTczkc9d\"?>\
             <x:xmpmeta xmlns:x=\"adobe:ns:meta/\">\
             <rdf:RDF xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\">\
             <rdf:Description rdf:about=\"\" \
             xmlns:xmp=\"http://ns.adobe.com/xap/1.0/\" \
             xmlns:xmpMM=\"http://ns.adobe.com/xap/1.0/mm/\" \
             xmlns:stRef=\"http://ns.adobe.com/xap/1.0/sType/ResourceRef#\" \
             xmlns:stEvt=\"http://ns.adobe.com/xap/1.0/sType/ResourceEvent#\" \
             xmlns:Iptc4xmpExt=\"http://iptc.org/std/Iptc4xmpExt/2008-02-29/\" \
             xmp:CreatorTool=\"{software}\" xmp:ModifyDate=\"{at}\" \
             xmpMM:DocumentID=\"glassplate:{original}/{name}\" \
             xmpMM:OriginalDocumentID=\"glassplate:{original}\" \
             Iptc4xmpExt:DigitalSourceType=\"{source_type}\">\
             <xmpMM:DerivedFrom rdf:parseType=\"Resource\">\
             <stRef:documentID>glassplate:{original}</stRef:documentID>\
             <stRef:instanceID>sha256:{digest}</stRef:instanceID></xmpMM:DerivedFrom>\
             <xmpMM:History><rdf:Seq>{events}</rdf:Seq></xmpMM:History>\
             </rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end=\"r\"?>"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::{Limits, embedded, encode_jpeg, probe};
    use crate::raster::Raster;

    #[test]
    fn what_was_written_is_read_back_and_the_picture_is_the_same() {
        let plain = encode_jpeg(&Raster::new(16, 8, vec![90; 16 * 8 * 3]), 90).expect("a JPEG");
        let provenance = Provenance {
            source_type: crate::restoration::SOURCE_TYPE,
            original: "x",
            digest: "ab",
            name: "a<b>",
            software: "glassplate 1",
            at: Timestamp::UNIX_EPOCH,
            history: vec![["upscale".into(), "a & b".into(), "{\"x\":\"<\"}".into()]],
        };
        let marked = provenance.written_into(&plain).expect("room");
        let technical = probe::probe(&marked, &Limits::default()).expect("a JPEG");
        let found = embedded::read(&marked, technical.format);
        let value = &found.fields["digital_source_type"].value;
        assert!(value.to_string().contains("algorithmicallyEnhanced"), "{value}");
        assert!(found.damage.is_empty(), "{:?}", found.damage);
        assert_eq!(marked.len(), plain.len() + provenance.packet().len() + HEADING.len() + 4);
        assert!(marked.ends_with(&plain[20..]));
        assert!(provenance.written_into(b"no JPEG").is_err());
    }
}
