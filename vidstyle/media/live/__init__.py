"""Video that is seen as it comes: cameras, streams and files at their own pace; and streams that go out."""
