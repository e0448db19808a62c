"""Names of hosts: which lies under which."""


def lies_under(name: str, domain: str) -> bool:
    """Whether the host `name` is `domain` or lies below it; whole labels count, capitals and a closing dot do not."""
    name, domain = (text.strip().lower().rstrip(".") for text in (name, domain))
    return bool(domain) and (name == domain or name.endswith(f".{domain}"))


def is_domain(text: str) -> bool:
    """Whether it has two labels at least: nobody owns `cn`."""
    return "." in text.strip().strip(".")
