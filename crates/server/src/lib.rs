//! The HTTP server: what the SDKs speak, and every answer of the engine as JSON.
