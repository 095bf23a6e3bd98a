"""The Host header: the name in it, without a port."""


def host_name(host: str) -> str:
    """Return the name or address in a Host header; an IPv6 address without its brackets, empty text for none.

    What is no host, such as `[::1].example`, is returned as it is.
    """
    host = host.strip()
    if host.startswith("["):
        address, _, rest = host[1:].partition("]")
        return address if not rest or rest.startswith(":") else host
    if host.count(":") > 1:  # an IPv6 address without brackets, which has no port
        return host
    return host.partition(":")[0]
