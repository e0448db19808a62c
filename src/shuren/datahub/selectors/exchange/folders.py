"""Where the files of the exchange lie: packets to be sent, packets being received, and what people carry."""

from pathlib import Path

from django.conf import settings

from shuren.datahub.models import ExchangeAgreement, ExchangeNode, ExchangePacket


def out_file(packet: ExchangePacket) -> Path:
    return out_folder(packet.agreement) / f"{packet.digest}.packet"


def out_folder(agreement: ExchangeAgreement) -> Path:
    return _root() / "out" / agreement.uid


def in_file(agreement: ExchangeAgreement, digest: str) -> Path:
    """A packet as far as it came."""
    return _root() / "in" / agreement.uid / f"{digest}.part"


def drop_folders(node: ExchangeNode) -> tuple[Path, Path]:
    """What a person takes to the node, and what they bring from it."""
    folder = Path(settings.SHUREN_EXCHANGE_DROP) / node.uid
    return folder / "out", folder / "in"


def _root() -> Path:
    return Path(settings.DATA_DIR) / "exchange"
