"""CAS 3.0 as its protocol specification says (apereo.github.io/cas, CAS Protocol 3.0)."""
