//! What the fuzz targets share: [`bounds`] that no decoder may exceed.

pub mod bounds;
