//! The real networks on real photographs; they need pulled models and `../shared`.

