"""What holds for every API behind Alibaba's gateway: bytes to values and back. Knows no resource."""
