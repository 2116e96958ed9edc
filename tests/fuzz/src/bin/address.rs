//! Addresses as people write them.

#![no_main]

use actix_multiplex::transport::connector;
use fuzz::bounds::hold;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = str::from_utf8(bytes) else { return };
    match hold(|| connector(text)) {
        Ok(read) => {
            let again = connector(&read.address()).expect("is written as an address");
            assert_eq!(again.address(), read.address());
        }
        Err(error) => assert!(error.to_string().contains(text), "{error}"),
    }
});
