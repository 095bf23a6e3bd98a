"""The Host header: the name in it, without a port."""


def host_name(host: str) -> str:
    """Return the name or address in a Host header; an IPv6 address without its brackets, empty text for none."""
    host = host.strip()
    if host.startswith("["):
        return host[1:].partition("]")[0]
    if host.count(":") > 1:  # an IPv6 address without brackets, which has no port
        return host
    return host.partition(":")[0]
