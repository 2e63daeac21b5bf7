//! Bodies of requests, within their limits.

use std::io::Read;
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::extract::{FromRequest, Request};
use axum::http::StatusCode;
use axum::http::header::{CONTENT_ENCODING, CONTENT_LENGTH};
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use serde::de::DeserializeOwned;

use crate::app::App;
use crate::error::ApiError;
use crate::options::Limits;

/// Bytes a second that the slowest line carries; a body that comes slower is given up.
pub(crate) const SLOWEST_RATE: u64 = 64 << 10;

/// The whole body of a request, decompressed. Its `Content-Type` is not looked at.
#[derive(Debug, Clone)]
pub struct Payload(pub Bytes);

impl FromRequest<App> for Payload {
    type Rejection = ApiError;

    async fn from_request(request: Request, app: &App) -> Result<Self, ApiError> {
        let limits = app.limits();
        let (parts, body) = request.into_parts();
        let declared = parts.headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
        if declared.is_some_and(|declared: u64| declared > limits.body_bytes as u64) {
            return Err(too_large(limits));
        }
        let encoding = match parts.headers.get(CONTENT_ENCODING) {
            None => Encoding::Plain,
            Some(name) => Encoding::named(name.to_str().unwrap_or_default())?,
        };
        let bytes = collect(body, limits).await?;
        match encoding {
            Encoding::Plain => Ok(Self(bytes)),
            compressed => {
                let limit = limits.body_bytes;
                let unpacked = tokio::task::spawn_blocking(move || compressed.unpack(&bytes, limit)).await;
                match unpacked.map_err(|_| ApiError::fault("decompression panicked"))? {
                    Ok(Some(bytes)) => Ok(Self(bytes)),
                    Ok(None) => Err(too_large(limits)),
                    Err(_) => Err(ApiError::bad_request("the body is not compressed as `Content-Encoding` says")),
                }
            }
        }
    }
}

/// The body of a request as JSON, whatever its `Content-Type` says.
#[derive(Debug, Clone)]
pub struct JsonBody<T>(pub T);

impl<T: DeserializeOwned> FromRequest<App> for JsonBody<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, app: &App) -> Result<Self, ApiError> {
        let Payload(bytes) = Payload::from_request(request, app).await?;
        let parsed = serde_json::from_slice(&bytes);
        parsed.map(Self).map_err(|error| ApiError::bad_request(format!("the body is not as it should be: {error}")))
    }
}

#[derive(Debug, Clone, Copy)]
enum Encoding {
    Plain,
    Gzip,
    Zstd,
}

impl Encoding {
    fn named(name: &str) -> Result<Self, ApiError> {
        match name.trim().to_ascii_lowercase().as_str() {
            "" | "identity" => Ok(Self::Plain),
            "gzip" | "x-gzip" => Ok(Self::Gzip),
            "zstd" => Ok(Self::Zstd),
            other => {
                let message = format!("`Content-Encoding: {other}` is not read here");
                Err(ApiError::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, message).with_hint("gzip and zstd are"))
            }
        }
    }

    /// Decompresses; nothing when there is more than the limit.
    fn unpack(self, packed: &[u8], limit: usize) -> std::io::Result<Option<Bytes>> {
        let mut bytes = Vec::new();
        // One byte more tells that there is more.
        let most = limit as u64 + 1;
        match self {
            Self::Plain => packed.take(most).read_to_end(&mut bytes)?,
            Self::Gzip => flate2::read::MultiGzDecoder::new(packed).take(most).read_to_end(&mut bytes)?,
            Self::Zstd => zstd::stream::read::Decoder::new(packed)?.take(most).read_to_end(&mut bytes)?,
        };
        Ok((bytes.len() <= limit).then(|| bytes.into()))
    }
}

async fn collect(mut body: Body, limits: &Limits) -> Result<Bytes, ApiError> {
    let started = Instant::now();
    let mut bytes = BytesMut::new();
    loop {
        let allowed = limits.body_time + Duration::from_secs(bytes.len() as u64 / SLOWEST_RATE);
        let left = allowed.saturating_sub(started.elapsed());
        match tokio::time::timeout(left, body.frame()).await {
            Err(_) => return Err(too_slow(limits)),
            Ok(None) => return Ok(bytes.freeze()),
            Ok(Some(Err(_))) => return Err(ApiError::bad_request("the body ends before its end")),
            Ok(Some(Ok(frame))) => {
                let Some(data) = frame.data_ref() else { continue };
                if bytes.len() + data.len() > limits.body_bytes {
                    return Err(too_large(limits));
                }
                bytes.extend_from_slice(data);
            }
        }
    }
}

fn too_large(limits: &Limits) -> ApiError {
    let limit = limits.body_bytes;
    ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, format!("the body has more than {limit} bytes, which is the limit"))
        .with_hint("send it in parts; `evalhouse serve --body-limit` raises the limit")
}

fn too_slow(limits: &Limits) -> ApiError {
    let seconds = limits.body_time.as_secs_f64();
    let message = format!("the body did not come within {seconds} seconds and {SLOWEST_RATE} bytes a second");
    ApiError::new(StatusCode::REQUEST_TIMEOUT, message)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn a_bomb_is_stopped_at_the_limit() {
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        packed.write_all(&vec![0; 1 << 20]).unwrap();
        let packed = packed.finish().unwrap();
        assert!(packed.len() < 2_000);
        assert_eq!(Encoding::Gzip.unpack(&packed, 1 << 19).unwrap(), None);
        assert_eq!(Encoding::Gzip.unpack(&packed, 1 << 20).unwrap().map(|bytes| bytes.len()), Some(1 << 20));
        let packed = zstd::encode_all(&[0; 1 << 20][..], 1).unwrap();
        assert_eq!(Encoding::Zstd.unpack(&packed, 1 << 19).unwrap(), None);
        assert!(Encoding::Zstd.unpack(b"no zstd", 100).is_err());
    }

    #[tokio::test]
    async fn a_body_that_does_not_come_is_given_up() {
        let limits = Limits { body_time: Duration::from_millis(20), ..Limits::default() };
        let endless = Body::from_stream(futures::stream::pending::<std::io::Result<Bytes>>());
        assert_eq!(collect(endless, &limits).await.unwrap_err().status(), StatusCode::REQUEST_TIMEOUT);
        let limits = Limits { body_bytes: 3, ..Limits::default() };
        assert_eq!(collect(Body::from("abcd"), &limits).await.unwrap_err().status(), StatusCode::PAYLOAD_TOO_LARGE);
        assert_eq!(collect(Body::from("abc"), &limits).await.unwrap(), "abc");
    }
}
