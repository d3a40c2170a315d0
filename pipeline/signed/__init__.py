"""PURE: what is signed: bodies with a time, texts that go around on their own, and passes."""
