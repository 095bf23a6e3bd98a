"""The behaviour that all APIs behind Alibaba's gateway share: bytes to values and back. It knows no resource."""
